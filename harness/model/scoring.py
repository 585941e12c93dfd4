"""What a drill is worth: points for what went well, less points for what did not, each with its reason.

A pure function of the drill's record. What can be earned adds up to 100. There is no floor: whoever makes things worse
scores below whoever did nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.model.conduct import END_CLIENT, END_SESSION, REDIS, SQL, Kind, kind_of, limited, verb_of
from harness.model.drill import Answer, BrokenRule, Deed, DrillRecord, Entry
from harness.model.events import Acted

DETECTION = 10.0
DIAGNOSIS = {"section": 10.0, "place": 10.0, "cause": 5.0}
DIAGNOSIS_TIME = 10.0
CHECKS = 10.0
RECOVERED, CONFIRMED = 20.0, 10.0
RECOVERY_TIME = 15.0

HINT_COSTS = {"nudge": 2.0, "check": 6.0, "section": 10.0, "step": 12.0}
WRONG_DIAGNOSIS = 5.0
FALSE_RECOVERY = 5.0
WRONG_ACT, HARMFUL_ACT = 5.0, 15.0
RULE = 5.0

DETECT_WITHIN, DIAGNOSE_WITHIN, RECOVER_WITHIN = (0.05, 0.3), (0.15, 0.8), (0.25, 1.0)
"""Shares of the time limit: up to the first all points, from the second on none, between them in proportion."""

LATER_DIAGNOSIS = 0.5
"""What a diagnosis is worth that was only right after a wrong one."""

IRREVERSIBLE = frozenset({SQL, REDIS, "run_tool", END_SESSION})
NEXT_CHANGE_S = 2.0
"""Two changes closer together than this, with no look between them, were made at once."""


@dataclass(frozen=True)
class Point:
    """One line of the score.

    Attributes:
        what: what it is for.
        points: earned, or lost when below zero.
        most: the most that could be earned; 0 for what can only be lost.
        why: the reason, in one line.
    """

    what: str
    points: float
    most: float
    why: str


@dataclass(frozen=True)
class Score:
    """All lines; `total` is their sum."""

    points: tuple[Point, ...]

    @property
    def total(self) -> float:
        """The sum, never above 100."""
        return round(sum(p.points for p in self.points), 1)


@dataclass(frozen=True)
class JudgedAct:
    """An act of the trainee and what it was: `right`, `not needed`, `wrong` or `harmful`, and why."""

    entry: Entry
    verdict: str
    why: str


def act_of(entry: Entry) -> Acted:
    """The act of an entry as events have it."""
    verb, target, name, text = (str(entry.data.get(key, "")) for key in ("verb", "target", "name", "text"))
    said = {"statement" if verb == SQL else "arguments": text, "name": name}
    return Acted(entry.t, None, "operator", verb, target, said, 0.0, entry.data.get("failed"))


def deed(entry: Entry) -> Deed:
    """What the act of an entry comes to."""
    act = act_of(entry)
    return Deed(verb_of(act), act.target, act.arguments["name"], str(entry.data.get("value", "")))


def kind(entry: Entry) -> Kind:
    """What the act of an entry does to the system."""
    return kind_of(act_of(entry), {})


def judged_acts(record: DrillRecord) -> list[JudgedAct]:
    """Every act with what it was."""
    return [_judged(e, record) for e in record.of("act")]


def _judged(entry: Entry, record: DrillRecord) -> JudgedAct:
    return JudgedAct(entry, *(_harm(entry, record.answer) or _use(entry, record) or _aimed(deed(entry), record.answer)))


def _harm(entry: Entry, answer: Answer) -> tuple[str, str] | None:
    """What an act is that is harmful whatever was asked for; None for any other."""
    if kind(entry) is Kind.SCHEMA:
        return "harmful", "nothing ever asks for that"
    if not limited(act_of(entry)):
        return "harmful", "it is not limited to what it should change"
    if any(deed(entry).repeats(d) for d in answer.broken):
        return "harmful", "it does again what was broken"
    return None


def _use(entry: Entry, record: DrillRecord) -> tuple[str, str] | None:
    """What an act is that looks, helps, or changes data; None for any other."""
    done = deed(entry)
    if not _changes(entry):
        return "right", "it only looks"
    if _asked_for(record, entry):
        return "right", "the runbook says so"
    if any(done.takes_back(d) for d in record.answer.broken):
        return "right", "it takes back what was broken"
    if done.verb in {SQL, REDIS}:
        refused, changed = "it was refused, and nothing asked for that", "it changes data, and nothing asked for that"
        return "harmful", refused if entry.data.get("failed") else changed
    return None


def _aimed(done: Deed, answer: Answer) -> tuple[str, str]:
    """What an act is that nothing asked for, by what it works on."""
    if done.verb == END_SESSION:
        return "harmful", "no session stood in the way"
    if done.verb == END_CLIENT:
        return "wrong", "no client stood in the way"
    if done.places & answer.involved:
        return "not needed", "it works on what is involved, but changes nothing that matters"
    if done.verb in {"scale", "stop_job", "set_setting", "deploy"}:
        return "harmful", f"{done.target} was in order before it"
    return "wrong", f"{done.target} has nothing to do with it"


def broken_rules(record: DrillRecord) -> list[BrokenRule]:
    """The rules of 3.2 that the acts broke."""
    if record.rules is not None:
        return list(record.rules)
    found: list[BrokenRule] = []
    last: Entry | None = None
    changed = False
    for e in record.entries:
        if e.kind in {"check", "view"} or (e.kind == "act" and not _changes(e)):
            last = None
        if e.kind != "act" or not _changes(e):
            continue
        if last is not None and e.t - last.t < NEXT_CHANGE_S and not deed(e).places & deed(last).places:
            says = f"{last.says} and then {e.says}, without a look between them"
            found.append(BrokenRule("3.2/rule/1", "One change at a time", says))
        if deed(e).verb in IRREVERSIBLE and not changed and not _asked_for(record, e):
            found.append(BrokenRule("3.2/rule/2", "What is easily taken back comes first", f"first of all: {e.says}"))
        if deed(e).verb == SQL and not _asked_for(record, e):
            found.append(BrokenRule("3.2/rule/3", "Data is corrected after the recovery, and apart", e.says))
        changed, last = True, e
    return found


def _asked_for(record: DrillRecord, e: Entry) -> bool:
    return any(deed(e).carries_out(d) for s in record.answer.steps for d in s.deeds)


@dataclass(frozen=True)
class Asked:
    """A check or step of the runbook.

    Attributes:
        key: of a check; empty for a step.
        done_s: when the trainee did it first; None when never.
        told: whether it can be told at all: a step that only looks leaves no act.
    """

    key: str
    title: str
    done_s: float | None
    told: bool = True


def _last(moments: Iterable[float | None]) -> float | None:
    """The moment when all of it was there; None when there is nothing, or something was never there."""
    found = list(moments)
    times = [t for t in found if t is not None]
    return max(times) if times and len(times) == len(found) else None


def asked(record: DrillRecord) -> list[Asked]:
    """What the runbook asks for, in its order: the section's checks, then the steps of the response."""
    answer = record.answer
    looks: dict[str, float] = {}
    for e in record.of("check"):
        looks.setdefault(str(e.data.get("key")), e.t)
    titles = answer.check_titles or ("",) * len(answer.checks)
    found = [Asked(key, title, looks.get(key)) for key, title in zip(answer.checks, titles, strict=True)]
    acts = [e for e in record.of("act") if not e.data.get("failed")]
    for step in answer.steps:
        done_s = _last(next((e.t for e in acts if deed(e).carries_out(d)), None) for d in step.deeds)
        found.append(Asked("", step.title, done_s, bool(step.deeds)))
    return found


