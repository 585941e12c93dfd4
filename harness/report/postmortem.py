"""The postmortem of one scenario of a run, as Markdown: the five records that have to be made, and what to change.

Everything is read from the journal's record; what it does not hold is a marked blank, never a guess. Whatever came
from outside, titles and reasons too, is escaped.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from harness.model import events as ev
from harness.model.bands import moved
from harness.report import timeline
from harness.report.figures import figure
from harness.report.lang import ENGLISH, Messages, ended, text
from harness.report.record import RunRecord, ScenarioRecord

MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~&]|^[+])")


def escaped(said: object) -> str:
    """A text as one line of Markdown that is shown as it is."""
    return MARKUP.sub(r"\\\1", " ".join(str(said).split())).replace("\\<", "&lt;").replace("\\&", "&amp;")


def markdown(run: RunRecord, record: ScenarioRecord, said: Messages | None = None) -> str:
    """The postmortem of one scenario in a language."""
    return "\n".join(_Writer(run, record, said or Messages(ENGLISH)).lines()) + "\n"


class _Writer:
    def __init__(self, run: RunRecord, record: ScenarioRecord, said: Messages) -> None:
        self.run, self.record, self.said = run, record, said
        inject = next((p for p in record.phases if p.name == ev.Phase.INJECT.value), None)
        respond = next((p for p in record.phases if p.name == ev.Phase.RESPOND.value), None)
        self.injected_s = inject.started_s if inject else None
        self.line = timeline.of(record)
        self.responded_s = respond.started_s if respond else None

    def w(self, key: str, **values: object) -> str:
        return text(f"pm.{key}", self.said.lang, **{k: escaped(v) for k, v in values.items()})

    def lines(self) -> Iterator[str]:
        r, started = self.record, self.run.started
        yield f"# {self.w('title', label=r.label, title=self.said.title(r.label, r.title))}"
        yield ""
        claim = text(f"claim.{r.claim_name}", self.said.lang)
        run_id, at = (started.run_id, started.at) if started else ("?", "?")
        yield self.w("run", run=run_id, at=at, claim=claim)
        if self.run.finished is None:
            yield self.w("killed")
        for key, body in (
            ("slis", self._slis()),
            ("origin", iter([f"- {self.w('origin_row', label=r.label, fault=self.said.sentence(r.fault))}"])),
            ("timeline", self._timeline()),
            ("measures", self._measures()),
            ("actions", self._actions()),
            ("proposals", self._proposed()),
        ):
            yield from ("", f"## {self.w(key)}", "")
            yield from body

    def _slis(self) -> Iterator[str]:
        measured = [m for m in self.record.slis if m.stretch != "steady"]
        if not measured:
            yield f"- {self.w('no_slis')}"
            return
        had_traffic = {m.name for m in self.record.slis if m.stretch == "steady" and m.value is not None}
        told = [m for m in measured if m.verdict == "broken" or (m.verdict == "unknown" and m.name in had_traffic)]
        for m in told:
            yield "- " + self.w(
                "sli_row" if m.verdict == "broken" else "sli_unknown",
                says=self.said.sli(m.name, m.says),
                name=m.name,
                objective=figure(m.objective, m.sli_kind, m.unit),
                stretch=text(f"stretch.{m.stretch}", self.said.lang),
                value=self.w("blank") if m.value is None else figure(m.value, m.sli_kind, m.unit),
                since=self._at(m.since_s),
                until=self._at(m.until_s),
                budget=self.w("blank") if m.budget_minutes is None else self.w("minutes", n=f"{m.budget_minutes:.4g}"),
            )
        if not told:
            yield f"- {self.w('none_affected')}"

    def _timeline(self) -> Iterator[str]:
        r, claim, lang = self.record, self.record.claim, self.said.lang
        seconds = [
            self.w("blank") if value is None else f"{value:.1f} s"
            for value in ((claim.ttd_s, claim.ttr_s, claim.response_to_recovery_s) if claim else (None, None, None))
        ]
        yield self.w("times", ttd=seconds[0], ttr=seconds[1], rr=seconds[2])
        if not r.alerts:
            yield self.w("no_alerts")
        yield self._zero()
        happened = [
            (p.started_s, f"{text(f'phase.{p.name}', lang)}: {escaped(ended(p.verdict, lang))}") for p in r.phases
        ]
        happened += [(a.t, f"{text('mark.alert', lang)}: {escaped(self._alert(a))}") for a in r.alerts]
        happened += [(a.t, f"{text(f'who.{a.who}', lang)}: {escaped(a.verb)} {escaped(a.target)}") for a in r.acts]
        happened += [
            (j.met_at_s, f"{text('mark.recovery', lang)}: {escaped(self.said.sentence(j.text))}")
            for j in r.judged
            if j.what == "recovery" and j.met_at_s is not None
        ]
        yield ""
        # What happens at the same moment stays in the order in which it is told.
        for at_s, what in sorted(happened, key=lambda one: one[0]):
            yield f"- {self._at(at_s)} {what}"

    def _alert(self, alert: ev.AlertFired) -> str:
        """An alert's name, and whether it came too late to detect anything."""
        name = self.said.alert(alert.name)
        return f"{name} ({text('report.late', self.said.lang)})" if alert.late else name

    def _at(self, at_s: float) -> str:
        """A moment as people count it: from the injection, or from the scenario's beginning when there was none."""
        return f"T{round(self.line.at(at_s), 1) + 0.0:+.1f} s"

    def _zero(self) -> str:
        """T as a time of day, in UTC; empty when the journal does not tell it."""
        started = self.record.shard or self.run.started
        try:
            at = (
                datetime.fromisoformat(started.at) + timedelta(seconds=self.line.zero_s - started.t)
                if started
                else None
            )
        except ValueError:
            return ""
        if at is None:
            return ""
        key = "t_injection" if self.line.injected else "t_beginning"
        return self.w(key, at=f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")

    def _measures(self) -> Iterator[str]:
        yield f"- {self.w('interim')}:"
        for s in self.record.steps:
            mark = f" ({self.w('skipped')})" if s.skipped else ""
            yield f"  - {escaped(self.said.step(s.title))}{mark}"
        if not self.record.steps:
            yield f"  - {self.w('none_done')}"
        yield f"- {self.w('permanent')}"

    def _actions(self) -> Iterator[str]:
        blank = text("pm.action_blank", self.said.lang)
        yield text("pm.action_head", self.said.lang)
        yield "| --- | --- | --- |"
        yield f"| {blank} | {blank} | {blank} |"

    def _proposed(self) -> Iterator[str]:
        found = list(self._proposals())
        yield from (f"- {one}" for one in found or [self.w("no_proposals")])

    def _proposals(self) -> Iterator[str]:
        r = self.record
        if r.title and not r.sections:
            yield self.w("no_section", id=r.id)
        if r.claim_name == ev.Claim.INCONCLUSIVE.value:
            yield self.w("inconclusive")
            return
        for s in r.steps:
            if s.skipped and s.in_runbook:
                yield self.w("not_needed", step=self.said.step(s.title))
            elif not s.skipped and not s.in_runbook:
                yield self.w("not_in_book", step=self.said.step(s.title))
        yield from self._silent_checks()
        untreated = [j for j in r.judged if j.what == "recovery as untreated"]
        for c in untreated[-1].conditions if untreated else ():
            if c.get("met") and not c.get("missed"):
                yield self.w("never_moved", condition=self.said.sentence(str(c.get("text", ""))))
        if any(f.finding == ev.Finding.NOT_RECOVERED.value for f in r.findings):
            yield self.w("not_recovered", reason=self.said.sentence(r.reason))

    def _silent_checks(self) -> Iterator[str]:
        """Checks none of whose probes left, between injection and response, what they showed in the steady stretch."""
        if self.injected_s is None or self.responded_s is None:
            return
        control = [j.since_s for j in self.record.judged if j.what == "symptom as control"]
        steady_s = control[-1] if control else self.record.started_s
        readings = ((s.t, s.values) for s in self.record.sweeps)
        found = moved(readings, steady_s, self.injected_s, self.responded_s)
        seen: dict[str, ev.Checked] = {}
        for check in self.record.checks:
            seen.setdefault(check.key, check)
        for key, check in sorted(seen.items()):
            if check.values and all(found.get(probe) is False for probe in check.values):
                yield self.w("told_nothing", check=key, title=self.said.check(key, check.title))
