"""The alert policy beside a scenario: samples of its series, which alert fires when, what each indicator comes to."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from harness.engine.outcome import Outcome
from harness.model.alerts import Policy
from harness.model.errors import Unreadable
from harness.model.events import AlertFired, Event, SamplesTaken, SliMeasured
from harness.model.runtime import Equipment
from harness.model.samples import packed, rounded
from harness.model.slis import Counter, Delays, Quantile, Query, RequestDelays, Requests, Sample, metric_of, plain

SAMPLE_EVERY_S = 0.4
"""The pace of samples: more than twice in the shortest time between evaluations, a second in the ci profile."""

FRESH_S = 2.5
"""A service whose newest scrape is older has no figures: two scrapes were missed, and old ones would look quiet."""

QUERY_TIMEOUT_S = 1.0

STEADY, UNTREATED, TREATED = "steady", "untreated", "treated"


class Alerting:
    """The samples of one scenario, and what the policy makes of them; without a policy it does nothing."""

    def __init__(self, equipment: Equipment, policy: Policy | None, emit: Callable[[Event], None], label: str) -> None:
        self.samples: list[Sample] = []
        self._equipment = equipment
        self._clock = equipment.clock
        self._policy = policy
        self._series = dict(policy.series) if policy else {}
        self._emit = emit
        self._label = label
        self._firing = Firing(policy, label) if policy else None
        self._counts: dict[str, float] = {n: 0.0 for n, s in self._series.items() if isinstance(s, Requests)}
        self._delays = {
            n: dict.fromkeys([*s.bounds_s, float("inf")], 0.0)
            for n, s in self._series.items()
            if isinstance(s, RequestDelays)
        }
        self._seen = 0
        self._read: dict[str, tuple[float, Any]] = {}
        self._scrape: Callable[[], Awaitable[None]] | None = None
        self._marked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._steady_s: float | None = None
        self._injected_s: float | None = None
        self._responded_s: float | None = None
        self._fired: list[AlertFired] = []

    @property
    def wanted(self) -> Mapping[str, frozenset[str]]:
        """The metrics that must be scraped for it, by service."""
        pairs = {pair for s in self._series.values() if (pair := metric_of(s)) is not None}
        return {service: frozenset(m for of, m in pairs if of == service) for service, _ in pairs}

    async def begin(self, scrape: Callable[[], Awaitable[None]]) -> None:
        """Start sampling in the background; `scrape` reads the metrics at once."""
        self._scrape = scrape
        if self._policy is not None:
            self._task = asyncio.create_task(self._go_on(), name=f"alerts of {self._label}")

    def steady_from(self, at_s: float) -> None:
        """The stretch that is judged as steady begins; again when it was not."""
        self._steady_s = at_s
        self._marked.set()

    def injected(self, at_s: float) -> None:
        """Something is broken from now on."""
        self._injected_s = at_s
        self._marked.set()

    def responded(self, at_s: float) -> None:
        """Somebody responds from now on: an alert that first fires later is late."""
        self._responded_s = at_s
        self._marked.set()

    async def end(self, outcome: Outcome) -> None:
        """Stop sampling, note when it was detected, and say what each indicator came to over each stretch."""
        if self._policy is None:
            return
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._look(scrape=True)
        outcome.ttd_s, outcome.ttr_s = times(self._fired, self._injected_s, outcome.recovered_s)
        taken = SamplesTaken(
            self._clock.now_s(), self._label, packed(self.samples),
            self._steady_s, self._injected_s, self._responded_s, outcome.recovered_s,
        )  # fmt: skip
        self._emit(taken)
        self._measure(self._policy)

    async def _go_on(self) -> None:
        next_s = self._clock.now_s()
        while True:
            marked = self._marked.is_set()
            self._marked.clear()
            await self._look(scrape=marked)
            # After a mark the pace begins anew: no two samples may be further apart than usual.
            next_s = self._clock.now_s() if marked else max(next_s, self._clock.now_s() - SAMPLE_EVERY_S)
            next_s += SAMPLE_EVERY_S
            waiting = asyncio.create_task(self._clock.sleep_until(next_s))
            mark = asyncio.create_task(self._marked.wait())
            try:
                await asyncio.wait({waiting, mark}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                mark.cancel()

    async def _look(self, *, scrape: bool) -> None:
        """Take a sample, and see which alerts fire at it."""
        assert self._firing is not None  # noqa: S101  (nothing is sampled without a policy)
        if scrape and self._scrape is not None:
            # A stretch begins or ends: what came up to now belongs to the one before.
            await self._scrape()
        self.samples.append(await self._sample())
        for told in self._firing.look(self.samples, self._injected_s, self._responded_s):
            self._fired.append(told)
            self._emit(told)

    async def _sample(self) -> Sample:
        self._count()
        values: dict[str, float | None] = dict(self._counts)
        values.update(await self._query())
        delays: dict[str, Mapping[float, float] | None] = {n: dict(d) for n, d in self._delays.items()}
        observer, now_s = self._equipment.observer, self._clock.now_s()
        for name, one in self._series.items():
            if not isinstance(one, Counter | Delays | Quantile):
                continue
            scraped_s = observer.scraped_s(one.service)
            if scraped_s is None or now_s - scraped_s > FRESH_S:
                (delays if isinstance(one, Delays) else values)[name] = None
                continue
            if isinstance(one, Quantile):
                window_s = plain(one.window_s)
                values[name] = rounded(observer.quantile_s(one.service, one.metric, one.q, window_s, one.labels))
                continue
            # Going through a scrape costs more than all the rest, and there are more samples than scrapes.
            if self._read.get(name, (None, None))[0] != scraped_s:
                read = observer.counter if isinstance(one, Counter) else observer.buckets
                self._read[name] = scraped_s, read(one.service, one.metric, one.labels)
            (delays if isinstance(one, Delays) else values)[name] = self._read[name][1]
        return Sample(now_s, values, delays)

    def _count(self) -> None:
        """Take in the requests that have ended since the last sample."""
        ledger = self._equipment.ledger
        for sent in islice(ledger, self._seen, None):
            for name, one in self._series.items():
                if isinstance(one, Requests) and one.counts(sent):
                    self._counts[name] += 1
                elif isinstance(one, RequestDelays) and one.counts(sent):
                    for bound in self._delays[name]:
                        self._delays[name][bound] += sent.latency_s <= bound
        self._seen = len(ledger)

    async def _query(self) -> dict[str, float | None]:
        """Every number of the tables, by one query."""
        queries = {name: one for name, one in self._series.items() if isinstance(one, Query)}
        if not queries:
            return {}
        try:
            async with asyncio.timeout(QUERY_TIMEOUT_S):
                rows = await self._equipment.observer.sql(
                    "SELECT " + ", ".join(f"({one.sql})" for one in queries.values())
                )
        except (Unreadable, TimeoutError):
            return dict.fromkeys(queries)
        pairs = zip(queries.items(), rows[0], strict=True)
        return {name: one.empty if value is None else rounded(float(value)) for (name, one), value in pairs}

    def _measure(self, policy: Policy) -> None:
        if len(self.samples) < 2:  # a stretch has two ends
            return
        end_s = self.samples[-1].at_s
        for stretch, since_s, until_s in stretches(self._steady_s, self._injected_s, self._responded_s, end_s):
            for m in policy.measure(self.samples, since_s, until_s):
                self._emit(
                    SliMeasured(
                        self._clock.now_s(), self._label, m.sli.name, m.sli.says, m.sli.kind, m.sli.unit,
                        plain(m.sli.objective), stretch, since_s, until_s, m.value, m.verdict,
                        m.good, m.total, m.budget_minutes,
                    )
                )  # fmt: skip


class Firing:
    """Which alerts of a policy are told as samples come in: each once as noise, and once after the injection.

    One that fired as noise can detect something when it has been quiet since: it fires anew then. One that fires on and on
    from before the injection tells nobody anything new.
    """

    def __init__(self, policy: Policy, label: str | None) -> None:
        self._policy = policy
        self._label = label
        self._on: set[str] = set()
        self._noise: set[str] = set()
        self._told: set[str] = set()

    def look(
        self, samples: Sequence[Sample], injected_s: float | None, responded_s: float | None
    ) -> Iterator[AlertFired]:
        """What is told of the last sample."""
        at_s = samples[-1].at_s
        noise = injected_s is None or at_s < injected_s
        late = responded_s is not None and at_s >= responded_s
        for alert in self._policy.alerts:
            name = alert.name
            if name in self._told:
                continue
            fires = self._policy.fires(alert, samples)
            if fires is False:  # what cannot be told is not quiet
                self._on.discard(name)
            if not fires or name in self._on:
                continue
            self._on.add(name)
            told = self._noise if noise else self._told
            if name not in told:
                told.add(name)
                yield AlertFired(at_s, self._label, name, alert.kind, late, noise)


def fired_again(policy: Policy, samples: Sequence[Sample], of: SamplesTaken) -> list[AlertFired]:
    """The alerts that fire on recorded samples, in their order."""
    firing = Firing(policy, of.scenario)
    return [
        told
        for last in range(1, len(samples) + 1)
        for told in firing.look(samples[:last], of.injected_s, of.responded_s)
    ]


def times(
    fired: Iterable[AlertFired], injected_s: float | None, recovered_s: float | None
) -> tuple[float | None, float | None]:
    """From the injection to the detection and from there to the recovery; None where either is missing."""
    detected_s = next((e.t for e in fired if not e.noise and not e.late), None)
    if detected_s is None or injected_s is None:
        return None, None
    return detected_s - injected_s, None if recovered_s is None else recovered_s - detected_s


def stretches(
    steady_s: float | None, injected_s: float | None, responded_s: float | None, end_s: float
) -> Iterator[tuple[str, float, float]]:
    """The stretches that indicators are measured over, those that the run came to: name, from and until."""
    ends = (
        (STEADY, steady_s, injected_s or end_s),
        (UNTREATED, injected_s, responded_s or end_s),
        (TREATED, responded_s, end_s),
    )
    yield from ((name, since_s, until_s) for name, since_s, until_s in ends if since_s is not None)
