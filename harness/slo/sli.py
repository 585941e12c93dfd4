"""Service level indicators: what a window of events or a figure comes to, and whether that meets its objective.

Missing data is never good: whatever cannot be known, or cannot be so, comes to None and is judged UNKNOWN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan

from harness.model.criteria import Verdict
from harness.model.slis import Sli, plain


@dataclass(frozen=True)
class Window:
    """The events of one stretch of time.

    Attributes:
        good: how many were good; None when it could not be read.
        total: how many counted at all, good ones included; None when it could not be read.
    """

    good: float | None
    total: float | None

    @property
    def counts(self) -> tuple[float, float] | None:
        """Good and total; None when one is missing or they cannot be counts of the same events."""
        if self.good is None or self.total is None or not (isfinite(self.good) and isfinite(self.total)):
            return None
        return (self.good, self.total) if 0 <= self.good <= self.total else None


def together(windows: Sequence[Window]) -> Window:
    """One window of all their events; its counts are None when any window misses data or there is no window."""
    counts = [w.counts for w in windows]
    known = [c for c in counts if c is not None]
    if not known or len(known) < len(counts):
        return Window(None, None)
    return Window(sum(good for good, _ in known), sum(total for _, total in known))


def ratio(window: Window) -> float | None:
    """The share of good events, 0 to 1; None without data and when nothing happened."""
    if (counts := window.counts) is None or counts[1] == 0:
        return None
    return counts[0] / counts[1]


def objective_met(ratio: float | None, objective: float) -> bool | None:
    """Whether a share of good events is the objective or more, both 0 to 1; None when the share is not known."""
    # Not `ratio > 1`: no comparison with NaN is true, and NaN is missing data too.
    if ratio is None or not 0 <= ratio <= 1:
        return None
    return ratio >= objective


def p95(values: Sequence[float | None]) -> float | None:
    """The 95th percentile by nearest rank: the smallest value that at least 95 % of the values do not exceed.

    None without values and when any value is missing (None or NaN): leaving out a slow one must not look fast.
    """
    known = sorted(v for v in values if v is not None and not isnan(v))
    if not known or len(known) < len(values):
        return None
    # Whole numbers: 0.95 is not exact in binary, and a rank must not slip by one because of that.
    return known[-(-95 * len(known) // 100) - 1]


def judge(sli: Sli, value: float | None) -> Verdict:
    """HELD when the value meets the objective, BROKEN when it misses it, UNKNOWN when it is not known.

    Not known are None and NaN, and what cannot be: a negative delay, as skewed clocks give, or a share above 1.
    """
    met: bool | None
    if value is None or not value >= 0:
        met = None
    elif sli.kind == "ratio":
        met = objective_met(value, plain(sli.objective))
    elif sli.kind == "p95_s":
        met = value < plain(sli.objective)
    else:
        met = value <= plain(sli.objective)
    if met is None:
        return Verdict.UNKNOWN
    return Verdict.HELD if met else Verdict.BROKEN
