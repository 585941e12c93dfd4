"""The journal of a drill: what would tell the answer stays in memory until the debrief."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from harness.model.events import Acted, Event, RunStarted
from harness.report.journal import JOURNAL, Journal

OPENING = ".opening"


class SealedJournal:
    """On disk are the start and the trainee's own acts; the rest is written when it is opened.

    A drill that is killed leaves a journal of these alone.
    """

    def __init__(self, folder: Path, secrets: Iterable[str]) -> None:
        self._folder = folder
        self._secrets = list(secrets)
        self._kept: list[Event] = []
        self._neutral: Journal | None = Journal(folder, self._secrets)

    def write(self, event: Event) -> None:
        """Take an event in."""
        self._kept.append(event)
        if self._neutral is None:
            return
        if isinstance(event, Acted) and event.who == "operator":
            self._neutral.write(replace(event, scenario=None))
        elif isinstance(event, RunStarted):
            self._neutral.write(replace(event, seed=0, planned=[]))

    def close(self) -> None:
        """Leave it as it is on disk, as a drill does that is killed."""
        if self._neutral is not None:
            self._neutral.close()

    def open(self) -> str | None:
        """Put the whole journal in the place of the neutral one; gives what went wrong, or None."""
        if self._neutral is None:
            return None
        self._neutral.close()
        self._neutral = None
        whole = Journal(self._folder / OPENING, self._secrets)
        for event in self._kept:
            whole.write(event)
        whole.close()
        if whole.failed:
            return whole.failed
        whole.path.replace(self._folder / JOURNAL)
        (self._folder / OPENING).rmdir()
        return None
