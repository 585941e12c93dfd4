"""Alert rules, evaluated purely on a recorded series of samples, oldest first.

A rule is True, False or None (it cannot be told) at one sample. None is not "quiet": the window is not full yet, or a
value in it is missing, or samples are too far apart. Windows are plain seconds, which the caller scales.

Counters are cumulative. One that falls was restarted from zero, and what it shows then has been added since. The two
counters of one rule belong to one process: when one falls, both were restarted. A counter that a service does not
show before its first event must be given as 0, not left out: left out is missing.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, isnan
from typing import Literal

AlertKind = Literal["page", "office"]
"""Whether it wakes somebody or waits for office hours."""

MAX_GAP_SHARE = 0.5
"""Samples further apart than this share of the window leave the window unknown."""

_CLOSE_S = 1e-6
"""Two moments this close are the same one: sums of 0.1 s are not exact."""


@dataclass(frozen=True)
class Sample:
    """One reading of counters and gauges.

    Attributes:
        at_s: when it was taken, in seconds since the run began.
        values: a number by name; None or left out where it could not be read.
    """

    at_s: float
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class RatioBelow:
    """Of what `total` rose by over the window, the share that `good` rose by is below the threshold, 0 to 1.

    With all data there and a rise below `minimum` it is False; when nothing happened and no minimum is asked, None.
    """

    name: str
    good: str
    total: str
    threshold: float
    window_s: float
    minimum: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(0 <= self.threshold <= 1, self.name, "its threshold is a share, 0 to 1")
        _require(self.window_s > 0, self.name, "its window is longer than 0 s")

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it cannot be told."""
        rises = _rises(samples, index, self.window_s, (self.good, self.total))
        if rises is None or rises[1] < self.minimum:
            return None if rises is None else False
        return None if rises[1] == 0 else rises[0] / rises[1] < self.threshold


@dataclass(frozen=True)
class ShareAbove:
    """Of what `whole` rose by over the window, the share that `part` rose by is above the threshold, 0 to 1.

    With all data there and a rise below `minimum` it is False; when nothing happened and no minimum is asked, None.
    """

    name: str
    part: str
    whole: str
    threshold: float
    window_s: float
    minimum: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(0 <= self.threshold <= 1, self.name, "its threshold is a share, 0 to 1")
        _require(self.window_s > 0, self.name, "its window is longer than 0 s")

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it cannot be told."""
        rises = _rises(samples, index, self.window_s, (self.part, self.whole))
        if rises is None or rises[1] < self.minimum:
            return None if rises is None else False
        return None if rises[1] == 0 else rises[0] / rises[1] > self.threshold


@dataclass(frozen=True)
class CountRising:
    """The counter rose over the window by `at_least`, and by `times_before` times what it did in the window before.

    Both windows must be full and complete, even when the later one alone would say no. After a window without any,
    `at_least` alone decides.
    """

    name: str
    counter: str
    at_least: float
    times_before: float
    window_s: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(self.window_s > 0, self.name, "its window is longer than 0 s")

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it cannot be told."""
        now = _rises(samples, index, self.window_s, (self.counter,))
        before = _rises(samples, index, self.window_s, (self.counter,), windows_ago=1)
        if now is None or before is None:
            return None
        return now[0] >= self.at_least and now[0] >= self.times_before * before[0]


