"""`gameday judge`: a recorded run judged again, without the system."""

from pathlib import Path

import click


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--catalogue", default="scenarios", metavar="PKG", show_default=True, help="Package of scenarios.")
@click.option("--stack", default=None, metavar="FILE", help="Topology file; default: the reference stack's.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def judge(run: str, catalogue: str, stack: str | None, reports: Path, as_json: bool) -> int:
    r"""Judge a recorded run again: criteria, invariants, rules, alerts, as they are now.

    RUN is a run's id, its folder, `latest`, or a journal. Nothing is started: criteria
    are judged on the recorded sweeps with the catalogue's present thresholds,
    invariants on the recorded facts, rules on the recorded acts, alerts, the
    time to detection and indicators on the recorded samples. What differs from
    what was claimed is said.

    \b
    Exit codes: 0 everything as claimed, 1 something differs, 2 no journal that
    can be judged, 3 not all of it could be judged.

    \b
    Examples:
      gameday judge latest
      gameday judge 20250102-030405-abcd --reports artifacts
      gameday judge artifacts/shard-3/journal.jsonl --json
    """
    from harness.fronts import judging_again  # noqa: PLC0415  (the command line must answer at once)
    from harness.fronts.asked import recorded  # noqa: PLC0415

    found = Path(run) if Path(run).is_file() else recorded(run, reports)
    again = judging_again.judge(found, catalogue, stack)
    if as_json:
        import json  # noqa: PLC0415

        click.echo(json.dumps(judging_again.plain(again), indent=1, ensure_ascii=False))
    else:
        for line in judging_again.text(again):
            click.echo(line)
    return again.exit_code
