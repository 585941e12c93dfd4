"""The ten invariants: for each a recorded world in which it holds and one in which it is broken, named by id."""

import hashlib
import uuid
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.criteria import Verdict
from harness.model.invariants import SAMPLES, Course, Facts, Ruling
from scenarios.facts import SOURCES
from scenarios.invariants import INVARIANTS
from scenarios.ways import stages

OVER = Course(0.0, 5.0, 10.0, 20.0, injects=True, treated=True, recovered=True, drained=True)
UNTREATED = Course(0.0, 5.0, 10.0, 20.0, injects=True, treated=False, recovered=False, drained=None)

Tables = dict[str, list[dict[str, Any]]]


def user_of(name: str) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(name.encode(), usedforsecurity=False).digest(), version=3))


def world() -> Tables:
    """A grant and a match, each told once; somebody suspended, somebody else at /v1/me."""
    common = {"type": "EntitlementGranted", "created": 100.0}
    return {
        "requests": [{"key": "k1", "op": "grants.grant", "sent_s": 1.0, "ended_s": 1.1, "status": 200, "code": None}],
        "commands": [{"key": "k1", "aggregate": "u:1", "result": "ACTIVE"}],
        "audits": [{"aggregate": "u:1", "action": "GRANT", "count": 1}],
        "outbox": [
            {"event_id": "e1", **common, "aggregate": "u:1", "status": "PUBLISHED", "attempts": 1,
             "published": 100.1, "error": None}
        ],
        "messages": [
            {"stream": "entitlement-events", "seq": 1, "event_id": "e1"},
            {"stream": "matchmaking-events", "seq": 1, "event_id": "m1"},
        ],
        "terminated": [],
        "processed": [{"event_id": "e1", "at": 100.2}, {"event_id": "m1", "at": 100.2}],
        "notifications": [
            {"notification_id": f"n-{e}", "event_id": e, "type": "T", "status": "SENT", "attempts": 1,
             "created": 100.2, "sent": 100.5}
            for e in ("e1", "m1")
        ],
        "dlq": [],
        "deliveries": [
            {
                "notification_id": f"n-{e}", "event_id": e, "arrived_at": 100.3, "ended_at": 100.4, "status": 200,
                "caller_there": True, "left_at": None,
            }
            for e in ("e1", "m1")
        ],
        "matches": [{"match_id": "42", "event_id": "m1", "mode": "casual"}],
        "tickets": [
            {"ticket": f"t{n}", "user": f"u{n}", "mode": "casual", "status": "MATCHED", "match_id": "42"} for n in (1, 2)
        ],
        "consistency": [{"key": "6.3/sql/1", "count": 0}],
        "apart": [],
        "torn": [],
        "suspended": [{"at_s": t, "user": "bad"} for t in (1.0, 2.0, 3.0)],
        "misrecorded": [],
        SAMPLES: [{"at_s": t, "until_s": t + 0.1, "unread": ""} for t in (1.0, 2.0, 3.0)],
        "identities": [
            {"at_s": t, "moment": m, "provider": "k", "subject": "s", "user": user_of("k:s")}
            for t, m in ((2.0, "steady"), (9.0, "end"))
        ],
        "asked_me": [{"user": "good", "sent_s": 1.5, "ended_s": 1.6, "status": "ACTIVE"}],
        "entry": [
            {"at_s": 1.0, "path": "/login", "status": 302, "location": "/oauth2/authorization/keycloak", "host": "",
             "wanted_host": ""}
        ],
        "provider": [
            {"at_s": t, "moment": m, "path": "/x", "status": 302, "location": "/realms/r/protocol/openid-connect/auth",
             "host": "idp:8180", "wanted_host": "idp:8180"}
            for t, m in ((1.0, "steady"), (9.0, "end"))
        ],
        "boundaries": [
            {"at_s": 9.0, "moment": "hold", "kind": kind, "says": f"{kind} tried", "expected": "refused",
             "status": 403, "code": "F"}
            for kind in ("token", "owner")
        ],
    }  # fmt: skip


def judge(name: str, tables: Tables, course: Course = OVER, unread: dict[str, str] | None = None) -> Ruling:
    invariant = next(i for i in INVARIANTS.invariants if i.name == name)
    return invariant.judge(Facts(tables, unread or {}, course))


NAMES = [i.name for i in INVARIANTS.invariants]


def test_there_are_ten() -> None:
    assert [f"I{n}" for n in range(1, 11)] == NAMES


