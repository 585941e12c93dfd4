"""The debrief of a drill: text for a terminal of 80 columns, Markdown, and what JSON has, in one language each.

A record is facts in the words of the code and of the catalogue; what people read is said here, of the messages.
"""

from typing import Any

from harness.model.drill import BrokenRule, DrillRecord, Entry
from harness.model.scoring import JudgedAct, Point, asked, broken_rules, diagnosed_s, judged_acts, score
from harness.report import lang
from harness.report.lang import Messages
from harness.report.wrapping import padded, wrapped

WIDTH = 79
HEADS = 11
"""Columns of the heads before the first paragraphs."""

VERSION = 1
COMMANDS = frozenset({"view", "check", "act", "detect", "diagnose"})
"""Kinds of entries whose text is what the trainee typed."""

ONE_LOOK_S = 0.5


def times(record: DrillRecord) -> dict[str, float | None]:
    """Seconds from the injection to the declared detection, the right diagnosis and the recovery; None when there is none."""
    zero_s = record.injected_s

    def after(at_s: float | None) -> float | None:
        return None if at_s is None or zero_s is None else round(at_s - zero_s, 1)

    return {
        "page_s": after(record.paged_s),
        "detect_s": after(next((e.t for e in record.of("detect")), None)),
        "diagnose_s": after(diagnosed_s(record)),
        "recover_s": after(record.recovered_s),
    }


def shown(record: DrillRecord) -> list[Entry]:
    """The trainee's timeline, with the checks of one look, which are read one after the other, taken together."""
    found: list[Entry] = []
    for e in record.entries:
        last = found[-1] if found else None
        if e.kind == "check" and last and (last.kind, last.says) == ("check", e.says) and e.t - last.t < ONE_LOOK_S:
            continue
        found.append(e)
    return found


def why_ended(ended: str, messages: Messages) -> str:
    """Why a drill ended: one of its usual ends, or what went wrong, in the messages' language."""
    return lang.words(messages.lang).get(f"over.{ended}") or messages.sentence(ended)


def plain(record: DrillRecord, messages: Messages | None = None) -> dict[str, Any]:
    """As JSON has it: names and keys are the same in every language, and `drill` is the record as it is."""
    made, said = score(record), _Said(record, messages or Messages())
    return {
        "v": VERSION,
        "lang": said.messages.lang,
        "score": made.total,
        "points": [{"what": p.what, "points": p.points, "most": p.most, "why": said.why(p)} for p in made.points],
        "times": times(record),
        "acts": [
            {"t": j.entry.t, "act": said.entry(j.entry), "verdict": j.verdict, "why": said.messages.sentence(j.why)}
            for j in judged_acts(record)
        ],
        "rules": [
            {"key": r.key, "title": said.messages.sentence(r.title), "says": said.rule(r)} for r in broken_rules(record)
        ],
        "drill": record.plain(),
    }


def text(record: DrillRecord, messages: Messages | None = None) -> str:
    """For a terminal."""
    said = _Said(record, messages or Messages())
    w, answer, made = said.word, record.answer, score(record)
    lines = ["", w("title"), "=" * WIDTH]
    if not record.whole:
        lines += wrapped(said.no_measure(), WIDTH, "", 0)
    lines += _headed(w("broken"), said.broken())
    lines += _headed("", w("fault", fault=said.messages.sentence(answer.fault), sections=", ".join(answer.sections)))
    for n, decoy in enumerate(said.decoys()):
        lines += _headed("" if n else w("decoy"), decoy)
    lines += _headed(w("ended"), said.ended())
    took = {name: said.seconds(value) for name, value in times(record).items()}
    lines += _headed(w("times"), w("took", **took))
    if record.budget_minutes is not None:
        lines += _headed(w("budget"), w("spent", n=f"{record.budget_minutes:.2f}"))
    lines += ["", w("done")]
    for e, judged in said.timeline():
        verdict = f" [{said.worth(judged)}]" if judged else ""
        lines += wrapped(f"{said.kind(e)}: {said.entry(e)}{verdict}", WIDTH, f"  {said.since_page(e):6.1f}  ", 10)
    lines += ["", w("steps")]
    for when, title in said.asked():
        lines += wrapped(title, WIDTH, f"  {padded(when, 8)}  ", 12)
    if rules := broken_rules(record):
        lines += ["", w("rules")]
        for r in rules:
            lines += wrapped(f"{r.key} {said.messages.sentence(r.title)}: {said.rule(r)}", WIDTH, "  ", 2)
    lines += ["", w("score_text")]
    for p in made.points:
        most = w("of", most=f"{p.most:g}") if p.most else ""
        lines += wrapped(f"{said.what(p)}: {said.why(p)}", WIDTH, f"  {p.points:+6.1f} {padded(most, 6)} ", 16)
    lines += ["-" * WIDTH, f"  {w('total', total=f'{made.total:6.1f}')}", ""]
    return "\n".join(lines)