def score(record: DrillRecord) -> Score:
    """What a drill is worth."""
    points = [
        _detection(record),
        *_diagnosis(record),
        _checks(record),
        *_recovery(record),
        *_costs(record),
    ]
    return Score(tuple(points))


def _share(taken_s: float, limit_s: float, within: tuple[float, float]) -> float:
    full_s, none_s = within[0] * limit_s, within[1] * limit_s
    return min(1.0, max(0.0, (none_s - taken_s) / (none_s - full_s)))


def _in_time(what: str, most: float, at_s: float, record: DrillRecord, within: tuple[float, float]) -> Point:
    taken_s = at_s - (record.paged_s or 0.0)
    share = _share(taken_s, record.limit_s, within)
    full_s, none_s = within[0] * record.limit_s, within[1] * record.limit_s
    why = f"after {taken_s:.0f} s; all points up to {full_s:.0f} s, none from {none_s:.0f} s"
    return Point(what, round(most * share, 1), most, why)


def _detection(record: DrillRecord) -> Point:
    declared = record.of("detect")
    if not declared:
        return Point("detection", 0.0, DETECTION, "never declared")
    return _in_time("detection", DETECTION, declared[0].t, record, DETECT_WITHIN)


def _right(record: DrillRecord, e: Entry) -> dict[str, bool]:
    answer = record.answer
    return {
        "section": e.data.get("section") in answer.sections,
        "place": e.data.get("place") in answer.places,
        "cause": e.data.get("cause") in answer.kinds,
    }


