"""Service level indicators as a catalogue defines them: what they are fed with, how they are figured, their objectives.

What they come to on recorded samples is worked out in slo.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

from harness.model.ledger import Sent
from harness.model.span import Number, Settings, Span

Labels = Mapping[str, str | Sequence[str]]

SliKind = Literal["ratio", "p95_s", "count"]
"""How a value is held against its objective: at least it, below it, at most it."""


@dataclass(frozen=True)
class Sample:
    """One reading of all series.

    Attributes:
        at_s: when it was taken, in seconds since the run began.
        values: a number by series; None or left out where it could not be read.
        delays: for series of delays the cumulative count by upper bound (infinity: all); None as for values.
    """

    at_s: float
    values: Mapping[str, float | None]
    delays: Mapping[str, Mapping[float, float] | None] = field(default_factory=dict)


# What indicators and alerts are fed with ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Requests:
    """How many of the workloads' requests have ended so far that count here."""

    counts: Callable[[Sent], bool] = field(compare=False)


@dataclass(frozen=True)
class RequestDelays:
    """How long the workloads' requests that count here took, from the planned moment to the end, by upper bound."""

    counts: Callable[[Sent], bool] = field(compare=False)
    bounds_s: tuple[float, ...] = (0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 0.45, 0.5, 0.7, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Counter:
    """A service's counters with these labels, added up; 0 while none of them has been shown by a service that answers."""

    service: str
    metric: str
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Delays:
    """A service's histogram with these labels, added up."""

    service: str
    metric: str
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Quantile:
    """A quantile of a service's histogram over the last `window_s`; missing when nothing was observed in it."""

    service: str
    metric: str
    window_s: Number
    q: float = 0.95
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """One number of the tables: `sql` selects one row of one column; NULL is `empty`.

    All queries of a catalogue are asked as one.
    """

    sql: str
    empty: float | None = 0.0


Series = Requests | RequestDelays | Counter | Delays | Quantile | Query


def metric_of(series: Series) -> tuple[str, str] | None:
    """The service and the metric family that must be scraped for a series; None when it needs none."""
    match series:
        case Counter() | Delays() | Quantile():
            return series.service, series.metric.removesuffix("_count")
        case _:
            return None


# How a value comes of them ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratio:
    """The share of what one counter rose by in what the other did."""

    good: str
    total: str


@dataclass(frozen=True)
class P95:
    """The 95th percentile of delays, interpolated within their bounds.

    Attributes:
        delays: the series.
        skewed: a counter or gauge that grows when clocks disagree; the delay is then for reference only.
    """

    delays: str
    skewed: str = ""


@dataclass(frozen=True)
class P95OfSamples:
    """The 95th percentile of a gauge's samples."""

    gauge: str


@dataclass(frozen=True)
class Highest:
    """The highest of a gauge's samples."""

    gauge: str


Figure = Ratio | P95 | P95OfSamples | Highest


def series_of(figure: Figure) -> tuple[str, ...]:
    """The names of the series that a figure needs."""
    match figure:
        case Ratio():
            return figure.good, figure.total
        case P95():
            return (figure.delays, *([figure.skewed] if figure.skewed else []))
        case P95OfSamples() | Highest():
            return (figure.gauge,)


@dataclass(frozen=True)
class Sli:
    """A service level indicator with its objective.

    Attributes:
        name: `<service>.<what>`.
        says: one line for people.
        objective: for `ratio` the share of good events, above 0 and at most 1 (0.999, not 99.9); for `p95_s` seconds;
            for `count` the most there may be.
        kind: `ratio` is met at the objective or above, `p95_s` below it, `count` at it or below.
        unit: what a value is shown in.
        figure: how its value comes of the series.

    Raises:
        ValueError: the objective is none for its kind.
    """

    name: str
    says: str
    objective: Number
    kind: SliKind
    unit: str
    figure: Figure

    def __post_init__(self) -> None:
        if isinstance(self.objective, Span):
            return  # seen when it is resolved
        if not isfinite(self.objective) or self.objective < 0:
            raise ValueError(f"{self.name}: {self.objective} is no objective")
        if self.kind == "ratio" and not 0 < self.objective <= 1:
            raise ValueError(f"{self.name}: the objective {self.objective} is not a share above 0 and at most 1")

    def resolve(self, settings: Settings) -> "Sli":
        """With its objective as a plain number."""
        return replace(self, objective=plain(self.objective, settings))


def plain(number: Number, settings: Settings | None = None) -> float:
    """The number itself; raises KeyError for one that is derived from a setting that is not given."""
    return number.of(settings or {}) if isinstance(number, Span) else number


@dataclass(frozen=True)
class Measured:
    """What an indicator came to over a stretch.

    Attributes:
        value: None when it cannot be known.
        verdict: a verdict's word; UNKNOWN also for a delay that is only for reference.
        good: of ratios, how many events were good; None where it cannot be known.
        total: of ratios, how many events counted.
        budget_minutes: of ratios, minutes of nothing but failures with as many bad events.
    """

    sli: Sli
    value: float | None
    verdict: str
    good: float | None = None
    total: float | None = None
    budget_minutes: float | None = None


def quantile(buckets: Sequence[tuple[float, float]], q: float) -> float | None:
    """The quantile of cumulative buckets (upper bound, count), interpolated; None without any observation.

    Beyond the last finite bound it is that bound, as Prometheus has it.
    """
    if not buckets or buckets[-1][1] <= 0:
        return None
    rank = q * buckets[-1][1]
    low_bound = low_count = 0.0
    for bound, count in buckets:
        if count >= rank:
            if bound == float("inf"):
                return low_bound
            share = (rank - low_count) / (count - low_count) if count > low_count else 1.0
            return low_bound + (bound - low_bound) * share
        low_bound, low_count = bound, count
    return low_bound
