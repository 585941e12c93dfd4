"""Runbooks and what runs have shown of them: files in, the plain values that `harness.runbook` reckons with out."""

import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from harness.drivers.clock import wall
from harness.fronts.catalogue import look_here_too
from harness.model.arms import ARMS, PROVING
from harness.model.errors import GamedayError, UsageError
from harness.model.events import KINDS, WORST_FIRST, Claimed, Event, Moved, Queried, RunStarted, SliMeasured, Swept
from harness.model.runbook import Query
from harness.model.scenario import Catalogue
from harness.model.topology import Topology
from harness.model.words import counted
from harness.report import journal
from harness.report.record import standing
from harness.runbook.coverage import LastClaim, Refusal, Seen, missed
from harness.runbook.links import anchor
from harness.runbook.movement import Sample, taken
from harness.runbook.parse import ID, SILENT, Runbook, read

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""How an address begins that leads out of the documents: `https:`, `mailto:`, `tel:`, `data:`."""

MOST_RUNS = 60
"""Newest runs of scenarios that are looked at."""

ACCEPTED = "accepted.json"
"""In a catalogue's folder of sections: for each bullet's key the digests of the texts that its claim was made for."""


def _folder(package: str) -> Path:
    look_here_too()
    return Path(str(importlib.resources.files(package)))


def default_runbook(package: str) -> Path | None:
    """The runbook that a catalogue brings along, or that lies in the `docs` beside it; None when there is none."""
    try:
        folder = _folder(package)
    except (ModuleNotFoundError, TypeError):
        return None
    places = (folder / "runbook.md", folder.parent / "docs" / "runbook.md")
    return next((p for p in places if p.is_file()), None)


def chosen_runbook(asked: Path | None, package: str) -> Path:
    """The runbook that was asked for, or the catalogue's own; raises UsageError when there is neither."""
    found = asked or default_runbook(package)
    if found is None:
        raise UsageError(f"{package} brings no runbook along; name one with --runbook FILE")
    return found


def must_be_read(path: Path) -> Runbook:
    """The runbook; raises UsageError when nothing of it can be used."""
    book = read(path)
    if not book.chapters and not book.items:
        raise UsageError(book.problems[0] if book.problems else f"{path} has no heading and no list")
    return book


def accepted_of(package: str) -> dict[str, list[str]]:
    """The accepted digests of a catalogue; raises UsageError for a file that is no such table."""
    path = _folder(package) / "sections" / ACCEPTED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): [str(d) for d in digests] for key, digests in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{path} is no table of accepted digests: {error}") from None


def accept(package: str, book: Runbook, keys: Sequence[str]) -> Path:
    """Add the digests of a document's bullets to the accepted ones; only keys and digests are written.

    Raises UsageError when the catalogue's folder cannot be written.
    """
    path = _folder(package) / "sections" / ACCEPTED
    table = accepted_of(package)
    for item in book.items:
        if item.key in keys and item.part not in SILENT:
            table[item.key] = sorted({*table.get(item.key, []), item.digest})
    rows = ",\n".join(f" {json.dumps(key)}: {json.dumps(table[key])}" for key in sorted(table, key=_order))
    try:
        path.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; accept with a catalogue that can be") from None
    return path


def _order(key: str) -> tuple[list[tuple[int, str]], ...]:
    return tuple([(int(w) if w.isdecimal() else 0, w) for w in part.split(".")] for part in key.split("/"))


def known_ids(path: Path | None) -> list[str]:
    """The ids that a list of failure modes has, in its order; raises UsageError when it has none."""
    if path is None:
        return []
    book = read(path)
    if not book.encoding:
        raise UsageError(book.problems[0])
    found = list(dict.fromkeys(ID.findall(path.read_text(encoding=book.encoding, errors="replace"))))
    if not found:
        raise UsageError(f"{path} names no failure mode")
    return found


def dead_links(book: Runbook) -> list[tuple[str, int, str]]:
    """Links of a document to files and headings that are not there; addresses with a scheme are not looked at."""
    here = Path(book.path)
    found: dict[str, tuple[str, int, str]] = {}
    anchors: dict[Path, set[str]] = {here.resolve(): book.anchors}
    for link in book.links:
        target, _, mark = link.target.partition("#")
        if _SCHEME.match(target) or target.startswith("//"):
            continue
        said = _readable(link.target)
        file = _there(here, unquote(target.partition("?")[0]))
        if file is None:
            found.setdefault(said, (said, link.line, "is not there"))
        elif mark and file.suffix in {".md", ".markdown"}:
            if file not in anchors:
                anchors[file] = read(file).anchors
            # The id of an HTML element is looked for as it is written.
            if not {unquote(mark), anchor(unquote(mark))} & anchors[file]:
                found.setdefault(said, (said, link.line, "has no such heading"))
    return list(found.values())


def _there(here: Path, target: str) -> Path | None:
    """The file or folder that a document's link leads to; None when there is none, or none can have such a name."""
    try:
        file = (here.parent / target).resolve() if target else here.resolve()
        return file if file.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _readable(target: str) -> str:
    """A link's target as people write it; as it stands where that would bring in characters that cannot be printed."""
    plain = unquote(target)
    return plain if plain.isprintable() else target


def looked_at(book: Runbook, factor: float) -> tuple[dict[str, Query], dict[str, Refusal]]:
    """The queries of a document that can be run, and those that are refused, by key."""
    from harness.runbook.queries import examine, query_of  # noqa: PLC0415  (a parser of SQL is slow to import)

    queries: dict[str, Query] = {}
    refused: dict[str, Refusal] = {}
    for item in book.queries:
        examined = examine(item)
        query = query_of(examined, factor)
        if query is None:
            refused[item.key] = Refusal(examined.kind, examined.problem)
        else:
            queries[item.key] = query
    return queries, refused


