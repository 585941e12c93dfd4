"""Alerts as a catalogue defines them. What they come to on recorded samples is worked out in slo.

Series are named as the catalogue names them. Counters are cumulative; the two of one rule belong to one process. Windows
may be derived from the profile; a rule is evaluated with all of them resolved to seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal, Protocol, TypeVar

from harness.model.slis import Measured, Sample, Series, Sli, series_of
from harness.model.span import Number, Settings, Span

AlertKind = Literal["page", "office"]
"""Whether it wakes somebody or waits for office hours."""


@dataclass(frozen=True)
class RatioBelow:
    """Of what `total` rose by over the window, the share that `good` rose by is below the threshold, 0 to 1.

    With all data there and a rise below `minimum` it is quiet; when nothing happened and no minimum is asked, unknown.
    """

    name: str
    good: str
    total: str
    threshold: float
    window_s: Number
    minimum: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(0 <= self.threshold <= 1, self.name, "its threshold is a share, 0 to 1")
        _positive(self.name, self.window_s)


@dataclass(frozen=True)
class ShareAbove:
    """Of what `whole` rose by over the window, the share that `part` rose by is above the threshold, 0 to 1.

    With all data there and a rise below `minimum` it is quiet; when nothing happened and no minimum is asked, unknown.
    """

    name: str
    part: str
    whole: str
    threshold: float
    window_s: Number
    minimum: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(0 <= self.threshold <= 1, self.name, "its threshold is a share, 0 to 1")
        _positive(self.name, self.window_s)


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
    window_s: Number
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _positive(self.name, self.window_s)


@dataclass(frozen=True)
class AnyNew:
    """The gauge is higher than when it was last read; it fires at that one sample only.

    Rows that came while readings were missing are seen at the next reading; if none were seen then, it is unknown.
    """

    name: str
    gauge: str
    kind: AlertKind = field(kw_only=True)


@dataclass(frozen=True)
class Growing:
    """The gauge is strictly larger at each of `evaluations` evaluations than one earlier, and `at_least` at the last.

    That takes one reading more than evaluations, `every_s` apart and back from the sample asked about. Each is the
    latest sample at that moment, at most half of `every_s` old; what lies between is not looked at.
    """

    name: str
    gauge: str
    evaluations: int
    every_s: Number
    at_least: float
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _require(self.evaluations >= 1, self.name, "it needs evaluations and time between them")
        _positive(self.name, self.every_s)


@dataclass(frozen=True)
class OverFor:
    """The gauge is above the threshold at every sample for `for_s` seconds."""

    name: str
    gauge: str
    threshold: Number
    for_s: Number
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _positive(self.name, self.for_s)


@dataclass(frozen=True)
class ObjectiveMissed:
    """Over the window the indicator's value misses its objective; unknown while the window is not full."""

    name: str
    sli: Sli
    window_s: Number
    kind: AlertKind = field(kw_only=True)

    def __post_init__(self) -> None:
        _positive(self.name, self.window_s)


Alert = RatioBelow | ShareAbove | CountRising | AnyNew | Growing | OverFor | ObjectiveMissed
_A = TypeVar("_A", bound=Alert)


def resolved(alert: _A, settings: Settings) -> _A:
    """The alert with every window and threshold as a plain number; raises KeyError for an unknown setting."""
    changed: dict[str, object] = {}
    for known in fields(alert):
        value = getattr(alert, known.name)
        if isinstance(value, Span):
            changed[known.name] = value.of(settings)
        elif isinstance(value, Sli):
            changed[known.name] = value.resolve(settings)
    return replace(alert, **changed)  # type: ignore[arg-type]


def fed_by(alert: Alert) -> tuple[str, ...]:
    """The names of the series that an alert needs."""
    match alert:
        case RatioBelow():
            return alert.good, alert.total
        case ShareAbove():
            return alert.part, alert.whole
        case CountRising():
            return (alert.counter,)
        case AnyNew() | Growing() | OverFor():
            return (alert.gauge,)
        case ObjectiveMissed():
            return series_of(alert.sli.figure)


class Policy(Protocol):
    """The indicators and alerts of a catalogue on one cell, every length a plain number."""

    @property
    def series(self) -> Mapping[str, Series]:
        """What they are fed with, by name."""

    @property
    def alerts(self) -> Sequence[Alert]: ...

    def fires(self, alert: Alert, samples: Sequence[Sample]) -> bool | None:
        """Whether an alert fires at the last sample; None when it cannot be told."""

    def measure(self, samples: Sequence[Sample], since_s: float, until_s: float) -> list[Measured]:
        """What every indicator came to over a stretch that the samples lie in."""


def _require(so: bool, name: str, says: str) -> None:
    if not so:
        raise ValueError(f"{name}: {says}")


def _positive(name: str, length_s: Number) -> None:
    _require(isinstance(length_s, Span) or length_s > 0, name, "its window is longer than 0 s")