def test_the_rows_of_this_world_are_those_of_the_sources() -> None:
    tables = world()
    for source in SOURCES:
        for row in tables[source.name]:
            assert set(row) == set(source.all_columns), source.name


@pytest.mark.parametrize("name", NAMES)
def test_each_holds_in_a_whole_world(name: str) -> None:
    ruling = judge(name, world())
    assert (ruling.verdict, ruling.violations) == (Verdict.HELD, ()), ruling.says


@pytest.mark.parametrize("name", NAMES)
def test_each_is_unknown_when_its_facts_are_missing(name: str) -> None:
    assert judge(name, {}).verdict is Verdict.UNKNOWN
    assert judge(name, {}, unread={s.name: "gone" for s in SOURCES}).verdict is Verdict.UNKNOWN


def _change(table: str, place: int, **fields: Any) -> Any:
    def plant(tables: Tables) -> None:
        tables[table][place].update(fields)

    return plant


def _add(to: str, like: int = 0, **fields: Any) -> Any:
    def plant(tables: Tables) -> None:
        row = dict(tables[to][like]) if tables[to] else {}
        tables[to].append(row | fields)

    return plant


def _drop(table: str, place: int = 0) -> Any:
    def plant(tables: Tables) -> None:
        del tables[table][place]

    return plant


def _together(*plants: Any) -> Any:
    def plant(tables: Tables) -> None:
        for one in plants:
            one(tables)

    return plant


DLQ = {"notification_id": "n-e1", "event_id": "e1", "error": "E", "created": 101.0}
UNRECORDED = {"at_s": 2.0, "user": "bad", "status": "SUSPENDED", "action": None}
SECOND = {"arrived_at": 100.35, "ended_at": 100.5}
BETWEEN = {"arrived_at": 100.42, "ended_at": 100.45}
"""After the first send has ended, and before its success is on record."""
ELSEWHERE = {"host": "evil.example", "wanted_host": "evil.example"}
NO_TRACE = (
    _drop("matches"),
    _drop("messages", 1),
    _drop("processed", 1),
    _drop("notifications", 1),
    _drop("deliveries", 1),
)
FAILED_IN_BOTH = _together(
    _change("notifications", 0, status="FAILED", sent=None), _add("dlq", **DLQ), _drop("deliveries")
)

