"""Entitlement: one effect a key, one event a change, one owner a row."""

import asyncio
import uuid
from typing import Any

import pytest

from harness.drivers.clock import wait_until
from harness.drivers.equipment import CellEquipment
from harness.model.values import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def command(kit: CellEquipment, action: str, key: str | None, **body: Any) -> Reply:
    whole = {"user_id": "u1", "stock_keeping_unit": "s1", "reason": "r", "purchase_id": "p1", **body}
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await kit.client.request("entitlement", "POST", f"/v1/entitlements/{action}s", headers=headers, json=whole)


async def rows(kit: CellEquipment, query: str) -> list[tuple[Any, ...]]:
    return await kit.observer.sql(query)


async def until(kit: CellEquipment, query: str, wanted: Any, what: str) -> None:
    async def there() -> bool:
        return (await rows(kit, query))[0][0] == wanted

    await wait_until(there, what=what, timeout_s=10)


async def test_a_key_has_one_effect_however_often_and_at_once_it_is_sent(kit: CellEquipment) -> None:
    replies = await asyncio.gather(*(command(kit, "grant", "k1") for _ in range(20)))
    assert {r.status for r in replies} == {200}
    assert len({r.body for r in replies}) == 1
    counts = await rows(
        kit,
        "SELECT (SELECT count(*) FROM entitlement.outbox_events), (SELECT count(*) FROM entitlement.entitlement_audit),"
        " (SELECT count(*) FROM entitlement.idempotency_keys), (SELECT max(version) FROM entitlement.entitlements)",
    )
    assert counts == [(1, 1, 1, 1)]


async def test_different_keys_for_one_unit_are_granted_once(kit: CellEquipment) -> None:
    replies = await asyncio.gather(*(command(kit, "grant", f"k{n}") for n in range(20)))
    assert sorted({r.status for r in replies}) == [200, 409]
    assert sum(r.status == 200 for r in replies) == 1
    assert {r.code for r in replies if r.status == 409} == {"ENTITLEMENT_STATE_CONFLICT"}
    assert await rows(kit, "SELECT count(*) FROM entitlement.outbox_events") == [(1,)]


async def test_the_same_key_with_another_body_is_refused(kit: CellEquipment) -> None:
    assert (await command(kit, "grant", "k1")).status == 200
    other = await command(kit, "grant", "k1", user_id="u2")
    assert (other.status, other.code) == (409, "IDEMPOTENCY_KEY_CONFLICT")


async def test_a_conflict_is_remembered_too(kit: CellEquipment) -> None:
    first = await command(kit, "revoke", "k1")
    assert (first.status, first.code) == (409, "ENTITLEMENT_STATE_CONFLICT")
    await command(kit, "grant", "k2")
    assert (await command(kit, "revoke", "k1")).body == first.body


async def test_a_key_whose_time_is_over_may_be_used_again_however_many_others_are_over(kit: CellEquipment) -> None:
    await command(kit, "grant", "k1")
    await kit.injector.sql(
        "entitlement",
        "INSERT INTO entitlement.idempotency_keys (idem_key, request_hash, response_code, response_body, expires_at)"
        " SELECT 'old' || n, request_hash, response_code, response_body, now() - interval '1 hour'"
        " FROM entitlement.idempotency_keys, generate_series(1, 50) n",
    )
    await kit.injector.sql("entitlement", "UPDATE entitlement.idempotency_keys SET expires_at = now() - interval '1 s'")
    revoked = await command(kit, "revoke", "k1")
    assert (revoked.status, revoked.json()["status"]) == (200, "REVOKED")


@pytest.mark.parametrize("body", [{"user_id": ""}, {"user_id": None}, {"user_id": 7}, {"purchase_id": ""}])
async def test_a_bad_body_is_refused(kit: CellEquipment, body: dict[str, Any]) -> None:
    assert (await command(kit, "grant", "k1", **body)).status == 400


async def test_without_a_key_it_is_refused(kit: CellEquipment) -> None:
    assert (await command(kit, "grant", None)).status == 400
    assert (await command(kit, "grant", "")).status == 400


