"""The log lines around the moments of a scenario: a bounded look into logs of any size, secrets masked."""

import calendar
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from harness.report.masking import masked

AROUND_S = 1.5
"""How far before and after a moment lines are wanted."""

READ_BYTES = 192 << 10
"""Bytes read of one log for one window."""

CHATTY_BYTES = 48 << 10
"""A log that wrote more than this in one window is shown by its warnings and errors only."""

LINES = 10
"""Lines kept of one log for one window: the gravest, and of those the nearest to a moment."""

LINE_CHARS = 400
"""Characters kept of one line."""

FILES = 60
"""Logs looked into for one cell."""

_TIME = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6})\d*)?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
)
_DAY_FIRST = re.compile(r"(\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?")
_MONTHS = {m: n for n, m in enumerate(calendar.month_abbr) if m}
_LEVEL = re.compile(r"\b(PANIC|FATAL|CRITICAL|ERROR|ERR|WARNING|WARN|WRN|INFO|INF|DEBUG|DBG|TRACE)\b")
_LEVEL_LOW = re.compile(r'"level":\s*"(panic|fatal|error|warning|warn|info|debug|trace)"')
_GRAVE = (b"PANIC", b"FATAL", b"CRITICAL", b"ERROR", b"WARN", b"[ERR]", b"[WRN]", b'"error"', b'"warn', b'"fatal"')
"""What lines hold that are worth showing of a log that says very much; bytes, for there are very many."""

_RANK = {"PANIC": 3, "FATAL": 3, "CRITICAL": 3, "ERROR": 3, "ERR": 3, "WARNING": 2, "WARN": 2, "WRN": 2}
_LOW = {"DEBUG": 0, "DBG": 0, "TRACE": 0}


@dataclass(frozen=True)
class LogLine:
    """One line of a log.

    Attributes:
        t: in seconds since the run began.
        part: whose log it is.
        level: its severity as written, or empty.
        text: what it says, masked and cut to LINE_CHARS.
    """

    t: float
    part: str
    level: str
    text: str


def around(folder: Path, cell: str, epoch_s: float, moments: Iterable[float], most: int) -> list[LogLine]:
    """At most so many lines of a cell's logs around the moments, in their order; none where no log can be read.

    `folder` is the run's, `epoch_s` the time of day at which the run began, moments are seconds since then.
    """
    home = folder / "logs" / cell
    if not cell or Path(cell).name != cell or not home.is_dir():
        return []
    asked = sorted(moments)
    found: list[LogLine] = []
    for path in sorted(home.rglob("*.log"))[:FILES]:
        for begin_s, end_s in _windows(asked):
            lines = _window(path, epoch_s, begin_s, end_s)
            lines.sort(key=lambda line: (-_rank(line), _distance(line.t, asked)))
            found += lines[:LINES]
    if len(found) > most:
        found.sort(key=lambda line: (-_rank(line), _distance(line.t, asked)))
        del found[most:]
    return _folded(_shown(line) for line in sorted(found, key=lambda line: (line.t, line.part)))


def _folded(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines with those that say the same in a row as one, which tells how often."""
    found = []
    for _, same in groupby(lines, key=lambda line: (line.part, line.level, line.text)):
        first, *more = same
        found.append(replace(first, text=f"{first.text} (x{len(more) + 1})") if more else first)
    return found


def _windows(moments: Sequence[float]) -> list[tuple[float, float]]:
    """The stretches around the moments, those that touch joined."""
    windows: list[tuple[float, float]] = []
    for t in moments:
        if windows and t - AROUND_S <= windows[-1][1]:
            windows[-1] = (windows[-1][0], t + AROUND_S)
        else:
            windows.append((t - AROUND_S, t + AROUND_S))
    return windows


def _distance(t: float, moments: Sequence[float]) -> float:
    return min((abs(t - m) for m in moments), default=0.0)


def _rank(line: LogLine) -> int:
    return _RANK.get(line.level, _LOW.get(line.level, 1))


def _window(path: Path, epoch_s: float, begin_s: float, end_s: float) -> list[LogLine]:
    try:
        with path.open("rb") as opened:
            size = opened.seek(0, 2)
            low, high = 0, size
            # Lines are in the order of time: halve until the window's first line is near.
            while high - low > 4096:
                middle = (low + high) // 2
                opened.seek(middle)
                opened.readline()
                at_s = _next_time(opened.read(8192).splitlines())
                if at_s is not None and at_s - epoch_s < begin_s:
                    low = middle
                else:
                    high = middle
            opened.seek(low)
            if low:
                opened.readline()
            data = opened.read(READ_BYTES + 4096)
    except OSError:
        return []
    lines = _grave(data) if len(data) > CHATTY_BYTES else data.splitlines()
    found = []
    for raw in lines:
        line = _line(raw, path.stem, epoch_s)
        if line is None or line.t < begin_s:
            continue
        if line.t > end_s:
            break
        found.append(line)
    return found


def _grave(data: bytes) -> list[bytes]:
    """The lines that hold a word of _GRAVE, in their order."""
    starts: dict[int, int] = {}
    for word in _GRAVE:
        place = data.find(word)
        while place >= 0:
            end = data.find(b"\n", place)
            end = len(data) if end < 0 else end
            starts[data.rfind(b"\n", 0, place) + 1] = end
            place = data.find(word, end)
    return [data[start : starts[start]] for start in sorted(starts)]


def _next_time(lines: Sequence[bytes]) -> float | None:
    return next((at for line in lines if (at := _time(line[:500].decode(errors="replace"))) is not None), None)


def _time(text: str) -> float | None:
    """The time of day that a line tells, in seconds; without a zone it is the machine's own."""
    try:
        if match := _TIME.search(text):
            year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
            micro = int((match[7] or "0").ljust(6, "0"))
            moment = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001  (its zone follows)
            if match[8] in ("Z", "UTC"):
                return moment.replace(tzinfo=UTC).timestamp()
            if match[8]:
                return datetime.fromisoformat(f"{moment.isoformat()}{match[8]}").timestamp()
            return moment.timestamp()
        if match := _DAY_FIRST.search(text):
            micro = int((match[7] or "0").ljust(6, "0"))
            clock = (int(match[4]), int(match[5]), int(match[6]), micro)
            return datetime(int(match[3]), _MONTHS[match[2]], int(match[1]), *clock).timestamp()  # noqa: DTZ001
    except (ValueError, KeyError, OverflowError, OSError):
        return None
    return None


def _line(raw: bytes, part: str, epoch_s: float) -> LogLine | None:
    """A line as it stands; most are never shown, so only its time and level are looked for."""
    text = raw[: 8 * LINE_CHARS].decode(errors="replace")
    at_s = _time(text)
    if at_s is None:
        return None
    level = _LEVEL.search(text) or _LEVEL_LOW.search(text)
    return LogLine(at_s - epoch_s, part, level[1].upper() if level else "", text)


def _shown(line: LogLine) -> LogLine:
    """The line as people may see it: what it says, masked, and then cut."""
    says = masked(_said(line.text))
    return replace(line, text=says if len(says) <= LINE_CHARS else says[: LINE_CHARS - 1] + "…")


def _said(text: str) -> str:
    """What the line says, without what is shown beside it."""
    try:
        entry = json.loads(text)
        logger = entry.get("logger")
        return f"{logger}: {entry['message']}" if logger else str(entry["message"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return text
