"""The catalogue as a page of Markdown, from the code: `gameday list --format markdown`."""

from collections.abc import Sequence

from harness.fronts.books import default_runbook
from harness.model.criteria import Criterion
from harness.model.scenario import Catalogue, Scenario
from harness.model.span import as_span
from harness.model.topology import Topology
from harness.model.words import counted
from harness.runbook.parse import Runbook, read

NOTE = "Generated from the code by `make docs`; a test fails when it is out of date."


def page(catalogue: Catalogue, topology: Topology, chosen: Sequence[Scenario], book: Runbook | None = None) -> str:
    """The page; lengths are given for each profile of the topology, in seconds.

    The sections are those of the catalogue's own runbook where it has one.
    """
    titles = {s.key: s.title for s in catalogue.sections.values()}
    titles |= {c.key: c.title for c in book.chapters} if book else {}
    within = {s.id: _sections(s, book) for s in chosen}
    sections = sorted({k for keys in within.values() for k in keys}, key=lambda k: [int(n) for n in k.split(".")])
    lines = ["# The catalogue", "", NOTE, ""]
    variants = sum(len(s.variants) for s in chosen)
    size = f"{counted(len(chosen), 'failure mode')}, {counted(variants, 'variant')}"
    lines.append(f"{size}. Lengths are seconds: {' / '.join(topology.profiles)}.")
    for key in [*sections, ""]:
        own = [s for s in chosen if (within[s.id] or ("",))[0] == key]
        if not own:
            continue
        title = f"{key} {titles[key]}" if key else "In no section"
        lines += ["", f"## {title}", "", "| id | what fails | what breaks it | variants |", "| -- | -- | -- | -- |"]
        for s in own:
            others = ", ".join(f"`{v.name}`" for v in s.variants) or "-"
            lines.append(f"| [{s.id}](#{s.id.lower()}) | {_cell(s.title)} | {_cell(s.fault.says)} | {others} |")
    for s in chosen:
        lines += ["", *_scenario(s, topology, within[s.id])]
    return "\n".join(lines)


def own_runbook(package: str) -> Runbook | None:
    """The runbook that a catalogue brings along, or None."""
    path = default_runbook(package)
    return read(path) if path else None


def _sections(s: Scenario, book: Runbook | None) -> tuple[str, ...]:
    found = tuple(c.key for c in book.chapters_of(s.id)) if book else ()
    return found or s.sections


def _scenario(s: Scenario, topology: Topology, sections: Sequence[str]) -> list[str]:
    plain = {profile: s.resolve(topology.numbers(profile, s.own)) for profile in topology.profiles}
    lines = [f"### {s.id}", "", f"**{s.title}.** Runbook: {', '.join(sections) or 'none'}.", ""]
    lines += [f"- Workload: {'; '.join(f'{w.name}, {w.rate_hz:g} a second' for w in s.workload)}"]
    lines += [f"- Fault: {s.fault.says}"]
    lines += [f"- Symptom: {_criterion(s.symptom, [p.symptom for p in plain.values()])}"]
    hold = " / ".join(f"{as_span(p.hold_s).of({}):.3g}" for p in plain.values())
    lines += [f"- Hold: {hold} s untreated"]
    lines += ["- Response:"]
    for number, step in enumerate(s.response, start=1):
        spare = f" ({step.spare})" if step.spare else ""
        unless = f" (not needed when {_conditions(step.unless)})" if step.unless else spare
        lines.append(
            f"  {number}. {step.title}{'' if step.in_runbook or sections else ' (not in the runbook)'}{unless}"
        )
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