async def test_grant_and_revoke_are_seen_told_and_delivered(kit: CellEquipment) -> None:
    granted = (await command(kit, "grant", "k1")).json()
    assert (granted["status"], granted["version"]) == ("ACTIVE", 1)
    revoked = (await command(kit, "revoke", "k2")).json()
    assert (revoked["status"], revoked["version"]) == ("REVOKED", 2)
    owned = (await kit.client.request("entitlement", "GET", "/v1/users/u1/entitlements")).json()
    assert [(e["stock_keeping_unit"], e["status"]) for e in owned["entitlements"]] == [("s1", "REVOKED")]
    await until(kit, "SELECT count(*) FROM notification.notifications WHERE status = 'SENT'", 2, "two notifications")
    inbox = (await kit.client.request("notification", "GET", "/debug/notification/inbox/u1")).json()
    assert {n["type"] for n in inbox["notifications"]} == {"ENTITLEMENT_GRANTED", "ENTITLEMENT_REVOKED"}
    sent = await rows(
        kit, "SELECT count(*) FROM notification.notifications WHERE locked_by IS NOT NULL OR next_retry_at IS NOT NULL"
    )
    assert sent == [(0,)]


async def test_a_claim_that_was_lost_marks_nothing(kit: CellEquipment) -> None:
    # The claim is taken over while publishing waits on a link that swallows everything.
    await kit.injector.cut("entitlement->nats", black_hole=True)
    await command(kit, "grant", "k1")
    await until(kit, "SELECT count(*) FROM entitlement.outbox_events WHERE status = 'IN_FLIGHT'", 1, "a claim")
    await kit.injector.sql(
        "entitlement",
        "UPDATE entitlement.outbox_events SET locked_by = 'another', lease_until = now() + interval '1 hour'",
    )

    async def lost() -> bool:
        return (kit.observer.log_count("entitlement", "outbox lock lost eventId=", 30) or 0) > 0

    await wait_until(lost, what="the lost lock in the log", timeout_s=10)
    owner = await rows(kit, "SELECT locked_by, status FROM entitlement.outbox_events")
    assert owner == [("another", "IN_FLIGHT")]


async def test_a_claim_whose_lease_is_over_is_taken_again(kit: CellEquipment) -> None:
    await kit.injector.sql(
        "entitlement",
        "INSERT INTO entitlement.outbox_events (event_id, event_type, aggregate_key, payload, status, locked_by, lease_until)"
        " VALUES (gen_random_uuid(), 'EntitlementGranted', 'a', %s, 'IN_FLIGHT', 'gone', now() - interval '1 s')",
        ('{"occurred_at": "2026-01-01T00:00:00+00:00", "user_id": "u", "stock_keeping_unit": "s"}',),
    )
    await until(kit, "SELECT status FROM entitlement.outbox_events", "PUBLISHED", "the publish")


async def test_a_payload_that_cannot_be_parsed_fails_at_once(kit: CellEquipment) -> None:
    await kit.injector.sql(
        "entitlement",
        "INSERT INTO entitlement.outbox_events (event_id, event_type, aggregate_key, payload, status)"
        " VALUES (gen_random_uuid(), 'EntitlementGranted', 'a', 'no json', 'PENDING')",
    )
    await until(kit, "SELECT status FROM entitlement.outbox_events", "FAILED", "the failure")
    assert await rows(kit, "SELECT attempt_count FROM entitlement.outbox_events") == [(1,)]


async def test_the_stream_drops_a_second_publish_of_the_same_event(kit: CellEquipment) -> None:
    await command(kit, "grant", "k1")
    await until(kit, "SELECT status FROM entitlement.outbox_events", "PUBLISHED", "the publish")
    before = (await kit.observer.stream("entitlement-events"))["last_seq"]
    await kit.injector.sql(
        "entitlement", "UPDATE entitlement.outbox_events SET status = 'PENDING', published_at = NULL"
    )
    await until(kit, "SELECT status FROM entitlement.outbox_events", "PUBLISHED", "the second publish")
    assert (await kit.observer.stream("entitlement-events"))["last_seq"] == before


async def test_a_failed_publish_does_not_arrive_later(kit: CellEquipment) -> None:
    before = (await kit.observer.stream("entitlement-events"))["last_seq"]
    await kit.injector.cut("entitlement->nats")
    await command(kit, "grant", "k1")
    await until(kit, "SELECT attempt_count >= 3 FROM entitlement.outbox_events", True, "three attempts")
    await kit.injector.sql(
        "entitlement", "UPDATE entitlement.outbox_events SET status = 'FAILED', next_retry_at = NULL"
    )
    await kit.operator.restore_route("entitlement->nats")

    async def connected() -> bool:
        reply = await kit.observer.http("entitlement", "/actuator/health")
        return reply.status == 200

    await wait_until(connected, what="the connection", timeout_s=10)
    marker = str(uuid.uuid4())
    await command(kit, "grant", marker, user_id=marker)
    await until(kit, "SELECT count(*) FROM entitlement.outbox_events WHERE status = 'PUBLISHED'", 1, "the marker")
    assert (await kit.observer.stream("entitlement-events"))["last_seq"] == before + 1
