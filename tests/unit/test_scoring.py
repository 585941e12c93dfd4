"""The score of a drill: scripted trainees are ordered strictly, and every point has a reason."""

import asyncio
from dataclasses import replace

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.drill import Answer, BrokenRule, Deed, DrillRecord, Entry, RunbookStep
from harness.model.scoring import best, broken_rules, judged_acts, score
from harness.report import debrief
from tests.fakes.trainees import TRAINEES, answer_to, drilled, record_of

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
DRILLED = [label for label, s in CATALOGUE.scenarios.items() if s.sections]
EVERY = drilled(CATALOGUE)

SEEDS = (1, 2, 3)

SMALL = Answer(
    "X-1", "x", ("1.1",), "front->store is refused", (Deed("cut", "front->store"),),
    (RunbookStep("Set the route back", (Deed("restore_route", "front->store"),)),), ("1.1/check/1", "1.1/check/2"),
)  # fmt: skip


def record(*entries: Entry, recovered_s: float | None = None) -> DrillRecord:
    return DrillRecord("d", "", 1, 1, 100.0, SMALL, 0.0, 10.0, "a", 110.0, "", True, entries, recovered_s)


def act(t: float, verb: str, target: str, text: str = "") -> Entry:
    return Entry(t, "act", f"{verb} {target}", {"verb": verb, "target": target, "text": text})


@pytest.mark.parametrize("label", DRILLED)
@pytest.mark.parametrize("seed", SEEDS)
def test_scripted_trainees_are_ordered_strictly(label: str, seed: int) -> None:
    answer = asyncio.run(answer_to(CATALOGUE.scenarios[label], CATALOGUE, TOPOLOGY))
    totals = [score(record_of(name, answer, TOPOLOGY, seed)).total for name in TRAINEES]
    assert totals == sorted(set(totals), reverse=True), dict(zip(TRAINEES, totals, strict=True))


@pytest.mark.parametrize("label", EVERY)
def test_a_perfect_trainee_has_all_points_and_nobody_has_more(label: str) -> None:
    answer = asyncio.run(answer_to(EVERY[label], CATALOGUE, TOPOLOGY))
    made = score(record_of("perfect", answer, TOPOLOGY, 1))
    assert best(made.points) == 100
    assert made.total == 100, [p for p in made.points if p.points != p.most]


@pytest.mark.parametrize("name", TRAINEES)
def test_every_point_is_explained_and_they_add_up(name: str) -> None:
    made = score(record_of(name, SMALL, TOPOLOGY, 1))
    assert all(p.why and p.points <= p.most for p in made.points)
    assert made.total == round(sum(p.points for p in made.points), 1)
    assert best(made.points) == 100


def test_doing_nothing_is_worth_nothing() -> None:
    assert score(record()).total == 0


def test_a_hint_costs_more_the_more_it_tells() -> None:
    costs = [score(record(Entry(20, "hint", h, {"level": h}))).total for h in ("nudge", "check", "section", "step")]
    assert costs == sorted(set(costs), reverse=True)
    assert costs[0] < 0


def test_destruction_is_harmful_even_where_the_runbook_uses_sql() -> None:
    answer = replace(SMALL, steps=(RunbookStep("Correct the rows", (Deed("sql", ""),)),))
    texts = ("drop table x", "update x set a = 1", "update x set a = 1 where b = 2")
    done = replace(record(*(act(20 + n, "sql", "oncall", text) for n, text in enumerate(texts))), answer=answer)
    assert [j.verdict for j in judged_acts(done)] == ["harmful", "harmful", "right"]


def test_acts_are_told_apart_by_what_they_work_on() -> None:
    done = record(
        act(20, "restore_route", "front->store"), act(30, "restart", "front"), act(40, "restart", "other"),
        act(50, "scale", "other"), act(60, "sql", "oncall", "select 1"),
    )  # fmt: skip
    assert [j.verdict for j in judged_acts(done)] == ["right", "not needed", "wrong", "harmful", "right"]


def test_two_changes_at_once_break_the_rule_and_a_look_between_them_does_not() -> None:
    first, second = act(20, "restart", "a"), act(21, "restart", "b")
    assert [r.key for r in broken_rules(record(first, second))] == ["3.2/rule/1"]
    assert broken_rules(record(first, Entry(20.5, "view", "dashboard"), second)) == []


def test_rules_that_somebody_else_judged_stand() -> None:
    given = (BrokenRule("3.2/rule/1", "x", "y"),)
    assert broken_rules(replace(record(), rules=given)) == list(given)


def test_a_recovery_that_is_not_there_is_worth_nothing_however_it_is_declared() -> None:
    declared = Entry(20, "recovered", "not confirmed", {"confirmed": False})
    assert score(record(declared)).total < 0


def diagnosed(*declared: tuple[float, str, str]) -> float:
    """What the time to diagnose is worth, of a section and a place each after so many seconds of a hundred."""
    entries = [Entry(10 + t, "diagnose", "d", {"section": s, "place": p, "cause": "route"}) for t, s, p in declared]
    return next(p.points for p in score(record(*entries)).points if p.what == "time to diagnose")


def test_a_diagnosis_takes_until_section_and_place_are_both_right_in_whichever_order() -> None:
    section_first = diagnosed((5, "1.1", "other"), (70, "1.1", "front->store"))
    place_first = diagnosed((5, "2.2", "front->store"), (70, "1.1", "front->store"))
    assert section_first == place_first == diagnosed((70, "1.1", "front->store"))
    assert 0 < place_first < diagnosed((5, "1.1", "front->store")) == 10


def test_a_cause_a_section_or_a_place_alone_is_no_diagnosis_in_time() -> None:
    assert (
        diagnosed((5, "2.2", "other")) == diagnosed((5, "1.1", "other")) == diagnosed((5, "2.2", "front->store")) == 0
    )


def test_a_later_right_diagnosis_is_worth_half() -> None:
    right = {"section": "1.1", "place": "front->store", "cause": "route"}
    wrong = {"section": "2.2", "place": "front->store", "cause": "route"}
    first = score(record(Entry(12, "diagnose", "r", right)))
    later = score(record(Entry(12, "diagnose", "w", wrong), Entry(13, "diagnose", "r", right)))
    assert first.total - later.total == 5


@pytest.mark.parametrize("name", TRAINEES)
def test_a_debrief_shows_the_answer_and_fits_a_terminal(name: str) -> None:
    made = record_of(name, SMALL, TOPOLOGY, 1)
    text = debrief.text(made)
    assert "X-1" in text
    assert max(len(line) for line in text.splitlines()) <= 79
    assert f"{score(made).total:.1f} of 100" in text
    assert "X-1" in debrief.markdown(made)
    assert debrief.plain(made)["score"] == score(made).total