def diagnosed_s(record: DrillRecord) -> float | None:
    """When section and place had both been named rightly; None when they never were."""
    declared = [(e.t, _right(record, e)) for e in record.of("diagnose")]
    return _last(next((t for t, right in declared if right[part]), None) for part in ("section", "place"))


def _diagnosis(record: DrillRecord) -> list[Point]:
    declared = record.of("diagnose")
    points: list[Point] = []
    for part, most in DIAGNOSIS.items():
        at = next((n for n, e in enumerate(declared) if _right(record, e)[part]), None)
        if at is None:
            points.append(Point(f"diagnosis: {part}", 0.0, most, "never right" if declared else "never declared"))
            continue
        named = declared[at].data.get(part)
        worth, why = (most, f"{named} is right") if at == 0 else (most * LATER_DIAGNOSIS, f"{named}, only later")
        points.append(Point(f"diagnosis: {part}", worth, most, why))
    right_s = diagnosed_s(record)
    if right_s is not None:
        points.append(_in_time("time to diagnose", DIAGNOSIS_TIME, right_s, record, DIAGNOSE_WITHIN))
    else:
        points.append(Point("time to diagnose", 0.0, DIAGNOSIS_TIME, "section and place were not both right"))
    wrong = [e for e in declared if not any(_right(record, e)[p] for p in ("section", "place"))]
    points += [Point("wrong diagnosis", -WRONG_DIAGNOSIS, 0.0, e.says) for e in wrong]
    return points


def _checks(record: DrillRecord) -> Point:
    wanted = record.answer.checks
    first = next((e.t for e in record.of("act") if _changes(e)), record.ended_s)
    seen = {str(e.data.get("key")) for e in record.of("check") if e.t <= first}
    if not wanted:
        looked_at_all = any(e.t <= first for e in record.of("view"))
        why = "the section has none; any look counts"
        return Point("checks before the first change", CHECKS * looked_at_all, CHECKS, why)
    looked = [k for k in wanted if k in seen]
    why = f"{len(looked)} of {len(wanted)} of the section's checks"
    if missed := [k for k in wanted if k not in seen]:
        why = f"{len(looked)} of {len(wanted)} of the section's checks, without {', '.join(missed)}"
    return Point("checks before the first change", round(CHECKS * len(looked) / len(wanted), 1), CHECKS, why)


def _changes(e: Entry) -> bool:
    return kind(e) is not Kind.LOOK


def _recovery(record: DrillRecord) -> list[Point]:
    declared = record.of("recovered")
    confirmed = next((e for e in declared if e.data.get("confirmed")), None)
    points = []
    if record.recovered_s is None:
        points.append(Point("recovered", 0.0, RECOVERED, "the recovery criteria were not met at the end"))
        points.append(Point("time to recover", 0.0, RECOVERY_TIME, "it was not recovered"))
    else:
        points.append(Point("recovered", RECOVERED, RECOVERED, "the recovery criteria were met"))
        points.append(_in_time("time to recover", RECOVERY_TIME, record.recovered_s, record, RECOVER_WITHIN))
    if confirmed is None:
        points.append(Point("recovery declared", 0.0, CONFIRMED, "never declared while it was true"))
    else:
        points.append(Point("recovery declared", CONFIRMED, CONFIRMED, "declared, and it was true"))
    false = [e for e in declared if not e.data.get("confirmed")]
    points += [Point("recovery declared too early", -FALSE_RECOVERY, 0.0, e.says) for e in false]
    return points


def _costs(record: DrillRecord) -> list[Point]:
    points = [
        Point(f"hint: {e.data.get('level')}", -HINT_COSTS[str(e.data.get("level"))], 0.0, "asked for")
        for e in record.of("hint")
    ]
    acts = judged_acts(record)
    points += [Point("wrong act", -WRONG_ACT, 0.0, f"{j.entry.says}: {j.why}") for j in acts if j.verdict == "wrong"]
    points += [
        Point("harmful act", -HARMFUL_ACT, 0.0, f"{j.entry.says}: {j.why}") for j in acts if j.verdict == "harmful"
    ]
    if record.collateral and any(j.verdict in {"wrong", "harmful"} for j in acts):
        points.append(Point("collateral damage", -HARMFUL_ACT, 0.0, record.collateral))
    points += [Point(f"rule broken: {r.title}", -RULE, 0.0, r.says) for r in broken_rules(record)]
    return points


def best(points: Sequence[Point]) -> float:
    """What could have been earned."""
    return sum(p.most for p in points)
