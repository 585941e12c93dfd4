"""`gameday show`: a scenario in words, from the code."""

import re

from rich.cells import cell_len

from harness.engine import plan
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages
from harness.model.criteria import Criterion
from harness.model.errors import UsageError
from harness.model.scenario import Scenario, Step
from harness.model.span import as_span
from harness.report.lang import ENGLISH, Messages, text
from harness.report.wrapping import wrapped

WIDTH = 78

HEADED = re.compile(r"\S+ {2,}(?=\S)")
"""The head of an item in a summary, with the blanks that set its text in a column."""


def text_of(label: str, package: str, stack: str | None, profile: str, lang: str = ENGLISH) -> str:
    """The scenario with its lengths in a profile; raises UsageError."""
    topology = load_topology(stack)
    if profile not in topology.profiles:
        raise UsageError(f"there is no profile {profile}; there are {', '.join(topology.profiles)}")
    catalogue = load_catalogue(package, topology)
    scenario = plan.choose(catalogue, [label])[0]
    plain = scenario.resolve(topology.numbers(profile, scenario.own))
    said = load_messages(package, lang)
    return "\n".join(_lines(scenario, plain, said))


def _lines(scenario: Scenario, plain: Scenario, said: Messages) -> list[str]:
    lang = said.lang
    title = said.title(scenario.label, scenario.title)
    lines = [f"{scenario.label}  {title}", "=" * WIDTH]
    lines += [*_paragraphs(said.summary(scenario.label, scenario.summary)), ""]
    lines += _block(_word("runbook", lang), ", ".join(scenario.sections) or _word("no_section", lang))
    rates = [text("show.rate", lang, name=w.name, rate=f"{w.rate_hz:g}") for w in scenario.workload]
    lines += _block(_word("workload", lang), "; ".join(rates))
    lines += _block(_word("breaks", lang), said.sentence(scenario.fault.says))
    lines += _criterion(_word("symptom", lang), scenario.symptom, plain.symptom, said)
    derived = as_span(scenario.hold_s).text
    lines += _block(
        _word("hold", lang), text("show.untreated", lang, s=f"{as_span(plain.hold_s).of({}):.3g}", derived=derived)
    )
    for number, step in enumerate(scenario.response, start=1):
        unless = text("show.unless", lang, condition=step.unless) if step.unless else _spare(step, lang)
        mark = "" if step.in_runbook else _word("not_in_runbook", lang)
        head = _word("response", lang) if number == 1 else ""
        lines += _block(head, f"{number}. {said.step(step.title)}{mark}{unless}")
    lines += _criterion(_word("recovery", lang), scenario.recovery, plain.recovery, said)
    if scenario.unaffected:
        conditions = [said.sentence(str(c)) for c in scenario.unaffected.conditions]
        lines += _block(_word("unaffected", lang), _word("conjunction", lang).join(conditions))
    lines += _block(_word("placebo", lang), said.step(scenario.placebo.title))
    if scenario.settings:
        cell = "; ".join(f"{owner} {name} = {v}" for (owner, name), v in scenario.settings.items())
        lines += _block(_word("cell", lang), cell)
    if scenario.variants:
        lines += _block(_word("variants", lang), ", ".join(v.name for v in scenario.variants))
    lines += _block(_word("code", lang), scenario.module)
    return lines


def _paragraphs(summary: str) -> list[str]:
    """A summary in the terminal's lines, not those of its source; what has a head stays under its text."""
    items: list[str] = []
    for line in summary.splitlines():
        if items and items[-1] and line and not HEADED.match(line):
            apart = "" if cell_len(items[-1][-1]) > 1 and cell_len(line[0]) > 1 else " "
            items[-1] += apart + line.strip()
        else:
            items.append(line)
    lines = []
    for item in items:
        head = HEADED.match(item)
        first, rest = (head[0], item[head.end() :]) if head else ("", item)
        lines += wrapped(rest, WIDTH, first, cell_len(first))
    return lines


def _word(key: str, lang: str) -> str:
    return text(f"show.{key}", lang)


def _spare(step: Step, lang: str) -> str:
    return _word(step.spare.name.lower(), lang) if step.spare else ""


def _criterion(what: str, asked: Criterion, plain: Criterion, said: Messages) -> list[str]:
    lines = []
    for number, (condition, resolved) in enumerate(zip(asked.conditions, plain.conditions, strict=True)):
        derived = "" if str(condition) == str(resolved) else f"   ({condition.test})"
        lines += _block(what if number == 0 else "", f"{said.sentence(str(resolved))}{derived}")
        lines += _block("", f"  {said.probe(condition.probe.name, condition.probe.says)}")
    within, hold = as_span(plain.within_s).of({}), as_span(plain.hold_s).of({})
    return [*lines, *_block("", text("show.within", said.lang, within=f"{within:.3g}", hold=f"{hold:.3g}"))]


def _block(head: str, said: str, *, indent: int = 14, first: str | None = None) -> list[str]:
    """A headed paragraph."""
    return wrapped(said, WIDTH, head + " " * max(1, 12 - cell_len(head)) if first is None else first, indent)
