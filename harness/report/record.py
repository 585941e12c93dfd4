"""A run as its journal tells it: what every rendering of a run begins from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.model import events as ev
from harness.model.words import counted


@dataclass
class PhaseRecord:
    """One phase; `ended_s` is None when the run was ended in it."""

    name: str
    started_s: float
    ended_s: float | None = None
    verdict: str = ""
    says: str = ""


@dataclass
class ScenarioRecord:
    """One scenario run; `claim` is None when the run was ended before it, `shard` that of a merged run's part."""

    label: str
    title: str = ""
    sections: list[str] = field(default_factory=list)
    arm: str = ""
    seed: int = 0
    fault: str = ""
    symptom: str = ""
    recovery: str = ""
    cell: str = ""
    started_s: float = 0.0
    ended_s: float | None = None
    phases: list[PhaseRecord] = field(default_factory=list)
    findings: list[ev.Found] = field(default_factory=list)
    claim: ev.Claimed | None = None
    judged: list[ev.Judged] = field(default_factory=list)
    witnessed: list[ev.Witnessed] = field(default_factory=list)
    acts: list[ev.Acted] = field(default_factory=list)
    steps: list[ev.Stepped] = field(default_factory=list)
    checks: list[ev.Checked] = field(default_factory=list)
    cohorts: list[ev.CohortTaken] = field(default_factory=list)
    sweeps: list[ev.Swept] = field(default_factory=list)
    workload: ev.WorkloadSummary | None = None
    sweep_costs_ms: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    timed: list[ev.Timed] = field(default_factory=list)
    alerts: list[ev.AlertFired] = field(default_factory=list)
    slis: list[ev.SliMeasured] = field(default_factory=list)
    ledger: ev.LedgerCounted | None = None
    invariants: list[ev.InvariantJudged] = field(default_factory=list)
    rules: list[ev.RuleJudged] = field(default_factory=list)
    queries: list[ev.Queried] = field(default_factory=list)
    completion: ev.Completed | None = None
    record: ev.Recorded | None = None
    shard: ev.ShardJoined | None = None

    @property
    def id(self) -> str:
        """The id without the variant."""
        return self.label.partition(":")[0]

    @property
    def variant(self) -> str:
        """The variant, or empty."""
        return self.label.partition(":")[2]

    @property
    def claim_name(self) -> str:
        """The claim's word; a run that was ended before it is inconclusive."""
        return self.claim.claim if self.claim else ev.Claim.INCONCLUSIVE.value

    @property
    def reason(self) -> str:
        """Why it is not proven, in one line; empty when it is."""
        if self.claim is None:
            return "the run was ended before the claim"
        return self.claim.reason

    @property
    def engine_s(self) -> float | None:
        """What it took beyond its phases and the workload's preparation, which wait for the system; None before its end."""
        if self.ended_s is None:
            return None
        phases_s = sum((p.ended_s or p.started_s) - p.started_s for p in self.phases)
        prepared_s = sum(t.took_s for t in self.timed if t.what == "workload")
        return max(self.ended_s - self.started_s - phases_s - prepared_s, 0.0)


@dataclass
class RunRecord:
    """One run; `finished` is None when it was ended from outside."""

    started: ev.RunStarted | None = None
    finished: ev.RunFinished | None = None
    scenarios: list[ScenarioRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, label: str) -> ScenarioRecord | None:
        """The newest record with this label."""
        return next((s for s in reversed(self.scenarios) if s.label == label), None)