@dataclass(frozen=True)
class AnyNew:
    """The gauge is higher than when it was last read; it fires at that one sample only.

    Rows that came while readings were missing are seen at the next reading; if none were seen then, it is None.
    """

    name: str
    gauge: str
    kind: AlertKind = field(kw_only=True)

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it, or every one before, could not be read."""
        last = range(len(samples))[index]
        value = _value(samples[last], self.gauge)
        before = next((i for i in range(last - 1, -1, -1) if _value(samples[i], self.gauge) is not None), None)
        if value is None or before is None:
            return None
        known = _value(samples[before], self.gauge)
        if known is not None and value > known:
            return True
        return False if before == last - 1 else None


@dataclass(frozen=True)
class Growing:
    """The gauge is strictly larger at each of `evaluations` evaluations than one earlier, and `at_least` at the last.

    That takes one reading more than evaluations, `every_s` apart and back from the sample asked about. Each is the
    latest sample at that moment, at most half of `every_s` old; what lies between is not looked at.
    """

    name: str
    gauge: str
    evaluations: int
    every_s: float
    at_least: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(self.evaluations >= 1 and self.every_s > 0, self.name, "it needs evaluations and time between them")

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it cannot be told."""
        last = range(len(samples))[index]
        readings: list[float] = []
        for back in range(self.evaluations, -1, -1):
            moment_s = samples[last].at_s - back * self.every_s
            i = _latest(samples, last, moment_s)
            if i is None or moment_s - samples[i].at_s > self.every_s * MAX_GAP_SHARE + _CLOSE_S:
                return None
            if (value := _value(samples[i], self.gauge)) is None:
                return None
            readings.append(value)
        return readings[-1] >= self.at_least and all(b > a for a, b in pairwise(readings))


@dataclass(frozen=True)
class OverFor:
    """The gauge is above the threshold at every sample for `for_s` seconds."""

    name: str
    gauge: str
    threshold: float
    for_s: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(self.for_s > 0, self.name, "its stretch is longer than 0 s")

    def at(self, samples: Sequence[Sample], index: int) -> bool | None:
        """Whether it fires at one sample; None when it cannot be told."""
        rows = _readings(samples, index, self.for_s, (self.gauge,))
        return None if rows is None else all(row[0] > self.threshold for row in rows)


Alert = RatioBelow | ShareAbove | CountRising | AnyNew | Growing | OverFor


def first_firing(alert: Alert, samples: Sequence[Sample], since_s: float) -> float | None:
    """When it first fires at or after `since_s`, in seconds since the run began; None when it never is known to."""
    return next((s.at_s for i, s in enumerate(samples) if s.at_s >= since_s and alert.at(samples, i) is True), None)


def _require(so: bool, name: str, says: str) -> None:
    if not so:
        raise ValueError(f"{name}: {says}")


def _value(sample: Sample, name: str) -> float | None:
    value = sample.values.get(name)
    return value if value is not None and not isnan(value) else None


def _latest(samples: Sequence[Sample], last: int, moment_s: float) -> int | None:
    """The latest sample up to `last` at or before the moment; None when all are later."""
    found = bisect_right(samples, moment_s + _CLOSE_S, 0, last + 1, key=lambda s: s.at_s) - 1
    return found if found >= 0 else None


def _readings(
    samples: Sequence[Sample], index: int, window_s: float, names: tuple[str, ...], windows_ago: int = 0
) -> list[tuple[float, ...]] | None:
    """The values of a window, from the latest sample at or before its beginning to the latest at its end."""
    now = range(len(samples))[index]
    end_s = samples[now].at_s - windows_ago * window_s
    last, first = _latest(samples, now, end_s), _latest(samples, now, end_s - window_s)
    if first is None or last is None:
        return None
    if any(b.at_s - a.at_s > window_s * MAX_GAP_SHARE + _CLOSE_S for a, b in pairwise(samples[first : last + 1])):
        return None
    rows = [tuple(v for n in names if (v := _value(s, n)) is not None) for s in samples[first : last + 1]]
    return rows if all(len(row) == len(names) for row in rows) else None


def _rises(
    samples: Sequence[Sample], index: int, window_s: float, names: tuple[str, ...], windows_ago: int = 0
) -> tuple[float, ...] | None:
    """What each counter rose by over a window; None when the window is not full or misses data."""
    if (rows := _readings(samples, index, window_s, names, windows_ago)) is None:
        return None
    rises = [0.0] * len(names)
    for before, after in pairwise(rows):
        restarted = any(b < a for a, b in zip(before, after, strict=True))
        rises = [r + (b if restarted else b - a) for r, a, b in zip(rises, before, after, strict=True)]
    return tuple(rises) if all(isfinite(r) for r in rises) else None
