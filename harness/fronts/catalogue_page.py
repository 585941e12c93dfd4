"""The catalogue as a page of Markdown, from the code: `gameday list --format markdown`."""

from collections.abc import Sequence

from harness.model.criteria import Criterion
from harness.model.scenario import Catalogue, Scenario
from harness.model.span import as_span
from harness.model.topology import Topology

NOTE = "Generated from the code by `make docs`; a test fails when it is out of date."


def page(catalogue: Catalogue, topology: Topology, chosen: Sequence[Scenario]) -> str:
    """The page; lengths are given for each profile of the topology, in seconds."""
    sections = sorted({k for s in chosen for k in s.sections}, key=lambda k: [int(n) for n in k.split(".")])
    lines = ["# The catalogue", "", NOTE, ""]
    variants = sum(len(s.variants) for s in chosen)
    lines += [
        f"{len(chosen)} failure modes, {variants} variants. Lengths are seconds: {' / '.join(topology.profiles)}."
    ]
    for key in [*sections, ""]:
        own = [s for s in chosen if (s.sections[0] if s.sections else "") == key]
        if not own:
            continue
        title = f"{key} {catalogue.sections[key].title}" if key else "In no section of the original runbook"
        lines += ["", f"## {title}", "", "| id | what fails | what breaks it | variants |", "| -- | -- | -- | -- |"]
        for s in own:
            others = ", ".join(f"`{v.name}`" for v in s.variants) or "-"
            lines.append(f"| [{s.id}](#{s.id.lower()}) | {_cell(s.title)} | {_cell(s.fault.says)} | {others} |")
    for s in chosen:
        lines += ["", *_scenario(s, topology)]
    return "\n".join(lines)


def _scenario(s: Scenario, topology: Topology) -> list[str]:
    plain = {
        profile: s.resolve(topology.numbers(profile, {name: value for (_, name), value in s.settings.items()}))
        for profile in topology.profiles
    }
    lines = [f"### {s.id}", "", f"**{s.title}.** Runbook: {', '.join(s.sections) or 'none'}.", ""]
    lines += [f"- Workload: {'; '.join(f'{w.name}, {w.rate_hz:g} a second' for w in s.workload)}"]
    lines += [f"- Fault: {s.fault.says}"]
    lines += [f"- Symptom: {_criterion(s.symptom, [p.symptom for p in plain.values()])}"]
    hold = " / ".join(f"{as_span(p.hold_s).of({}):.3g}" for p in plain.values())
    lines += [f"- Hold: {hold} s untreated"]
    lines += ["- Response:"]
    for number, step in enumerate(s.response, start=1):
        unless = f" (not needed when {_conditions(step.unless)})" if step.unless else ""
        lines.append(f"  {number}. {step.title}{'' if step.in_runbook else ' (not in the original runbook)'}{unless}")
    lines += [f"- Recovered when: {_criterion(s.recovery, [p.recovery for p in plain.values()])}"]
    if s.unaffected:
        lines += [f"- Stays whole: {_conditions(s.unaffected)}"]
    lines += [f"- Placebo: {s.placebo.title}"]
    if s.settings:
        own = ", ".join(f"`{name}` = {value}" for (_, name), value in s.settings.items())
        lines += [f"- Settings of its cell: {own}"]
    for variant in s.variants:
        other = s.with_variant(variant.name)
        what = other.fault.says if other.fault != s.fault else "other criteria or settings"
        lines.append(f"- Variant `{variant.name}`: {what}")
    return lines


def _criterion(asked: Criterion, plain: Sequence[Criterion]) -> str:
    within = " / ".join(f"{as_span(p.within_s).of({}):.3g}" for p in plain)
    hold = " / ".join(f"{as_span(p.hold_s).of({}):.3g}" for p in plain)
    kept = "" if all(as_span(p.hold_s).of({}) == 0 for p in plain) else f", for {hold} s"
    return f"{_conditions(asked)}, within {within} s{kept}"


def _conditions(criterion: Criterion) -> str:
    return " and ".join(f"`{condition}`" for condition in criterion.conditions)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
