"""Logs of a cell: read as they grow, counted by what they say."""

import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.model.ports import Clock
from harness.model.runtime import Cell

KEPT = 20_000
"""Lines kept of each log; the oldest go first."""

READ = 4 << 20
"""Bytes read of a log at once; a log that grows faster than this between two looks is read on the next."""


@dataclass
class _Tail:
    offset: int = 0
    rest: bytes = b""


class Logs:
    """The log lines of a cell's services, each with its time on the run's clock."""

    def __init__(self, cell: Cell, clock: Clock) -> None:
        self._cell = cell
        self._clock = clock
        self._tails: dict[Path, _Tail] = {}
        self._lines: dict[str, deque[tuple[float, str]]] = {}

    def count(self, service: str, text: str, window_s: float) -> float | None:
        """How many lines with this text came within the window; None when no log can be read."""
        if not self._read(service):
            return None
        start_s = self._clock.now_s() - window_s
        count = 0
        for at_s, message in reversed(self._lines.get(service, ())):
            if at_s < start_s:
                break
            count += text in message
        return float(count)

    def lines(self, name: str, text: str, most: int = 200) -> list[str]:
        """The newest lines with a text, oldest first, looked for in everything that was ever logged."""
        # A log of a cell that has served long is large: only what matches is taken apart.
        plain, escaped = text.encode(), json.dumps(text)[1:-1].encode()
        found: deque[bytes] = deque(maxlen=most)
        for path in self._cell.log_paths(name):
            try:
                with path.open("rb") as opened:
                    found.extend(line for line in opened if plain in line or escaped in line)
            except OSError:
                continue
        return [message for _, message in (_line(line.rstrip(b"\n"), 0.0, 0.0) for line in found) if text in message]

    def _read(self, service: str) -> bool:
        kept = self._lines.setdefault(service, deque(maxlen=KEPT))
        epoch_s = datetime.now(UTC).timestamp() - self._clock.now_s()
        found = False
        for path in self._cell.log_paths(service):
            tail = self._tails.setdefault(path, _Tail())
            try:
                with path.open("rb") as opened:
                    opened.seek(tail.offset)
                    data = opened.read(READ)
            except OSError:
                continue
            found = True
            tail.offset += len(data)
            *lines, tail.rest = (tail.rest + data).split(b"\n")
            for line in lines:
                kept.append(_line(line, epoch_s, self._clock.now_s()))
        return found


def _line(line: bytes, epoch_s: float, now_s: float) -> tuple[float, str]:
    """When a line was written, on the run's clock, and what it says; a line without a time counts as of now."""
    try:
        entry = json.loads(line)
        return datetime.fromisoformat(entry["@timestamp"]).timestamp() - epoch_s, str(entry["message"])
    except (ValueError, KeyError, TypeError):
        return now_s, line.decode(errors="replace")
