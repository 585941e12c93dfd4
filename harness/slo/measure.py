"""What an indicator comes to on recorded samples; a sample that misses one of its series leaves it unknown."""

from collections.abc import Sequence
from itertools import pairwise
from math import isnan

from harness.model.criteria import Verdict
from harness.model.slis import P95, Highest, Measured, P95OfSamples, Ratio, Sample, Sli, plain, quantile
from harness.slo.budget import spent
from harness.slo.sli import Window, judge, p95, ratio


def measured(sli: Sli, samples: Sequence[Sample]) -> Measured:
    """The indicator from the first of the samples to the last."""
    match sli.figure:
        case Ratio():
            return _ratio(sli, sli.figure, samples)
        case P95():
            value = _p95(sli.figure.delays, samples)
            skewed = bool(sli.figure.skewed) and _rose(sli.figure.skewed, samples) is not False
            return Measured(sli, value, (Verdict.UNKNOWN if skewed else judge(sli, value)).value)
        case P95OfSamples():
            value = p95([value_of(s, sli.figure.gauge) for s in samples])
        case Highest():
            known = [value_of(s, sli.figure.gauge) for s in samples]
            value = max((v for v in known if v is not None), default=None) if None not in known else None
    return Measured(sli, value, judge(sli, value).value)


def has_budget(sli: Sli) -> bool:
    """Whether what it measures counts against an error budget: only a ratio allows for a share of bad events."""
    return isinstance(sli.figure, Ratio) and plain(sli.objective) < 1


def between(samples: Sequence[Sample], since_s: float, until_s: float) -> Sequence[Sample]:
    """The samples of a stretch, from the one nearest to its beginning to the one nearest to its end."""
    if not samples:
        return ()
    first = min(range(len(samples)), key=lambda i: abs(samples[i].at_s - since_s))
    last = min(range(len(samples)), key=lambda i: abs(samples[i].at_s - until_s))
    return samples[first : last + 1]


def value_of(sample: Sample, name: str) -> float | None:
    """The value of a series in a sample; None when it is missing or the service itself could not tell (NaN)."""
    value = sample.values.get(name)
    return value if value is not None and not isnan(value) else None


def rises_of(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """What counters of one process rose by; when one falls, all were restarted, and what they show came since."""
    rises = [0.0] * len(rows[0])
    for before, after in pairwise(rows):
        restarted = any(b < a for a, b in zip(before, after, strict=True))
        rises = [r + (b if restarted else b - a) for r, a, b in zip(rises, before, after, strict=True)]
    return tuple(rises)


def _ratio(sli: Sli, figure: Ratio, samples: Sequence[Sample]) -> Measured:
    rows = [(value_of(s, figure.good), value_of(s, figure.total)) for s in samples]
    known = [(good, total) for good, total in rows if good is not None and total is not None]
    if len(known) < len(rows) or len(known) < 2:
        return Measured(sli, None, Verdict.UNKNOWN.value)
    good, total = rises_of(known)
    window, seconds = Window(good, total), samples[-1].at_s - samples[0].at_s
    used = spent([(seconds, window)], plain(sli.objective)) if has_budget(sli) and seconds > 0 else None
    value = ratio(window)
    return Measured(sli, value, judge(sli, value).value, good, total, used.bad_minutes_equivalent if used else None)


def _p95(name: str, samples: Sequence[Sample]) -> float | None:
    rows = [s.delays.get(name) for s in samples]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or len(known) < 2:
        return None
    bounds = sorted({bound for row in known for bound in row})
    rises = rises_of([tuple(row.get(bound, 0.0) for bound in bounds) for row in known]) if bounds else ()
    return quantile(list(zip(bounds, rises, strict=True)), 0.95)


def _rose(name: str, samples: Sequence[Sample]) -> bool | None:
    known = [value_of(s, name) for s in samples]
    if not known or None in known:
        return None
    return any(a is not None and b is not None and b > a for a, b in pairwise(known))
