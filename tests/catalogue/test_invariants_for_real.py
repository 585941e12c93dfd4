"""What must never happen, planted on the real stack behind everybody's back: found by its invariant, and named by id."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from harness.model.events import Finding, InvariantJudged
from harness.model.runtime import Equipment
from tests.catalogue.real_run import CATALOGUE, Stage
from tests.real import OPEN_ACCOUNT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240), pytest.mark.deep]

SCENARIO = CATALOGUE.scenarios["FM-OB-01"]
"""While its fault holds, commands are accepted, events wait in the outbox and earlier ones have been sent."""

Plant = Callable[[Equipment], Awaitable[str]]
"""Does the harm; gives the id that must be named."""


async def an_event_dropped(equipment: Equipment) -> str:
    """Called published, and never was."""
    rows = await equipment.injector.sql(
        "entitlement",
        "UPDATE entitlement.outbox_events SET status = 'PUBLISHED', published_at = now(), locked_by = NULL,"
        " locked_at = NULL, lease_until = NULL, next_retry_at = NULL WHERE event_id = (SELECT event_id FROM"
        " entitlement.outbox_events WHERE status = 'PENDING' ORDER BY created_at LIMIT 1) RETURNING event_id::text",
    )
    return str(rows[0][0])


async def _a_sent_one(equipment: Equipment) -> tuple[str, str]:
    rows = await equipment.injector.sql(
        "notification",
        "SELECT notification_id::text, event_id FROM notification.notifications WHERE status = 'SENT'"
        " ORDER BY created_at LIMIT 1",
    )
    return str(rows[0][0]), str(rows[0][1])


async def one_sent_twice(equipment: Equipment) -> str:
    """The destination gets once more what it had."""
    notification_id, event_id = await _a_sent_one(equipment)
    credential = equipment.observer.setting("destination", "destination.credential")
    reply = await equipment.injector.http(
        "destination", "/v1/deliveries", method="POST", headers={"Authorization": f"Bearer {credential}"},
        body={"notification_id": notification_id, "event_id": event_id},
    )  # fmt: skip
    assert reply.status == 200, reply
    return event_id


async def a_dlq_row_without_failed(equipment: Equipment) -> str:
    """Of a notification that was sent."""
    notification_id, event_id = await _a_sent_one(equipment)
    await equipment.injector.sql(
        "notification",
        "INSERT INTO notification.notification_dlq (dlq_id, notification_id, event_id, payload_json, error_message)"
        " VALUES (gen_random_uuid(), %s, %s, '{}', 'planted')",
        (notification_id, event_id),
    )
    return notification_id


async def a_token_check_left_open(equipment: Equipment) -> str:
    """Whoever reaches account is let in."""
    await equipment.injector.deploy("account", OPEN_ACCOUNT)
    return "without a token"


async def an_owner_check_left_open(equipment: Equipment) -> str:
    """Everybody is an administrator."""
    await equipment.injector.deploy("account", "1.2.0")
    return "read another's account"


PLANTS: dict[str, tuple[str, Plant]] = {
    "an event dropped": ("I6", an_event_dropped),
    "one sent twice": ("I5", one_sent_twice),
    "a DLQ row without FAILED": ("I7", a_dlq_row_without_failed),
    "a token check left open": ("I3", a_token_check_left_open),
    "an owner check left open": ("I9", an_owner_check_left_open),
}


@pytest.mark.parametrize("what", PLANTS)
async def test_what_must_never_happen_is_found_and_named(stage: Stage, what: str) -> None:
    name, plant = PLANTS[what]
    named: list[str] = []

    async def harm() -> None:
        assert stage.lane.equipment is not None
        named.append(await plant(stage.lane.equipment))

    stage.on_phase["hold"] = harm
    outcome = await stage.play(replace(SCENARIO, hold_s=6.0))
    says = [says for finding, _, says in outcome.findings if finding is Finding.INVARIANT_BROKEN]
    assert any(s.startswith(f"{name} ") and named[0] in s for s in says), (named, outcome.findings)
    judged = {e.name: e for e in stage.journal if isinstance(e, InvariantJudged)}
    broken = [v for v in judged[name].violations if named[0] in f"{v['id']} {v['says']}"]
    assert broken, judged[name]
    if name in {"I5", "I6", "I7"}:
        assert broken[0]["history"], broken


async def test_without_a_plant_it_is_proven(stage: Stage) -> None:
    outcome = await stage.play(replace(SCENARIO, hold_s=6.0))
    assert [f for f, _, _ in outcome.findings] == [Finding.AS_EXPECTED], outcome.findings
