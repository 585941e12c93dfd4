"""Watching: sweeps at a steady pace while a scenario goes on, and waiting for criteria on them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from harness.model.criteria import Criterion, Judgement, Verdict
from harness.model.errors import GamedayError, Unreadable
from harness.model.events import CohortTaken, Event, Judged, Swept
from harness.model.probes import Cohort, CohortProbe, Probe, Sweep
from harness.model.runtime import Equipment

SWEEP_EVERY_S = 0.2
"""The pace of sweeps; SQL, NATS and Redis are read this often."""

SCRAPE_EVERY_S = 0.5
"""Metrics are scraped at 2 Hz at most: a scrape costs the services tens of milliseconds."""

ALSO_EVERY_S = 1.0
"""Services that no probe of the scenario asks for are scraped less often."""

READ_TIMEOUT_S = 1.0
"""A probe that has not answered by then has no sample; a criterion then lacks it rather than waits for it."""


class Watch:
    """The sweeps of one scenario.

    Attributes:
        sweeps: every sweep so far, oldest first.
    """

    def __init__(
        self,
        equipment: Equipment,
        probes: Iterable[Probe],
        emit: Callable[[Event], None],
        label: str,
        *,
        also: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.sweeps: list[Sweep] = []
        self._equipment = equipment
        self._clock = equipment.clock
        self._probes = list({p.name: p for p in probes}.values())
        self._emit = emit
        self._label = label
        self._cohorts: dict[str, Cohort] = {}
        self._swept = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._scraping: list[asyncio.Task[None]] = []
        wanted: dict[str, set[str]] = {}
        for probe in self._probes:
            for service, metric in probe.metrics:
                wanted.setdefault(service, set()).add(metric)
        self._often = frozenset(wanted)
        # One scrape of a service has everything that is wanted of it: a series that is left out would look like a restart.
        self._wanted = {
            service: frozenset(wanted.get(service, ())) | (also or {}).get(service, frozenset())
            for service in [*wanted, *(s for s in also or {} if s not in wanted)]
        }

    async def begin(self) -> None:
        """Start sweeping, and scraping beside it, in the background."""
        # Each service for itself: one that does not answer must not keep the others' samples from coming.
        self._scraping = [
            asyncio.create_task(self._scrape(service, metrics), name=f"scrapes of {service}")
            for service, metrics in self._wanted.items()
        ]
        self._task = asyncio.create_task(self._go_on(), name=f"sweeps of {self._label}")

    async def end(self) -> None:
        """Stop sweeping; raises what went wrong in it."""
        scraping, self._scraping = self._scraping, []
        for task in scraping:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _go_on(self) -> None:
        next_s = self._clock.now_s()
        try:
            while True:
                await self.sweep()
                # A reading that took longer than the pace is followed at once, not by a burst.
                next_s = max(next_s + SWEEP_EVERY_S, self._clock.now_s())
                await self._clock.sleep_until(next_s)
        finally:
            # Whoever waits for the next sweep must learn that there will be none.
            self._over = True
            async with self._swept:
                self._swept.notify_all()

    async def _scrape(self, service: str, metrics: frozenset[str]) -> None:
        next_s = self._clock.now_s()
        while True:
            await self._equipment.scrape({service: metrics})
            every_s = SCRAPE_EVERY_S if service in self._often else ALSO_EVERY_S
            next_s = max(next_s + every_s, self._clock.now_s())
            await self._clock.sleep_until(next_s)

    async def scrape(self) -> None:
        """Scrape everything that is wanted once, now."""
        await self._equipment.scrape(self._wanted)

    async def sweep(self) -> Sweep:
        """Take one sweep now."""
        began_s = self._clock.now_s()
        values = await asyncio.gather(*(self._read(p) for p in self._probes))
        ended_s = self._clock.now_s()
        sweep = Sweep(
            ended_s, dict(zip((p.name for p in self._probes), values, strict=True)), (ended_s - began_s) * 1000
        )
        async with self._swept:
            self.sweeps.append(sweep)
            self._swept.notify_all()
        self._emit(Swept(ended_s, self._label, dict(sweep.values), round(sweep.cost_ms, 1)))
        return sweep

    async def _read(self, probe: Probe) -> float | None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                if isinstance(probe, CohortProbe):
                    cohort = self._cohorts.get(probe.name, ())
                    return await probe.left(self._equipment.observer, cohort) if cohort else None
                return await probe.read(self._equipment.observer)
        except (Unreadable, TimeoutError):
            return None

    async def capture(self, criterion: Criterion) -> None:
        """Take the cohorts of a criterion's probes as they are now; an empty one leaves its probe without samples."""
        for probe in criterion.probes:
            if isinstance(probe, CohortProbe):
                try:
                    async with asyncio.timeout(READ_TIMEOUT_S):
                        self._cohorts[probe.name] = await probe.capture(self._equipment.observer)
                except (Unreadable, TimeoutError):
                    self._cohorts[probe.name] = ()
                self._emit(CohortTaken(self._clock.now_s(), self._label, probe.name, len(self._cohorts[probe.name])))

    async def until(
        self, criterion: Criterion, since_s: float, *, what: str, begun_s: float | None = None
    ) -> Judgement:
        """Wait until a criterion is decided on the sweeps since a moment; its deadline bounds the wait.

        The deadline counts from `begun_s` where that is later: what comes before it counts too, but no time is taken by it.
        """
        judged = criterion.later(max((begun_s or since_s) - since_s, 0.0))
        while True:
            async with self._swept:
                seen = len(self.sweeps)
                now_s = self.sweeps[-1].at_s if self.sweeps else since_s
                judgement = judged.judge(self.sweeps, since_s, now_s)
                if judgement.verdict is not Verdict.PENDING:
                    break
                while len(self.sweeps) == seen and not self._over:
                    await self._swept.wait()
            if self._over:
                await self.end()
                raise GamedayError("the sweeps ended before the criterion was decided")
        self.report(criterion, judgement, what)
        return judgement

    def now_s(self) -> float:
        """The moment now, in seconds since the run began."""
        return self._clock.now_s()

    async def rest(self, until_s: float) -> None:
        """Let time pass up to a moment, and on to the first sweep after it."""
        await self._clock.sleep_until(until_s)
        async with self._swept:
            while not self._over and (not self.sweeps or self.sweeps[-1].at_s < until_s):
                await self._swept.wait()

    def judge(
        self,
        criterion: Criterion,
        since_s: float,
        now_s: float,
        *,
        what: str,
        without: Sequence[tuple[float, float]] = (),
    ) -> Judgement:
        """Judge a criterion on a stretch of the sweeps so far, without those of the named stretches inside it."""
        used = [s for s in self.sweeps if not any(begin <= s.at_s <= end for begin, end in without)]
        judgement = criterion.judge(used, since_s, now_s)
        self.report(criterion, judgement, what)
        return judgement

    def report(self, criterion: Criterion, judgement: Judgement, what: str) -> None:
        """Write a judgement to the journal."""
        self._emit(
            Judged(
                self._clock.now_s(),
                self._label,
                what,
                judgement.verdict.value,
                judgement.since_s,
                judgement.met_at_s,
                str(criterion),
                [asdict(c) for c in judgement.conditions],
            )
        )
