"""One scenario on one cell: a straight line of phases, from the steady state to the restored cell."""

import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from harness.engine import claim
from harness.engine.alerting import Alerting
from harness.engine.invariants import InvariantWatch, course_of
from harness.engine.judging import momentary, short, too_busy
from harness.engine.narrator import Narrator
from harness.engine.outcome import Outcome
from harness.engine.queries import Queries
from harness.engine.reconcile import reconcile
from harness.engine.steadiness import unsteady
from harness.engine.traffic import Traffic
from harness.engine.watch import Watch
from harness.model.alerts import Policy
from harness.model.arms import Arm
from harness.model.bands import moved
from harness.model.criteria import Verdict
from harness.model.errors import CellError, InfrastructureError, Unreadable
from harness.model.events import (
    Event,
    Finding,
    Moved,
    Noted,
    Phase,
    ScenarioStarted,
    Stepped,
    Timed,
    Witnessed,
    WorkloadSummary,
)
from harness.model.invariants import Invariants
from harness.model.runtime import Equipment
from harness.model.scenario import Scenario, Section, Step
from harness.model.span import Settings, as_span
from harness.model.witness import Seen, Witness
from harness.model.words import UNFORESEEN, counted, located

STEADY_S = 2.0
"""How long the steady stretch is judged as control; ten sweeps, four scrapes."""

STEADY_WITHIN_S = 20.0
"""How long a cell may take to become steady before the run says NOT_STEADY."""

STEADY_LATER_S = 0.4
"""By how much the stretch is moved on while it is not steady yet."""

AGAIN_S = 0.3
"""How long after a workload could not be prepared it is tried again."""

WITNESS_WITHIN_S = 5.0
"""How long after the injection the witness may take to see the fault bite."""

WITNESS_EVERY_S = 0.2


class ScenarioEnded(Exception):  # noqa: N818  (no error: the straight line just ends early)
    """The scenario cannot go on: its finding is made already."""


