"""What probes share: windows, shares of counters, one number of a query."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from harness.model.ledger import Sent
from harness.model.ports import Observer
from harness.model.probes import Probe

WINDOW_S = 2.0
"""How far back rates and shares look: four scrapes, ten sweeps."""

MINIMUM = 4
"""A share of fewer events than this within the window is not known."""

Labels = Mapping[str, str | Sequence[str]]


def sql_probe(name: str, says: str, query: str, *, empty: float | None = 0.0) -> Probe:
    """The one number of a query; NULL is `empty`: 0 for counts and ages, None for figures of nothing."""

    async def read(observer: Observer) -> float | None:
        rows = await observer.sql(query)
        value = rows[0][0] if rows else None
        return empty if value is None else float(value)

    return Probe(name, says, read)


def increase_probe(
    name: str, says: str, service: str, metric: str, labels: Labels | None = None, window_s: float = WINDOW_S
) -> Probe:
    """By how much counters rose within the window."""

    async def read(observer: Observer) -> float | None:
        return observer.increase(service, metric, window_s, labels)

    return Probe(name, says, read, ((service, metric.removesuffix("_count")),))


def share_probe(
    name: str, says: str, service: str, metric: str, part: Labels, whole: Labels, window_s: float = WINDOW_S
) -> Probe:
    """The share of one set of counters in another within the window; None with too few events."""

    async def read(observer: Observer) -> float | None:
        every = observer.increase(service, metric, window_s, whole)
        if every is None or every < MINIMUM:
            return None
        return (observer.increase(service, metric, window_s, {**whole, **part}) or 0.0) / every

    return Probe(name, says, read, ((service, metric.removesuffix("_count")),))


def quantile_probe(
    name: str, says: str, service: str, metric: str, q: float, labels: Labels | None = None, window_s: float = WINDOW_S
) -> Probe:
    """A quantile of a histogram within the window; None when nothing was observed in it."""

    async def read(observer: Observer) -> float | None:
        return observer.quantile_s(service, metric, q, window_s, labels)

    return Probe(name, says, read, ((service, metric),))


def metric_probe(name: str, says: str, service: str, metric: str, labels: Labels | None = None) -> Probe:
    """The newest value of a gauge or counter."""

    async def read(observer: Observer) -> float | None:
        return observer.metric(service, metric, labels)

    return Probe(name, says, read, ((service, metric),))


def log_probe(name: str, says: str, service: str, text: str, window_s: float = WINDOW_S) -> Probe:
    """How many log lines with a text came within the window."""

    async def read(observer: Observer) -> float | None:
        return observer.log_count(service, text, window_s)

    return Probe(name, says, read)


def ledger_ratio(
    name: str, says: str, ops: tuple[str, ...], good: Callable[[Sent], bool], window_s: float = WINDOW_S
) -> Probe:
    """The share of good ones among the requests that ended within the window; None with too few."""

    async def read(observer: Observer) -> float | None:
        return observer.ledger.ratio(observer.clock.now_s() - window_s, ops, good, minimum=MINIMUM)

    return Probe(name, says, read)


ledger_share = ledger_ratio
"""The same, for shares of what is not good."""


def reach_probe(name: str, says: str, link: str) -> Probe:
    """1 when the server answers through the link on a new connection, else 0."""

    async def read(observer: Observer) -> float | None:
        return float((await observer.reach(link, timeout_s=0.5)).answered)

    return Probe(name, says, read)


Read = Callable[[Observer], Awaitable[float | None]]
