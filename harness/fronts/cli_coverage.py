"""`gameday coverage`: what of a runbook is executed by the catalogue, and what is missing."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.fronts.options import stack_options

FILE = click.Path(path_type=Path)


@click.command()
@click.option("--runbook", type=FILE, default=None, metavar="FILE", help="Markdown; default: the catalogue's own.")
@click.option("--failure-modes", type=FILE, default=None, metavar="FILE", help="The list of all ids there are.")
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True)
@click.option("--baseline", type=FILE, default=None, metavar="FILE", help="Gaps that are known; only others fail.")
@click.option("--write-baseline", type=FILE, default=None, metavar="FILE", help="Write today's gaps as known.")
@click.option("--accept", multiple=True, metavar="KEY|all", help="Accept the text of this bullet as it is claimed.")
@click.option("--strict", is_flag=True, help="Exit 1 on any gap.")
@click.option("--offline", is_flag=True, help="Never bring up a cell, not even for queries that no run has seen.")
@click.option("--reports", type=FILE, default=Path("reports"), metavar="DIR", show_default=True)
@click.option("--runtime", type=click.Choice(["auto", "process", "docker"]), default="auto", show_default=True)
@stack_options
def coverage(**asked: Any) -> int:
    r"""Show what of a runbook is executed, measured and claimed, and name every gap.

    Reads any Markdown runbook, Japanese or English, and the newest runs in the
    folder of reports. Queries that no run has seen are run once, read-only, on
    a cell of their own.

    \b
    Exit codes: 0; with --baseline 1 on gaps that it does not name; with
    --strict 1 on any gap; 2 wrong use, 3 trouble with the machine.

    \b
    Examples:
      gameday coverage
      gameday coverage --runbook runbook.md --failure-modes failure-modes.md
      gameday coverage --offline --baseline docs/coverage-baseline.json
      gameday coverage --format markdown > coverage.md
      gameday coverage --accept 5.6/check/1     after reading what changed
    """
    from harness.fronts import books, coverage_text  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.catalogue import load_catalogue, load_topology  # noqa: PLC0415
    from harness.model.errors import UsageError  # noqa: PLC0415
    from harness.runbook.coverage import Coverage, cover  # noqa: PLC0415
    from harness.runbook.movement import Sample, taken  # noqa: PLC0415

    topology = load_topology(asked["stack"])
    if asked["profile"] not in topology.profiles:
        raise UsageError(f"there is no profile {asked['profile']}; there are {', '.join(topology.profiles)}")
    package = asked["catalogue"]
    catalogue = load_catalogue(package, topology)
    book = books.must_be_read(books.chosen_runbook(asked["runbook"], package))
    known = books.known_ids(asked["failure_modes"])
    baseline = _baseline(asked["baseline"])
    queries, refused = books.looked_at(book, books.window_factor(topology, asked["profile"]))
    seen = books.seen_in(asked["reports"])
    met = {(s.event.key, s.event.digest) for s in seen.samples if taken(s.event)}
    unseen = [q for q in queries.values() if (q.key, q.digest) not in met]
    if unseen and not asked["offline"]:
        from harness.fronts.idle import run_queries  # noqa: PLC0415
        from harness.model.words import counted  # noqa: PLC0415

        click.echo(f"{counted(len(unseen), 'query', 'queries')} no run has seen: running on a cell", err=True)
        found = run_queries(unseen, topology, asked["profile"], asked["runtime"], asked["reports"])
        seen = replace(seen, samples=[*seen.samples, *(Sample("idle", e) for e in found)])
    if asked["accept"]:
        keys = [i.key for i in book.items] if "all" in asked["accept"] else list(asked["accept"])
        unknown = sorted(set(keys) - {i.key for i in book.items})
        if unknown:
            raise UsageError(f"{book.path} has no bullet {unknown[0]}")
        click.echo(f"accepted in {books.accept(package, book, keys)}", err=True)
    result = cover(
        book,
        catalogue,
        known=known,
        accepted=books.accepted_of(package),
        dead_links=books.dead_links(book),
        refused=refused,
        seen=seen,
    )
    if asked["write_baseline"]:
        names = sorted({g.name for g in result.gaps})
        said = json.dumps({"form": 1, "gaps": names}, indent=1, ensure_ascii=False) + "\n"
        try:
            asked["write_baseline"].write_text(said, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{asked['write_baseline']} cannot be written: {error.strerror}; name another file with --write-baseline"
            ) from None
    table = partial(coverage_text.table, reports=asked["reports"])
    render: dict[str, Callable[[Coverage, list[str] | None], str]] = {
        "table": table, "json": coverage_text.as_json, "markdown": coverage_text.markdown,
    }  # fmt: skip
    click.echo(render[asked["form"]](result, baseline))
    if asked["strict"]:
        return 1 if result.gaps else 0
    return 1 if baseline is not None and result.new(baseline) else 0


def _baseline(path: Path | None) -> list[str] | None:
    from harness.model.errors import UsageError  # noqa: PLC0415

    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["gaps"]
        return [str(name) for name in found]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no baseline: {error}; write one with --write-baseline") from None
