"""A recorded run, judged again: what comes out now, and what differs from what was claimed."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.engine import claim, plan
from harness.engine.invariants import finding_of, judged
from harness.engine.judging import momentary, throughout
from harness.engine.run import STEADY_S
from harness.fronts.asked import refuse_drill
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.judged_alerts import Line, alerts
from harness.fronts.recorded import read
from harness.model.arms import ARMS, Arm
from harness.model.conduct import Conducted, responded
from harness.model.criteria import Criterion, Verdict
from harness.model.errors import UsageError
from harness.model.events import (
    Event,
    FactsRecorded,
    Finding,
    Found,
    Judged,
    Phase,
    RunFinished,
    RunStarted,
)
from harness.model.invariants import unpacked
from harness.model.probes import Sweep
from harness.model.scenario import Catalogue, Scenario
from harness.model.topology import Topology
from harness.model.words import agreeing, counted
from harness.report.journal import JOURNAL
from harness.report.record import Recorder, ScenarioRecord, standing
from harness.slo.policy import policy_of

INVARIANTS = "invariants"
"""Stands for all of them where it is told what was judged."""

SOURCES: dict[str, frozenset[str]] = {
    "AS_EXPECTED": frozenset(),
    "NOT_REPRODUCED": frozenset({"symptom"}),
    "VACUOUS_SYMPTOM": frozenset({"symptom as control"}),
    "NOT_RECOVERED": frozenset({"recovery"}),
    "SELF_HEALED": frozenset({"recovery", "recovery as untreated"}),
    "COLLATERAL": frozenset({"unaffected"}),
    "INVARIANT_BROKEN": frozenset({INVARIANTS}),
}
"""What has to be judged again before a finding may be another one."""

UNKNOWN_IN: dict[str, frozenset[str]] = {
    "symptom": frozenset({"symptom", "symptom as control"}),
    "recover": frozenset({"recovery", "unaffected"}),
    "invariants": frozenset({INVARIANTS}),
}
"""The same for what could not be told, by its phase."""

AS_WANTED = ("as control", "as untreated")
"""How the names of judgements end that are wanted to come out broken."""


@dataclass
class Again:
    """One scenario, judged again.

    Attributes:
        reason: why it could not be judged; empty when it was.
        lacking: whether evidence that it was judged by then is on record no more, or broken.
    """

    label: str
    claimed: str
    now: str = ""
    reason: str = ""
    lacking: bool = False
    lines: list[Line] = field(default_factory=list)


@dataclass
class Result:
    """A run, judged again; `notes` say what is wrong with the journal."""

    run_id: str
    notes: list[str]
    scenarios: list[Again]

    @property
    def exit_code(self) -> int:
        """1 when something differs, else 3 when not all could be judged, else 0."""
        if any(s.now and s.now != s.claimed for s in self.scenarios) or any(
            line.differs for s in self.scenarios for line in s.lines
        ):
            return 1
        return 3 if self.notes or not self.scenarios or any(s.reason or s.lacking for s in self.scenarios) else 0


def judge(path: Path, package: str, stack: str | None) -> Result:
    """Judge a run again; raises UsageError for what is no journal of a run."""
    file = path / JOURNAL if path.is_dir() else path
    refuse_drill(file)
    events, notes = read(file)
    started = next((e for e in events if isinstance(e, RunStarted)), None)
    if started is None:
        raise UsageError(f"{file} has no beginning of a run in it; nothing says in which profile it was made")
    if not any(isinstance(e, RunFinished) for e in events):
        notes.append("the run was ended from outside: it is judged as far as it goes")
    topology = load_topology(stack)
    if started.profile not in topology.profiles:
        raise UsageError(f"{file} was made in the profile {started.profile}, which this topology does not have")
    catalogue = load_catalogue(package, topology)
    recorder = Recorder()
    by_label: dict[str, list[Event]] = {}
    for event in events:
        recorder.add(event)
    for event in standing(events):
        by_label.setdefault(event.scenario or "", []).append(event)
    found = [
        _scenario(record, by_label.get(record.label, []), catalogue, topology, started.profile)
        for record in recorder.run.scenarios
    ]
    return Result(started.run_id, notes, found)


def _scenario(
    record: ScenarioRecord, events: Sequence[Event], catalogue: Catalogue, topology: Topology, profile: str
) -> Again:
    again = Again(record.label, record.claim_name)
    arm = ARMS.get(record.arm)
    try:
        found = plan.choose(catalogue, [record.label])[0]
    except UsageError as error:
        again.reason = f"not in the catalogue now: {error}"
        return again
    if record.claim is None or arm is None or not record.sweeps:
        again.reason = record.reason if record.claim is None or record.claim.reason else "no sweeps are on record"
        return again
    if unknown := {str(f.finding) for f in record.findings} - {f.value for f in Finding}:
        again.reason = (
            f"this gameday does not know its {agreeing(len(unknown), 'finding')} {', '.join(sorted(unknown))}"
        )
        return again
    numbers = topology.numbers(profile, found.own)
    scenario = found.resolve(numbers)
    facts = next((e for e in reversed(events) if isinstance(e, FactsRecorded)), None)
    findings = list(_criteria(again, record, scenario, arm, facts))
    if not any(line.now for line in again.lines):
        again.reason = "nothing that it was judged by is on record"
        return again
    findings += _invariants(again, record, scenario, catalogue, facts)
    findings += _kept(again, record)
    _rules(again, record, events, catalogue, arm)
    again.lines += alerts(record, events, policy_of(catalogue.series, catalogue.slis, catalogue.alerts, numbers))
    made = findings or [Finding.AS_EXPECTED]
    again.now = claim.of(made).value
    return again


def _kept(again: Again, record: ScenarioRecord) -> list[Finding]:
    """The findings that nothing which was judged again can answer: no sweep or fact is asked, or it is gone."""
    then, now = {j.what for j in record.judged}, {line.what for line in again.lines if line.now is not None}
    invariants = {i.name for i in record.invariants}
    then |= {INVARIANTS} if invariants else set()
    now |= {INVARIANTS} if invariants & now else set()
    return [Finding(f.finding) for f in record.findings if not _answered(f, then, now)]


def _answered(found: Found, then: AbstractSet[str], now: AbstractSet[str]) -> bool:
    if found.finding == "UNKNOWN":
        sources = UNKNOWN_IN.get(found.phase)
    elif found.finding == "SELF_HEALED" and "criteria were met" not in found.says:
        sources = None
    else:
        sources = SOURCES.get(found.finding)
    if sources is None:
        return False
    return not sources or (bool(sources & then) and sources & then <= now)


def _criteria(
    again: Again, record: ScenarioRecord, scenario: Scenario, arm: Arm, facts: FactsRecorded | None
) -> Iterator[Finding]:
    sweeps = [Sweep(s.t, s.values, s.cost_ms) for s in record.sweeps]
    settling: list[Sequence[float]] | None = facts.course.get("settling") if facts else None
    for event in _last_of_each(record.judged):
        criterion = _criterion(event, record, scenario)
        if criterion is None:
            continue
        missing = {p.name for p in criterion.probes} - {name for s in record.sweeps for name in s.values}
        if event.what == "unaffected" and settling is None:
            again.lacking = True
            again.lines.append(Line(event.what, event.verdict, None, "the stretches after restarts are not on record"))
            continue
        without = settling or [] if event.what == "unaffected" else []
        used = [s for s in sweeps if not any(a <= s.at_s <= b for a, b in without)]
        now = criterion.later(_injecting_s(event, record)).judge(used, event.since_s, event.t)
        changed = "" if str(criterion) == event.text else f"the criterion is now: {criterion}"
        if missing:
            changed = f"not on record: {', '.join(sorted(missing))}"
        if missing and now.verdict is Verdict.UNKNOWN:
            again.lacking = True
            again.lines.append(Line(event.what, event.verdict, None, changed))
            continue
        again.lines.append(Line(event.what, event.verdict, now.verdict.value, changed))
        finding = _finding(event.what, now.verdict, arm)
        if finding is not None:
            yield finding


def _last_of_each(judgements: Sequence[Judged]) -> list[Judged]:
    return list({j.what: j for j in judgements}.values())


def _injecting_s(event: Judged, record: ScenarioRecord) -> float:
    """How long the injection took, for the symptom's time counts from its end; 0 of anything else."""
    inject = next((p for p in record.phases if p.name == Phase.INJECT.value), None)
    if event.what != "symptom" or inject is None or inject.ended_s is None:
        return 0.0
    return max(inject.ended_s - event.since_s, 0.0)


