"""`gameday merge`: the reports of shards, joined into what one run would have written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.engine import claim
from harness.fronts import reports as reports_
from harness.model.errors import UsageError
from harness.model.events import Claim, Event, RunFinished, RunStarted
from harness.report import journal
from harness.report.record import RunRecord, of


def merged(folders: Sequence[Path], reports: Path) -> tuple[RunRecord, Path, int]:
    """Join runs with the same seed, arm and profile; gives the record, its folder and the exit code."""
    runs = [list(journal.read(folder / journal.JOURNAL)) for folder in folders]
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
    labels = [label for start in known for label in start.planned]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UsageError(f"{', '.join(twice)} is in more than one of the runs; they are not shards of one run")
    run_id = f"{first.run_id}-merged"
    begun = replace(first, run_id=run_id, planned=sorted(labels), versions=_versions(known))
    events: list[Event] = [begun, *(e for run in runs for e in run if not isinstance(e, RunStarted | RunFinished))]
    ends = [e for run in runs for e in run if isinstance(e, RunFinished)]
    if len(ends) == len(runs):
        last = max(ends, key=lambda e: e.at)
        events.append(replace(last, interrupted=any(e.interrupted for e in ends)))
    folder = reports / run_id
    written = journal.Journal(folder)
    for event in events:
        written.write(event)
    written.close()
    record = of(events, keep_sweeps=False)
    record.scenarios.sort(key=lambda s: s.label)
    reports_.write(record, folder)
    reports_.remember(record, folder)
    complete = len(ends) == len(runs) and {s.label for s in record.scenarios} >= set(labels)
    return record, folder, claim.exit_code((Claim(s.claim_name) for s in record.scenarios), trouble=not complete)


def _versions(starts: Sequence[RunStarted]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in starts:
        found |= start.versions
    return found
