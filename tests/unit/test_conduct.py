"""Rules over the operator's acts, the verdict of completion and the record: for each one way it holds and one it breaks."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.engine.conduct import Secretary, completed, concluded
from harness.model.conduct import Conduct, Conducted, Kind, kind_of
from harness.model.events import (
    Acted,
    AlertFired,
    Checked,
    Claimed,
    Completed,
    Event,
    EvidenceSaved,
    FactsRecorded,
    InvariantJudged,
    Judged,
    PhaseStarted,
    Recorded,
    RuleJudged,
    ScenarioStarted,
    SliMeasured,
    Stepped,
    Swept,
)
from scenarios.conduct import CONDUCT

X = "FM-X-01"
RULES = {rule.key: rule for rule in CONDUCT.rules}


def act(verb: str, target: str, **arguments: str) -> Acted:
    return Acted(1.0, X, "operator", verb, target, arguments, 0.1)


RESTART, ROUTE = act("restart", "account"), act("restore_route", "a->b")
REPAIR = act("sql", "oncall", statement="UPDATE account.users SET status = 'ACTIVE' WHERE user_id = 'u'")
UNLIMITED = act("sql", "oncall", statement="DELETE FROM account.users")
DDL = act("sql", "oncall", statement="ALTER TABLE account.users ADD x int")
LOOK = act("sql", "oncall", statement="SELECT 1")
SAVED, CHECK = EvidenceSaved(1.0, X, 1.0, [], "/logs"), Checked(1.0, X, "5.2/check/1", "a check", {})
RECOVERED = Judged(2.0, X, "recovery", "held", 1.0, 1.5, "text", [])


@pytest.mark.parametrize(
    ("key", "holds", "breaks", "guilty"),
    [
        ("3.1/rule/1", [RESTART, REPAIR], [REPAIR, RESTART], REPAIR),
        ("3.1/rule/2", [RESTART, REPAIR], [RESTART, UNLIMITED], UNLIMITED),
        ("3.1/rule/3", [SAVED, RESTART, SAVED, REPAIR], [SAVED, RESTART, REPAIR], REPAIR),
        ("3.2/rule/1", [RESTART, CHECK, ROUTE], [RESTART, ROUTE], ROUTE),
        ("3.2/rule/2", [ROUTE, REPAIR], [REPAIR, ROUTE], REPAIR),
        ("3.2/rule/3", [RESTART, RECOVERED, DDL], [RESTART, DDL, RECOVERED], DDL),
    ],
)
def test_each_rule_holds_and_is_broken_by_the_act_it_names(
    key: str, holds: Sequence[Event], breaks: Sequence[Event], guilty: Acted
) -> None:
    assert RULES[key].check(Conducted(holds)) is None
    broken = RULES[key].check(Conducted(breaks))
    assert broken is not None
    assert broken[0] is guilty
    assert guilty.target in broken[1]


def test_every_rule_is_tried_here() -> None:
    assert set(RULES) == {f"3.{part}/rule/{n}" for part in (1, 2) for n in (1, 2, 3)}


def test_looking_is_no_act_and_the_injector_is_nobody_on_call() -> None:
    injected = Acted(1.0, X, "injector", "cut", "a->b", {}, 0.1)
    assert Conducted([LOOK, injected]).acts == []


def test_two_acts_on_one_factor_are_one_change() -> None:
    sessions = [act("end_session", "17"), act("end_session", "18")]
    assert RULES["3.2/rule/1"].check(Conducted(sessions)) is None


def test_a_repair_without_anything_that_could_be_taken_back_breaks_nothing() -> None:
    for key in ("3.1/rule/1", "3.2/rule/2"):
        assert RULES[key].check(Conducted([REPAIR])) is None


@pytest.mark.parametrize(
    ("done", "kind"),
    [
        (RESTART, Kind.REVERSIBLE),
        (REPAIR, Kind.DATA),
        (DDL, Kind.SCHEMA),
        (LOOK, Kind.LOOK),
        (act("run_tool", "redrive"), Kind.DATA),
        (act("run_tool", "harmless"), Kind.REVERSIBLE),
        (act("redis", "ZREM", arguments="k m"), Kind.DATA),
        (act("redis", "ZRANGE", arguments="k 0 1"), Kind.LOOK),
    ],
)
def test_the_kind_of_an_act(done: Acted, kind: Kind) -> None:
    assert kind_of(done, {"harmless": Kind.REVERSIBLE}) is kind


def sli(stretch: str, value: float, verdict: str) -> SliMeasured:
    return SliMeasured(3.0, X, "front.ok", "says", "ratio", "", 0.99, stretch, 0.0, 1.0, value, verdict)


def story(**change: Any) -> list[Event]:
    """A treated scenario in which all four conditions are met; fields change one of them."""
    at = {"before": 0.2, "after": 1.0, "left": 0.0, "recovery": "held", "broken": "held", "counts": 0} | change
    conditions = [{"text": "front.open_rows == 0", "last": 0, "met": 1, "missed": 0, "lacked": 0}]
    return [
        ScenarioStarted(0.0, X, "t", ["5.2"], "timeline", 1, "f", "s", "r"),
        Swept(0.5, X, {"front.open_rows": 5.0, "gateway.x": 1.0}, 1.0),
        PhaseStarted(1.0, X, "respond"),
        SAVED,
        RESTART,
        Stepped(1.2, X, "Restart account", False, 0.1),
        Swept(1.3, X, {"front.open_rows": 5.0}, 1.0),
        Swept(1.9, X, {"front.open_rows": at["left"]}, 1.0),
        Judged(2.0, X, "recovery", at["recovery"], 1.0, 1.5, "text", conditions),
        Judged(2.0, X, "unaffected", "held", 1.0, 1.5, "text", []),
        FactsRecorded(
            2.5, X, {"consistency": {"columns": ["key", "count"], "rows": [["6.3/sql/2", at["counts"]]]}}, {}, {}
        ),
        InvariantJudged(2.5, X, "I5", "once", at["broken"], "says"),
        sli("untreated", at["before"], "broken"),
        sli("treated", at["after"], "held"),
        Claimed(3.0, X, "PROVEN", [], "", 0.1, 0.4, 2.0, 0.5),
    ]


def verdict(**change: Any) -> Completed:
    return completed(CONDUCT, story(**change), 3.0, X, 1.0)


def test_completion_is_met_with_evidence_for_each_condition() -> None:
    made = verdict()
    assert made.complete is True
    assert [c["key"] for c in made.conditions] == [f"7/condition/{n}" for n in (1, 2, 3, 4)]
    assert "front.ok 0.2 -> 1" in made.conditions[0]["evidence"]
    assert "front.open_rows 5 -> 0" in made.conditions[1]["evidence"]
    assert "cannot fail while the foreign key stands" in made.conditions[3]["evidence"]


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, {"after": 0.1}),
        (2, {"left": 9.0}),
        (3, {"recovery": "broken"}),
        (4, {"broken": "broken"}),
        (4, {"counts": 1}),
    ],
)
def test_each_condition_can_fail_alone(number: int, change: dict[str, Any]) -> None:
    made = verdict(**change)
    assert made.complete is False
    assert [n for n, c in enumerate(made.conditions, start=1) if c["met"] is not True] == [number]


def test_what_is_missing_is_not_met_and_not_failed() -> None:
    assert verdict(broken="unknown").complete is None
    without = [e for e in story() if not isinstance(e, Judged)]
    assert completed(CONDUCT, without, 3.0, X, 1.0).complete is None


def test_the_record_has_its_fields_and_blanks_what_people_decide() -> None:
    said: list[Event] = []
    secretary = Secretary(CONDUCT, said.append)
    for event in story():
        secretary.emit(event)
    record = next(e for e in said if isinstance(e, Recorded)).fields
    assert record["failure_mode"] == X
    assert record["hit"] == ["front.ok"]
    assert record["timeline"]["ttd_s"] == 0.4
    assert record["timeline"]["recovered_at_s"] == 1.5
    assert record["interim_measures"] == ["Restart account"]
    assert record["blank"] == ["permanent_measures", "owner", "due"]
    assert [s["stop"] for s in record["stops"]][:3] == ["OIDC", "BFF", "Account"]
    assert record["stops"][1]["values"] == {"gateway.x": 1.0}
    assert {e.verdict for e in said if isinstance(e, RuleJudged)} == {"held"}
    assert isinstance(said[-1], Claimed)


def test_noise_and_what_came_late_detected_nothing() -> None:
    def detected_by(*alerts: AlertFired) -> str:
        told = concluded(CONDUCT, [*story(), *alerts])
        return str(next(e for e in told if isinstance(e, Recorded)).fields["detected_by"])

    noise, late = (
        AlertFired(0.1, X, "early", "page", late=False, noise=True),
        AlertFired(1.8, X, "late", "page", late=True),
    )
    assert detected_by(noise, late) == "no alert fired in time: the symptom was seen"
    assert detected_by(noise, AlertFired(0.8, X, "DLQ", "page", late=False), late) == "alert DLQ"


def test_nothing_is_concluded_of_an_arm_without_a_response_nor_without_rules() -> None:
    placebo = [ScenarioStarted(0.0, X, "t", [], "placebo", 1, "f", "s", "r"), *story()[1:]]
    assert list(concluded(CONDUCT, placebo)) == []
    said: list[Event] = []
    secretary = Secretary(None, said.append)
    for event in story():
        secretary.emit(event)
    assert said == story()


def test_a_conduct_may_ask_for_nothing() -> None:
    made = completed(Conduct((), ()), story(), 3.0, X, 1.0)
    assert made.complete is None
    assert made.conditions == []
