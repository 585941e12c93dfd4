"""`gameday merge`: the reports of shards, joined into what one run would have written."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.engine import claim
from harness.fronts import recorded
from harness.fronts import reports as reports_
from harness.model.errors import InfrastructureError, UsageError
from harness.model.events import CellReady, Claim, Claimed, Event, Noted, RunFinished, RunStarted, ShardJoined
from harness.report import journal
from harness.report.record import RunRecord, of

MERGED = "-merged"
"""How the id of a merged run ends."""


@dataclass(frozen=True)
class Merged:
    """What a merge made: the record, its folder, the exit code, and what has to be said of it, one line each."""

    record: RunRecord
    folder: Path
    exit_code: int
    notes: list[str]


def merged(folders: Sequence[Path], reports: Path) -> Merged:
    """Join runs with the same seed, arm and profile; a shard that is missing is noted, and the exit code 3.

    Raises UsageError for what is no run, and for runs that are no shards of one.
    """
    for folder in folders:
        if not (folder / journal.JOURNAL).is_file():
            raise UsageError(
                f"{folder} is no run's folder: it has no {journal.JOURNAL}; name the folders of the shards"
            )
    read = [recorded.read(folder / journal.JOURNAL) for folder in folders]
    runs = [events for events, _ in read]
    starts = [next((e for e in run if isinstance(e, RunStarted)), None) for run in runs]
    first = starts[0]
    if first is None or any(s is None for s in starts):
        raise UsageError("one of the runs has no beginning in its journal; it cannot be merged")
    known = [s for s in starts if s is not None]
    for start, folder in zip(known, folders, strict=True):
        for name in ("seed", "arm", "profile", "runtime"):
            if getattr(start, name) != getattr(first, name):
                raise UsageError(
                    f"{folder} has {name} {getattr(start, name)}, not {getattr(first, name)}; shards of one run agree"
                )
    missing = _missing(known, folders)
    labels = [label for start in known for label in start.planned]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UsageError(f"{', '.join(twice)} is in more than one of the runs; they are not shards of one run")
    claims = {str(e.claim) for run in runs for e in run if isinstance(e, Claimed)}
    if unknown := sorted(claims - {c.value for c in Claim}):
        raise UsageError(f"one of the runs claims {', '.join(unknown)}, which this gameday does not know")
    run_id = f"{first.run_id}{MERGED}"
    begun = replace(first, run_id=run_id, planned=sorted(labels), versions=_versions(known), shard="")
    folder = reports / run_id
    events: list[Event] = [begun, *(Noted(first.t, None, f"the shard {shard} is missing") for shard in missing)]
    for start, (_, notes) in zip(known, read, strict=True):
        events += [Noted(first.t, None, f"the shard {start.run_id}: {note}") for note in notes]
    for n, (start, run, shard) in enumerate(zip(known, runs, folders, strict=True), start=1):
        events += _shard(n, start, run)
        events += _copied(n, start, shard, folder)
    ends = [e for run in runs for e in run if isinstance(e, RunFinished)]
    if len(ends) == len(runs):
        last = max(ends, key=lambda e: e.at)
        events.append(replace(last, interrupted=any(e.interrupted for e in ends)))
    record = of(_written(events, folder), keep_sweeps=False)
    record.scenarios.sort(key=lambda s: s.label)
    trouble = [*reports_.write(record, folder), *reports_.remember(record, folder)]
    complete = not missing and len(ends) == len(runs) and {s.label for s in record.scenarios} >= set(labels)
    code = claim.exit_code((Claim(s.claim_name) for s in record.scenarios), trouble=bool(trouble) or not complete)
    return Merged(record, folder, code, [*record.notes, *trouble])


def _missing(starts: Sequence[RunStarted], folders: Sequence[Path]) -> list[str]:
    """The shards that should be there and are not; raises UsageError for one that is there twice, or of another split."""
    parts: dict[str, Path] = {}
    for start, folder in zip(starts, folders, strict=True):
        if bool(start.shard) is not bool(starts[0].shard):
            whole, part = (folders[0], folder) if start.shard else (folder, folders[0])
            raise UsageError(f"{whole} is a whole run, and {part} a shard of one; name the shards of one run")
        if start.shard in parts and start.shard:
            raise UsageError(f"{folder} and {parts[start.shard]} are both shard {start.shard}; name each shard once")
        parts[start.shard] = folder
    counts = {shard.partition("/")[2] for shard in parts}
    if len(counts) > 1:
        raise UsageError(f"the runs are of different splits: {', '.join(sorted(parts))}; name the shards of one run")
    count = counts.pop()
    return [shard for n in range(1, int(count or 0) + 1) if (shard := f"{n}/{count}") not in parts]


def _written(events: Sequence[Event], folder: Path) -> list[Event]:
    """The events as the journal has them now, secrets masked.

    It is written whole or not at all: one of an earlier merge is there until this one can take its place.
    """
    fresh = folder / f".{journal.JOURNAL}.new"
    try:
        # A journal is appended to, and what a merge that was killed left must not come before this one.
        fresh.unlink(missing_ok=True)
        written = journal.Journal(folder, name=fresh.name)
        told = [written.write(event) for event in events]
        written.close()
        if written.failed:
            fresh.unlink(missing_ok=True)
            raise InfrastructureError(f"{written.failed}; free some space")
        fresh.replace(folder / journal.JOURNAL)
    except OSError as error:
        raise InfrastructureError(f"{folder / journal.JOURNAL} cannot be written: {error.strerror}") from None
    return told


def _shard(n: int, start: RunStarted, run: Sequence[Event]) -> Iterator[Event]:
    """The events of one shard; its cells have names that no other shard's have."""
    yield ShardJoined(start.t, None, start.run_id, start.at)
    for event in run:
        if isinstance(event, CellReady):
            yield replace(event, cell=f"{_prefix(n)}{event.cell}")
        elif not isinstance(event, RunStarted | RunFinished):
            yield event


def _prefix(n: int) -> str:
    return f"shard-{n}-"


def _copied(n: int, start: RunStarted, shard: Path, folder: Path) -> Iterator[Event]:
    """Copy a shard's logs beside those of the others; what could not be copied is noted, for it changes no verdict."""
    logs = shard / "logs"
    if not logs.is_dir():
        yield Noted(start.t, None, f"the shard {start.run_id} has no logs")
        return
    try:
        for one in sorted(logs.iterdir()):
            target = folder / "logs" / f"{_prefix(n)}{one.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            if one.is_dir():
                # Of an earlier merge, perhaps of other shards: their lines are none of this one's.
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(one, target, dirs_exist_ok=True)
            else:
                shutil.copy2(one, target)
    except OSError as error:
        yield Noted(start.t, None, f"the logs of the shard {start.run_id} could not be copied: {error}")


def _versions(starts: Sequence[RunStarted]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in starts:
        found |= start.versions
    return found
