"""Metrics of the services: only the wanted series are scraped, and only the last minutes of them are kept."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from harness.drivers.http import Asker
from harness.model.ports import Clock
from harness.model.runtime import Cell
from harness.model.slis import quantile

Labels = Mapping[str, str | Sequence[str]]
Series = tuple[str, frozenset[tuple[str, str]]]

KEPT = 1200
"""Scrapes kept of each instance: ten minutes at 2 Hz, longer than any window."""

_SUFFIXES = ("", "_bucket", "_count", "_sum")
_COUNTERS = ("_total", "_bucket", "_count", "_sum")
"""What only grows while a process lives."""


@dataclass(frozen=True)
class Scrape:
    """The values of one scrape of one instance.

    Attributes:
        restarted: whether the instance began anew since the scrape before: some of its counters fell.
        before: what counters had come to in the processes before this one, since the scenario began.
    """

    at_s: float
    values: Mapping[Series, float]
    restarted: bool = False
    before: Mapping[Series, float] = field(default_factory=dict)

    def counted(self, series: Series) -> float:
        """A counter's value, going on over restarts."""
        return self.before.get(series, 0.0) + self.values.get(series, 0.0)


class Metrics:
    """What was scraped of a cell's services, by service and instance."""

    def __init__(self, cell: Cell, asker: Asker, clock: Clock) -> None:
        self._cell = cell
        self._asker = asker
        self._clock = clock
        self._scrapes: dict[tuple[str, int], deque[Scrape]] = {}

    def forget(self) -> None:
        """Drop every sample."""
        self._scrapes.clear()

    async def scrape(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Read the named metrics of the named services once, all at the same time."""
        await asyncio.gather(
            *(
                self._scrape(service, instance, names)
                for service, names in wanted.items()
                for instance in range(len(self._cell.addresses(service)))
            )
        )

    async def _scrape(self, service: str, instance: int, names: frozenset[str]) -> None:
        query = urlencode([("name[]", name + suffix) for name in sorted(names) for suffix in _SUFFIXES])
        reply = await self._asker.ask(service, f"/actuator/prometheus?{query}", instance=instance)
        if reply.status != 200:
            return
        try:
            values = parse(reply.body.decode(), names)
        except ValueError:
            return  # half an exposition is no sample
        kept = self._scrapes.setdefault((service, instance), deque(maxlen=KEPT))
        kept.append(_next(kept[-1] if kept else None, self._clock.now_s(), values))

    def value(self, service: str, name: str, labels: Labels | None = None) -> float | None:
        """The newest value, summed over matching series and the instances that there are now; None when none has any."""
        now = range(len(self._cell.addresses(service)))
        found = [self._scrapes.get((service, instance)) for instance in now]
        sums = [_sum(scrapes[-1], name, labels) for scrapes in found if scrapes]
        known = [s for s in sums if s is not None]
        return sum(known) if known else None

    def scraped_s(self, service: str) -> float | None:
        """When every instance had last been scraped; None while one has not been."""
        found = [self._scrapes.get((service, n)) for n in range(len(self._cell.addresses(service)))]
        known = [scrapes[-1].at_s for scrapes in found if scrapes]
        return min(known) if known and len(known) == len(found) else None

    def counter(self, service: str, name: str, labels: Labels | None = None) -> float | None:
        """The newest value, summed over matching series and instances; 0 for series that have not come up yet."""
        found = self._of(service)
        values = [scrapes[-1].counted(s) for scrapes in found for s in _known(scrapes[-1]) if _matches(s, name, labels)]
        return sum(values) if found and all(v == v for v in values) else None  # noqa: PLR0124  (NaN: it cannot tell)

    def buckets(self, service: str, name: str, labels: Labels | None = None) -> Mapping[float, float] | None:
        """The newest cumulative counts of a histogram by upper bound, summed over series and instances."""
        if not (found := self._of(service)):
            return None
        counts: dict[float, float] = {}
        for scrapes in found:
            for series in _known(scrapes[-1]):
                if _matches(series, f"{name}_bucket", labels):
                    bound = float(dict(series[1])["le"])
                    counts[bound] = counts.get(bound, 0.0) + scrapes[-1].counted(series)
        return counts

    def increase(self, service: str, name: str, window_s: float, labels: Labels | None = None) -> float | None:
        """By how much counters rose within the window."""
        rises = [
            r for scrapes in self._of(service) for r in [self._rise(scrapes, name, window_s, labels)] if r is not None
        ]
        if not rises:
            return None
        return sum(sum(rise.values()) for rise in rises)

    def quantile_s(
        self, service: str, name: str, q: float, window_s: float, labels: Labels | None = None
    ) -> float | None:
        """A quantile of a histogram's increase within the window."""
        buckets: dict[float, float] = {}
        for scrapes in self._of(service):
            rise = self._rise(scrapes, f"{name}_bucket", window_s, labels) or {}
            for (_, pairs), count in rise.items():
                bound = float(dict(pairs)["le"])
                buckets[bound] = buckets.get(bound, 0.0) + count
        return quantile(sorted(buckets.items()), q)

    def _of(self, service: str) -> list[deque[Scrape]]:
        return [scrapes for (of, _), scrapes in self._scrapes.items() if of == service and scrapes]

    def _rise(
        self, scrapes: deque[Scrape], name: str, window_s: float, labels: Labels | None
    ) -> dict[Series, float] | None:
        """The rise of each series from the newest scrape before the window on; a fall is a restart from zero."""
        start_s = self._clock.now_s() - window_s
        inside = [s for s in scrapes if s.at_s >= start_s]
        before = next((s for s in reversed(scrapes) if s.at_s < start_s), None)
        used = [before, *inside] if before is not None else inside
        if len(used) < 2 or not inside:
            return None
        rises: dict[Series, float] = {}
        for series in {s for scrape in used for s in scrape.values if _matches(s, name, labels)}:
            last = used[0].values.get(series, 0.0)
            rise = 0.0
            for scrape in used[1:]:
                now = scrape.values.get(series, 0.0)
                rise += now - last if now >= last and not scrape.restarted else now
                last = now
            rises[series] = rise
        return rises


def parse(text: str, names: Iterable[str]) -> dict[Series, float]:
    """The wanted samples of an exposition; raises ValueError for text that is none."""
    wanted = {name + suffix for name in names for suffix in _SUFFIXES}
    found: dict[Series, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        head, brace, tail = line.rpartition("}")
        words = tail.split()
        if not brace:
            head, words = words[0], words[1:]
        if not words:
            raise ValueError(f"a line without a value: {line}")
        series = _series(head + brace)
        if series[0] in wanted:
            found[series] = float(words[0])
    return found


@lru_cache(maxsize=20_000)
def _series(head: str) -> Series:
    """The series that a line is about; the same ones come with every scrape, and reading their labels is slow."""
    samples = [s for family in text_string_to_metric_families(f"{head} 1\n") for s in family.samples]
    if len(samples) != 1:
        raise ValueError(f"no series: {head}")
    return samples[0].name, frozenset(samples[0].labels.items())


def _next(last: Scrape | None, at_s: float, values: Mapping[Series, float]) -> Scrape:
    """The scrape after another. One counter that fell tells of a restart, even where others have overtaken themselves."""
    if last is None:
        return Scrape(at_s, values)
    if not any(values.get(s, 0.0) < v for s, v in last.values.items() if s[0].endswith(_COUNTERS)):
        return Scrape(at_s, values, before=last.before)
    return Scrape(at_s, values, restarted=True, before={s: last.counted(s) for s in _known(last)})


def _known(scrape: Scrape) -> frozenset[Series]:
    return frozenset(scrape.values.keys() | scrape.before.keys())


def _sum(scrape: Scrape, name: str, labels: Labels | None) -> float | None:
    values = [value for series, value in scrape.values.items() if _matches(series, name, labels)]
    if not values or any(v != v for v in values):  # noqa: PLR0124  (NaN says that the service itself cannot tell)
        return None
    return sum(values)


def _matches(series: Series, name: str, labels: Labels | None) -> bool:
    if series[0] != name:
        return False
    have = dict(series[1])
    return all(
        have.get(key) == value if isinstance(value, str) else have.get(key) in value
        for key, value in (labels or {}).items()
    )
