"""A probe is a named, read-only measurement in one unit; a sweep is one reading of all wanted probes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.model.span import Number

if TYPE_CHECKING:
    from harness.model.criteria import Condition
    from harness.model.ports import Observer

Cohort = tuple[str, ...]
"""The keys of the rows, messages or tickets that existed at one moment."""


@dataclass(frozen=True)
class Sweep:
    """One reading of all wanted probes.

    Attributes:
        at_s: when it was complete, in seconds since the run began.
        values: a number by probe name; None where it could not be read.
        cost_ms: CPU-independent time that the reading took.
    """

    at_s: float
    values: Mapping[str, float | None]
    cost_ms: float = 0.0


@dataclass(frozen=True)
class Probe:
    """A named, read-only measurement in one unit.

    Attributes:
        name: `<service>.<what>_<unit>`.
        says: one line for people.
        read: gives the measurement, or None when it cannot be read; may raise Unreadable, which counts as None.
        metrics: the services whose metrics it needs, as (service, metric name) pairs, so that only those are scraped.
    """

    name: str
    says: str
    read: Callable[["Observer"], Awaitable[float | None]] = field(compare=False)
    metrics: tuple[tuple[str, str], ...] = ()

    def above(self, threshold: Number) -> "Condition":
        """It is greater than the threshold."""
        return _compare(self, ">", threshold)

    def below(self, threshold: Number) -> "Condition":
        """It is less than the threshold."""
        return _compare(self, "<", threshold)

    def at_least(self, threshold: Number) -> "Condition":
        """It is the threshold or more."""
        return _compare(self, ">=", threshold)

    def at_most(self, threshold: Number) -> "Condition":
        """It is the threshold or less."""
        return _compare(self, "<=", threshold)

    def equals(self, threshold: Number) -> "Condition":
        """It is exactly the threshold; for counts."""
        return _compare(self, "==", threshold)

    def grows(self, *, window_s: Number, by: Number = 0.0) -> "Condition":
        """Over the window it rose by more than `by`."""
        return _trend(self, "grows", window_s, by)

    def falls(self, *, window_s: Number) -> "Condition":
        """Over the window it never rose and ended lower than it began, or it is zero: falls monotonically."""
        return _trend(self, "falls", window_s, 0.0)

    def stops_growing(self, *, window_s: Number) -> "Condition":
        """Over the window it ended no higher than it began."""
        return _trend(self, "stops growing", window_s, 0.0)


@dataclass(frozen=True)
class CohortProbe(Probe):
    """A probe of what is left of a cohort, which can only shrink while traffic goes on.

    Attributes:
        capture: lists the cohort at the moment the engine names: the beginning of a hold and of a response.
        left: gives how many of the cohort are left, or None; an empty cohort is never read: it proves nothing.
    """

    capture: Callable[["Observer"], Awaitable[Cohort]] = field(kw_only=True, compare=False)
    left: Callable[["Observer", Cohort], Awaitable[float | None]] = field(kw_only=True, compare=False)


def _compare(probe: Probe, op: str, threshold: Number) -> "Condition":
    from harness.model.criteria import Compare, Condition  # noqa: PLC0415  (the two name each other)

    return Condition(probe, Compare(op, threshold))


def _trend(probe: Probe, kind: str, window_s: Number, by: Number) -> "Condition":
    from harness.model.criteria import Condition, Trend  # noqa: PLC0415  (the two name each other)

    return Condition(probe, Trend(kind, window_s, by))


async def _no_direct_reading(_observer: Any) -> float | None:
    return None


def cohort_probe(
    name: str,
    says: str,
    *,
    capture: Callable[["Observer"], Awaitable[Cohort]],
    left: Callable[["Observer", Cohort], Awaitable[float | None]],
) -> CohortProbe:
    """A cohort probe; before its cohort is captured its samples are None."""
    return CohortProbe(name, says, _no_direct_reading, capture=capture, left=left)
