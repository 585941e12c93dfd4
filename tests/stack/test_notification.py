"""Notification: one effect an event, DLQ and FAILED together or not at all."""

import uuid
from typing import Any

import pytest

from harness.drivers.clock import wait_until
from harness.drivers.equipment import CellEquipment
from stack.services.common.events import EntitlementEvent, MatchmakingEvent

pytestmark = pytest.mark.asyncio(loop_scope="session")


def event(event_id: str, **changed: Any) -> bytes:
    fields = {"event_type": 0, "occurred_at": "2026-01-01T00:00:00+00:00", "user_id": "u", "stock_keeping_unit": "s"}
    return EntitlementEvent(event_id, **{**fields, **changed}).encode()


async def one(kit: CellEquipment, query: str) -> Any:
    return (await kit.observer.sql(query))[0][0]


async def until(kit: CellEquipment, query: str, wanted: Any) -> None:
    async def there() -> bool:
        return bool(await one(kit, query) == wanted)

    await wait_until(there, what=f"{wanted} of {query}", timeout_s=15)


SENT = "SELECT count(*) FROM notification.notifications WHERE status = 'SENT'"


async def test_an_event_told_twice_has_one_effect(kit: CellEquipment) -> None:
    payload = event("e1")
    for _ in range(5):
        await kit.injector.publish("entitlement.events", payload)
    await kit.injector.publish("entitlement.events", event("e2"))
    await until(kit, SENT, 2)
    assert await one(kit, "SELECT count(*) FROM notification.notifications WHERE event_id = 'e1'") == 1
    assert (kit.observer.log_count("notification", "duplicate notification event skipped eventId=e1", 60) or 0) == 4
    records = (await kit.observer.http("destination", "/records")).json()
    assert sorted(r["event_id"] for r in records) == ["e1", "e2"]


async def test_what_cannot_be_decoded_is_terminated_and_recorded(kit: CellEquipment) -> None:
    for payload in (b"\xff\xff", event("e1", user_id=""), event("e2", event_type=7)):
        await kit.injector.publish("entitlement.events", payload)
    await kit.injector.publish("entitlement.events", event("good"))
    await until(kit, "SELECT count(*) FROM notification.notification_nats_dlq", 3)
    await until(kit, SENT, 1)
    assert (kit.observer.log_count("notification", "failed to parse nats message payload", 60) or 0) >= 3
    consumer = await kit.observer.consumer("entitlement-events", "notification-entitlement-consumer")
    assert (consumer["redelivered"], consumer["ack_pending"]) == (0, 0)


async def test_attempts_used_up_end_in_failed_and_the_dlq_together(kit: CellEquipment) -> None:
    await _few_attempts(kit, "not-it")
    for n in range(3):
        await kit.injector.publish("entitlement.events", event(f"e{n}"))
    await until(kit, "SELECT count(*) FROM notification.notifications WHERE status = 'FAILED'", 3)
    assert (
        await one(
            kit,
            "SELECT count(*) FROM notification.notifications n JOIN notification.notification_dlq d USING (notification_id)"
            " WHERE n.status = 'FAILED' AND n.attempt_count = 3 AND d.error_message = 'HTTP 401'",
        )
        == 3
    )


async def test_failed_without_a_dlq_row_cannot_be_written(kit: CellEquipment) -> None:
    # The service's own role loses the right to write the DLQ: then the notification must not be FAILED either.
    await kit.injector.sql("notification", "REVOKE INSERT ON notification.notification_dlq FROM notification")
    try:
        await _few_attempts(kit, "not-it")
        await kit.injector.publish("entitlement.events", event("e1"))

        async def tried() -> bool:
            return (kit.observer.log_count("notification", "could not be marked", 30) or 0) > 0

        await wait_until(tried, what="the refused transaction", timeout_s=15)
        assert await one(kit, "SELECT count(*) FROM notification.notifications WHERE status = 'FAILED'") == 0
    finally:
        await kit.injector.sql("notification", "GRANT INSERT ON notification.notification_dlq TO notification")


async def test_a_redriven_notification_leaves_the_dlq_and_is_sent(kit: CellEquipment) -> None:
    await _few_attempts(kit, "not-it")
    for n in range(3):
        await kit.injector.publish("entitlement.events", event(f"e{n}"))
    await until(kit, "SELECT count(*) FROM notification.notification_dlq", 3)
    good = kit.cell.topology.secrets["destination-credential"]
    await kit.operator.set_setting("notification", "destination.credential", good)
    report = await kit.operator.run_tool("redrive-notifications", "--limit", "2", "--error", "HTTP 401")
    assert report["redriven"] == 2
    await until(kit, SENT, 2)
    assert await one(kit, "SELECT count(*) FROM notification.notification_dlq") == 1


async def test_a_match_is_told_to_the_system_user(kit: CellEquipment) -> None:
    payload = MatchmakingEvent(str(uuid.uuid4()), 0, "2026-01-01T00:00:00+00:00", "m1", "casual").encode()
    await kit.injector.publish("matchmaking.events", payload)
    await until(kit, "SELECT count(*) FROM notification.notifications WHERE user_id = 'matchmaking-system'", 1)


async def test_old_rows_are_deleted_and_counted(kit: CellEquipment) -> None:
    await kit.injector.sql(
        "notification",
        "INSERT INTO notification.processed_events (event_id, processed_at) VALUES ('old', now() - interval '31 days'),"
        " ('young', now())",
    )
    await until(kit, "SELECT string_agg(event_id, ',') FROM notification.processed_events", "young")


async def _few_attempts(kit: CellEquipment, credential: str) -> None:
    kit.cell.configure("notification", "notification.delivery.max-attempts", "3")
    await kit.injector.set_setting("notification", "destination.credential", credential)
