"""What an act is worth: what the runbook says is right, word for word, and harm is harm whatever the runbook uses."""

import asyncio
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.clock import VirtualClock
from harness.engine.rehearsal import Rehearsal
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.desk import Told
from harness.fronts.desk.extras import Extras
from harness.fronts.desk.served import ALL
from harness.fronts.drills.facilitator import Facilitator, Options
from harness.fronts.drills.sealed import SealedJournal
from harness.fronts.drills.trainee import Asked, Notes
from harness.model.conduct import Kind, factor_of, kind_of, limited
from harness.model.drill import Answer, Deed, Entry, deed_of
from harness.model.events import Acted
from harness.model.scoring import JudgedAct, broken_rules, judged_acts
from tests.fakes.trainees import PAGED_S, answer_to, drilled, record_of

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EVERY = drilled(CATALOGUE)
PLACES = {*TOPOLOGY.parts, *TOPOLOGY.services, *TOPOLOGY.links, *TOPOLOGY.jobs}
"""What the desk takes for a place."""


@cache
def answer(label: str) -> Answer:
    return asyncio.run(answer_to(EVERY[label], CATALOGUE, TOPOLOGY))


def event(verb: str, target: str, text: str = "", failed: str | None = None, **arguments: str) -> Acted:
    key = "statement" if verb == "sql" else "arguments"
    return Acted(1.0, None, "operator", verb, target, {key: text, **arguments} if text else arguments, 0.1, failed)


def judged(label: str, *acts: Acted) -> list[JudgedAct]:
    """What a drill makes of acts, taken down as the drill itself does."""
    notes = Notes(VirtualClock(PAGED_S + 100.0))
    for act in acts:
        notes.acted(act)
    made = record_of("idle", answer(label), TOPOLOGY, 1)
    return judged_acts(replace(made, entries=tuple(notes.entries)))


def rehearsed(label: str) -> list[tuple[str, list[Acted]]]:
    """The acts of each step of the runbook's response, with all that they say."""

    async def go() -> list[tuple[str, list[Acted]]]:
        found = []
        for step in EVERY[label].response:
            operator = Rehearsal(TOPOLOGY)
            await step.act(operator)
            found.append((step.title, operator.acts))
        return found

    return asyncio.run(go())


@pytest.mark.parametrize("label", EVERY)
def test_every_act_of_the_runbook_is_right_and_every_step_has_one(label: str) -> None:
    for title, acts in rehearsed(label):
        assert [j.verdict for j in judged(label, *acts)] == ["right"] * len(acts), title
    assert all(step.deeds for step in answer(label).steps)


@pytest.mark.parametrize("label", EVERY)
def test_a_place_that_is_right_can_be_named(label: str) -> None:
    assert answer(label).places & PLACES


def test_a_change_of_redis_is_in_redis() -> None:
    assert answer("FM-MM-02").places == {"redis"}
    assert "postgres" in answer("FM-DB-01").places


IDLE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
LOOKS, RUNBOOK, BACK, NEVER = (
    "it only looks",
    "the runbook says so",
    "it takes back what was broken",
    "nothing ever asks for that",
)
CHANGES, ALL_ROWS, AGAIN = (
    "it changes data, and nothing asked for that", "it is not limited to what it should change", "it does again what was broken",
)  # fmt: skip
REFUSED, COOKIE = "it was refused, and nothing asked for that", "server.servlet.session.cookie.path"