class ScenarioRun(Narrator):
    """One scenario, one arm, one cell."""

    def __init__(
        self,
        scenario: Scenario,
        arm: Arm,
        equipment: Equipment,
        emit: Callable[[Event], None],
        *,
        seed: int,
        settings: Settings,
        sections: Mapping[str, Section],
        policy: Policy | None = None,
        invariants: Invariants | None = None,
    ) -> None:
        self.scenario = scenario.resolve(settings)
        self.arm = arm
        self.outcome = Outcome()
        self._eq = equipment
        self._clock = equipment.clock
        self._emit = emit
        self._seed = seed
        self._sections = [sections[key] for key in scenario.sections if key in sections]
        probes = [*self.scenario.probes, *(p for s in self._sections for c in s.checks for p in c.probes)]
        self._alerting = Alerting(equipment, policy, emit, scenario.label)
        self._watch = Watch(equipment, probes, emit, scenario.label, also=self._alerting.wanted)
        self._queries = Queries(scenario.queries, equipment.observer, equipment.clock, emit, scenario.label)
        self._traffic = Traffic(self.scenario.workload, equipment.client, random.Random(seed), seed)
        self._facts = InvariantWatch(equipment, invariants, emit, scenario.label)
        self._settings = settings
        self._witness: Witness | None = None
        self._spoilt = False
        self._settling: list[tuple[float, float]] = []
        self._running: frozenset[str] = frozenset()
        self._steady_s = 0.0

    async def run(self) -> Outcome:
        """Go through the phases; whatever happens, the cell is restored and the verdict is kept."""
        s = self.scenario
        self._emit(
            ScenarioStarted(
                self._now(), s.label, s.title, list(s.sections), self.arm.name, self._seed, s.fault.says, str(s.symptom),
                str(s.recovery),
            )
        )  # fmt: skip
        self._begun_s = self._now()
        try:
            await self._guarded(self._course)
        finally:
            await self._wind_down()
        if not self.outcome.findings:
            self._find(Finding.AS_EXPECTED, Phase.RESTORE, "everything came out as the runbook says")
        claim.emit(self.outcome, self._emit, self._now(), s.label)
        return self.outcome

    async def _course(self) -> None:
        with contextlib.suppress(ScenarioEnded):
            await self._phases()
        await self._judge_invariants()

    async def _guarded(self, go: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong is this scenario's alone: the others' verdicts stand, and its cell is thrown away."""
        try:
            await go()
        except (InfrastructureError, Unreadable) as error:
            self._find(Finding.UNKNOWN, Phase.RESTORE, f"the run could not go on: {error}")
        except Exception as error:  # noqa: BLE001  (of a scenario, a probe or of ours: a run of many must not end with it)
            self._spoilt = True
            self._find(Finding.UNKNOWN, Phase.RESTORE, f"{UNFORESEEN}: {located(error)}")

    async def _phases(self) -> None:
        await self._begin()
        # Twice: what traffic alone does to their rows is no movement under the fault.
        await self._queries.sample("steady")
        await self._steady()
        await self._queries.sample("steady")
        if self.arm.injects:
            await self._inject()
            await self._symptom()
            if self.arm.holds:
                await self._hold()
                await self._queries.sample("hold")
            await self._respond()
            await self._recover()
            await self._queries.sample("recovered")
        else:
            await self._control()

    # Phases ---------------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Prepare the workload; a cell that was just healed may take as long as for its steady state."""
        began_s = self._now()
        deadline_s = began_s + STEADY_WITHIN_S
        while True:
            try:
                await self._traffic.prepare()
                break
            except InfrastructureError as error:
                if self._now() > deadline_s:
                    self._find(Finding.NOT_STEADY, Phase.STEADY, f"the workload could not begin: {error}")
                    raise ScenarioEnded from None
                await self._clock.sleep(AGAIN_S)
        self._emit(Timed(self._now(), self.scenario.label, "workload", self._now() - began_s))
        await self._traffic.begin(self._clock)
        await self._watch.begin()
        await self._alerting.begin(self._watch.scrape)
        await self._facts.begin()

    async def _steady(self) -> None:
        started_s = self._start(Phase.STEADY)
        deadline_s = started_s + STEADY_WITHIN_S
        since_s = self._now()
        while True:
            self._alerting.steady_from(since_s)
            await self._watch.rest(since_s + STEADY_S)
            lack = unsteady(self.scenario, self._eq.ledger, self._watch, since_s, STEADY_S)
            if lack is None:
                break
            if self._now() > deadline_s:
                self._end(Phase.STEADY, started_s, "not steady", lack)
                self._find(Finding.NOT_STEADY, Phase.STEADY, f"before anything was broken: {lack}")
                raise ScenarioEnded
            since_s = self._now() - STEADY_S + STEADY_LATER_S
        judgement = self._watch.judge(
            momentary(self.scenario.symptom, STEADY_S), since_s, self._now(), what="symptom as control"
        )
        if judgement.verdict is Verdict.HELD:
            self._end(Phase.STEADY, started_s, "symptom already there")
            self._find(Finding.VACUOUS_SYMPTOM, Phase.STEADY, "the symptom was met before anything was broken")
            raise ScenarioEnded
        self._steady_s = since_s
        await self._facts.moment("steady")
        self._end(Phase.STEADY, started_s, "steady")

    async def _inject(self) -> None:
        started_s = self._start(Phase.INJECT)
        self._witness = self.scenario.fault.witness()
        await self._witness.prepare(self._eq.observer)
        self._note_running()
        self.outcome.injected_s = self._now()
        self._alerting.injected(self.outcome.injected_s)
        await self.scenario.fault.inject(self._eq.injector)
        self._settle(self.outcome.injected_s)
        self.outcome.in_place_s = self._now()
        self._end(Phase.INJECT, started_s, "injected", self.scenario.fault.says)
        started_s = self._start(Phase.WITNESS)
        seen = await self._look_until(bites=True)
        self._end(Phase.WITNESS, started_s, "bites" if seen.bites else "does not bite", seen.says)
        if not seen.bites:
            self._find(Finding.NO_WITNESS, Phase.WITNESS, f"the fault was injected but does not bite: {seen.says}")
            raise ScenarioEnded

    async def _look_until(self, *, bites: bool) -> Seen:
        assert self._witness is not None  # noqa: S101  (prepared by the phase before)
        deadline_s = self._now() + WITNESS_WITHIN_S
        while True:
            seen = await self._witness.look(self._eq.observer)
            self._emit(Witnessed(self._now(), self.scenario.label, seen.bites, seen.says))
            if seen.bites is bites or self._now() >= deadline_s:
                return seen
            await self._clock.sleep(WITNESS_EVERY_S)

    async def _symptom(self) -> None:
        started_s = self._start(Phase.SYMPTOM)
        injected_s, begun_s = self.outcome.injected_s or started_s, self.outcome.in_place_s
        judgement = await self._watch.until(self.scenario.symptom, injected_s, what="symptom", begun_s=begun_s)
        if judgement.met_at_s is not None:
            self.outcome.symptom_s = judgement.met_at_s - injected_s
        self._end(Phase.SYMPTOM, started_s, judgement.verdict.value)
        if judgement.verdict is Verdict.UNKNOWN:
            self._find(Finding.UNKNOWN, Phase.SYMPTOM, short(judgement.conditions, "the symptom could not be judged"))
            raise ScenarioEnded
        if judgement.verdict is not Verdict.HELD:
            self._find(Finding.NOT_REPRODUCED, Phase.SYMPTOM, short(judgement.conditions, "the symptom did not come"))
            raise ScenarioEnded

    async def _hold(self) -> None:
        """Watch the untreated stretch: nothing recovers by itself, and the fault still bites at its end."""
        started_s = self._start(Phase.HOLD)
        await self._watch.capture(self.scenario.recovery)
        await self._watch.rest(started_s + as_span(self.scenario.hold_s).of({}))
        judgement = self._watch.judge(self.scenario.recovery, started_s, self._now(), what="recovery as untreated")
        seen = await self._look_until(bites=True)
        await self._facts.moment("hold")
        if judgement.verdict is Verdict.HELD:
            self._end(Phase.HOLD, started_s, "recovered by itself")
            self._find(Finding.SELF_HEALED, Phase.HOLD, "the recovery criteria were met before anybody responded")
            raise ScenarioEnded
        if seen.bites is False:
            self._end(Phase.HOLD, started_s, "the fault went away")
            self._find(Finding.SELF_HEALED, Phase.HOLD, f"the fault went away before anybody responded: {seen.says}")
            raise ScenarioEnded
        if seen.bites is None:
            self._find(Finding.UNKNOWN, Phase.HOLD, f"whether the fault still bites could not be told: {seen.says}")
            raise ScenarioEnded
        self._end(Phase.HOLD, started_s, "stays broken", seen.says)

    async def _respond(self) -> None:
        started_s = self._start(Phase.RESPOND)
        self.outcome.responded_s = started_s
        readings = ((s.at_s, s.values) for s in self._watch.sweeps)
        found = moved(readings, self._steady_s, self.outcome.injected_s or started_s, started_s)
        self._emit(Moved(self._now(), self.scenario.label, found))
        if self.arm.responds:
            # Before anything is waited for: a sample that is taken meanwhile is one after the response began.
            self._alerting.responded(started_s)
        await self._watch.capture(self.scenario.recovery)
        self._check()
        steps = self.scenario.response if self.arm.responds else (self.scenario.placebo,) if self.arm.placebo else ()
        for step in steps:
            await self._carry_out(step)
            await self._watch.rest(self._now())
            self._check()
        self._end(Phase.RESPOND, started_s, counted(len(steps), "step"))

    async def _carry_out(self, step: Step) -> None:
        began_s = self._now()
        if step.unless is not None:
            judgement = await self._watch.until(step.unless, began_s, what=f"not needed: {step.title}")
            if judgement.verdict is Verdict.HELD:
                self._emit(
                    Stepped(self._now(), self.scenario.label, step.title, True, self._now() - began_s, step.in_runbook)
                )
                return
        self._note_running()
        acted_s = self._now()
        await step.act(self._eq.operator)
        self._settle(acted_s)
        self._emit(Stepped(self._now(), self.scenario.label, step.title, False, self._now() - began_s, step.in_runbook))

    async def _recover(self) -> None:
        started_s = self._start(Phase.RECOVER)
        since_s = self.outcome.responded_s or started_s
        criterion = self.scenario.recovery
        judgement = await self._watch.until(
            criterion, max([since_s, *(end_s for _, end_s in self._settling)]), what="recovery"
        )
        self._check()
        self._end(Phase.RECOVER, started_s, judgement.verdict.value)
        treated = self.arm.responds
        self.outcome.recovered = judgement.verdict is Verdict.HELD
        if judgement.verdict is Verdict.UNKNOWN:
            self._find(Finding.UNKNOWN, Phase.RECOVER, short(judgement.conditions, "recovery could not be judged"))
        elif treated and judgement.verdict is not Verdict.HELD:
            self._find(Finding.NOT_RECOVERED, Phase.RECOVER, short(judgement.conditions, "not recovered in time"))
        elif not treated and judgement.verdict is Verdict.HELD:
            why = "after a placebo" if self.arm.placebo else "without any response"
            self._find(Finding.SELF_HEALED, Phase.RECOVER, f"the recovery criteria were met {why}")
        elif judgement.met_at_s is not None:
            self.outcome.recovered_s = judgement.met_at_s
            self.outcome.response_to_recovery_s = judgement.met_at_s - since_s
        self._judge_unaffected()

    async def _control(self) -> None:
        """Without a fault, the symptom must not be met for as long as it is given under one."""
        started_s = self._start(Phase.SYMPTOM)
        judgement = await self._watch.until(self.scenario.symptom, started_s, what="symptom as control")
        self._end(Phase.SYMPTOM, started_s, judgement.verdict.value)
        if judgement.verdict is Verdict.HELD:
            self._find(Finding.VACUOUS_SYMPTOM, Phase.SYMPTOM, "the symptom was met although nothing was broken")
        elif judgement.verdict is Verdict.UNKNOWN:
            self._find(Finding.UNKNOWN, Phase.SYMPTOM, short(judgement.conditions, "the symptom could not be judged"))
        self._judge_unaffected()

    def _judge_unaffected(self) -> None:
        criterion = self.scenario.unaffected
        if criterion is None:
            return
        since_s = self.outcome.injected_s or self._begun_s
        judgement = self._watch.judge(criterion, since_s, self._now(), what="unaffected", without=self._settling)
        if judgement.verdict is Verdict.BROKEN:
            self._find(Finding.COLLATERAL, Phase.RECOVER, short(judgement.conditions, "what should stay whole did not"))
        elif judgement.verdict is Verdict.UNKNOWN:
            self._find(
                Finding.UNKNOWN, Phase.RECOVER, short(judgement.conditions, "the blast radius could not be judged")
            )

    async def _judge_invariants(self) -> None:
        """Let what is in flight end, where it can, then judge what must hold through the whole scenario."""
        started_s = self._start(Phase.INVARIANTS)
        await self._traffic.end()
        course = course_of(self.arm, self.outcome, self._begun_s, self._now(), self._settling)
        found = await self._facts.conclude(course, self.scenario.breaks, self._settings)
        for finding, says in found:
            self._find(finding, Phase.INVARIANTS, says)
        self._end(Phase.INVARIANTS, started_s, "; ".join(sorted({f.value for f, _ in found})) or "held")

    # Winding down -----------------------------------------------------------------------------------------------------

    async def _wind_down(self) -> None:
        ends = (self._traffic.end, self._judge_busyness, self._watch.end, self._facts.end)
        await self._guarded(partial(self._alerting.end, self.outcome))
        for end in ends:
            await self._guarded(end)
        if self._witness is not None:
            await self._guarded(self._witness.close)
        await self._guarded(self._restore)

    async def _restore(self) -> None:
        started_s = self._start(Phase.RESTORE)
        try:
            if self._spoilt:
                raise CellError("what nobody foresaw may have left anything behind")
            done = await reconcile(self._eq)
        except (InfrastructureError, Unreadable) as error:
            says = f"the cell could not be shown clean and is thrown away: {error}"
            self._emit(Noted(self._now(), self.scenario.label, says))
            self._end(Phase.RESTORE, started_s, "thrown away", str(error))
        else:
            self.outcome.restored = True
            self._end(Phase.RESTORE, started_s, "clean", "; ".join(done))
        self._emit(Timed(self._now(), self.scenario.label, "reset", self._now() - started_s))

    async def _judge_busyness(self) -> None:
        p99_s = self._eq.ledger.lateness_s(0.99, self._begun_s)
        p99_ms, sent = None if p99_s is None else p99_s * 1000, self._eq.ledger.since(self._begun_s)
        self._emit(WorkloadSummary(self._now(), self.scenario.label, len(sent), sum(s.accepted for s in sent), p99_ms))
        late_s, doubt = self._eq.ledger.late_s(self._begun_s), bool(self.outcome.findings)
        busy = too_busy(late_s, self._watch.sweeps, in_doubt=doubt)
        if busy is not None:
            self._find(Finding.TOO_BUSY, Phase.INVARIANTS, busy)

    def _find(self, finding: Finding, phase: Phase, says: str) -> None:
        if finding in claim.REFUTING:
            self._traffic.must_be_sound()
        super()._find(finding, phase, says)

    def _note_running(self) -> None:
        self._running = self._eq.cell.identities()

    def _settle(self, since_s: float) -> None:
        """After an act that restarted something, a stretch is judged by neither side."""
        if self._eq.cell.identities() - self._running:
            self._settling.append((since_s, self._now() + as_span(self.scenario.settle_s).of({})))
