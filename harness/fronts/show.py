"""`gameday show`: a scenario in words, from the code."""

import textwrap

from harness.engine import plan
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.criteria import Criterion
from harness.model.errors import UsageError
from harness.model.scenario import Scenario
from harness.model.span import as_span

WIDTH = 78


def text_of(label: str, package: str, stack: str | None, profile: str) -> str:
    """The scenario with its lengths in a profile; raises UsageError."""
    topology = load_topology(stack)
    if profile not in topology.profiles:
        raise UsageError(f"there is no profile {profile}; there are {', '.join(topology.profiles)}")
    catalogue = load_catalogue(package, topology)
    scenario = plan.choose(catalogue, [label])[0]
    overrides = {name: value for (_, name), value in scenario.settings.items()}
    plain = scenario.resolve(topology.numbers(profile, overrides))
    lines = [f"{scenario.label}  {scenario.title}", "=" * WIDTH, scenario.summary, ""]
    lines += _block("runbook", ", ".join(scenario.sections) or "no section")
    lines += _block("workload", "; ".join(f"{w.name}, {w.rate_hz:g} a second" for w in scenario.workload))
    lines += _block("breaks", scenario.fault.says)
    lines += _criterion("symptom", scenario.symptom, plain.symptom)
    lines += _block("hold", f"{as_span(plain.hold_s).of({}):.3g} s untreated ({as_span(scenario.hold_s).text})")
    for number, step in enumerate(scenario.response, start=1):
        unless = f" (not needed when {step.unless})" if step.unless else ""
        mark = "" if step.in_runbook else " [not in the runbook]"
        lines += _block("response" if number == 1 else "", f"{number}. {step.title}{mark}{unless}")
    lines += _criterion("recovery", scenario.recovery, plain.recovery)
    if scenario.unaffected:
        lines += _block("unaffected", " and ".join(str(c) for c in scenario.unaffected.conditions))
    lines += _block("placebo", scenario.placebo.title)
    lines += _settings(scenario)
    if scenario.variants:
        lines += _block("variants", ", ".join(v.name for v in scenario.variants))
    lines += _block("code", scenario.module)
    return "\n".join(lines)


def _criterion(what: str, asked: Criterion, plain: Criterion) -> list[str]:
    lines = []
    for number, (condition, resolved) in enumerate(zip(asked.conditions, plain.conditions, strict=True)):
        derived = "" if str(condition) == str(resolved) else f"   ({condition.test})"
        lines += _block(what if number == 0 else "", f"{resolved}{derived}")
        lines += _block("", f"  {condition.probe.says}")
    within, hold = as_span(plain.within_s).of({}), as_span(plain.hold_s).of({})
    return [*lines, *_block("", f"within {within:.3g} s, for {hold:.3g} s")]


def _settings(scenario: Scenario) -> list[str]:
    if not scenario.settings:
        return []
    return _block("its cell", "; ".join(f"{owner} {name} = {v}" for (owner, name), v in scenario.settings.items()))


def _block(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"{head:<12}", subsequent_indent=" " * 14) or [head]