@pytest.mark.parametrize(
    ("label", "done", "verdict", "why"),
    [
        ("FM-DB-01", event("end_session", "4711"), "right", RUNBOOK),
        ("FM-DB-01", event("sql", "oncall", "SELECT pg_terminate_backend(4711)"), "right", RUNBOOK),
        ("FM-DB-01", event("sql", "oncall", IDLE), "harmful", ALL_ROWS),
        ("FM-DB-01:idle-sessions", event("end_session", "4711"), "right", RUNBOOK),
        ("FM-DB-01:idle-sessions", event("sql", "oncall", f"{IDLE} WHERE state = 'idle'"), "right", RUNBOOK),
        ("FM-MM-01:runaway-client", event("end_redis_client", "12"), "right", RUNBOOK),
        ("FM-MM-01:runaway-client", event("redis", "client", "kill id 12"), "right", RUNBOOK),
        ("FM-OB-01", event("end_session", "4711"), "harmful", "no session stood in the way"),
        ("FM-OB-01", event("sql", "oncall", "SELECT pg_terminate_backend(4711)"), "harmful", "no session stood in the way"),
        ("FM-OB-01", event("sql", "oncall", IDLE), "harmful", ALL_ROWS),
        ("FM-OB-01", event("end_redis_client", "12"), "wrong", "no client stood in the way"),
        ("FM-OB-01", event("redis", "GET", "mm:x"), "right", LOOKS),
        ("FM-OB-01", event("redis", "info"), "right", LOOKS),
        ("FM-OB-01", event("redis", "CLIENT", "LIST"), "right", LOOKS),
        ("FM-OB-01", event("redis", "DEL", "mm:x"), "harmful", CHANGES),
        ("FM-MM-02", event("redis", "ZREM", "mm:queue:casual x"), "right", RUNBOOK),
        ("FM-MM-02", event("redis", "FLUSHALL"), "harmful", ALL_ROWS),
        ("FM-OB-01", event("sql", "oncall", "SELECT * FROM account.audit WHERE action = 'update'"), "right", LOOKS),
        ("FM-OB-01", event("sql", "oncall", "select 1 -- then drop table x"), "right", LOOKS),
        ("FM-OB-01", event("sql", "oncall", "SELECT 1; DROP TABLE x"), "harmful", NEVER),
        ("FM-OB-01", event("sql", "oncall", "/* x */ truncate y"), "harmful", NEVER),
        ("FM-OB-01", event("sql", "oncall", "INSERT INTO notification.notifications VALUES (1)"), "harmful", CHANGES),
        ("FM-OB-01", event("sql", "oncall", "DO $$ begin perform f(); end $$"), "harmful", ALL_ROWS),
        ("FM-OB-01", event("sql", "oncall", "DELETE FROM x WHERE y = 1", "refused"), "harmful", REFUSED),
        ("FM-NOTI-05", event("sql", "oncall", "DELETE FROM notification.notifications"), "harmful", ALL_ROWS),
        ("FM-NOTI-05", event("sql", "oncall", "DELETE FROM notification.notification_dlq\nWHERE dlq_id = 'x'"), "right", RUNBOOK),
        ("FM-ACC-03", event("sql", "oncall", "UPDATE account.users SET status = 'SUSPENDED'"), "harmful", ALL_ROWS),
        ("FM-ACC-03", event("sql", "oncall", "UPDATE account.users SET a = (SELECT 1 FROM b WHERE c)"), "harmful", ALL_ROWS),
        ("FM-BFF-ACC-05", event("stop_job", "account-cleanup"), "right", RUNBOOK),
        ("FM-BFF-ACC-05", event("start_job", "account-cleanup"), "harmful", AGAIN),
        ("FM-BFF-ACC-05", event("slow_job", "account-cleanup", rate_hz="1"), "not needed", ""),
        ("FM-ACC-01", event("slow_job", "signup-import", rate_hz="2.5"), "right", RUNBOOK),
        ("FM-ACC-01", event("slow_job", "signup-import", rate_hz="500.0"), "not needed", ""),
        ("FM-ACC-01", event("stop_job", "signup-import"), "right", BACK),
        ("FM-ACC-01", event("start_job", "signup-import"), "harmful", AGAIN),
        ("FM-BFF-ACC-04", event("deploy", "account", version="1.0.0"), "right", RUNBOOK),
        ("FM-AUTH-03", event("set_setting", "gateway-bff", name=COOKIE, value="/login"), "harmful", AGAIN),
        ("FM-AUTH-03", event("set_setting", "gateway-bff", name=COOKIE, value="/"), "right", RUNBOOK),
        ("FM-BFF-ACC-03", event("restart", "account"), "right", RUNBOOK),
    ],
)  # fmt: skip
def test_an_act_is_what_it_does(label: str, done: Acted, verdict: str, why: str) -> None:
    (made,) = judged(label, done)
    assert made.verdict == verdict, made.why
    assert not why or made.why == why


def test_the_release_that_broke_it_is_harmful_once_more() -> None:
    broken = next(d for d in answer("FM-BFF-ACC-04").broken if d.verb == "deploy")
    (made,) = judged("FM-BFF-ACC-04", event("deploy", broken.target, version=broken.value))
    assert (made.verdict, made.why) == ("harmful", AGAIN)


