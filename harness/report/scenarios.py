"""The scenarios of a run with their logs, one at a time."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harness.report import excerpts, timeline, view
from harness.report.excerpts import LogLine
from harness.report.index import Index
from harness.report.record import RunRecord, ScenarioRecord

LOG_LINES = 150
"""Log lines of one scenario; of a run of many scenarios fewer, so that the page stays within LOG_LINES_IN_ALL."""

LOG_LINES_IN_ALL = 12_000


def views(index: Index, folder: Path) -> Iterator[view.ScenarioView]:
    """Every scenario in its order, numbered from 1 on."""
    most = max(20, min(LOG_LINES, LOG_LINES_IN_ALL // max(len(index.run.scenarios), 1)))
    for n, record in enumerate(index.scenarios(), start=1):
        yield view.of(n, record, _logs(record, folder, _epoch_s(index.run, record), most))


def _epoch_s(run: RunRecord, s: ScenarioRecord) -> float | None:
    """The time of day at second 0 of the scenario's run, or of its shard; None when it is not known."""
    began = s.shard or run.started
    if began is None:
        return None
    try:
        return datetime.fromisoformat(began.at).timestamp() - began.t
    except ValueError:
        return None


def _logs(s: ScenarioRecord, folder: Path, epoch_s: float | None, most: int) -> list[LogLine]:
    if epoch_s is None or not s.cell:
        return []
    return excerpts.around(folder, s.cell, epoch_s, timeline.moments(s), most)
