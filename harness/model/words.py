"""Numbers and moments in English sentences, for code and the templates of the message catalogue; texts fit to be written.

In a template, `{n} {n:claim|claims}` puts the number in and then the word that goes with it.
"""

import string
import sysconfig
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BETWEEN = "|"
"""Between the word for one and the word for any other number, in a template."""

LONGEST_ERROR = 300


def counted(n: float, one: str, many: str = "") -> str:
    """A number with what it counts: `1 step`, `2 steps`, `0 queries`.

    `many` is what is said of any other number than one; empty for `one` with an s.
    """
    return f"{n if isinstance(n, int) else format(n, 'g')} {agreeing(n, one, many)}"


def agreeing(n: object, one: str, many: str = "") -> str:
    """The word alone that goes with a number, or with a number's text: `is` or `are`; `many` as for `counted`."""
    return one if str(n) in {"1", "1.0"} else many or f"{one}s"


def minute_of(at: str) -> str:
    """A recorded moment as people read it, `2026-11-01 00:00 UTC`; one that tells no zone, or is none, as it stands."""
    try:
        moment = datetime.fromisoformat(at)
        return at[:16].replace("T", " ") if moment.tzinfo is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return at[:16].replace("T", " ")


def writable(text: str) -> str:
    """The text as any file and terminal takes it: half a character, as broken input makes it, is said by its code."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


UNFORESEEN = "it broke in a way that nobody foresaw"
"""How it is told where such an error is met."""


def unforeseen(error: Exception) -> str:
    """An error of a kind that nobody foresaw, in one line."""
    return " ".join(writable(f"{type(error).__name__}: {error}").split())[:LONGEST_ERROR]


def located(error: Exception) -> str:
    """The same with where it came from: the innermost line of code that is no library's, as `folder/file.py:line`."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    own = [f for f in frames if not f.filename.startswith((*libraries, "<"))] or list(frames)
    place = f", at {'/'.join(Path(own[-1].filename).parts[-2:])}:{own[-1].lineno}" if own else ""
    return f"{unforeseen(error)}{place}"


class _Filling(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        one, between, many = format_spec.partition(BETWEEN)
        return agreeing(value, one, many) if between else super().format_field(value, format_spec)


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template with its values put in; raises KeyError for a value that is not there."""
    return _Filling().vformat(template, (), values)
