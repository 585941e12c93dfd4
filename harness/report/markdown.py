"""`report.md`: a run as text, for a pull request, a mail, a terminal, or the summary of a CI job."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from harness.report import overview
from harness.report.figures import figure, num, secs, tplus
from harness.report.index import Index
from harness.report.journal import JOURNAL
from harness.report.lang import ENGLISH, Messages, ended, role, sentence, text
from harness.report.scenarios import views
from harness.report.timeline import Mark
from harness.report.view import ScenarioView

SUMMARY_BYTES = 900_000
"""A CI job summary may hold 1 MiB."""

LOG_LINES = 20
"""Log lines shown of a scenario that is not proven; the page has more."""


def render(folder: Path, messages: Messages | None = None, only: Collection[str] = ()) -> bytes:
    """The text of the run in a folder, in the messages' language; `only` names the scenarios shown, none means all.

    Raises InfrastructureError when there is no journal.
    """
    index = Index(folder / JOURNAL, messages, only)
    lang = messages.lang if messages else ENGLISH
    return ("\n".join(_lines(index, folder, lang)) + "\n").encode("utf-8", errors="replace")


def summary(content: bytes) -> bytes:
    """The text as a CI job summary can hold it."""
    if len(content) <= SUMMARY_BYTES:
        return content
    cut = content[:SUMMARY_BYTES]
    return cut[: cut.rfind(b"\n\n")] + "\n\n…\n".encode()


_ACTIVE = re.compile(r"([\\`*\[\]<|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
"""Characters that can begin markup inside a line."""


def _plain(value: str) -> str:
    """A text in which nothing is markup."""
    return _ACTIVE.sub(r"\\\1", " ".join(value.split()))


def _code(value: str) -> str:
    """A text as code on one line; a backtick cannot end it, and no table cell either."""
    flat = " ".join(value.split()).replace("`", "'").replace("|", "\\|")
    return f"`{flat}`" if flat else "—"


def _lines(index: Index, folder: Path, lang: str) -> Iterator[str]:
    said = overview.of(index, lang)

    def w(key: str) -> str:
        return text(key, lang)

    yield f"# {said.headline}"
    yield ""
    yield ", ".join(f"**{count}** {w(f'claim.{name}')}" for name, count in said.counts)
    yield ""
    for name, value in said.meta:
        yield f"- {name}: {_plain(value)}"
    yield ""
    for warning in said.warnings:
        yield f"> {_plain(warning)}"
        yield ""
    if said.first is not None:
        reason = _plain(sentence(said.first.reason, lang))
        yield f"**{w('report.first')}**: {_code(said.first.label)} {_plain(said.first.title)}: {reason}"
        yield ""
    if index.run.scenarios:
        yield f"| | {w('report.scenarios')} | {w('time.ttd_s')} | {w('time.ttr_s')} | {w('time.response_to_recovery_s')} |"
        yield "| -- | -- | --: | --: | --: |"
        for s in index.run.scenarios:
            claim = s.claim
            times = (claim.ttd_s, claim.ttr_s, claim.response_to_recovery_s) if claim else (None, None, None)
            yield (
                f"| {overview.mark(s.claim_name)} {w(f'claim.{s.claim_name}')} | {_code(s.label)} {_plain(s.title)} | "
                + " | ".join(secs(t) for t in times)
                + " |"
            )
        yield ""
    for note in index.run.notes:
        yield f"- {_plain(sentence(note, lang))}"
    for v in views(index, folder):
        yield from _scenario(v, lang)


def _scenario(v: ScenarioView, lang: str) -> Iterator[str]:
    def w(key: str) -> str:
        return text(key, lang)

    s = v.record
    yield ""
    yield f"## {overview.mark(s.claim_name)} {_code(s.label)} {_plain(s.title)}"
    yield ""
    yield f"{w('part.verdict')}: **{w(f'claim.{s.claim_name}')}**{'. ' + _plain(sentence(s.reason, lang)) if s.reason else ''}"
    yield ""
    for f in s.findings:
        yield f"- {w(f'finding.{f.finding}')} ({w(f'phase.{f.phase}')}): {_plain(f.says)}"
    yield f"- {w('report.fault')}: {_plain(s.fault) or '—'}"
    yield f"- {w('report.symptom')}: {_code(s.symptom)}"
    yield f"- {w('report.recovery')}: {_code(s.recovery)}"
    yield f"- {w('report.runbook')}: {', '.join(s.sections) or '—'}"
    if s.claim is not None:
        for name in ("symptom_s", "ttd_s", "ttr_s", "response_to_recovery_s"):
            yield f"- {w(f'time.{name}')}: {secs(getattr(s.claim, name))}"
    yield ""
    yield from _timeline(v, w("part.timeline"), lang)
    yield from _checks(v, lang)
    yield from _evidence(v, lang)
    yield from _measured(v, lang)
    if s.claim_name != "PROVEN" and v.logs:
        yield f"### {w('part.logs')}"
        yield ""
        for log in v.logs[-LOG_LINES:]:
            yield f"    {tplus(v.line.at(log.t))}  {log.part} {log.level}  {' '.join(log.text.split())}"
        yield ""


def _timeline(v: ScenarioView, title: str, lang: str) -> Iterator[str]:
    if not v.record.phases and not v.line.marks:
        return
    yield f"### {title}"
    yield ""
    yield f"| T | {text('report.what', lang)} | |"
    yield "| --: | -- | -- |"
    phases = [
        (p.started_s, f"**{text(f'phase.{p.name}', lang)}**", " ".join((ended(p.verdict, lang), p.says)).strip())
        for p in v.record.phases
    ]
    marks = [(m.t, _who(m, lang), m.text) for m in v.line.marks]
    for t, what, says in sorted([*phases, *marks], key=lambda row: row[0]):
        yield f"| {tplus(v.line.at(t))} | {what} | {_plain(says)} |"
    yield ""


def _who(mark: Mark, lang: str) -> str:
    """What kind of thing happened, and who did it."""
    kind = text(f"mark.{mark.kind}", lang)
    return f"{kind} ({text(f'who.{mark.who}', lang)})" if mark.who else kind


def _checks(v: ScenarioView, lang: str) -> Iterator[str]:
    if not v.checks:
        return
    yield f"### {text('part.checks', lang)}"
    yield ""
    heads = [text(f"moment.{word}", lang, n=n) for _, word, n in v.check_moments]
    yield f"| {text('report.check', lang)} | {' | '.join(heads)} |"
    yield f"| -- |{' --: |' * len(heads)}"
    for row in v.checks:
        yield f"| {_plain(row.key)} {_plain(row.title)} |{'  |' * len(heads)}"
        for probe in row.probes:
            yield f"| {_code(probe)} | {' | '.join(num(value) for value in row.shown[probe])} |"
    yield ""


def _evidence(v: ScenarioView, lang: str) -> Iterator[str]:
    if not v.evidence:
        return
    yield f"### {text('part.evidence', lang)}"
    yield ""
    for e in v.evidence:
        j = e.judged
        met = "" if j.met_at_s is None else f", {text('report.met_at', lang)} {tplus(v.line.at(j.met_at_s))}"
        yield f"- {_plain(role(j.what, lang))}: **{text(f'verdict.{j.verdict}', lang)}**, {tplus(v.line.at(j.t))}{met}"
        for c in j.conditions:
            yield (
                f"  - {_code(sentence(str(c.get('text', '')), lang))}: {text('report.last', lang)} {num(c.get('last'))}, "
                f"{text('report.met', lang)} {num(c.get('met'))}, {text('report.missed', lang)} {num(c.get('missed'))}, "
                f"{text('report.lacked', lang)} {num(c.get('lacked'))}"
            )
    yield ""


def _measured(v: ScenarioView, lang: str) -> Iterator[str]:
    s = v.record
    none = text("report.not_measured", lang)
    if v.measured:
        yield f"### {text('part.slis', lang)}"
        yield ""
        stretches = ("steady", "untreated", "treated")
        heads = [text(f"stretch.{name}", lang) for name in stretches]
        budgets = [text("report.budget_without", lang), text("report.budget_with", lang)]
        yield f"| {' | '.join([text('report.sli', lang), text('report.objective', lang), *heads, *budgets])} |"
        yield f"| -- |{' --: |' * 6}"
        for row in v.measured:
            values = [
                figure(row.parts[name].value, row.kind, row.unit) if name in row.parts else "—" for name in stretches
            ]
            spent = [num(row.parts[name].budget_minutes) if name in row.parts else "—" for name in stretches[1:]]
            goal = figure(row.objective, row.kind, row.unit)
            yield f"| {_plain(row.says or row.name)} | {' | '.join([goal, *values, *spent])} |"
        yield ""
    else:
        yield f"- {text('part.slis', lang)}: {none}"
    if s.workload is not None:
        sent = text("report.sent", lang, sent=s.workload.sent, accepted=s.workload.accepted)
        yield f"- {text('report.workload', lang)}: {sent}"
    counts = ", ".join(f"{_plain(name)} {count}" for name, count in s.ledger.counts.items()) if s.ledger else none
    yield f"- {text('report.ledger', lang)}: {counts}"
    for title, judged in (("part.invariants", s.invariants), ("part.rules", s.rules)):
        yield f"- {text(title, lang)}{'' if judged else ': ' + none}"
        for one in judged:
            yield f"  - {_plain(one.title)}: **{text(f'verdict.{one.verdict}', lang)}** {_plain(one.says)}"
    yield f"- {text('part.completion', lang)}: {none if s.completion is None else _complete(s.completion.complete, lang)}"
    for note in s.notes:
        yield f"- {_plain(note)}"
    yield ""


def _complete(complete: bool | None, lang: str) -> str:
    return text({True: "report.complete", False: "report.incomplete", None: "report.unknown"}[complete], lang)
