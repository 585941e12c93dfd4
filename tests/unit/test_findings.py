"""Every finding has a world in which it is made, and only there."""

from dataclasses import replace

import pytest

from harness.engine import claim
from harness.model.arms import ARMS, CONTROL, PLACEBO, TREATED, UNTREATED
from harness.model.events import Claim, Claimed, Finding, Found, Judged, PhaseEnded, Stepped, Swept, Witnessed
from tests.fakes.world import World, play, scenario

F = Finding

WORLDS = {
    F.AS_EXPECTED: World(),
    F.NOT_STEADY: World(refuses=True),
    F.NO_WITNESS: World(fault_works=False),
    F.TOO_BUSY: World(late_s=0.06),
    F.VACUOUS_SYMPTOM: World(always_bad=True),
    F.NOT_REPRODUCED: World(symptom_shows=False),
    F.SELF_HEALED: World(heals_after_s=1.0),
    F.NOT_RECOVERED: World(response_works=False),
    F.COLLATERAL: World(collateral=True),
    F.UNKNOWN: World(blind_from_s=3.0),
}


@pytest.mark.parametrize("finding", WORLDS, ids=lambda f: f.value)
async def test_each_world_comes_to_its_finding(finding: Finding) -> None:
    outcome, journal = await play(replace(WORLDS[finding], clock=type(WORLDS[finding].clock)(), acts=[]))
    assert [f for f, _, _ in outcome.findings] == [finding]
    assert [e.finding for e in journal if isinstance(e, Found)] == [finding.value]
    made = [e for e in journal if isinstance(e, Claimed)]
    assert len(made) == 1
    assert made[0].claim == claim.of([finding]).value


async def test_a_fault_that_is_none_is_seen_even_when_the_witness_claims_it() -> None:
    outcome, _ = await play(World(fault_works=False, witness_lies=True))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_REPRODUCED]


async def test_an_injection_that_takes_long_takes_nothing_of_the_symptoms_time() -> None:
    outcome, journal = await play(World(injecting_s=60.0))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    judged = next(e for e in journal if isinstance(e, Judged) and e.what == "symptom")
    assert judged.since_s == outcome.injected_s, "what is seen while it is injected counts too"
    assert outcome.symptom_s is not None
    assert outcome.symptom_s >= 60.0
    outcome, journal = await play(World(injecting_s=60.0, symptom_shows=False))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_REPRODUCED]
    assert outcome.in_place_s is not None
    judged = next(e for e in journal if isinstance(e, Judged) and e.what == "symptom")
    assert judged.t - outcome.in_place_s >= scenario(World()).symptom.deadline_s


async def test_a_few_late_requests_take_no_proof_but_do_excuse_what_fell_short() -> None:
    # Its first two requests are late.
    outcome, _ = await play(World(late_s=0.06, late_ones=2))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    outcome, _ = await play(World(late_s=0.06, late_ones=2, response_works=False))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_RECOVERED, F.TOO_BUSY]


async def test_a_fault_that_goes_away_late_in_the_hold_is_seen_by_the_witness() -> None:
    # It goes 2.9 s after the injection: the recovery criteria have no time to be met for a second within the hold.
    outcome, _ = await play(World(heals_after_s=1.9))
    assert [f for f, _, _ in outcome.findings] == [F.SELF_HEALED]


async def test_the_proof_has_every_phase_in_order_and_the_times() -> None:
    outcome, journal = await play(World())
    phases = [e.phase for e in journal if isinstance(e, PhaseEnded)]
    assert phases == ["steady", "inject", "witness", "symptom", "hold", "respond", "recover", "invariants", "restore"]
    assert outcome.symptom_s is not None
    assert 0 <= outcome.symptom_s < 1
    assert outcome.response_to_recovery_s is not None
    assert outcome.response_to_recovery_s < 1
    assert outcome.restored
    assert any(isinstance(e, Swept) for e in journal)
    assert any(isinstance(e, Witnessed) and e.bites for e in journal)
    assert [e.title for e in journal if isinstance(e, Stepped)] == ["Set the route back"]


