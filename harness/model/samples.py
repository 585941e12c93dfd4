"""Samples of series as plain data, small enough for the journal: every series only where it changes."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isnan
from typing import Any

from harness.model.slis import Sample


def rounded(value: float | None) -> float | None:
    """A value as it is worth being written down: to a millionth, None for what the service itself could not tell."""
    if value is None or isnan(value):
        return None
    return int(value) if value == value // 1 and abs(value) < inf else round(value, 6)


def packed(samples: Sequence[Sample]) -> dict[str, Any]:
    """The samples by series: pairs of the place of a sample and the value from there on; a series begins missing.

    Delays have their upper bounds once, None for infinity, and a row of counts in their order, None for a bound that
    was not shown.
    """
    names = dict.fromkeys(n for s in samples for n in s.values)
    delays = dict.fromkeys(n for s in samples for n in s.delays)
    return {
        "at_s": [s.at_s for s in samples],
        "values": {n: _changes([rounded(s.values.get(n)) for s in samples]) for n in names},
        "delays": {n: _histogram([s.delays.get(n) for s in samples]) for n in delays},
    }


def _changes(values: Sequence[Any]) -> list[list[Any]]:
    before = None
    found = []
    for place, value in enumerate(values):
        if value != before:
            found.append([place, value])
            before = value
    return found


def _histogram(rows: Sequence[Mapping[float, float] | None]) -> dict[str, Any]:
    bounds = sorted({bound for row in rows for bound in row or ()})
    counts = [None if row is None else [rounded(row.get(bound)) for bound in bounds] for row in rows]
    return {"bounds": [None if bound == inf else bound for bound in bounds], "rows": _changes(counts)}


def unpacked(data: Mapping[str, Any]) -> list[Sample]:
    """The samples of plain data; raises ValueError when they have another form."""
    try:
        moments = [float(at_s) for at_s in data["at_s"]]
        values = {n: _numbers(changes, len(moments)) for n, changes in data["values"].items()}
        delays = {n: _rows(found, len(moments)) for n, found in data["delays"].items()}
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"broken samples: {type(error).__name__} {error}") from None
    return [
        Sample(at_s, {n: v[i] for n, v in values.items()}, {n: d[i] for n, d in delays.items()})
        for i, at_s in enumerate(moments)
    ]


def _filled(changes: Sequence[Sequence[Any]], count: int) -> list[Any]:
    found: list[Any] = [None] * count
    for place, value in changes:
        found[place:] = [value] * (count - place)
    return found


def _numbers(changes: Sequence[Sequence[Any]], count: int) -> list[float | None]:
    found = _filled(changes, count)
    _must_be_numbers(found)
    return found


def _must_be_numbers(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise TypeError(f"{value!r:.40} is no number")


def _rows(histogram: Mapping[str, Any], count: int) -> list[Mapping[float, float] | None]:
    bounds = [inf if bound is None else float(bound) for bound in histogram["bounds"]]
    rows = _filled(histogram["rows"], count)
    for _, row in histogram["rows"]:
        _must_be_numbers(row or ())
    return [None if row is None else {b: c for b, c in zip(bounds, row, strict=True) if c is not None} for row in rows]
