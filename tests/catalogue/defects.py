"""Planted defects: a scenario changed so that its claim must fall, each with the one finding it must fall by."""

from collections.abc import Callable
from dataclasses import replace

from harness.model.criteria import Criterion, eventually
from harness.model.events import Finding
from harness.model.faults import Nothing
from harness.model.ports import Observer
from harness.model.probes import CohortProbe, Probe
from harness.model.scenario import Scenario


def nothing_broken(scenario: Scenario) -> Scenario:
    return replace(scenario, fault=Nothing())


def nothing_broken_but_claimed(scenario: Scenario) -> Scenario:
    return replace(scenario, fault=Nothing(claimed=True))


def nothing_done(scenario: Scenario) -> Scenario:
    return replace(scenario, response=())


def something_else_done(scenario: Scenario) -> Scenario:
    return replace(scenario, response=(scenario.placebo,))


async def _always_one(_observer: Observer) -> float | None:
    return 1.0


async def _never(_observer: Observer) -> float | None:
    return None


def symptom_always_there(scenario: Scenario) -> Scenario:
    always_one = Probe("defect.always", "always 1", _always_one)
    return replace(scenario, symptom=eventually(always_one.equals(1), within_s=scenario.symptom.within_s))


def samples_withheld(scenario: Scenario) -> Scenario:
    """Every probe of the recovery criteria is blind."""

    def blind(criterion: Criterion) -> Criterion:
        conditions = tuple(
            replace(c, probe=Probe(c.probe.name + ".blind", c.probe.says, _never)) for c in criterion.conditions
        )
        return replace(criterion, conditions=conditions)

    assert not isinstance(blind(scenario.recovery).conditions[0].probe, CohortProbe)
    return replace(scenario, recovery=blind(scenario.recovery))


DEFECTS: dict[str, tuple[Callable[[Scenario], Scenario], Finding]] = {
    "fault replaced by nothing": (nothing_broken, Finding.NO_WITNESS),
    "fault replaced by nothing, witness forced": (nothing_broken_but_claimed, Finding.NOT_REPRODUCED),
    "response replaced by nothing": (nothing_done, Finding.NOT_RECOVERED),
    "response aimed at another part": (something_else_done, Finding.NOT_RECOVERED),
    "symptom always there": (symptom_always_there, Finding.VACUOUS_SYMPTOM),
    "samples withheld": (samples_withheld, Finding.UNKNOWN),
}