BROKEN = {
    "another way out of /login": ("I1", _change("entry", 0, location="/elsewhere"), "/login"),
    "a page instead of the way to the provider": ("I1", _change("provider", 0, status=200, location=""), "/x"),
    "another host's way out of /login": ("I1", _change("entry", 0, host="evil.example"), "/login"),
    "another host's page with the provider's path": ("I1", _change("provider", 1, host="evil.example"), "/x"),
    "a setting that leads to another host later": ("I1", _change("provider", 1, **ELSEWHERE), "/x"),
    "an answer that says SUSPENDED": ("I2", _change("asked_me", 0, status="SUSPENDED"), "good"),
    "an answer for somebody suspended": ("I2", _change("asked_me", 0, user="bad"), "bad"),
    "a token check left open": ("I3", _change("boundaries", 0, status=200), "token tried"),
    "a token check left open on nobody": ("I3", _change("boundaries", 0, status=404), "token tried"),
    "a second user of an identity": ("I4", _change("identities", 1, user="other"), "k:s"),
    "an accepted command of which nothing is on record": ("I5", _add("requests", key="k2"), "k2"),
    "a state change without its event": ("I5", _add("commands", key="k2", aggregate="u:2"), "u:2"),
    "a second state change of a command": ("I5", _change("audits", 0, count=2), "u:1"),
    "an audit record without any command": ("I5", _add("audits", aggregate="u:2"), "u:2"),
    "an event without any command": ("I5", _together(_drop("commands"), _drop("requests")), "u:1"),
    "a revoke on record of an account that was only granted": ("I5", _add("audits", action="REVOKE"), "u:1"),
    "two notifications of an event": ("I5", _add("notifications", notification_id="n2"), "e1"),
    "processed without a notification": ("I5", _drop("notifications"), "e1"),
    "a second send beside the first": ("I5", _add("deliveries", **SECOND), "e1"),
    "a second send after a success on record": ("I5", _add("deliveries", arrived_at=100.6, ended_at=100.7), "e1"),
    "a second send as another notification": ("I5", _add("deliveries", **BETWEEN, notification_id="n9"), "e1"),
    "a send as another notification, long after": (
        "I5", _add("deliveries", arrived_at=109.0, ended_at=109.1, notification_id="n9"), "e1"),
    "a second send that names no event": ("I5", _add("deliveries", **SECOND, event_id=""), "e1"),
    "a send beside another of an event that nobody promised": (
        "I5", _together(_add("deliveries", event_id="old", notification_id="o1"),
                        _add("deliveries", 1, event_id="old", notification_id="o1")), "old"),
    "left in the outbox": ("I6", _together(
        _change("outbox", 0, status="PENDING"), _drop("messages"), _drop("processed"), _drop("notifications")), "e1"),
    "published, but dropped on the way": ("I6", _together(
        _drop("messages"), _drop("processed"), _drop("notifications")), "e1"),
    "in the stream, but never processed": ("I6", _together(_drop("processed"), _drop("notifications")), "e1"),
    "a match told to nobody": ("I6", _together(
        _drop("messages", 1), _drop("processed", 1), _drop("notifications", 1)), "m1"),
    "a match that its tickets alone know of": ("I6", _together(*NO_TRACE), "42"),
    "left PROCESSING": ("I6", _change("notifications", 0, status="PROCESSING"), "e1"),
    "SENT, but never at the destination": ("I6", _drop("deliveries"), "e1"),
    "a message that is no event, and is not on record": ("I6", _add("messages", seq=9, event_id=None), "entitlement-events/9"),
    "FAILED without a DLQ row": ("I7", _change("notifications", 0, status="FAILED"), "n-e1"),
    "a DLQ row without FAILED": ("I7", _add("dlq", **DLQ), "n-e1"),
    "apart for a moment": ("I7", _add("apart", at_s=2.0, notification_id="n9", status="FAILED", in_dlq=False), "n9"),
    "SENT and locked": ("I8", _add("torn", at_s=2.0, id="n9", table="notifications", status="SENT", says="locked"), "n9"),
    "sent by two owners at once": ("I8", _add("deliveries", **SECOND), "e1"),
    "sent by two owners at once, as two notifications": ("I8", _add("deliveries", **SECOND, notification_id="n9"), "e1"),
    "suspended without an audit record": ("I10", _add("misrecorded", **UNRECORDED), "bad"),
    "reinstated without an audit record": (
        "I10", _add("misrecorded", **UNRECORDED | {"status": "ACTIVE", "action": "SUSPEND"}), "bad"),
    "suspended, but REINSTATE came last": ("I10", _add("misrecorded", **UNRECORDED | {"action": "REINSTATE"}), "bad"),
    "an owner check left open": ("I9", _change("boundaries", 1, status=200), "owner tried"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_each_breach_is_found_and_named_by_id(what: str) -> None:
    name, plant, wanted = BROKEN[what]
    tables = deepcopy(world())
    plant(tables)
    ruling = judge(name, tables)
    assert ruling.verdict is Verdict.BROKEN, ruling.says
    assert [v.id for v in ruling.violations] == [wanted]


def test_every_invariant_has_a_breach() -> None:
    assert {name for name, _, _ in BROKEN.values()} == set(NAMES)


def test_a_status_that_is_not_on_record_is_one_breach_however_often_it_was_seen_and_whatever_became_of_it() -> None:
    tables = world()
    tables["misrecorded"] = [{"at_s": t, "user": "bad", "status": "SUSPENDED", "action": None} for t in (1.0, 2.0)]
    ruling = judge("I10", tables)
    assert [v.says for v in ruling.violations] == ["SUSPENDED, but it has no audit record, at 2 of 3 looks"]
    assert [line.split(":")[0] for line in ruling.violations[0].history] == ["seen at 1.00 s", "seen at 2.00 s"]


def test_the_one_scenario_that_puts_statuses_wrong_says_so() -> None:
    scenarios = load_catalogue("scenarios", load_topology(None)).scenarios
    assert [s.id for s in scenarios.values() if "I10" in s.breaks] == ["FM-ACC-03"]


def test_a_look_that_could_not_be_taken_is_no_good_look() -> None:
    tables = world()
    for row in tables[SAMPLES]:
        row["unread"] = "suspended,misrecorded"
    assert judge("I10", tables).verdict is Verdict.UNKNOWN
    assert judge("I2", tables).verdict is Verdict.UNKNOWN
    _change("asked_me", 0, status="SUSPENDED")(tables)
    assert judge("I2", tables).verdict is Verdict.BROKEN


def test_without_tickets_nobody_knows_of_lost_matches_but_what_is_broken_is_so() -> None:
    tables = world()
    gone = {"tickets": "Redis: gone"}
    assert judge("I6", tables, unread=gone).verdict is Verdict.UNKNOWN
    _change("notifications", 0, status="PROCESSING")(tables)
    assert judge("I6", tables, unread=gone).verdict is Verdict.BROKEN


def test_a_match_made_between_two_readings_is_not_a_lost_one() -> None:
    tables = world()
    _together(*NO_TRACE)(tables)
    assert judge("I6", tables, replace(OVER, drained=False)).verdict is Verdict.HELD


def test_a_breach_has_its_history_along_the_way() -> None:
    tables = world()
    _add("deliveries", **SECOND)(tables)
    history = judge("I5", tables).violations[0].history
    assert [line.partition(":")[0] for line in history] == [
        "accepted", "outbox", "stream", "processed", "notification", "destination", "destination",
    ]  # fmt: skip
    assert "key k1" in history[0]


NO_BREACH = {
    "a repeat after the caller had gone": ("I5", _together(
        _change("deliveries", 0, caller_there=False, left_at=100.33), _add("deliveries", **SECOND, caller_there=True))),
    "a send that was refused at once": ("I5", _add("deliveries", **SECOND, status=401)),
    "a request that was not accepted": ("I5", _add("requests", key="k2", status=503)),
    "an id that nobody promised": ("I5", _add("processed", event_id="old", at=1.0)),
    "a request to the destination that names nothing": ("I5", _together(
        _add("deliveries", event_id="", notification_id=""), _add("deliveries", event_id="", notification_id=""))),
    "a ticket that waits still": ("I6", _add("tickets", ticket="t3", status="QUEUED", match_id="")),
    "a match whose tickets have gone": ("I6", lambda tables: tables["tickets"].clear()),
    "hosts that nobody recorded": ("I1", lambda tables: [
        r.pop(c) for t in ("entry", "provider") for r in tables[t] for c in ("host", "wanted_host")]),
    "a failure on record": ("I6", FAILED_IN_BOTH),
    "a failure with its DLQ row": ("I7", FAILED_IN_BOTH),
    "terminated and on record": ("I6", _together(
        _drop("processed"), _drop("notifications"), _add("terminated", stream="entitlement-events", seq=1))),
    "FAILED in the outbox": ("I6", _together(
        _change("outbox", 0, status="FAILED"), _drop("messages"), _drop("processed"), _drop("notifications"))),
    "no answer from the gateway for a while": ("I1", _add("entry", status=None, location="")),
    "an answer before the suspension was seen": ("I2", _change("asked_me", 0, user="bad", sent_s=0.1, ended_s=0.2)),
    "a gateway that says 502": ("I1", _add("entry", status=502, location="")),
}  # fmt: skip


@pytest.mark.parametrize("what", NO_BREACH)
def test_what_is_allowed_is_no_breach(what: str) -> None:
    name, plant = NO_BREACH[what]
    tables = world()
    plant(tables)
    ruling = judge(name, tables)
    assert ruling.verdict is Verdict.HELD, ruling.says


def test_all_ended_is_not_judged_while_the_system_is_broken_nor_known_when_nobody_could_look() -> None:
    tables = world()
    tables["outbox"][0]["status"] = "PENDING"
    tables["messages"].clear()
    assert judge("I6", tables, UNTREATED).verdict is Verdict.PENDING
    blind = Course(0.0, 5.0, 10.0, 20.0, injects=True, treated=True, recovered=True, drained=None)
    assert judge("I6", tables, blind).verdict is Verdict.UNKNOWN


def test_nobody_who_answers_is_no_good_answer() -> None:
    tables = world()
    for row in tables["boundaries"]:
        row["status"] = None
    assert judge("I3", tables).verdict is Verdict.UNKNOWN
    assert judge("I9", tables).verdict is Verdict.UNKNOWN
    for row in (*tables["entry"], *tables["provider"]):
        row["status"] = None
    assert judge("I1", tables).verdict is Verdict.UNKNOWN


def test_an_invariant_without_anything_it_speaks_of_is_not_judged() -> None:
    tables = world()
    tables["asked_me"].clear()
    tables["identities"].clear()
    assert judge("I2", tables).verdict is Verdict.PENDING
    assert judge("I4", tables).verdict is Verdict.PENDING


def test_the_ids_at_each_stage_are_counted() -> None:
    counted = stages(Facts(world(), {}, OVER))
    assert counted["accepted"] == counted["outbox"] == counted["matched"] == 1
    assert counted["stream"] == counted["notification"] == counted["destination"] == counted["ended"] == 2
    assert counted["dlq"] == counted["terminated"] == counted["outbox failed"] == 0