@pytest.mark.parametrize(
    ("arm", "world", "finding"),
    [
        (CONTROL, World(), F.AS_EXPECTED),
        (CONTROL, World(always_bad=True), F.VACUOUS_SYMPTOM),
        (UNTREATED, World(), F.AS_EXPECTED),
        (UNTREATED, World(heals_after_s=2.0), F.SELF_HEALED),
        (TREATED, World(), F.AS_EXPECTED),
        (TREATED, World(response_works=False), F.NOT_RECOVERED),
        (PLACEBO, World(), F.AS_EXPECTED),
        (PLACEBO, World(heals_after_s=2.0), F.SELF_HEALED),
    ],
)
async def test_arms(arm: object, world: World, finding: Finding) -> None:
    outcome, journal = await play(world, arm=arm)  # type: ignore[arg-type]
    assert [f for f, _, _ in outcome.findings] == [finding], [e for e in journal if isinstance(e, Found)]


async def test_the_control_arm_injects_nothing_and_the_placebo_touches_something_else() -> None:
    control = World()
    await play(control, arm=CONTROL)
    assert control.injected_s is None
    placebo = World()
    await play(placebo, arm=PLACEBO)
    assert placebo.acts == ["restore other->store"]
    untreated = World()
    await play(untreated, arm=UNTREATED)
    assert untreated.acts == []


async def test_a_response_aimed_at_another_part_does_not_recover() -> None:
    world = World()
    own = scenario(world)
    outcome, _ = await play(world, of=replace(own, response=(own.placebo,)))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_RECOVERED]


async def test_a_response_of_nothing_does_not_recover() -> None:
    world = World()
    outcome, _ = await play(world, of=replace(scenario(world), response=()))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_RECOVERED]


async def test_a_failed_act_keeps_the_verdict_inconclusive_and_restores() -> None:
    outcome, _ = await play(World(act_fails=True))
    assert [f for f, _, _ in outcome.findings] == [F.UNKNOWN]
    assert "the route could not be set" in outcome.findings[0][2]
    assert outcome.restored


async def test_a_cell_that_cannot_be_shown_clean_is_thrown_away_and_the_verdict_stays() -> None:
    outcome, _ = await play(World(heal_fails=True))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    assert not outcome.restored


async def test_a_workload_begins_as_soon_as_the_cell_lets_it_and_not_for_ever() -> None:
    outcome, _ = await play(World(ready_s=5.0))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    outcome, _ = await play(World(ready_s=1000.0))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_STEADY]
    assert "nobody can log in" in outcome.findings[0][2]


def test_the_claim_of_findings() -> None:
    assert claim.of([F.AS_EXPECTED]) is Claim.PROVEN
    assert claim.of([F.NOT_RECOVERED]) is Claim.REFUTED
    assert claim.of([F.NOT_RECOVERED, F.TOO_BUSY]) is Claim.INCONCLUSIVE
    assert claim.of([F.NOT_RECOVERED, F.UNKNOWN]) is Claim.REFUTED
    assert claim.of([F.UNKNOWN]) is Claim.INCONCLUSIVE
    assert claim.of([]) is Claim.INCONCLUSIVE
    for refuting in claim.REFUTING:
        assert claim.of([refuting]) is Claim.REFUTED
    assert set(Finding) == claim.REFUTING | claim.INCONCLUSIVE | {F.AS_EXPECTED}


def test_the_exit_code_of_claims() -> None:
    assert claim.exit_code([Claim.PROVEN, Claim.SKIPPED]) == 0
    assert claim.exit_code([Claim.PROVEN, Claim.INCONCLUSIVE]) == 3
    assert claim.exit_code([Claim.REFUTED, Claim.INCONCLUSIVE]) == 1
    assert claim.exit_code([Claim.PROVEN], trouble=True) == 3
    assert claim.exit_code([]) == 0


def test_arms_are_two_switches_and_a_placebo() -> None:
    assert {(a.injects, a.responds, a.placebo) for a in ARMS.values()} == {
        (True, True, False),
        (False, False, False),
        (True, False, False),
        (True, False, True),
    }