def _criterion(event: Judged, record: ScenarioRecord, scenario: Scenario) -> Criterion | None:
    match event.what:
        case "symptom":
            return scenario.symptom
        case "symptom as control":
            steady = next((p for p in record.phases if p.name == "steady"), None)
            early = steady is not None and event.t <= (steady.ended_s or event.t)
            return momentary(scenario.symptom, STEADY_S) if early else scenario.symptom
        case "recovery" | "recovery as untreated":
            return scenario.recovery
        case "unaffected":
            return scenario.unaffected
        case "unaffected as control":
            return throughout(scenario.unaffected) if scenario.unaffected else None
        case _:
            return None


def _finding(what: str, verdict: Verdict, arm: Arm) -> Finding | None:
    """The finding that the engine would make of a verdict."""
    wanted: dict[str, tuple[bool, Finding]] = {
        "symptom": (True, Finding.NOT_REPRODUCED),
        "symptom as control": (False, Finding.VACUOUS_SYMPTOM),
        "recovery as untreated": (False, Finding.SELF_HEALED),
        "recovery": (True, Finding.NOT_RECOVERED) if arm.responds else (False, Finding.SELF_HEALED),
        "unaffected": (True, Finding.COLLATERAL),
    }
    if what not in wanted:
        return None
    held, finding = wanted[what]
    if verdict is Verdict.UNKNOWN:
        return Finding.UNKNOWN if what in {"symptom", "recovery", "unaffected"} else None
    return None if (verdict is Verdict.HELD) is held else finding


