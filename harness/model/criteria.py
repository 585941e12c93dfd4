"""Criteria are judged on recorded sweeps, purely: an old journal can be judged again with another threshold.

A condition gives True, False or None (a sample is missing) at one sweep. A criterion is a conjunction of conditions:
together, at the same moments, for the hold. Missing data is never good.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from harness.model.probes import Probe, Sweep
from harness.model.span import Number, Settings, as_span

MAX_GAP_S = 1.5
"""Sweeps further apart than this leave a hold unproven; sweeps are 0.2 s apart on a machine that keeps up."""

MIN_TREND_SAMPLES = 4
"""A trend over fewer samples than this is unknown."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


class Verdict(Enum):
    """What a criterion comes to on the sweeps so far."""

    HELD = "held"
    BROKEN = "broken"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Compare:
    """One sample against a threshold."""

    op: str
    threshold: Number

    def resolve(self, settings: Settings) -> "Compare":
        """The same with its threshold as a plain number."""
        return replace(self, threshold=as_span(self.threshold).of(settings))

    def at(self, probe: str, sweeps: Sequence[Sweep], index: int) -> bool | None:
        """Whether it is so at one sweep; None when the sample is missing."""
        value = sweeps[index].values.get(probe)
        return None if value is None else _OPERATORS[self.op](value, as_span(self.threshold).of({}))

    def __str__(self) -> str:
        return f"{self.op} {as_span(self.threshold).text}"


@dataclass(frozen=True)
class Trend:
    """The course of the samples over a window that ends at one sweep.

    Attributes:
        kind: `grows`, `falls` or `stops growing`.
        window_s: how far back it looks.
        by: how much more than this `grows` asks for.
    """

    kind: str
    window_s: Number
    by: Number = 0.0

    def resolve(self, settings: Settings) -> "Trend":
        """The same with plain numbers."""
        return replace(self, window_s=as_span(self.window_s).of(settings), by=as_span(self.by).of(settings))

    def at(self, probe: str, sweeps: Sequence[Sweep], index: int) -> bool | None:
        """Whether it is so at one sweep; None when samples are missing or the window is not full yet."""
        window_s = as_span(self.window_s).of({})
        end_s = sweeps[index].at_s
        values: list[float] = []
        for i in range(index, -1, -1):
            values.append(value if (value := sweeps[i].values.get(probe)) is not None else float("nan"))
            if end_s - sweeps[i].at_s >= window_s:
                break
        else:
            return None
        values.reverse()
        if len(values) < MIN_TREND_SAMPLES or any(v != v for v in values):  # noqa: PLR0124  (NaN marks a missing sample)
            return None
        return self._course(values)

    def _course(self, values: list[float]) -> bool:
        first, last = values[0], values[-1]
        if self.kind == "grows":
            return last - first > as_span(self.by).of({})
        if self.kind == "stops growing":
            return last <= first
        never_rose = all(b <= a for a, b in pairwise(values))
        return never_rose and (last < first or last == 0)

    def __str__(self) -> str:
        return f"{self.kind} over {as_span(self.window_s).text} s"


@dataclass(frozen=True)
class Condition:
    """One test on one probe."""

    probe: Probe
    test: Compare | Trend

    def resolve(self, settings: Settings) -> "Condition":
        """The same with plain numbers."""
        return replace(self, test=self.test.resolve(settings))

    def at(self, sweeps: Sequence[Sweep], index: int) -> bool | None:
        """Whether it is so at one sweep; None when it cannot be told."""
        return self.test.at(self.probe.name, sweeps, index)

    def __str__(self) -> str:
        return f"{self.probe.name} {self.test}"


@dataclass(frozen=True)
class Judgement:
    """A verdict with the evidence behind it.

    Attributes:
        verdict: what it came to.
        since_s: from when the sweeps were judged, in seconds since the run began.
        met_at_s: when the stretch began that met it, or None.
        conditions: for each condition its text, its last sample, and how many sweeps met it, missed it, lacked it.
    """

    verdict: Verdict
    since_s: float
    met_at_s: float | None
    conditions: tuple["ConditionEvidence", ...]


@dataclass(frozen=True)
class ConditionEvidence:
    """What the sweeps showed of one condition; counts are sweeps, `last` is None when it was never read."""

    text: str
    last: float | None
    met: int
    missed: int
    lacked: int