class Recorder:
    """Folds events into a record as they come.

    Attributes:
        keep_sweeps: whether every sweep is kept; they are most of a journal.
    """

    def __init__(self, *, keep_sweeps: bool = True) -> None:
        self.run = RunRecord()
        self._keep_sweeps = keep_sweeps
        self._shard: ev.ShardJoined | None = None

    def add(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.RunStarted():
                self.run.started = event
            case ev.RunFinished():
                self.run.finished = event
            case ev.ShardJoined():
                self._shard = event
            case ev.ScenarioStarted():
                self._start(event)
            case ev.RunAgain() if (told_nothing := self.run.of(event.scenario or "")) is not None:
                self.run.scenarios.remove(told_nothing)
                where = f"beside {counted(event.cells - 1, 'other cell')}" if event.cells > 1 else "alone"
                self.run.notes.append(f"{event.scenario} was too busy {where} and ran again")
            case _ if event.scenario is None:
                if isinstance(event, ev.Noted):
                    self.run.notes.append(event.says)
            case _:
                self._add(self._scenario(event.scenario), event)

    def _start(self, event: ev.ScenarioStarted) -> None:
        record = self.run.of(event.scenario or "")
        if record is None or record.title:
            record = ScenarioRecord(event.scenario or "", shard=self._shard)
            self.run.scenarios.append(record)
        record.title, record.sections, record.arm, record.seed = event.title, event.sections, event.arm, event.seed
        record.fault, record.symptom, record.recovery = event.fault, event.symptom, event.recovery
        record.started_s = event.t

    def _scenario(self, label: str) -> ScenarioRecord:
        """The newest record with this label; what happens before a scenario starts, or instead, begins one too."""
        found = self.run.of(label)
        if found is None:
            found = ScenarioRecord(label, shard=self._shard)
            self.run.scenarios.append(found)
        return found

    def _add(self, into: ScenarioRecord, event: ev.Event) -> None:
        match event:
            case ev.PhaseStarted():
                into.phases.append(PhaseRecord(event.phase, event.t))
            case ev.PhaseEnded():
                phase = next((p for p in reversed(into.phases) if p.name == event.phase), None)
                if phase is not None:
                    phase.ended_s, phase.verdict, phase.says = event.t, event.verdict, event.says
            case ev.Swept():
                into.sweep_costs_ms.append(event.cost_ms)
                if self._keep_sweeps:
                    into.sweeps.append(event)
            case ev.Claimed():
                into.claim, into.ended_s = event, event.t
            case ev.WorkloadSummary():
                into.workload = event
            case ev.Noted():
                into.notes.append(event.says)
            case ev.LedgerCounted():
                into.ledger = event
            case ev.Completed():
                into.completion = event
            case ev.Recorded():
                into.record = event
            case _:
                self._append(into, event)

    @staticmethod
    def _append(into: ScenarioRecord, event: ev.Event) -> None:
        if isinstance(event, ev.CellReady):
            into.cell = event.cell
        lists: dict[type[ev.Event], list[Any]] = {
            ev.Found: into.findings,
            ev.Judged: into.judged,
            ev.Witnessed: into.witnessed,
            ev.Acted: into.acts,
            ev.Stepped: into.steps,
            ev.Checked: into.checks,
            ev.CohortTaken: into.cohorts,
            ev.Timed: into.timed,
            ev.AlertFired: into.alerts,
            ev.SliMeasured: into.slis,
            ev.InvariantJudged: into.invariants,
            ev.RuleJudged: into.rules,
            ev.Queried: into.queries,
        }
        kept = lists.get(type(event))
        if kept is not None:
            kept.append(event)


def of(events: Iterable[ev.Event], *, keep_sweeps: bool = True) -> RunRecord:
    """The record of a journal's events."""
    recorder = Recorder(keep_sweeps=keep_sweeps)
    for event in events:
        recorder.add(event)
    return recorder.run


def standing(events: Iterable[ev.Event]) -> list[ev.Event]:
    """The events without those of attempts that were made again: the machine was too busy for them to tell anything."""
    kept = list(events)
    again = {e.scenario: place for place, e in enumerate(kept) if isinstance(e, ev.RunAgain)}
    return [e for place, e in enumerate(kept) if e.scenario is None or place >= again.get(e.scenario, 0)]
