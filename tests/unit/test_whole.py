"""The helper of the whole-catalogue tests: it lets nothing but PROVEN pass, and names every rule that an act broke."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.engine.conduct import concluded
from harness.model.events import (
    Acted,
    Checked,
    Claimed,
    Event,
    EvidenceSaved,
    Found,
    PhaseStarted,
    RuleJudged,
    ScenarioStarted,
    Stepped,
)
from harness.model.scenario import step
from harness.report.record import RunRecord, of
from scenarios.conduct import CONDUCT
from tests.fakes.world import World, play
from tests.fakes.world import scenario as a_scenario
from tests.whole import BREACHES, breaches, broken_rules, shortfall

X = "FM-X-01"


def run(claim: str, *findings: str, acts: Sequence[Event] = ()) -> RunRecord:
    """A run of one scenario that came to these findings, with what its Secretary makes of the acts."""
    events: list[Event] = [
        ScenarioStarted(0.0, X, "t", [], "timeline", 1, "f", "s", "r"),
        PhaseStarted(1.0, X, "respond"),
        *acts,
        *(Found(2.0, X, f, "invariants", "says") for f in findings),
        Claimed(3.0, X, claim, list(findings), "sent 900 ms late", 0.1, None, None, None),
    ]
    return of([*events[:-1], *(e for e in concluded(CONDUCT, events) if isinstance(e, RuleJudged)), events[-1]])


def act(verb: str, target: str) -> Acted:
    return Acted(1.0, X, "operator", verb, target, {}, 0.1)


SAVED, LOOK = EvidenceSaved(1.0, X, 1.0, [], "/logs"), Checked(1.0, X, "5.2/check/1", "a check", {})
ONE, TWO = act("restore_route", "a->b"), act("restore_route", "c->d")


def test_only_proven_falls_short_of_nothing() -> None:
    assert shortfall(run("PROVEN", "AS_EXPECTED"), X) == ""
    assert shortfall(run("REFUTED", "NOT_RECOVERED"), X).startswith("FM-X-01 is REFUTED")
    assert shortfall(run("INCONCLUSIVE", "NOT_STEADY", "TOO_BUSY"), X).startswith("FM-X-01 is INCONCLUSIVE")
    assert "was not run" in shortfall(run("PROVEN"), "FM-X-02")


def test_a_machine_that_was_too_busy_is_no_proof_and_is_said() -> None:
    assert "too busy" in shortfall(run("INCONCLUSIVE", "TOO_BUSY"), X)
    assert "900 ms late" in shortfall(run("INCONCLUSIVE", "TOO_BUSY"), X)


def test_a_response_that_keeps_the_rules_has_no_breach() -> None:
    assert broken_rules(run("PROVEN", acts=(SAVED, ONE, SAVED, LOOK, TWO)), X) == []


@pytest.mark.parametrize(
    ("acts", "key"),
    [((SAVED, ONE, SAVED, TWO), "3.2/rule/1"), ((act("restart", "account"),), "3.1/rule/3")],
)
def test_a_breach_is_seen_and_named(acts: Sequence[Event], key: str) -> None:
    found = broken_rules(run("PROVEN", acts=acts), X)
    assert [line.partition(" ")[0] for line in found] == [key]


def test_a_breach_with_a_reason_is_let_through_for_that_scenario_and_rule_alone() -> None:
    record = run("PROVEN", acts=(SAVED, ONE, SAVED, TWO)).of(X)
    assert record is not None
    assert breaches(record.rules, X, allowed={(X, "3.2/rule/1"): "the document says so"}) == []
    assert len(breaches(record.rules, X, allowed={(X, "3.1/rule/1"): "another"})) == 1
    assert all(reason for reason in BREACHES.values())


def test_rules_that_were_not_judged_are_no_rules_kept() -> None:
    assert len(breaches([], X)) == len(CONDUCT.rules)
    assert "was not run" in broken_rules(run("PROVEN"), "FM-X-02")[0]


async def test_between_steps_there_is_a_look_where_no_section_says_what_to_look_at() -> None:
    world = World()

    @step("Set the other route back")
    async def other(operator: Any) -> None:
        await operator.restore_route("other->store")

    scenario = a_scenario(world)
    _, journal = await play(world, of=replace(scenario, sections=(), response=(other, *scenario.response)))
    order = [e for e in journal if isinstance(e, Stepped | Checked)]
    assert [type(e) for e in order] == [Checked, Stepped, Checked, Stepped, Checked, Checked]
    look = order[2]
    assert isinstance(look, Checked)
    assert look.key == "recovery"
    assert look.values == {"world.bad_rows": 10.0, "world.cohort_rows": 2.0}
