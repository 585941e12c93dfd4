"""Small judgements of a run: criteria as they can be judged on a stretch, how busy the machine was, and what fell short."""

import math
from collections.abc import Sequence
from itertools import pairwise

from harness.model.criteria import ConditionEvidence, Criterion, always, eventually
from harness.model.probes import Sweep
from harness.model.span import as_span
from harness.model.words import counted

TOO_LATE_MS = 50.0
"""Send lateness p99 beyond which the machine, not the system, shaped the figures (measured: the knee lies there)."""

TOO_LATE_ONE_IN = 100
"""One in so many, which is what a p99 says."""

TOO_LATE_ONES = 3
"""At least so many where all else was as expected. A scenario sends 50 to 300 requests: their p99 is the latest one or two,
a moment and no load. A moment makes no proof, but it may spoil one: what fell short gets the benefit of any doubt."""

STALLED_S = 1.5
"""A gap between sweeps beyond which the runner itself did not get to run."""


def momentary(symptom: Criterion, stretch_s: float) -> Criterion:
    """The symptom as it can be judged on a steady stretch: in it, for half of it at most."""
    hold_s = min(as_span(symptom.hold_s).of({}), stretch_s / 2)
    return eventually(*symptom.conditions, within_s=stretch_s - hold_s, hold_s=hold_s)


def throughout(criterion: Criterion) -> Criterion:
    """The criterion's conditions at every sweep of a stretch."""
    return always(*criterion.conditions)


def too_busy(late_s: Sequence[float], sweeps: Sequence[Sweep], *, in_doubt: bool = False) -> str | None:
    """Why the machine was too busy for a verdict; None when it was not.

    `late_s` is how late each request was sent, `in_doubt` whether anything was not as expected.
    """
    sent, late = len(late_s), sum(s * 1000 > TOO_LATE_MS for s in late_s)
    least = 1 if in_doubt else TOO_LATE_ONES
    if late and late >= min(sent, max(least, math.ceil(sent / TOO_LATE_ONE_IN))):
        return f"{late} of {counted(sent, 'request')} went out more than {TOO_LATE_MS:.0f} ms late: the machine is too busy"
    # What a probe waited for the system is the system's; the rest of a gap is ours, and the machine's.
    gaps_s = [b.at_s - a.at_s - b.cost_ms / 1000 for a, b in pairwise(sweeps)]
    if gaps_s and max(gaps_s) > STALLED_S:
        return f"no probe was read for {max(gaps_s):.1f} s: the machine is too busy"
    return None


def short(conditions: tuple[ConditionEvidence, ...], what: str) -> str:
    """One line that says exactly which conditions fell short, and by what."""
    worst = [c for c in conditions if c.missed or not c.met] or list(conditions)
    return f"{what}: {'; '.join(_one(c) for c in worst)}"


def _one(c: ConditionEvidence) -> str:
    last = "never read" if c.last is None else f"{c.last:.4g}"
    lacked = f", {c.lacked} without a sample" if c.lacked else ""
    return f"{c.text}: last {last}, met in {c.met} of {counted(c.met + c.missed + c.lacked, 'sweep')}{lacked}"
