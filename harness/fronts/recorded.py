"""A recorded journal read strictly: its events, and what is wrong with it in words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.model.errors import UsageError
from harness.model.events import JOURNAL_VERSION, Event
from harness.model.events import from_mapping as event_of
from harness.model.words import counted
from harness.report.journal import JOURNAL

PASSED_OVER = ("line is no event and was passed over", "lines are no events and were passed over")


def read(file: Path) -> tuple[list[Event], list[str]]:
    """The events of a journal and what is wrong with it; raises UsageError when nothing in it can be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}; name a run's folder or its {JOURNAL}") from None
    if not content.strip():
        raise UsageError(f"{file} is empty: its run wrote nothing")
    lines = content.split(b"\n")
    events: list[Event] = []
    bad: list[int] = []
    versions: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        data = _object(line)
        if data is None:
            bad.append(number)
            continue
        if data.get("v") != JOURNAL_VERSION:
            versions.add(str(data.get("v")))
            continue
        try:
            event = event_of(data)
        except ValueError:
            bad.append(number)
            continue
        if event is not None:
            events.append(event)
    if versions and not events:
        known = ", ".join(sorted(versions))
        raise UsageError(f"{file} is a journal of version {known}; this gameday reads version {JOURNAL_VERSION}")
    if not events:
        raise UsageError(f"{file} is no journal: none of its {counted(len(lines), 'line')} is an event")
    return events, list(_notes(bad, versions, len(lines), cut=not content.endswith(b"\n")))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("kind"), str) else None


def _notes(bad: list[int], versions: set[str], last: int, *, cut: bool) -> Iterator[str]:
    if bad and bad[-1] == last and cut:
        yield f"the last line, {bad.pop()}, is cut off: the run was ended while it was written"
    if bad:
        yield f"{counted(len(bad), *PASSED_OVER)}, the first is line {bad[0]}"
    if versions:
        yield f"lines of other versions were passed over: {', '.join(sorted(versions))}"
