"""The journal on disk: written line by line as things happen, read back whatever became of its run."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.model.errors import InfrastructureError
from harness.model.events import (
    Event,
    FactsRecorded,
    SamplesTaken,
    Swept,
    of_our_own,
    read_lines,
    to_line,
    to_mapping,
)
from harness.report.masking import STARS, masked_all

JOURNAL = "journal.jsonl"

UNSEEN = frozenset({Swept.kind, FactsRecorded.kind, SamplesTaken.kind})
"""Kinds whose texts are names at most, or never shown; they are large, and masking by form is slow."""


class Journal:
    """Appends events to `journal.jsonl`, or to a file of another name; secrets never reach the disk."""

    def __init__(self, folder: Path, secrets: Iterable[str] = (), name: str = JOURNAL) -> None:
        self.path = folder / name
        self._secrets = sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True)
        self.failed: str | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Half a character, as broken input makes it, is no reason to lose the line: its code is the same in JSON.
            self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        except OSError as error:
            raise InfrastructureError(
                f"{folder} cannot be written: {error.strerror}; name another folder with --reports"
            ) from None

    def write(self, event: Event) -> Event:
        """Append one event, and give it as it stands there: whoever shows or keeps it must not meet a secret either.

        A full disk is remembered in `failed`, for the run itself goes on to its end.
        """
        line, event = self._masked(event)
        try:
            self._file.write(line + "\n")
        except OSError as error:
            self.failed = self.failed or f"{self.path} could not be written: {error.strerror}"
        return event

    def _masked(self, event: Event) -> tuple[str, Event]:
        plain = to_mapping(event)
        data = plain if event.kind in UNSEEN else masked_all(plain)
        line = whole = to_line(data)
        for secret in self._secrets:
            line = line.replace(secret, STARS)
        if data == plain and line == whole:
            return line, event
        return line, of_our_own(json.loads(line))

    def close(self) -> None:
        """Bring everything to disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            self.failed = self.failed or f"{self.path} could not be written: {error.strerror}"


def read(path: Path, kinds: Iterable[type[Event]] = ()) -> Iterator[Event]:
    """The events of a journal, however its run ended; raises InfrastructureError when there is none to read.

    With `kinds`, only those: the others are not even parsed, for sweeps are most of a journal.
    """
    marks = tuple(f'"kind":"{cls.kind}"' for cls in kinds)
    try:
        with path.open(encoding="utf-8", errors="replace") as opened:
            yield from read_lines(line for line in opened if not marks or any(m in line[:80] for m in marks))
    except OSError as error:
        raise InfrastructureError(f"{path} cannot be read: {error.strerror}") from None