@dataclass(frozen=True)
class Criterion:
    """A conjunction of conditions that must hold together.

    Attributes:
        conditions: what must be so at the same moments.
        within_s: the stretch must begin within this, in seconds from the start of judging.
        hold_s: how long the stretch must last.
        always: instead, every readable sweep must meet every condition until the end of judging.
    """

    conditions: tuple[Condition, ...]
    within_s: Number = 0.0
    hold_s: Number = 0.0
    always: bool = False

    def resolve(self, settings: Settings) -> "Criterion":
        """The same with plain numbers, which is what can be judged."""
        return Criterion(
            tuple(c.resolve(settings) for c in self.conditions),
            as_span(self.within_s).of(settings),
            as_span(self.hold_s).of(settings),
            self.always,
        )

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes it reads, each once."""
        return tuple({c.probe.name: c.probe for c in self.conditions}.values())

    @property
    def deadline_s(self) -> float:
        """How long after the start of judging an eventual criterion is decided at the latest."""
        return as_span(self.within_s).of({}) + as_span(self.hold_s).of({})

    def later(self, by_s: float) -> "Criterion":
        """The same with a deadline that is so many seconds later; where judging starts stays."""
        return replace(self, within_s=as_span(self.within_s).of({}) + by_s) if by_s else self

    def judge(self, sweeps: Sequence[Sweep], since_s: float, now_s: float) -> Judgement:
        """Judge the sweeps of `since_s` to `now_s`; trends may look further back."""
        rows = [
            (sweeps[i].at_s, [c.at(sweeps, i) for c in self.conditions])
            for i in range(len(sweeps))
            if since_s <= sweeps[i].at_s <= now_s
        ]
        verdict, met_at_s = self._always(rows) if self.always else self._eventually(rows, since_s, now_s)
        return Judgement(verdict, since_s, met_at_s, self._evidence(sweeps, rows))

    def _always(self, rows: list[tuple[float, list[bool | None]]]) -> tuple[Verdict, float | None]:
        if any(value is False for _, row in rows for value in row):
            return Verdict.BROKEN, None
        # A sample may be missing now and then; a condition that was never seen, or hardly ever, is not known to hold.
        for column in zip(*(row for _, row in rows), strict=True):
            if sum(v is True for v in column) * 2 < len(column):
                return Verdict.UNKNOWN, None
        return (Verdict.HELD, rows[0][0]) if rows else (Verdict.UNKNOWN, None)

    def _eventually(
        self, rows: list[tuple[float, list[bool | None]]], since_s: float, now_s: float
    ) -> tuple[Verdict, float | None]:
        within_s, hold_s = as_span(self.within_s).of({}), as_span(self.hold_s).of({})
        met_at_s = _first_stretch(rows, since_s + within_s, hold_s, lambda v: v is True)
        if met_at_s is not None:
            return Verdict.HELD, met_at_s
        if now_s < since_s + within_s + hold_s:
            return Verdict.PENDING, None
        # Had every missing sample been good, would it have been met? Then the data, not the system, fell short.
        if not rows or _first_stretch(rows, since_s + within_s, hold_s, lambda v: v is not False) is not None:
            return Verdict.UNKNOWN, None
        return Verdict.BROKEN, None

    def _evidence(
        self, sweeps: Sequence[Sweep], rows: list[tuple[float, list[bool | None]]]
    ) -> tuple[ConditionEvidence, ...]:
        end_s = rows[-1][0] if rows else float("-inf")
        found = []
        for column, condition in enumerate(self.conditions):
            seen = [row[column] for _, row in rows]
            name = condition.probe.name
            last = next(
                (s.values[name] for s in reversed(sweeps) if s.at_s <= end_s and s.values.get(name) is not None), None
            )
            found.append(
                ConditionEvidence(
                    str(condition),
                    last,
                    sum(v is True for v in seen),
                    sum(v is False for v in seen),
                    sum(v is None for v in seen),
                )
            )
        return tuple(found)

    def __str__(self) -> str:
        joined = " and ".join(str(c) for c in self.conditions)
        if self.always:
            return f"always {joined}"
        return f"{joined}, within {as_span(self.within_s).text} s, for {as_span(self.hold_s).text} s"


def _first_stretch(
    rows: list[tuple[float, list[bool | None]]],
    latest_start_s: float,
    hold_s: float,
    good: Callable[[bool | None], bool],
) -> float | None:
    """When the first stretch of good sweeps began that started in time, lasted the hold and has no gap; or None."""
    start_s: float | None = None
    previous_s: float | None = None
    for at_s, row in rows:
        if previous_s is not None and at_s - previous_s > max(MAX_GAP_S, 0.0):
            start_s = None
        previous_s = at_s
        if not all(good(v) for v in row):
            start_s = None
            continue
        if start_s is None:
            start_s = at_s
        if start_s <= latest_start_s and at_s - start_s >= hold_s:
            return start_s
    return None


def eventually(*conditions: Condition, within_s: Number, hold_s: Number = 0.0) -> Criterion:
    """All conditions together, from some moment within `within_s` seconds on, for `hold_s` seconds."""
    return Criterion(conditions, within_s, hold_s)


def always(*conditions: Condition) -> Criterion:
    """All conditions at every sweep from beginning to end."""
    return Criterion(conditions, always=True)