def markdown(record: DrillRecord, messages: Messages | None = None) -> str:
    """For the run's folder."""
    said = _Said(record, messages or Messages())
    w, answer, made, t = said.word, record.answer, score(record), times(record)
    lines = [f"# {w('of_drill', drill=record.drill_id)}", ""]
    if not record.whole:
        lines += [f"**{_cell(said.no_measure())}**", ""]
    who = w("for_whom", who=_cell(record.trainee)) if record.trainee else ""
    lines += [
        f"**{w('total', total=f'{made.total:g}')}**{who}{w('setup', level=record.level, seed=record.seed)}{said.ended()}",
        "",
        f"| {w('what')} | |",
        "|---|---|",
        f"| {w('broken')} | {_cell(said.broken())}; {_cell(said.messages.sentence(answer.fault))} |",
        f"| {w('runbook')} | {', '.join(answer.sections)} |",
        f"| {w('page')} | {_cell(said.messages.alert(record.page)) or w('none')} |",
        *(
            f"| {w(f'to_{name}')} | {said.seconds(t[f'{name}_s'])} |"
            for name in ("page", "detect", "diagnose", "recover")
        ),
        f"| {w('spent_head')} | {said.budget()} |",
        *(f"| {w('decoy')} | {_cell(decoy)} |" for decoy in said.decoys()),
        "",
        f"## {w('timeline')}",
        "",
        w("from_page"),
        "",
        f"| {w('since_page')} | {w('trainee')} | |",
        "|---:|---|---|",
    ]
    for e, judged in said.timeline():
        verdict = f"{said.worth(judged)}: {said.messages.sentence(judged.why)}" if judged else ""
        lines.append(f"| {said.since_page(e):.1f} | {said.kind(e)}: {_cell(said.entry(e))} | {_cell(verdict)} |")
    lines += ["", f"## {w('steps')}", "", f"| {w('since_page')} | {w('runbook')} |", "|---:|---|"]
    lines += [f"| {when} | {_cell(title)} |" for when, title in said.asked()]
    if rules := broken_rules(record):
        lines += ["", f"## {w('rules')}", ""]
        lines += [f"- {r.key} {_cell(said.messages.sentence(r.title))}: {_cell(said.rule(r))}" for r in rules]
    lines += ["", f"## {w('score')}", "", w("from_page"), ""]
    lines += [f"| {w('points')} | {w('points_of')} | {w('points_for')} | {w('why')} |", "|---:|---:|---|---|"]
    lines += [f"| {p.points:+g} | {p.most:g} | {_cell(said.what(p))} | {_cell(said.why(p))} |" for p in made.points]
    lines += [f"| **{made.total:g}** | **100** | | |", ""]
    return "\n".join(lines)


class _Said:
    """What a record holds, in the words of one language."""

    def __init__(self, record: DrillRecord, messages: Messages) -> None:
        self.record = record
        self.messages = messages

    def word(self, key: str, **values: object) -> str:
        return lang.text(f"debrief.{key}", self.messages.lang, **values)

    def no_measure(self) -> str:
        return self.word("no_measure", why=why_ended(self.record.ended, self.messages))

    def broken(self) -> str:
        answer, title = self.record.answer, self.messages.title
        factors = ((answer.label, answer.title), *answer.others)
        return "; ".join(f"{label}: {title(label, english)}" for label, english in factors)

    def decoys(self) -> list[str]:
        return [self.messages.sentence(says) for says in self.record.answer.decoys]

    def asked(self) -> list[tuple[str, str]]:
        """Each check and step of the runbook, with the second of the page at which it was done."""
        said = self.messages
        found = []
        for one in asked(self.record):
            when = self.word("not_done" if one.told else "untold")
            if one.done_s is not None:
                when = f"{one.done_s - (self.record.paged_s or 0.0):.1f}"
            title = f"{one.key} {said.check(one.key, one.title)}".rstrip() if one.key else said.step(one.title)
            found.append((when, title))
        return found

    def ended(self) -> str:
        record = self.record
        took_s = record.ended_s - record.paged_s if record.paged_s is not None else 0.0
        why = why_ended(record.ended, self.messages)
        return self.word("after", s=f"{took_s:.0f}", limit=f"{record.limit_s:.0f}", why=why)

    def budget(self) -> str:
        minutes = self.record.budget_minutes
        return self.word("unknown") if minutes is None else self.word("minutes", n=f"{minutes:.2f}")

    def seconds(self, value: float | None) -> str:
        return self.word("never") if value is None else self.word("seconds", s=f"{value:.1f}")

    def since_page(self, e: Entry) -> float:
        return e.t - (self.record.paged_s or 0.0)

    def timeline(self) -> list[tuple[Entry, JudgedAct | None]]:
        """Every entry shown, an act with what it was."""
        judged = {id(j.entry): j for j in judged_acts(self.record)}
        return [(e, judged.get(id(e))) for e in shown(self.record)]

    def kind(self, e: Entry) -> str:
        return lang.text(f"entry.{e.kind}", self.messages.lang)

    def entry(self, e: Entry) -> str:
        """An entry's text: what the trainee typed as it stands, the rest in words."""
        failed = e.data.get("failed")
        if failed:
            return e.says + self.word("failed", why=self.messages.sentence(str(failed)))
        if e.kind == "page":
            return self.messages.alert(e.says)
        if e.kind == "hint":
            return self._named(e.says)
        return e.says if e.kind in COMMANDS else self.messages.sentence(e.says)

    def worth(self, judged: JudgedAct) -> str:
        return lang.text(f"worth.{judged.verdict}", self.messages.lang)

    def rule(self, rule: BrokenRule) -> str:
        return self.messages.sentence(rule.says)

    def what(self, point: Point) -> str:
        """What a line of the score is for: its name, with what of it after a colon."""
        name, _, rest = point.what.partition(": ")
        return f"{self._named(name)}: {self._named(rest)}" if rest else self._named(name)

    def why(self, point: Point) -> str:
        # A wrong diagnosis is its own reason, in the words of whoever made it.
        return point.why if point.what == "wrong diagnosis" else self.messages.sentence(point.why)

    def _named(self, name: str) -> str:
        return lang.words(self.messages.lang).get(f"point.{name}") or self.messages.sentence(name)


def _headed(head: str, says: str) -> list[str]:
    return wrapped(says, WIDTH, padded(head, HEADS), HEADS)


def _cell(value: str) -> str:
    return " ".join(value.replace("|", "\\|").split())
