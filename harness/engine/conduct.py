"""After each scenario: rules over its acts, the verdict of completion, and the record that the runbook asks for."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.model.arms import ARMS
from harness.model.conduct import Conduct, Conducted, responded, said
from harness.model.criteria import Verdict
from harness.model.events import (
    AlertFired,
    Claimed,
    Completed,
    Event,
    FactsRecorded,
    InvariantJudged,
    Judged,
    Queried,
    Recorded,
    RuleJudged,
    ScenarioStarted,
    SliMeasured,
    Stepped,
    Swept,
)
from harness.model.words import counted

BACKLOG = ("_rows", "_messages", "_tickets", "_depth", "backlog")
"""How the names of probes of backlogs end."""

Condition = tuple[bool | None, str]


class Secretary:
    """Passes events on, and when a claim is made adds what is to be said of the whole scenario."""

    def __init__(self, conduct: Conduct | None, emit: Callable[[Event], None]) -> None:
        self._conduct = conduct
        self._pass_on = emit
        self._kept: dict[str, list[Event]] = {}

    def saw(self, event: Event) -> None:
        """Take note of an event that somebody else passes on."""
        if self._conduct is not None and event.scenario is not None:
            self._kept.setdefault(event.scenario, []).append(event)

    def emit(self, event: Event) -> None:
        """Take note of an event and pass it on."""
        if isinstance(event, ScenarioStarted):
            self._kept.pop(event.scenario or "", None)
        self.saw(event)
        if isinstance(event, Claimed) and self._conduct is not None:
            for more in concluded(self._conduct, self._kept.pop(event.scenario or "", [])):
                self._pass_on(more)
        self._pass_on(event)


def concluded(conduct: Conduct, events: Sequence[Event]) -> Iterator[Event]:
    """What is to be said of a scenario whose response was the runbook's; nothing of other arms."""
    started = next((e for e in events if isinstance(e, ScenarioStarted)), None)
    since_s = responded(events)
    if started is None or since_s is None or started.arm not in ARMS or not ARMS[started.arm].responds:
        return
    t, label = events[-1].t, started.scenario
    conducted = Conducted(events, conduct.tools)
    for rule in conduct.rules:
        broken = rule.check(conducted)
        if broken is None:
            yield RuleJudged(t, label, rule.key, rule.title, Verdict.HELD.value, counted(len(conducted.acts), "act"))
        else:
            yield RuleJudged(t, label, rule.key, rule.title, Verdict.BROKEN.value, broken[1], said(broken[0]))
    counts = consistency(conduct, events)
    for key, count in counts.items():
        yield Queried(t, label, key, scaled=False, rows=[[str(count)]])
    yield completed(conduct, events, t, label, since_s)
    yield recorded(conduct, events, t, label, since_s)


def consistency(conduct: Conduct, events: Sequence[Event]) -> dict[str, int]:
    """The counts of the consistency queries by key; empty when they were not asked."""
    facts = next((e for e in reversed(events) if isinstance(e, FactsRecorded)), None)
    table = facts.tables.get(conduct.consistency) if facts is not None else None
    return {str(key): int(count) for key, count in table["rows"]} if table else {}


def completed(conduct: Conduct, events: Sequence[Event], t: float, label: str | None, since_s: float) -> Completed:
    """The verdict of completion, with the evidence for each condition."""
    answers = (_failures(events), _backlogs(events, since_s), _indicators(events), _side_effects(conduct, events))
    conditions: list[dict[str, Any]] = [
        {"key": key, "text": text, "met": met, "evidence": evidence}
        for (key, text), (met, evidence) in zip(conduct.conditions, answers, strict=False)
    ]
    met = [c["met"] for c in conditions]
    return Completed(t, label, False if False in met else None if None in met or not met else True, conditions)


def _slis(events: Sequence[Event]) -> dict[str, dict[str, SliMeasured]]:
    found: dict[str, dict[str, SliMeasured]] = {}
    for e in events:
        if isinstance(e, SliMeasured):
            found.setdefault(e.name, {})[e.stretch] = e
    return found


def _failures(events: Sequence[Event]) -> Condition:
    """The share of good requests of every API that was hit is higher since the response than while untreated."""
    hit, unknown = [], []
    for name, by in _slis(events).items():
        before, after = by.get("untreated"), by.get("treated")
        if before is None or before.sli_kind != "ratio" or before.verdict != Verdict.BROKEN.value:
            continue
        if after is None or after.value is None or before.value is None:
            unknown.append(name)
        else:
            hit.append((after.value > before.value, f"{name} {before.value:.3g} -> {after.value:.3g}"))
    recovery = _judged(events, "recovery")
    says = "; ".join(text for _, text in hit) or "no API missed its objective while untreated"
    if unknown:
        return None, f"{says}; not known of {', '.join(unknown)}"
    if any(not better for better, _ in hit):
        return False, says
    return (True, says) if recovery is not None else (None, says)


