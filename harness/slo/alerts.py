"""Alert rules, evaluated purely on a recorded series of samples, oldest first.

A rule is True, False or None (it cannot be told) at one sample. None is not "quiet": the window is not full yet, or a
value in it is missing, or samples are too far apart. Windows are plain seconds, which the caller scales.

Counters are cumulative. One that falls was restarted from zero, and what it shows then has been added since. The two
counters of one rule belong to one process: when one falls, both were restarted. A counter that a service does not
show before its first event must be given as 0, not left out: left out is missing.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isfinite

from harness.model.alerts import (
    Alert,
    AnyNew,
    CountRising,
    Growing,
    ObjectiveMissed,
    OverFor,
    RatioBelow,
    ShareAbove,
)
from harness.model.criteria import Verdict
from harness.model.slis import Sample, plain
from harness.slo.measure import measured, rises_of, value_of

MAX_GAP_SHARE = 0.5
"""Samples further apart than this share of the window leave the window unknown."""

_CLOSE_S = 1e-6
"""Two moments this close are the same one: sums of 0.1 s are not exact."""


def at(alert: Alert, samples: Sequence[Sample], index: int) -> bool | None:
    """Whether an alert fires at one sample; None when it cannot be told."""
    match alert:
        case RatioBelow():
            rises = _rises(samples, index, plain(alert.window_s), (alert.good, alert.total))
            fires = _share_is(lambda share: share < alert.threshold, rises, alert.minimum)
        case ShareAbove():
            rises = _rises(samples, index, plain(alert.window_s), (alert.part, alert.whole))
            fires = _share_is(lambda share: share > alert.threshold, rises, alert.minimum)
        case CountRising():
            fires = _rising(alert, samples, index)
        case AnyNew():
            fires = _any_new(alert, samples, index)
        case Growing():
            fires = _growing(alert, samples, index)
        case OverFor():
            rows = _readings(samples, index, plain(alert.for_s), (alert.gauge,))
            fires = None if rows is None else all(row[0] > plain(alert.threshold) for row in rows)
        case ObjectiveMissed():
            fires = _missed(alert, samples, index)
    return fires


def first_firing(alert: Alert, samples: Sequence[Sample], since_s: float) -> float | None:
    """When it first fires at or after `since_s`, in seconds since the run began; None when it never is known to."""
    return next((s.at_s for i, s in enumerate(samples) if s.at_s >= since_s and at(alert, samples, i) is True), None)


def _share_is(so: Callable[[float], bool], rises: tuple[float, ...] | None, minimum: float) -> bool | None:
    """What the share of the first rise in the second is; False with too few events, None when it is not known."""
    if rises is None or rises[1] < minimum:
        return None if rises is None else False
    return None if rises[1] == 0 else so(rises[0] / rises[1])


def _rising(alert: CountRising, samples: Sequence[Sample], index: int) -> bool | None:
    now = _rises(samples, index, plain(alert.window_s), (alert.counter,))
    before = _rises(samples, index, plain(alert.window_s), (alert.counter,), windows_ago=1)
    if now is None or before is None:
        return None
    return now[0] >= alert.at_least and now[0] >= alert.times_before * before[0]


def _any_new(alert: AnyNew, samples: Sequence[Sample], index: int) -> bool | None:
    last = range(len(samples))[index]
    value = value_of(samples[last], alert.gauge)
    before = next((i for i in range(last - 1, -1, -1) if value_of(samples[i], alert.gauge) is not None), None)
    if value is None or before is None:
        return None
    known = value_of(samples[before], alert.gauge)
    if known is not None and value > known:
        return True
    return False if before == last - 1 else None


def _growing(alert: Growing, samples: Sequence[Sample], index: int) -> bool | None:
    last, every_s = range(len(samples))[index], plain(alert.every_s)
    readings: list[float] = []
    for back in range(alert.evaluations, -1, -1):
        moment_s = samples[last].at_s - back * every_s
        i = _latest(samples, last, moment_s)
        if i is None or moment_s - samples[i].at_s > every_s * MAX_GAP_SHARE + _CLOSE_S:
            return None
        if (value := value_of(samples[i], alert.gauge)) is None:
            return None
        readings.append(value)
    return readings[-1] >= alert.at_least and all(b > a for a, b in pairwise(readings))


def _missed(alert: ObjectiveMissed, samples: Sequence[Sample], index: int) -> bool | None:
    window = _window(samples, index, plain(alert.window_s))
    if window is None:
        return None
    verdict = measured(alert.sli, window).verdict
    return None if verdict == Verdict.UNKNOWN.value else verdict == Verdict.BROKEN.value


def _latest(samples: Sequence[Sample], last: int, moment_s: float) -> int | None:
    """The latest sample up to `last` at or before the moment; None when all are later."""
    found = bisect_right(samples, moment_s + _CLOSE_S, 0, last + 1, key=lambda s: s.at_s) - 1
    return found if found >= 0 else None


def _window(samples: Sequence[Sample], index: int, window_s: float, windows_ago: int = 0) -> Sequence[Sample] | None:
    """The samples from the latest at or before a window's beginning to the latest at its end; None with a gap."""
    now = range(len(samples))[index]
    end_s = samples[now].at_s - windows_ago * window_s
    last, first = _latest(samples, now, end_s), _latest(samples, now, end_s - window_s)
    if first is None or last is None:
        return None
    window = samples[first : last + 1]
    if any(b.at_s - a.at_s > window_s * MAX_GAP_SHARE + _CLOSE_S for a, b in pairwise(window)):
        return None
    return window


def _readings(
    samples: Sequence[Sample], index: int, window_s: float, names: tuple[str, ...], windows_ago: int = 0
) -> list[tuple[float, ...]] | None:
    """The values of a window; None when it is not full or one is missing."""
    if (window := _window(samples, index, window_s, windows_ago)) is None:
        return None
    rows = [tuple(v for n in names if (v := value_of(s, n)) is not None) for s in window]
    return rows if all(len(row) == len(names) for row in rows) else None


def _rises(
    samples: Sequence[Sample], index: int, window_s: float, names: tuple[str, ...], windows_ago: int = 0
) -> tuple[float, ...] | None:
    """What each counter rose by over a window; None when the window is not full or misses data."""
    if (rows := _readings(samples, index, window_s, names, windows_ago)) is None:
        return None
    rises = rises_of(rows)
    return rises if all(isfinite(r) for r in rises) else None
