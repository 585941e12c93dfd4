"""Error budgets: how much of what an objective leaves to fail over its window has been used up.

Computed in fractions of the figures as people write them: 99.9 % of 28 days leaves 40.32 minutes, not 40.3200...04.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from harness.slo.sli import Window, together

WINDOW_DAYS = 28
"""How long a budget lasts, in days."""

_DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Spent:
    """What of a budget some stretches have used up.

    Attributes:
        bad_events: total - good over all stretches.
        bad_minutes_equivalent: minutes of nothing but failures, at the observed rate, with as many bad events:
            bad / total x observed minutes.
        ratio_of_budget: bad / ((1 - objective) x expected), where expected = total / observed seconds x the seconds
            of the budget's window; 1 is all of it, more is overspent.
        burn_rate: (bad / total) / (1 - objective); at 1 the budget lasts exactly its window.
    """

    bad_events: float
    bad_minutes_equivalent: float
    ratio_of_budget: float
    burn_rate: float


def budget_minutes(objective: float, window_days: float = WINDOW_DAYS) -> float:
    """Minutes that may fail in the window: (1 - objective) x window.

    Raises:
        ValueError: the objective is not at least 0 and less than 1, or the window is not longer than 0.
    """
    return float(_left(objective) * _window_s(window_days) / 60)


def spent(windows: Sequence[tuple[float, Window]], objective: float, window_days: float = WINDOW_DAYS) -> Spent | None:
    """What the stretches, each with its length in seconds, used up of the budget of a whole window.

    The stretches must not overlap and need not be adjacent; one in which nothing happened counts as observed time.
    None when any stretch misses data, when there is none, and when nothing happened in any.

    Raises:
        ValueError: a stretch is not longer than 0 s, or as `budget_minutes`.
    """
    left, window_s = _left(objective), _window_s(window_days)
    for seconds, _ in windows:
        if not (isfinite(seconds) and seconds > 0):
            raise ValueError(f"a stretch of {seconds} s is none")
    counts = together([w for _, w in windows]).counts
    if counts is None or counts[1] == 0:
        return None
    good, total = Fraction(counts[0]), Fraction(counts[1])
    observed_s = sum((Fraction(str(seconds)) for seconds, _ in windows), Fraction(0))
    bad = total - good
    expected = total / observed_s * window_s
    return Spent(
        bad_events=float(bad),
        bad_minutes_equivalent=float(bad / total * observed_s / 60),
        ratio_of_budget=float(bad / (left * expected)),
        burn_rate=float(bad / total / left),
    )


def _left(objective: float) -> Fraction:
    if not 0 <= objective < 1:
        raise ValueError(f"the objective {objective} is not a share that leaves a budget: at least 0 and less than 1")
    return 1 - Fraction(str(objective))


def _window_s(window_days: float) -> Fraction:
    if not (isfinite(window_days) and window_days > 0):
        raise ValueError(f"a window of {window_days} days is none")
    return Fraction(str(window_days)) * _DAY_S