@pytest.mark.parametrize(
    ("done", "kind", "names_rows"),
    [
        (event("sql", "oncall", "SELECT 1 FROM x FOR NO KEY UPDATE"), Kind.LOOK, True),
        (event("sql", "oncall", "EXPLAIN DELETE FROM x"), Kind.LOOK, True),
        (event("sql", "oncall", "EXPLAIN ANALYZE DELETE FROM x"), Kind.DATA, False),
        (event("sql", "oncall", "SELECT E'\\'; drop table x', $q$ delete from x $q$, \"update\""), Kind.LOOK, True),
        (event("sql", "oncall", "SELECT a$q$ FROM b; DROP TABLE c"), Kind.SCHEMA, True),
        (event("sql", "oncall", "WITH a AS (SELECT 1 WHERE true) DELETE FROM x"), Kind.DATA, False),
        (event("sql", "oncall", "WITH a AS (DELETE FROM x WHERE y RETURNING z) INSERT INTO l SELECT z FROM a"), Kind.DATA, True),
        (event("sql", "oncall", "DELETE FROM x; DELETE FROM y WHERE z = 1"), Kind.DATA, False),
        (event("sql", "oncall", "INSERT INTO x VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1"), Kind.DATA, True),
        (event("sql", "oncall", "GRANT ALL ON x TO oncall"), Kind.SCHEMA, True),
        (event("sql", "oncall", "CALL f()"), Kind.DATA, True),
        (event("sql", "oncall", "SELECT pg_cancel_backend(unnest(pg_blocking_pids(1))) FROM x"), Kind.REVERSIBLE, True),
        (event("redis", "slowlog", "get"), Kind.LOOK, True),
        (event("redis", "slowlog", "reset"), Kind.DATA, True),
        (event("redis", "get mm:x"), Kind.LOOK, True),
    ],
)  # fmt: skip
def test_an_act_is_classified_by_what_its_words_do(done: Acted, kind: Kind, names_rows: bool) -> None:
    assert kind_of(done, {}) is kind
    assert limited(done) is names_rows


def test_sessions_ended_by_sql_are_the_same_factor_as_those_ended_one_by_one() -> None:
    by_sql = event("sql", "oncall", "SELECT pg_terminate_backend(17)")
    assert factor_of(by_sql) == factor_of(event("end_session", "18"))
    assert deed_of(by_sql, TOPOLOGY) == Deed("end_session", "oncall", part="postgres")


# Rules ----------------------------------------------------------------------------------------------------------------


def asked() -> Asked:
    return Asked(
        Notes(VirtualClock(), paged_s=0.0),
        TOPOLOGY,
        CATALOGUE,
        90.0,
        lambda: "",
        lambda: answer("FM-OB-01"),
        _confirmed,
        lambda _why: None,
    )


async def _confirmed() -> tuple[bool, str]:
    return False, ""


@pytest.mark.parametrize(
    ("between", "breaks"),
    [
        *((name, True) for name in ("rules", "page", "hint", "detect", "diagnose", "help", "nothing")),
        *((name, False) for name in ("dashboard", "checks", "logs", "SELECT 1", "GET x")),
    ],
)
def test_only_a_look_at_the_system_is_a_look_between_two_changes(tmp_path: Path, between: str, breaks: bool) -> None:
    facilitator = Facilitator(Options(reports=tmp_path), TOPOLOGY, CATALOGUE, Extras())
    journal = SealedJournal(facilitator.folder, ())
    verbs = {**ALL, **asked().verbs()}

    def act(verb: str, target: str, **arguments: Any) -> None:
        fields = {"who": "operator", "verb": verb, "target": target, "arguments": arguments, "took_s": 0.1}
        facilitator._acted(fields, "X-1", journal)

    act("restart", "account")
    if between in verbs:
        facilitator._done(verbs[between], (), Told(""))
    elif between == "SELECT 1":
        act("sql", "oncall", statement=between)
    elif between == "GET x":
        act("redis", "GET", arguments="x")
    act("restart", "entitlement")
    journal.close()
    broken = [rule.key for rule in facilitator._rules() or ()]
    assert ("3.2/rule/1" in broken) is breaks


def test_a_look_by_sql_is_a_look_where_nobody_else_judges_the_rules() -> None:
    def act(t: float, verb: str, target: str, text: str = "") -> Entry:
        return Entry(t, "act", f"{verb} {target}", {"verb": verb, "target": target, "text": text})

    idle = record_of("idle", answer("FM-OB-01"), TOPOLOGY, 1)
    first, second = act(20, "restart", "a"), act(21, "restart", "b")
    assert broken_rules(replace(idle, entries=(first, second)))
    assert broken_rules(replace(idle, entries=(first, act(20.5, "sql", "oncall", "select 1"), second))) == []
