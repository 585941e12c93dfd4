"""Runs and scenarios as people name them on the command line."""

import shlex
from collections.abc import Collection
from pathlib import Path

from harness.model.errors import GamedayError, UsageError
from harness.model.events import RunStarted
from harness.report import journal
from harness.report.history import DRILL
from harness.report.journal import JOURNAL

DEFAULT = Path("reports")
"""Where reports go when nothing else is said."""

RUN_JSON = "run.json"
DEBRIEF = "debrief.md"


def label_of(said: str) -> str:
    """A scenario's label as the records have it, whatever letters its id was written in: `fm-ob-01:black-hole`."""
    id_, mark, variant = said.partition(":")
    return f"{id_.upper()}{mark}{variant}"


def folder_of(run: str, reports: Path) -> Path:
    """A run's folder, by its id, its folder or `latest`; raises UsageError, for a drill too."""
    for folder in (Path(run), reports / run):
        if _holds(folder, (RUN_JSON, JOURNAL)):
            refuse_drill(folder / JOURNAL)
            return folder
    if not has_runs(reports):
        path = f"there is no run {run}, and " if len(Path(run).parts) > 1 else ""
        raise UsageError(f"{path}{reports} has no runs yet; make one with: {run_into(reports)}")
    raise UsageError(f"there is no run {run}; name its id, its folder or latest, with --reports for another folder")


def must_be_folder(reports: Path) -> None:
    """Raise UsageError for a folder of reports that is not there: what only reads must not make it."""
    if reports.is_dir():
        return
    if reports.exists():
        raise UsageError(f"{reports} is no folder; name another with --reports")
    more = f", or make a run with: {run_into(reports)}" if reports == DEFAULT else ""
    raise UsageError(f"there is no folder {reports}; name another with --reports{more}")


def run_into(reports: Path) -> str:
    """The command that makes a run in a folder of reports."""
    return "gameday run" if reports == DEFAULT else f"gameday run --reports {shlex.quote(str(reports))}"


def has_runs(reports: Path) -> bool:
    """Whether a folder of reports has a run in it; drills are none."""
    try:
        return any(_holds(one, (RUN_JSON, JOURNAL)) and _drill(one / JOURNAL) is None for one in reports.iterdir())
    except OSError:
        return False


def recorded(run: str, reports: Path) -> Path:
    """The folder of a run that has a journal; raises UsageError."""
    folder = folder_of(run, reports)
    if not _holds(folder, (JOURNAL,)):
        raise UsageError(f"there is no {JOURNAL} in {folder}, and nothing else tells its course; name another run")
    return folder


def refuse_drill(file: Path) -> None:
    """Raise UsageError when a journal is a drill's: taken for a run, it would be one that was killed."""
    drill = _drill(file)
    if drill is None:
        return
    debrief = file.parent / DEBRIEF
    where = f"its debrief is {debrief}" if debrief.is_file() else "it was ended before its debrief"
    raise UsageError(f"{drill} is a drill, and claims nothing; {where}")


def _drill(file: Path) -> str | None:
    """The id of the drill whose journal a file is, None when it is none."""
    try:
        started = next((e for e in journal.read(file, [RunStarted]) if isinstance(e, RunStarted)), None)
    except GamedayError:
        return None
    return started.run_id if started is not None and started.arm == DRILL else None


def _holds(folder: Path, names: Collection[str]) -> bool:
    return folder.is_dir() and any((folder / name).is_file() for name in names)
