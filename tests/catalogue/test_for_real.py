"""Every scenario for real, and planted defects that must each be found."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.model.arms import ARMS, CONTROL, PLACEBO, UNTREATED, Arm
from harness.model.criteria import eventually
from harness.model.events import Finding, Phase, RuleJudged
from harness.model.scenario import Scenario
from harness.model.span import as_span
from harness.report.record import RunRecord
from tests.catalogue.defects import DEFECTS
from tests.catalogue.real_run import CATALOGUE, Stage
from tests.whole import breaches, broken_rules, run_all, shortfall

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

FIRST = "FM-OB-01"
"""Its defects are in the everyday suite; those of the others in `make test-deep`."""

HEALED_WITHIN_S = 6.0

SCENARIOS = list(CATALOGUE.scenarios.values())


def everyday(cases: list[tuple[Scenario, str]]) -> list[object]:
    """The cases, those of all but one scenario marked as deep."""
    return [
        pytest.param(s, name, id=f"{s.label}-{name}", marks=() if s.id == FIRST else pytest.mark.deep)
        for s, name in cases
    ]


def findings(outcome: object) -> list[str]:
    return [f"{f.value} in {phase.value}: {says}" for f, phase, says in outcome.findings]  # type: ignore[attr-defined]


def kinds(outcome: object) -> list[Finding]:
    return [f for f, _, _ in outcome.findings]  # type: ignore[attr-defined]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole(tmp_path_factory: Any) -> RunRecord:
    """All of them, run once."""
    return await run_all("process", Path(tmp_path_factory.mktemp("whole")))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("label", [s.label for s in SCENARIOS])
async def test_it_is_proven(whole: RunRecord, label: str) -> None:
    assert shortfall(whole, label) == ""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("label", [s.label for s in SCENARIOS])
async def test_its_response_breaks_no_rule(whole: RunRecord, label: str) -> None:
    assert broken_rules(whole, label) == []


VARIANTS = [(s.with_variant(v.name), v.name) for s in SCENARIOS for v in s.variants]


@pytest.mark.parametrize(("scenario", "variant"), everyday(VARIANTS))
async def test_its_variants_are_proven(stage: Stage, scenario: Scenario, variant: str) -> None:
    outcome = await stage.play(scenario)
    assert kinds(outcome) == [Finding.AS_EXPECTED], findings(outcome)
    assert breaches([e for e in stage.journal if isinstance(e, RuleJudged)], scenario.label) == []


@pytest.mark.parametrize(
    ("scenario", "arm"), everyday([(s, a.name) for s in SCENARIOS for a in (CONTROL, UNTREATED, PLACEBO)])
)
async def test_its_arms_come_out_as_they_should(stage: Stage, scenario: Scenario, arm: str) -> None:
    chosen: Arm = ARMS[arm]
    outcome = await stage.play(scenario, chosen)
    assert kinds(outcome) == [Finding.AS_EXPECTED], findings(outcome)


@pytest.mark.parametrize(("scenario", "defect"), everyday([(s, d) for s in SCENARIOS for d in DEFECTS]))
async def test_a_planted_defect_is_found(stage: Stage, scenario: Scenario, defect: str) -> None:
    plant, finding = DEFECTS[defect]
    outcome = await stage.play(plant(scenario))
    assert kinds(outcome) == [finding], findings(outcome)


@pytest.mark.parametrize(("scenario", "when"), everyday([(s, "hold") for s in SCENARIOS]))
async def test_a_fault_that_goes_away_by_itself_is_found(stage: Stage, scenario: Scenario, when: str) -> None:
    stage.on_phase[when] = partial(stage.heal, scenario)
    # Healing restarts services, which takes its time on a busy machine: the stretch must be longer than that.
    outcome = await stage.play(replace(scenario, hold_s=as_span(scenario.hold_s) + HEALED_WITHIN_S))
    assert kinds(outcome) == [Finding.SELF_HEALED], findings(outcome)


STEPS = [
    (s, str(number))
    for scenario in SCENARIOS
    for s in scenario.forms
    for number in range(len(s.response))
    if len(s.response) > 1
]
"""Of responses of one step, `response replaced by nothing` says the same."""


@pytest.mark.parametrize(("scenario", "number"), everyday(STEPS))
async def test_a_step_left_out_is_missed_unless_it_is_said_to_be_spare(
    stage: Stage, scenario: Scenario, number: str
) -> None:
    left_out = scenario.response[int(number)]
    kept = tuple(step for step in scenario.response if step is not left_out)
    outcome = await stage.play(replace(scenario, response=kept))
    missed = {Finding.NOT_RECOVERED, Finding.COLLATERAL, Finding.INVARIANT_BROKEN}
    if left_out.spare is None:
        assert missed & set(kinds(outcome)), f"{left_out.title}: the claim stands without it: {findings(outcome)}"
    else:
        # It recovers without it, every time; what it is there for, data that nobody sees, may need it in some runs.
        allowed = {Finding.AS_EXPECTED, Finding.INVARIANT_BROKEN}
        assert allowed >= set(kinds(outcome)), f"{left_out.title}, {left_out.spare}: {findings(outcome)}"


async def test_collateral_damage_is_found(stage: Stage) -> None:
    scenario = CATALOGUE.scenarios[FIRST]
    probe = scenario.symptom.conditions[0].probe
    # What the fault is known to move is claimed to stay whole: the claim must fall.
    changed = replace(scenario, unaffected=replace(eventually(probe.at_most(1.0), within_s=0), always=True))
    outcome = await stage.play(changed)
    assert kinds(outcome) == [Finding.COLLATERAL], findings(outcome)
    assert outcome.findings[0][1] is Phase.RECOVER