def _backlogs(events: Sequence[Event], since_s: float) -> Condition:
    """Every backlog of the recovery criteria is no larger than when the response began."""
    recovery = _judged(events, "recovery")
    if recovery is None:
        return None, "recovery was not judged"
    names = {c["text"].split(" ", 1)[0] for c in recovery.conditions}
    sweeps = [e for e in events if isinstance(e, Swept) and e.t >= since_s]
    said_of, worse = [], False
    for name in sorted(n for n in names if n.endswith(BACKLOG)):
        seen = [v for e in sweeps if (v := e.values.get(name)) is not None]
        if not seen:
            return None, f"{name} was never read"
        worse = worse or seen[-1] > seen[0]
        said_of.append(f"{name} {seen[0]:g} -> {seen[-1]:g}")
    return not worse, "; ".join(said_of) or "no backlog belongs to it"


def _indicators(events: Sequence[Event]) -> Condition:
    recovery = _judged(events, "recovery")
    worse = [
        name
        for name, by in _slis(events).items()
        if (a := by.get("untreated")) and (b := by.get("treated")) and a.verdict == "held" and b.verdict == "broken"
    ]
    if recovery is None or recovery.verdict == Verdict.UNKNOWN.value:
        return None, "recovery could not be judged"
    says = f"recovery criteria {recovery.verdict}"
    if worse:
        return (
            recovery.verdict == Verdict.HELD.value,
            f"{says}; off their objective since the response: {', '.join(worse)}",
        )
    return recovery.verdict == Verdict.HELD.value, says


def _side_effects(conduct: Conduct, events: Sequence[Event]) -> Condition:
    unaffected = _judged(events, "unaffected")
    invariants = [e for e in events if isinstance(e, InvariantJudged)]
    broken = [e.name for e in invariants if e.verdict == Verdict.BROKEN.value and not e.expected]
    unknown = [e.name for e in invariants if e.verdict == Verdict.UNKNOWN.value]
    counts = consistency(conduct, events)
    said_of = [f"unaffected {unaffected.verdict}" if unaffected else "nothing was claimed to stay unaffected"]
    said_of.append(f"invariants broken: {', '.join(broken) or 'none'}")
    for key, count in counts.items():
        remark = conduct.remarks.get(key)
        said_of.append(f"{key} counts {count}" + (f" ({remark})" if remark else ""))
    says = "; ".join(said_of)
    if broken or any(counts.values()) or (unaffected and unaffected.verdict == Verdict.BROKEN.value):
        return False, says
    if unknown or not invariants or (conduct.consistency and not counts):
        return None, f"{says}; not known: {', '.join(unknown) or 'the consistency queries'}"
    return True, says


def recorded(conduct: Conduct, events: Sequence[Event], t: float, label: str | None, since_s: float) -> Recorded:
    """The record of the incident; what only people can decide is left blank, and said to be."""
    claim = next((e for e in reversed(events) if isinstance(e, Claimed)), None)
    alert = next((e for e in events if isinstance(e, AlertFired) and not e.noise and not e.late), None)
    recovery = _judged(events, "recovery")
    seen = next((e for e in reversed(events) if isinstance(e, Swept) and e.t <= since_s), None)
    missed = [
        {"name": e.name, "stretch": e.stretch, "since_s": e.since_s, "until_s": e.until_s, "value": e.value,
         "objective": e.objective}
        for e in events
        if isinstance(e, SliMeasured) and e.verdict == Verdict.BROKEN.value and e.stretch != "steady"
    ]  # fmt: skip
    symptom = _judged(events, "symptom")
    risks = [
        f"{e.name}: {e.says}" for e in events if isinstance(e, InvariantJudged) and e.verdict in {"broken", "unknown"}
    ]
    fields: dict[str, Any] = {
        "detected_by": f"alert {alert.name}" if alert else "no alert fired in time: the symptom was seen",
        "hit": sorted({str(m["name"]) for m in missed if m["stretch"] == "untreated"}),
        "stops": _stops(conduct, seen),
        "slis": missed,
        "failure_mode": (label or "").partition(":")[0],
        "timeline": {
            "symptom_at_s": symptom.met_at_s if symptom else None,
            "detected_at_s": alert.t if alert else None,
            "responded_at_s": since_s,
            "recovered_at_s": recovery.met_at_s if recovery else None,
            "ttd_s": claim.ttd_s if claim else None,
            "ttr_s": claim.ttr_s if claim else None,
        },
        "interim_measures": [e.title for e in events if isinstance(e, Stepped) and not e.skipped],
        "permanent_measures": None,
        "owner": None,
        "due": None,
        "open_risks": risks,
        "blank": ["permanent_measures", "owner", "due"],
    }
    return Recorded(t, label, fields)


def _stops(conduct: Conduct, seen: Swept | None) -> list[dict[str, Any]]:
    """What each stop showed when the response began, in the order in which they are gone through."""
    values = seen.values if seen else {}
    return [
        {"stop": name, "values": {k: v for k, v in values.items() if k.startswith(beginnings)}}
        for name, beginnings in conduct.stops
    ]


def _judged(events: Sequence[Event], what: str) -> Judged | None:
    return next((e for e in reversed(events) if isinstance(e, Judged) and e.what == what), None)