def _invariants(
    again: Again, record: ScenarioRecord, scenario: Scenario, catalogue: Catalogue, event: FactsRecorded | None
) -> Iterator[Finding]:
    if catalogue.invariants is None:
        return
    then = {i.name: i.verdict for i in record.invariants}
    try:
        facts = unpacked(event.tables, event.unread, event.course) if event else None
    except ValueError as error:
        again.lacking = True
        again.lines.append(Line(INVARIANTS, None, None, str(error)))
        yield Finding.UNKNOWN
        return
    if facts is None:
        again.lacking = again.lacking or bool(then)
        again.lines.append(Line(INVARIANTS, None, None, "no facts are on record"))
        return
    for invariant, ruling in judged(catalogue.invariants, facts):
        if invariant.name not in then and ruling.verdict is Verdict.UNKNOWN:
            # The catalogue has it since then: nobody asked for its facts.
            again.lines.append(Line(invariant.name, None, None, f"nobody judged it then; {ruling.says}"))
            continue
        if then.get(invariant.name) == Verdict.HELD.value and ruling.says in map(facts.unreadable, facts.unread):
            # It held on what could be read; what it asks for since then could not be read then either.
            again.lines.append(Line(invariant.name, Verdict.HELD.value, None, ruling.says))
            continue
        says = "; ".join(f"{v.id}: {v.says}" for v in ruling.violations[:3])
        again.lines.append(Line(invariant.name, then.get(invariant.name), ruling.verdict.value, says))
        made = finding_of(invariant, ruling, scenario.breaks, facts.course)
        if made is not None:
            yield made[0]


def _rules(again: Again, record: ScenarioRecord, events: Sequence[Event], catalogue: Catalogue, arm: Arm) -> None:
    """Rules are told and refute nothing: a breach is of the document's order or of the catalogue's."""
    if catalogue.conduct is None or not arm.responds or responded(events) is None:
        return
    then = {r.key: r.verdict for r in record.rules}
    conducted = Conducted(events, catalogue.conduct.tools)
    for rule in catalogue.conduct.rules:
        broken = rule.check(conducted)
        verdict = Verdict.HELD if broken is None else Verdict.BROKEN
        again.lines.append(Line(rule.key, then.get(rule.key), verdict.value, broken[1] if broken else ""))


def text(result: Result) -> Iterator[str]:
    """The result for people."""
    yield f"run {result.run_id}"
    yield from (f"! {note}" for note in result.notes)
    for s in result.scenarios:
        if s.reason:
            yield f"{s.label}  {s.claimed}  not judged again: {s.reason}"
            continue
        yield f"{s.label}  {s.claimed}" + (", the same now" if s.now == s.claimed else f", but {s.now} now")
        for line in s.lines:
            if line.differs:
                yield f"  {line.what}: {line.then} then, {line.now} now" + (f"; {line.says}" if line.says else "")
            elif line.says or line.now is None or (line.now == "broken" and not line.what.endswith(AS_WANTED)):
                yield f"  {line.what}: {line.now or 'not judged'}" + (f"; {line.says}" if line.says else "")
    differ = sum(s.now != s.claimed for s in result.scenarios if not s.reason)
    left = sum(bool(s.reason) for s in result.scenarios)
    judged, other = len(result.scenarios) - left, counted(differ, "claim differs", "claims differ")
    yield f"{judged} judged again, {other}, {left} could not be judged"


def plain(result: Result) -> dict[str, Any]:
    """The result for programs."""
    return {**asdict(result), "exit_code": result.exit_code}
