"""What a drill breaks, and how it misleads: chosen by the seed, the same for the same seed and catalogue."""

import random
from dataclasses import dataclass, replace

from harness.fronts.desk.extras import Extras
from harness.fronts.drills.noise import Noise
from harness.model.criteria import Criterion
from harness.model.errors import UsageError
from harness.model.faults import Together
from harness.model.scenario import Catalogue, Scenario, Workload
from harness.model.span import Number, as_span
from harness.model.topology import Topology
from harness.model.values import Ability

DECOYS = 2
WAIT_S = (1.0, 12.0)
"""Between the steady state and the injection, so that the time of the page tells nothing."""


@dataclass(frozen=True)
class Choice:
    """What a drill does.

    Attributes:
        decoys: changes (service, setting, value) that do no harm, made before anything is broken.
        noisy: services that are asked for something they do not have all the time; the scenario's traffic has it.
        wait_s: between the steady state and the injection.
        factors: label and title of each scenario whose fault it has, the first one's first.
    """

    scenario: Scenario
    decoys: tuple[tuple[str, str, str], ...]
    noisy: tuple[str, ...]
    wait_s: float
    factors: tuple[tuple[str, str], ...]


def choose(
    catalogue: Catalogue,
    extras: Extras,
    topology: Topology,
    *,
    section: str,
    level: int,
    seed: int,
    profile: str,
    abilities: frozenset[Ability] = frozenset(Ability),
) -> Choice:
    """Choose; raises UsageError when there is nothing to choose from."""
    if section and section not in catalogue.sections:
        raise UsageError(f"there is no section {section}; there are {', '.join(catalogue.sections)}")
    rng = random.Random(f"drill {seed}")
    able = drillable(catalogue, abilities)
    known = [s for s in able if not section or section in s.sections]
    if not known:
        of = f"no scenario of section {section}" if section else "no scenario of this catalogue"
        raise UsageError(
            f"{of} can be drilled with this runtime: one has a section, a response and what the runtime can do"
        )
    scenario = rng.choice(known)
    if level >= 2:
        scenario = rng.choice(scenario.forms)
    numbers = topology.numbers(profile, scenario.own)
    scenario = scenario.resolve(numbers)
    second = _second(scenario, able, rng) if level >= 3 else None
    factors = tuple((s.label, s.title) for s in (scenario, second) if s is not None)
    if second is not None:
        scenario = _together(scenario, second, topology, profile)
    decoys = [d for d in extras.decoys if (d[0], d[1]) not in scenario.settings] if level >= 2 else []
    services = [n for n, s in topology.services.items() if not s.external] if level >= 2 else []
    wait_s = rng.uniform(*WAIT_S)
    misleading = tuple(rng.sample(decoys, min(DECOYS, len(decoys))))
    noisy = tuple(rng.sample(services, min(level, len(services))))
    scenario = _everyday(scenario, extras, topology, profile)
    scenario = replace(scenario, workload=(*scenario.workload, *map(Noise, noisy)))
    return Choice(scenario, misleading, noisy, wait_s, factors)


def drillable(catalogue: Catalogue, abilities: frozenset[Ability]) -> list[Scenario]:
    """The scenarios that a drill may be about on a runtime with these abilities."""
    # Without a section there is nothing to look up, and nothing to diagnose.
    return [s for s in catalogue.scenarios.values() if s.needs <= abilities and s.response and s.sections]


def _second(first: Scenario, able: list[Scenario], rng: random.Random) -> Scenario | None:
    """Another scenario that can go on beside the first; None when there is none."""
    others = [
        s
        for s in able
        if s.id != first.id
        and not set(s.sections) & set(first.sections)
        and not {k for k, v in s.settings.items() if first.settings.get(k, v) != v}
    ]
    return rng.choice(others) if others else None


def _together(first: Scenario, found: Scenario, topology: Topology, profile: str) -> Scenario:
    """The scenario with a second factor: another one's fault, response and recovery criteria beside its own."""
    second = found.resolve(topology.numbers(profile, found.own))
    return replace(
        first,
        title=f"{first.title}; and {second.title[:1].lower()}{second.title[1:]}",
        sections=(*first.sections, *second.sections),
        workload=(*first.workload, *second.workload),
        fault=Together((first.fault, second.fault)),
        response=(*first.response, *second.response),
        recovery=_both(first.recovery, second.recovery),
        unaffected=None,
        settings={**second.settings, **first.settings},
        settle_s=max(_s(first.settle_s), _s(second.settle_s)),
        steady=_both(first.steady, second.steady) if first.steady and second.steady else first.steady or second.steady,
    )


def _both(a: Criterion, b: Criterion) -> Criterion:
    return Criterion(
        (*a.conditions, *b.conditions), max(_s(a.within_s), _s(b.within_s)), max(_s(a.hold_s), _s(b.hold_s)), a.always
    )


def _s(length: Number) -> float:
    return as_span(length).of({})


def _everyday(scenario: Scenario, extras: Extras, topology: Topology, profile: str) -> Scenario:
    """With the traffic of every drill, and settings that give a person time."""
    usual_names = {w.name for w in extras.traffic}
    own: dict[str, Workload] = {}
    for workload in scenario.workload:
        if workload.name not in usual_names:
            own.setdefault(workload.name, workload)
    patient = {}
    for (owner, name), value in extras.patience.items():
        usual = topology.settings_of(owner, profile).get(name)
        # What the scenario needs to be otherwise is part of what it breaks.
        if scenario.settings.get((owner, name), usual) == usual:
            patient[owner, name] = value
    return replace(scenario, workload=(*extras.traffic, *own.values()), settings={**scenario.settings, **patient})
