"""A drill on one cell: as a scenario run up to the symptom; from then on somebody is trained instead of the response."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from harness.engine.judging import short, throughout
from harness.engine.run import ScenarioEnded, ScenarioRun
from harness.engine.watch import Watch
from harness.model.alerts import Policy
from harness.model.arms import TIMELINE
from harness.model.criteria import Criterion, Verdict
from harness.model.drill import Deed, deed_of
from harness.model.errors import InfrastructureError, Unreadable
from harness.model.events import Acted, AlertFired, Event, Finding, Noted, Phase, ScenarioStarted, SliMeasured
from harness.model.runtime import Equipment
from harness.model.scenario import Scenario, Section
from harness.model.slis import Sample
from harness.model.span import Settings, as_span

PAGE_WITHIN_S = 12.0
"""How long after the symptom an alert may take; then somebody calls instead."""

CONFIRM_S = 4.0
"""How long after it was declared a recovery may still begin to show: what looks back a few seconds sees older trouble."""


class DrillRun(ScenarioRun):
    """One drill.

    Attributes:
        fired: every alert so far that fired after something was broken.
        broken: what the injector did.
        paged_s: when the trainee was paged.
        page: what the page says; empty when there was none.
        recovered_s: from when on the recovery criteria were met; None while they are not known to be.
        collateral: what should have stayed whole and did not.
    """

    def __init__(
        self,
        scenario: Scenario,
        equipment: Equipment,
        emit: Callable[[Event], None],
        *,
        seed: int,
        settings: Settings,
        sections: Mapping[str, Section],
        policy: Policy | None,
        also: Mapping[str, frozenset[str]],
        mislead: Callable[[], Awaitable[None]],
        wait_s: float,
    ) -> None:
        self.fired: list[AlertFired] = []
        self.broken: list[Deed] = []
        self.policy = policy
        self.paged_s: float | None = None
        self.page = ""
        self.recovered_s: float | None = None
        self.collateral = ""
        self.budget_minutes: float | None = None
        self.paged = asyncio.Event()
        self.over = asyncio.Event()
        self._tell = emit
        self._injecting = False
        self._confirmed_s: float | None = None
        self._mislead = mislead
        self._wait_s = wait_s
        super().__init__(
            scenario, TIMELINE, equipment, self._heard, seed=seed, settings=settings, sections=sections, policy=policy
        )
        probes = [*self.scenario.probes, *(p for s in self._sections for c in s.checks for p in c.probes)]
        wanted = {
            s: self._alerting.wanted.get(s, frozenset()) | also.get(s, frozenset())
            for s in {**also, **self._alerting.wanted}
        }
        self._watch = Watch(equipment, probes, self._heard, scenario.label, also=wanted)

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples of the alert policy."""
        return self._alerting.samples

    async def look(self) -> None:
        """Samples are taken all the time."""

    def _heard(self, event: Event) -> None:
        match event:
            case AlertFired() if not event.noise:
                self.fired.append(event)
            case SliMeasured() if event.stretch != "steady" and event.budget_minutes is not None:
                self.budget_minutes = (self.budget_minutes or 0.0) + event.budget_minutes
        self._tell(event)

    def acted(self, event: Acted) -> None:
        """Take note of what breaks it; acts come from the equipment, not from here."""
        if self._injecting and event.who == "injector":
            deed = deed_of(event, self._eq.cell.topology)
            if deed not in self.broken:
                self.broken.append(deed)

    async def drill(self) -> None:
        """From the steady state to the end of the training."""
        s = self.scenario
        self._emit(
            ScenarioStarted(
                self._now(), s.label, s.title, list(s.sections), "drill", self._seed, s.fault.says, str(s.symptom),
                str(s.recovery),
            )
        )  # fmt: skip
        self._begun_s = self._now()
        try:
            await self._phases()
        except ScenarioEnded:
            pass
        except (InfrastructureError, Unreadable) as error:
            self._find(Finding.UNKNOWN, Phase.RESTORE, f"the drill could not go on: {error}")
        finally:
            await self._wind_down()

    async def _phases(self) -> None:
        await self._mislead()
        await self._begin()
        await self._steady()
        await self._clock.sleep(self._wait_s)
        self._injecting = True
        await self._inject()
        self._injecting = False
        await self._symptom()
        await self._call()
        await self.over.wait()
        self._end_of_training()

    async def _wind_down(self) -> None:
        """Stop watching; the cell is thrown away with the drill, and nobody waits for it to be healed."""
        await self._alerting.end(self.outcome)
        await self._traffic.end()
        await self._watch.end()
        await self._facts.end()
        if self._witness is not None:
            await self._witness.close()

    async def _symptom(self) -> None:
        """Wait for the symptom; without it, an alert is reason enough to page, for nothing is claimed of the runbook."""
        started_s = self._start(Phase.SYMPTOM)
        injected_s = self.outcome.injected_s or started_s
        begun_s = self.outcome.in_place_s
        judgement = await self._watch.until(self.scenario.symptom, injected_s, what="symptom", begun_s=begun_s)
        self._end(Phase.SYMPTOM, started_s, judgement.verdict.value)
        if judgement.verdict is not Verdict.HELD and not self.fired:
            says = short(judgement.conditions, "neither the symptom nor an alert came")
            self._find(Finding.NOT_REPRODUCED, Phase.SYMPTOM, says)
            raise ScenarioEnded

    async def _call(self) -> None:
        """Page with the first alert; when none fires in time, somebody calls who only knows that something is wrong."""
        deadline_s = self._now() + PAGE_WITHIN_S
        while not self.fired and self._now() < deadline_s:
            await self._watch.rest(self._now() + 0.2)
        await self._watch.capture(self.scenario.recovery)
        self.paged_s = self._now()
        self.page = self.fired[0].name if self.fired else "no alert, but a call: something is not as it should be"
        self.paged.set()

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[None]:
        """Around every act of the trainee: the first one begins the response, and restarts are not held against it."""
        if self.outcome.responded_s is None:
            await self._watch.capture(self.scenario.recovery)
            self.outcome.responded_s = self._now()
            self._alerting.responded(self.outcome.responded_s)
        self._note_running()
        acted_s = self._now()
        try:
            yield
        finally:
            self._settle(acted_s)

    async def confirmed(self) -> tuple[bool, str]:
        """Whether the recovery criteria are met now, or within moments; and what falls short."""
        criterion = self.scenario.recovery
        hold_s = as_span(criterion.hold_s).of({})
        since_s = max([self._now() - hold_s - 1.0, *(end_s for _, end_s in self._settling)])
        late_s = max(since_s - self._now(), 0.0)
        now_or_never = replace(criterion, within_s=max(self._now() - since_s, 0.0) + CONFIRM_S + late_s)
        judgement = await self._watch.until(now_or_never, since_s, what="recovery, as declared")
        if judgement.verdict is Verdict.HELD:
            self._confirmed_s = judgement.met_at_s
            return True, ""
        return False, short(judgement.conditions, "recovery")

    def _end_of_training(self) -> None:
        # What was confirmed ended the training: a sweep after it takes nothing back.
        self.recovered_s = self._confirmed_s if self._confirmed_s is not None else self._since_when()
        self.outcome.recovered_s = self.recovered_s
        criterion = self.scenario.unaffected
        if criterion is not None and self.paged_s is not None:
            judgement = self._watch.judge(
                throughout(criterion), self.paged_s, self._now(), what="unaffected", without=self._settling
            )
            if judgement.verdict is Verdict.BROKEN:
                self.collateral = short(judgement.conditions, "what should stay whole did not")
        self._emit(Noted(self._now(), self.scenario.label, "the training is over"))

    def _since_when(self) -> float | None:
        """The begin of the last stretch that meets the recovery criteria and lasts to the end; None when it is broken."""
        sweeps, paged_s = self._watch.sweeps, self.paged_s or 0.0
        instant = Criterion(self.scenario.recovery.conditions, 0.0, 0.0, always=True)
        begin_s: float | None = None
        for n in range(len(sweeps) - 1, -1, -1):
            if sweeps[n].at_s < paged_s:
                break
            met = all(c.at(sweeps, n) is True for c in instant.conditions)
            settling = any(a <= sweeps[n].at_s <= b for a, b in self._settling)
            if not met and not settling:
                break
            if met:
                begin_s = sweeps[n].at_s
        if begin_s is None:
            return None
        hold_s = as_span(self.scenario.recovery.hold_s).of({})
        return begin_s if sweeps[-1].at_s - begin_s >= hold_s else None
