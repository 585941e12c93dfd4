"""A scenario as people read it: every verdict beside its evidence, named so that plain links lead there and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model.arms import ARMS
from harness.model.events import Checked, Finding, Found, Judged, Phase, SliMeasured
from harness.report import timeline
from harness.report.charts import probe_of
from harness.report.excerpts import AROUND_S, LogLine
from harness.report.figures import secs, tplus
from harness.report.lang import ENGLISH, named, text
from harness.report.record import ScenarioRecord
from harness.report.timeline import Timeline

PHASE_EVIDENCE = {
    Phase.STEADY.value: ("steady state", "unaffected as control", "symptom as control"),
    Phase.SYMPTOM.value: ("symptom", "symptom as control"),
    Phase.HOLD.value: ("recovery as untreated",),
    Phase.RECOVER.value: ("recovery", "unaffected"),
}
"""Which judgements stand behind a phase's word, by their role."""

SECTION_EVIDENCE = {
    Finding.NO_WITNESS.value: "witness",
    Finding.TOO_BUSY.value: "counts",
}
"""Findings whose evidence is no judgement, and the part of the page that holds it."""


@dataclass
class Evidence:
    """One judgement.

    Attributes:
        key: names it in links.
        wanted: whether it came out as the runbook has it; None when it could not be told, or nobody wanted either.
        first_log: the key of the first log line around it, and how many lines there are.
    """

    key: str
    judged: Judged
    wanted: bool | None
    probes: list[str]
    first_log: str = ""
    logs: int = 0


@dataclass
class CheckRow:
    """One of the runbook's checks: for each of its probes what it showed at each moment; a missing entry is None."""

    key: str
    title: str
    probes: list[str]
    shown: dict[str, list[float | None]]


@dataclass
class SliRow:
    """One indicator by stretch."""

    name: str
    says: str
    unit: str
    kind: str
    objective: float
    parts: dict[str, SliMeasured] = field(default_factory=dict)


@dataclass
class ScenarioView:
    """Everything that the page and the text say of a scenario."""

    n: int
    record: ScenarioRecord
    line: Timeline
    evidence: list[Evidence]
    checks: list[CheckRow]
    check_moments: list[tuple[float, str, int]]
    slis: list[SliRow]
    logs: list[LogLine]

    @property
    def key(self) -> str:
        """Names the scenario in links."""
        return f"s{self.n}"

    @property
    def measured(self) -> list[SliRow]:
        """The indicators that came to a figure in any stretch."""
        return [row for row in self.slis if any(part.value is not None for part in row.parts.values())]

    def behind_finding(self, found: Found) -> str:
        """The name of what stands behind a finding."""
        section = "invariants" if found.phase == Phase.INVARIANTS.value else SECTION_EVIDENCE.get(found.finding)
        if section:
            return f"{self.key}-{section}"
        if found.finding == Finding.COLLATERAL.value:
            return self._last(("unaffected",)) or f"{self.key}-evidence"
        if found.finding == Finding.AS_EXPECTED.value:
            return self._last(("recovery", "symptom as control", "symptom")) or f"{self.key}-evidence"
        return self._last(PHASE_EVIDENCE.get(found.phase, ()), wanted=False) or f"{self.key}-evidence"

    def behind_phase(self, name: str) -> list[Evidence]:
        """The judgements behind a phase's word: the last of each role."""
        found = []
        for role in PHASE_EVIDENCE.get(name, ()):
            of_role = [e for e in self.evidence if e.judged.what == role]
            found += of_role[-1:]
        return found

    def _last(self, roles: Sequence[str], *, wanted: bool = True) -> str:
        """The newest judgement of the first role there is; of one that came out wrong first, unless `wanted`."""
        of_roles = [e for role in roles for e in self.evidence if e.judged.what == role]
        wrong = [e for e in of_roles if e.wanted is not True]
        chosen = of_roles[0:1] if wanted else (wrong or of_roles)[-1:]
        return chosen[0].key if chosen else ""


def of(n: int, s: ScenarioRecord, logs: Sequence[LogLine]) -> ScenarioView:
    """The view of a scenario with its sweeps; `n` is its number on the page."""
    line = timeline.of(s)
    evidence = [
        Evidence(f"s{n}-e{k}", j, wanted(j, s.arm), _probes(j)) for k, j in enumerate(s.judged, start=1)
    ]  # fmt: skip
    for e in evidence:
        decided_s = e.judged.t if e.judged.met_at_s is None else e.judged.met_at_s
        near = [k for k, log in enumerate(logs, start=1) if abs(log.t - decided_s) <= AROUND_S]
        if near:
            e.first_log, e.logs = f"s{n}-l{near[0]}", len(near)
    rows, moments = _checks(s)
    return ScenarioView(n, s, line, evidence, rows, moments, _slis(s), list(logs))


