"""Invariants in a run: what a breach comes to, what cannot be known, and what is waited for."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.engine import claim
from harness.model.arms import CONTROL, UNTREATED
from harness.model.criteria import Verdict
from harness.model.errors import Unreadable
from harness.model.events import Claim, FactsRecorded, Finding, InvariantJudged, LedgerCounted, from_mapping, to_line
from harness.model.invariants import (
    SAMPLES,
    Facts,
    Flight,
    Invariant,
    Invariants,
    Source,
    Violation,
    When,
    packed,
    unpacked,
)
from tests.fakes.world import World, play, scenario

F = Finding


def invariants(
    world: World,
    *,
    lost: Sequence[str] = (),
    blind: bool = False,
    left: Sequence[Flight | int | None] = (0,),
    over: bool = False,
) -> Invariants:
    """One invariant: no row is lost. `left` is what is in flight at each look, the last one for ever."""
    looks = list(left)

    async def rows(_observer: Any) -> list[tuple[str]]:
        if blind:
            raise Unreadable("the table is gone")
        return [(i,) for i in lost]

    async def in_flight(_observer: Any) -> Flight:
        now = looks.pop(0) if len(looks) > 1 else looks[0]
        if now is None:
            raise Unreadable("nobody knows")
        return now if isinstance(now, Flight) else Flight(now)

    def check(facts: Facts) -> tuple[list[Violation], str]:
        found = [Violation(r["id"], "lost", ("it was there",)) for r in facts.rows("rows")]
        if facts.course.drained is False:
            found.append(Violation("all", "left in flight"))
        return found, "one table"

    return Invariants(
        (
            Source("rows", ("id",), rows),
            Source("often", ("id",), rows, When.OFTEN),
            Source("at", ("id",), rows, When.MOMENT),
        ),
        (Invariant("X1", "nothing is lost", check, only_over=over),),
        lambda facts: {"rows": len(facts.rows("rows"))},
        in_flight,
        2.0,
    )


async def findings(world: World, of: Invariants, **more: Any) -> list[Finding]:
    outcome, _ = await play(world, invariants=of, **more)
    return [f for f, _, _ in outcome.findings]


async def test_invariants_that_hold_leave_the_claim_as_it_is_and_their_facts_are_in_the_journal() -> None:
    world = World()
    outcome, journal = await play(world, invariants=invariants(world))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    assert [e.verdict for e in journal if isinstance(e, InvariantJudged)] == ["held"]
    assert [e.counts for e in journal if isinstance(e, LedgerCounted)] == [{"rows": 0}]
    facts = next(e for e in journal if isinstance(e, FactsRecorded))
    assert len(facts.tables[SAMPLES]["rows"]) > 3
    assert facts.course["recovered"]
    assert facts.course["drained"]


async def test_a_breach_refutes_the_claim_whatever_the_recovery_says_and_names_the_id() -> None:
    world = World()
    outcome, journal = await play(world, invariants=invariants(world, lost=["event-7"]))
    assert [f for f, _, _ in outcome.findings] == [F.INVARIANT_BROKEN]
    assert "X1 nothing is lost: event-7: lost" in outcome.findings[0][2]
    assert claim.of(f for f, _, _ in outcome.findings) is Claim.REFUTED
    told = next(e for e in journal if isinstance(e, InvariantJudged))
    assert told.violations == [{"id": "event-7", "says": "lost", "history": ("it was there",)}]
    assert outcome.restored


async def test_a_breach_that_the_scenario_announces_refutes_nothing_and_is_told_all_the_same() -> None:
    world = World()
    own = replace(scenario(world), breaks=("X1",))
    outcome, journal = await play(world, of=own, invariants=invariants(world, lost=["event-7"]))
    assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED]
    assert [(e.verdict, e.expected) for e in journal if isinstance(e, InvariantJudged)] == [("broken", True)]


async def test_a_breach_that_was_announced_and_did_not_come_refutes_the_claim() -> None:
    world = World()
    own = replace(scenario(world), breaks=("X1",))
    outcome, _ = await play(world, of=own, invariants=invariants(world))
    assert [f for f, _, _ in outcome.findings] == [F.NOT_REPRODUCED]
    assert outcome.findings[0][2] == "X1 nothing is lost: held, although the fault is said to break it"
    for arm in (CONTROL, UNTREATED):
        world = World()
        outcome, _ = await play(
            world, of=replace(scenario(world), breaks=("X1",)), invariants=invariants(world), arm=arm
        )
        assert [f for f, _, _ in outcome.findings] == [F.AS_EXPECTED], arm.name


async def test_what_cannot_be_known_is_no_proof() -> None:
    world = World()
    assert await findings(world, invariants(world, blind=True)) == [F.UNKNOWN]


async def test_what_cannot_be_known_of_a_system_left_broken_is_no_finding() -> None:
    world = World()
    assert await findings(world, invariants(world, blind=True), arm=UNTREATED) == [F.AS_EXPECTED]


async def test_everything_in_flight_is_waited_for_within_a_bound() -> None:
    world = World()
    assert await findings(world, invariants(world, left=[3, 2, 1, 0])) == [F.AS_EXPECTED]
    world = World()
    assert await findings(world, invariants(world, left=[3])) == [F.INVARIANT_BROKEN]
    world = World()
    assert await findings(world, invariants(world, left=[None, None, 0])) == [F.AS_EXPECTED]


async def test_what_moves_on_is_waited_for_and_what_stands_still_or_never_ends_is_not() -> None:
    world, slow = World(), [Flight(1, tries) for tries in range(25)]
    assert await findings(world, invariants(world, left=[*slow, 0])) == [F.AS_EXPECTED]
    world, stuck = World(), [Flight(1, 7)] * 25
    assert await findings(world, invariants(world, left=[*stuck, 0])) == [F.INVARIANT_BROKEN]
    world, endless = World(), [Flight(1, tries) for tries in range(200)]
    assert await findings(world, invariants(world, left=[*endless, 0])) == [F.INVARIANT_BROKEN]


async def test_a_run_that_ends_early_judges_what_can_be_judged_and_nothing_that_must_end_first() -> None:
    world = World(symptom_shows=False)
    assert await findings(world, invariants(world, lost=["a"], over=True)) == [F.NOT_REPRODUCED]
    world = World(symptom_shows=False)
    assert await findings(world, invariants(world, lost=["a"])) == [F.NOT_REPRODUCED, F.INVARIANT_BROKEN]
    world = World()
    assert await findings(world, invariants(world, lost=["a"], over=True), arm=UNTREATED) == [F.AS_EXPECTED]


async def test_without_a_fault_everything_must_have_ended_too() -> None:
    world = World()
    assert await findings(world, invariants(world, lost=["a"], over=True), arm=CONTROL) == [F.INVARIANT_BROKEN]


async def test_recorded_facts_are_judged_again_as_they_were() -> None:
    world = World()
    of = invariants(world, lost=["a", "b"])
    _, journal = await play(world, invariants=of)
    event = next(e for e in journal if isinstance(e, FactsRecorded))
    again = from_mapping(json.loads(to_line(event)))
    assert isinstance(again, FactsRecorded)
    facts = unpacked(again.tables, again.unread, again.course)
    ruling = of.invariants[0].judge(facts)
    assert ruling.verdict is Verdict.BROKEN
    assert [v.id for v in ruling.violations] == ["a", "b"]
    assert packed(facts)["tables"] == again.tables


@pytest.mark.parametrize("broken", [{"rows": 1}, {"rows": {"columns": ["id"], "rows": [[1, 2]]}}, []])
def test_facts_of_another_form_are_said_to_be_broken(broken: Any) -> None:
    with pytest.raises(ValueError, match=r"broken facts|zip"):
        unpacked(broken, {}, {})
