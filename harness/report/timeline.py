"""A scenario on the axis of time: its moments, its stretches (fault, hold, response) and what people see on it.

Times in the record are seconds since the run began; here they are seconds since the injection (T), or since the
scenario began when nothing was injected.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.model.events import Phase
from harness.report.record import PhaseRecord, ScenarioRecord


@dataclass(frozen=True)
class Stretch:
    """A stretch with a name; times are seconds since the run began."""

    name: str
    since_s: float
    until_s: float


@dataclass(frozen=True)
class Mark:
    """Something that happened at one moment.

    Attributes:
        kind: `witness`, `symptom`, `cohort`, `act`, `step`, `alert`, `recovery`, `finding`.
        who: who did it, where somebody did.
    """

    t: float
    kind: str
    text: str
    who: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Timeline:
    """A scenario's times.

    Attributes:
        zero_s: T, in seconds since the run began.
        injected: whether T is the injection.
        begin_s: the scenario's first moment; end_s its last known one.
        phases: what is known of them, those of no length included.
        shaded: fault, hold and response, where there are.
    """

    zero_s: float
    injected: bool
    begin_s: float
    end_s: float
    phases: tuple[Stretch, ...]
    shaded: tuple[Stretch, ...]
    marks: tuple[Mark, ...]

    def at(self, t: float) -> float:
        """A moment in seconds since T."""
        return t - self.zero_s

    def share(self, t: float) -> float:
        """Where a moment stands between the beginning and the end, 0 to 100."""
        length_s = self.end_s - self.begin_s
        return 0.0 if length_s <= 0 else min(max((t - self.begin_s) / length_s, 0.0), 1.0) * 100


def of(s: ScenarioRecord) -> Timeline:
    """The timeline of a scenario, however far it came."""
    injected_s = _injected_s(s)
    begin_s = min([s.started_s, *(p.started_s for p in s.phases)])
    end_s = max([begin_s, *_known(s)])
    phases = tuple(Stretch(p.name, p.started_s, end_s if p.ended_s is None else p.ended_s) for p in s.phases)
    return Timeline(
        begin_s if injected_s is None else injected_s,
        injected_s is not None,
        begin_s,
        end_s,
        phases,
        tuple(_shaded(s, injected_s, end_s)),
        tuple(sorted(_marks(s), key=lambda m: m.t)),
    )


def _known(s: ScenarioRecord) -> Iterator[float]:
    """Every moment that the record knows of, the end of the scenario first."""
    yield s.started_s if s.ended_s is None else s.ended_s
    for p in s.phases:
        yield p.started_s if p.ended_s is None else p.ended_s
    yield from (e.t for events in (s.sweeps, s.acts, s.steps, s.checks, s.judged, s.findings) for e in events[-1:])


def phase(s: ScenarioRecord, wanted: Phase) -> PhaseRecord | None:
    """The last phase of a name."""
    return next((p for p in reversed(s.phases) if p.name == wanted.value), None)


def _injected_s(s: ScenarioRecord) -> float | None:
    """When the fault was injected: the symptom is judged from then on; else when the injecting began."""
    begun = phase(s, Phase.INJECT)
    if begun is None:
        return None
    symptom = next((j for j in s.judged if j.what == "symptom"), None)
    return symptom.since_s if symptom else begun.started_s


def _shaded(s: ScenarioRecord, injected_s: float | None, end_s: float) -> Iterator[Stretch]:
    hold, respond, recover = phase(s, Phase.HOLD), phase(s, Phase.RESPOND), phase(s, Phase.RECOVER)
    if injected_s is not None:
        first = next((p.started_s for p in (hold, respond, recover) if p), end_s)
        yield Stretch("fault", injected_s, first)
    if hold:
        yield Stretch("hold", hold.started_s, end_s if hold.ended_s is None else hold.ended_s)
    if respond:
        last = recover or respond
        yield Stretch("response", respond.started_s, end_s if last.ended_s is None else last.ended_s)


def _marks(s: ScenarioRecord) -> Iterator[Mark]:
    for w in s.witnessed:
        yield Mark(w.t, "witness", w.says, failed=not w.bites)
    for c in s.cohorts:
        yield Mark(c.t, "cohort", f"{c.probe}: {c.size}")
    for a in s.acts:
        arguments = ", ".join(f"{k}={v}" for k, v in a.arguments.items())
        text = f"{a.verb} {a.target}{f' ({arguments})' if arguments else ''}"
        yield Mark(a.t, "act", f"{text}: {a.failed}" if a.failed else text, a.who, bool(a.failed))
    for step in s.steps:
        yield Mark(step.t, "skipped" if step.skipped else "step", step.title)
    for alert in s.alerts:
        yield Mark(alert.t, "alert", f"{alert.name} ({alert.alert_kind})", failed=alert.late)
    for j in s.judged:
        if j.what in ("symptom", "recovery") and j.met_at_s is not None:
            yield Mark(j.met_at_s, j.what, j.text)
    for f in s.findings:
        yield Mark(f.t, "finding", f.says, failed=f.finding != "AS_EXPECTED")


def moments(s: ScenarioRecord) -> list[float]:
    """The moments around which the logs tell something, in seconds since the run began."""
    line = of(s)
    found = [line.zero_s] if line.injected else []
    found += [m.t for m in line.marks if m.kind in ("symptom", "act", "step", "alert", "recovery")]
    found += [f.t for f in s.findings if f.finding != "AS_EXPECTED"]
    found += [j.t for j in s.judged]
    return sorted(found)