def wanted(judged: Judged, arm: str) -> bool | None:
    """Whether a judgement came out as the runbook has it; None when it could not be told or either is well."""
    known = ARMS.get(arm)
    against = judged.what in ("symptom as control", "recovery as untreated")
    if judged.what == "recovery" and known is not None and not known.responds:
        against = True
    if judged.verdict == "unknown" or judged.what.startswith("not needed"):
        return None
    if judged.verdict == "pending":
        # What must not come has not come; what must come has not been decided.
        return True if against else None
    return (judged.verdict == "held") != against


def _probes(judged: Judged) -> list[str]:
    return list(dict.fromkeys(p for c in judged.conditions if (p := probe_of(str(c.get("text", ""))))))


def _checks(s: ScenarioRecord) -> tuple[list[CheckRow], list[tuple[float, str, int]]]:
    """The checks in the runbook's order, and the moments: when, `before`, `after` or `end`, and after which step."""
    rounds: list[list[Checked]] = []
    for check in s.checks:
        if rounds and check.key not in {c.key for c in rounds[-1]} and check.t - rounds[-1][0].t < 1:
            rounds[-1].append(check)
        else:
            rounds.append([check])
    recovering = timeline.phase(s, Phase.RECOVER)
    moments = []
    for taken in rounds:
        t = taken[0].t
        done = sum(step.t <= t for step in s.steps)
        word = "end" if recovering and t > recovering.started_s else "after" if done else "before"
        moments.append((t, word, done))
    rows: dict[str, CheckRow] = {}
    for check in s.checks:
        row = rows.setdefault(check.key, CheckRow(check.key, check.title, [], {}))
        for probe in check.values:
            if probe not in row.shown:
                row.probes.append(probe)
                row.shown[probe] = [None] * len(rounds)
    for number, taken in enumerate(rounds):
        for check in taken:
            for probe, value in check.values.items():
                rows[check.key].shown[probe][number] = value
    return list(rows.values()), moments


def _slis(s: ScenarioRecord) -> list[SliRow]:
    rows: dict[str, SliRow] = {}
    for sli in s.slis:
        row = rows.setdefault(sli.name, SliRow(sli.name, sli.says, sli.unit, sli.sli_kind, sli.objective))
        row.parts[sli.stretch] = sli
    return list(rows.values())


def facts(value: Any, lang: str = ENGLISH) -> list[tuple[str, str]]:
    """A mapping as lines of name and text, whatever its values are."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(named("record", str(k), lang), plain(v, lang)) for k, v in items]


def record(fields: Mapping[str, Any], line: Timeline, lang: str = ENGLISH) -> list[tuple[str, list[str]]]:
    """The record of an incident as lines by name; moments, which it holds in seconds of the run, are told since T."""
    found = []
    for name, value in fields.items():
        rows = value if isinstance(value, list) and any(isinstance(v, dict) for v in value) else [value]
        found.append((named("record", name, lang), [_field(name, row, line, lang) or "—" for row in rows]))
    return found


def _field(name: str, value: Any, line: Timeline, lang: str) -> str:
    """One value of a record, in words; names of its own values stand before them."""
    number = isinstance(value, int | float)
    if isinstance(value, dict) and name != "values":
        return _fields(value, line, lang)
    if number and name.endswith(("_at_s", "since_s", "until_s")):
        said = tplus(line.at(value))
    elif number and name in ("ttd_s", "ttr_s"):
        said = secs(value)
    elif name == "stretch":
        said = text(f"stretch.{value}", lang)
    elif name == "blank" and isinstance(value, list):
        said = ", ".join(named("record", str(one), lang) for one in value)
    else:
        said = plain(value, lang)
    return said


def _fields(value: dict[str, Any], line: Timeline, lang: str) -> str:
    head = next((k for k in ("stop", "name") if k in value), "")
    rest = [
        said if k == "values" else f"{named('record', k, lang)} {said}"
        for k, v in value.items()
        if k != head and (said := _field(k, v, line, lang))
    ]
    return f"{value[head]}: {', '.join(rest) or '—'}" if head else ", ".join(rest)


def plain(value: Any, lang: str = ENGLISH) -> str:
    """A value in words."""
    match value:
        case None:
            return "—"
        case bool():
            return text("report.yes" if value else "report.no", lang)
        case float():
            return f"{value:.4g}"
        case dict():
            return "; ".join(f"{k}: {plain(v, lang)}" for k, v in value.items())
        case list():
            return ", ".join(plain(v, lang) for v in value)
        case _:
            return str(value)