def window_factor(topology: Topology, profile: str) -> float:
    """By what the intervals of a query are scaled: they are windows to look back over, as those of alerts are."""
    return topology.numbers(profile, {}).get("profile.alert-scale", 1.0)


def with_queries(catalogue: Catalogue, book: Runbook, queries: Mapping[str, Query]) -> Catalogue:
    """The catalogue with each scenario's queries: those of its sections, and of sections that no id belongs to."""
    scenarios = {}
    for id_, scenario in catalogue.scenarios.items():
        keys = [q.key for c in book.chapters if not c.ids or id_ in c.ids for q in c.queries]
        scenarios[id_] = replace(scenario, queries=tuple(queries[k] for k in keys if k in queries))
    return replace(catalogue, scenarios=scenarios)


def sampled(
    catalogue: Catalogue, asked: Path | None, topology: Topology, profile: str
) -> tuple[Catalogue, tuple[str, ...]]:
    """The catalogue with the queries of a runbook to sample, and what has to be said of the runbook.

    Without one that was asked for it is the catalogue's own, and without that there is nothing to sample. Raises
    UsageError for one that was asked for and cannot be used.
    """
    path = asked or default_runbook(catalogue.name)
    if path is None:
        return catalogue, ()
    book = must_be_read(path)
    if not book.queries:
        return catalogue, (f"runbook {_near(path)}: it has no queries",)
    queries, refused = looked_at(book, window_factor(topology, profile))
    notes = [f"runbook {_near(path)}: {counted(len(queries), 'query is', 'queries are')} sampled"]
    notes += [f"runbook {_near(path)}: {key} is not run: {why.says}" for key, why in refused.items()]
    return with_queries(catalogue, book, queries), tuple(notes)


def _near(path: Path) -> Path:
    """A file as people name it: seen from the working folder where it lies in it, for reports are passed on."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def seen_in(reports: Path) -> Seen:
    """What the newest runs in a folder have shown; runs whose journal cannot be read are passed over.

    What a run tells of a scenario stands in the place of what older ones told of it: a measurement that moved once, and
    moves no more, does not move.
    """
    claims: dict[str, LastClaim] = {}
    samples: list[Sample] = []
    kinds: set[str] = set()
    moved: dict[str, dict[str, bool]] = {}
    held: set[tuple[str | None, str, str]] = set()
    now = datetime.fromisoformat(wall())
    for folder, started in _newest(reports):
        events = _events(folder)
        told = [e for e in events if isinstance(e, Queried) and _query(e) not in held]
        samples += [Sample(f"{folder.name}/{e.scenario}", e) for e in told]
        held |= {_query(e) for e in told if e.moment == "hold" and taken(e)}
        if started.arm not in PROVING:
            continue
        kinds |= {e.kind for e in events}
        for id_, last in _claims(events, started, now).items():
            claims.setdefault(id_, last)
        for event in events:
            if isinstance(event, Moved) and event.scenario is not None:
                known = {p: m for p, m in event.probes.items() if m is not None}
                moved[event.scenario] = known | moved.get(event.scenario, {})
    whole: dict[tuple[str, str], bool] = {}
    for label, probes in moved.items():
        for probe, m in probes.items():
            place = (label.partition(":")[0], probe)
            whole[place] = m or whole.get(place, False)
    return Seen(claims, samples, frozenset(kinds) if claims else None, whole)


def _query(event: Queried) -> tuple[str | None, str, str]:
    """What tells a scenario's samples of a query from others."""
    return event.scenario, event.key, event.digest


def _newest(reports: Path) -> Iterator[tuple[Path, RunStarted]]:
    """The folders of runs with how they began, the newest first, whatever they are called."""
    try:
        found = [p for p in reports.iterdir() if (p / journal.JOURNAL).is_file() and not p.is_symlink()]
    except OSError:
        return
    begun = [(folder, started) for folder in found if (started := _started(folder)) is not None]
    left = MOST_RUNS
    for folder, started in sorted(begun, key=lambda run: (run[1].at, run[0].name), reverse=True):
        # A cell that only ran queries is not one of the runs, or many of them would push those out.
        left -= started.arm in ARMS
        if left < 0:
            return
        yield folder, started


def _started(folder: Path) -> RunStarted | None:
    """How a run began; None when its journal does not tell."""
    try:
        return next(
            (e for e in journal.read(folder / journal.JOURNAL, [RunStarted]) if isinstance(e, RunStarted)), None
        )
    except GamedayError:
        return None


def _events(folder: Path) -> list[Event]:
    try:
        return standing(journal.read(folder / journal.JOURNAL, [k for k in KINDS.values() if k is not Swept]))
    except GamedayError:
        return []


def _claims(events: Sequence[Event], started: RunStarted, now: datetime) -> dict[str, LastClaim]:
    """Each id's claim in one run: the worst of its variants."""
    try:
        age_s: float | None = max(0.0, (now - datetime.fromisoformat(started.at)).total_seconds())
    except (ValueError, TypeError):
        age_s = None
    found: dict[str, LastClaim] = {}
    for event in events:
        if not isinstance(event, Claimed) or event.scenario is None or event.claim not in WORST_FIRST:
            continue
        id_ = event.scenario.partition(":")[0]
        own = [e for e in events if isinstance(e, SliMeasured) and e.scenario == event.scenario]
        last = LastClaim(event.scenario, event.claim, started.run_id, started.at, age_s, missed(own))
        before = found.get(id_)
        if before is None or WORST_FIRST.index(last.claim) <= WORST_FIRST.index(before.claim):
            found[id_] = last
    return found
