"""Matchmaking: a ticket is matched once, with one other, whatever happens beside it."""

import asyncio
from typing import Any

import pytest

from harness.drivers.clock import wait_until
from harness.drivers.equipment import CellEquipment
from harness.model.values import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def join(kit: CellEquipment, user: str, mode: str = "casual", key: str = "", **more: Any) -> Reply:
    return await kit.injector.http(
        "matchmaking",
        f"/v1/matchmaking/queues/{mode}/tickets",
        method="POST",
        headers={"X-User-Id": user} if user else {},
        body={"party_size": 1, "attributes": {}, "idempotency_key": key, **more},
    )


async def ticket(kit: CellEquipment, id_: str, user: str, method: str = "GET") -> Reply:
    return await kit.injector.http(
        "matchmaking", f"/v1/matchmaking/tickets/{id_}", method=method, headers={"X-User-Id": user}
    )


async def matched(kit: CellEquipment, id_: str, user: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        body = (await ticket(kit, id_, user)).json()
        return body if body["status"] == "MATCHED" else None

    found = await wait_until(there, what=f"the match of {id_}", timeout_s=10)
    assert found is not None
    return found


async def test_two_are_matched_with_each_other_and_told_once(kit: CellEquipment) -> None:
    a, b = [(await join(kit, u)).json()["ticket_id"] for u in ("anna", "ben")]
    first, second = await matched(kit, a, "anna"), await matched(kit, b, "ben")
    assert first["matched"]["match_id"] == second["matched"]["match_id"]
    assert first["matched"]["peer_user_ids"] == ["ben"]
    assert second["matched"]["peer_user_ids"] == ["anna"]

    async def told() -> bool:
        return await kit.observer.sql("SELECT count(*) FROM notification.notifications WHERE type = 'MATCH_FOUND'") == [
            (1,)
        ]

    await wait_until(told, what="the notification", timeout_s=10)


async def test_many_at_once_are_each_in_exactly_one_match(kit: CellEquipment) -> None:
    # A second worker races for the same queue.
    await kit.injector.scale("matchmaking", 2)
    replies = await asyncio.gather(*(join(kit, f"u{n}") for n in range(60)))
    tickets = [(r.json()["ticket_id"], f"u{n}") for n, r in enumerate(replies)]
    found = [await matched(kit, *t) for t in tickets]
    matches: dict[str, int] = {}
    for body in found:
        matches[body["matched"]["match_id"]] = matches.get(body["matched"]["match_id"], 0) + 1
    assert set(matches.values()) == {2}
    assert len(matches) == 30


async def test_nobody_is_matched_with_oneself_or_across_modes(kit: CellEquipment) -> None:
    a = (await join(kit, "anna")).json()["ticket_id"]
    await join(kit, "anna", key="again")
    await join(kit, "ben", "rank")
    c = (await join(kit, "carl")).json()["ticket_id"]
    peer = await matched(kit, c, "carl")
    assert peer["matched"]["peer_user_ids"] == ["anna"]
    assert (await ticket(kit, a, "anna")).json()["status"] in {"MATCHED", "QUEUED"}


async def test_a_key_is_one_ticket(kit: CellEquipment) -> None:
    replies = await asyncio.gather(*(join(kit, "anna", key="k") for _ in range(10)))
    assert len({r.json()["ticket_id"] for r in replies}) == 1
    assert await kit.observer.redis("ZCARD", "mm:queue:casual") in {0, 1}


async def test_a_cancelled_ticket_stays_cancelled(kit: CellEquipment) -> None:
    a = (await join(kit, "anna")).json()["ticket_id"]
    for _ in range(2):
        assert (await ticket(kit, a, "anna", "DELETE")).json()["status"] == "CANCELLED"
    b = (await join(kit, "ben")).json()["ticket_id"]
    c = (await join(kit, "carl")).json()["ticket_id"]
    assert (await matched(kit, b, "ben"))["matched"]["peer_user_ids"] == ["carl"]
    assert (await ticket(kit, a, "anna")).json()["status"] == "CANCELLED"
    assert (await ticket(kit, c, "anna")).status == 403


async def test_tickets_expire_and_say_so(kit: CellEquipment) -> None:
    kit.cell.configure("matchmaking", "matchmaking.ticket-ttl", "300ms")
    await kit.cell.restart("matchmaking")
    await kit.cell.ready(["matchmaking"])
    a = (await join(kit, "anna")).json()["ticket_id"]

    async def expired() -> bool:
        stored = await kit.observer.redis("HGET", f"mm:ticket:{a}", "status")
        return bool(stored == "EXPIRED")

    await wait_until(expired, what="the expiry", timeout_s=10)
    assert (await ticket(kit, a, "anna")).json()["status"] == "EXPIRED"
    assert await kit.observer.redis("ZCARD", "mm:queue:casual") == 0


async def test_a_script_that_fails_changes_nothing(kit: CellEquipment) -> None:
    # A ticket of the wrong type at the head of the queue: the round fails before it writes, so everything stays.
    await kit.injector.redis("SET", "mm:ticket:poison", "x")
    await kit.injector.redis("ZADD", "mm:queue:casual", "1", "poison")
    a, b = [(await join(kit, u)).json()["ticket_id"] for u in ("anna", "ben")]

    async def failed() -> bool:
        return (kit.observer.log_count("matchmaking", "matchmaker worker loop failed mode=casual", 10) or 0) >= 3

    await wait_until(failed, what="failed rounds", timeout_s=10)
    assert await kit.observer.redis("ZCARD", "mm:queue:casual") == 3
    for id_, user in ((a, "anna"), (b, "ben")):
        assert (await ticket(kit, id_, user)).json()["status"] == "QUEUED"
    await kit.operator.redis("ZREM", "mm:queue:casual", "poison")
    await matched(kit, a, "anna")


@pytest.mark.parametrize(
    ("user", "mode", "more", "status"),
    [
        ("", "casual", {}, 401),
        ("a", "chess", {}, 404),
        ("a", "rank", {"party_size": 2}, 400),
        ("a", "rank", {"attributes": 1}, 400),
    ],
)
async def test_wrong_joins(kit: CellEquipment, user: str, mode: str, more: dict[str, Any], status: int) -> None:
    assert (await join(kit, user, mode, **more)).status == status


async def test_a_match_that_nobody_was_told_of_is_found_and_told_once(kit: CellEquipment) -> None:
    await kit.injector.cut("matchmaking->nats")
    a = (await join(kit, "anna")).json()["ticket_id"]
    await join(kit, "ben")
    await matched(kit, a, "anna")

    async def failed() -> bool:
        return (kit.observer.log_count("matchmaking", "match publish failed", 10) or 0) >= 1

    await wait_until(failed, what="the failed publish", timeout_s=10)
    await kit.operator.restore_route("matchmaking->nats")
    first = await kit.operator.run_tool("republish-matches")
    assert (first["matches"], first["missing"], first["published"]) == (1, 1, 1)

    async def told() -> bool:
        return await kit.observer.sql("SELECT count(*) FROM notification.notifications") == [(1,)]

    await wait_until(told, what="the notification", timeout_s=10)
    assert (await kit.operator.run_tool("republish-matches"))["missing"] == 0
