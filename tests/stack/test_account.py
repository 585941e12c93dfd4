"""Account: who may call, whose account it is, and one user an identity however many ask at once."""

import asyncio
import hashlib
import uuid
from typing import Any

import pytest

from harness.drivers.equipment import CellEquipment
from harness.engine.reconcile import reconcile
from harness.model.values import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")


def token(kit: CellEquipment) -> dict[str, str]:
    return {"X-Internal-Token": kit.cell.topology.secrets["internal-token"]}


async def resolve(kit: CellEquipment, subject: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    body = {"provider": "keycloak", "subject": subject, "email": "a@b.c", "emailVerified": True, "name": "A", **more}
    return await kit.client.request(
        "account", "POST", "/identities:resolve", headers=token(kit) if headers is None else headers, json=body
    )


async def get(kit: CellEquipment, user: str, as_user: str | None, roles: str = "USER") -> Reply:
    headers = {**token(kit), "X-User-Roles": roles, **({"X-User-Id": as_user} if as_user else {})}
    return await kit.client.request("account", "GET", f"/users/{user}", headers=headers)


async def test_an_identity_is_one_user_however_many_ask_at_once(kit: CellEquipment) -> None:
    replies = await asyncio.gather(*(resolve(kit, "s1") for _ in range(30)))
    assert {r.status for r in replies} == {200}
    wanted = uuid.UUID(bytes=hashlib.md5(b"keycloak:s1", usedforsecurity=False).digest(), version=3)
    assert {r.json()["userId"] for r in replies} == {str(wanted)}
    assert replies[0].json() == {"userId": str(wanted), "accountStatus": "ACTIVE", "roles": ["USER"]}
    assert await kit.observer.sql("SELECT count(*) FROM account.users") == [(1,)]


async def test_the_first_who_asks_a_database_that_is_back_is_served_however_many_connections_died(
    kit: CellEquipment,
) -> None:
    held = 0
    for _ in range(20):
        await asyncio.gather(*(resolve(kit, f"s{n}") for n in range(30)))
        rows = await kit.observer.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'account'")
        held = max(held, rows[0][0])
    assert held >= 4
    await kit.injector.kill("postgres")
    assert any("postgres" in d.lower() for d in await reconcile(kit))
    assert (await resolve(kit, "s1")).status == 200


@pytest.mark.parametrize("headers", [{}, {"X-Internal-Token": ""}, {"X-Internal-Token": "not-it"}])
async def test_without_the_token_everything_is_refused(kit: CellEquipment, headers: dict[str, str]) -> None:
    assert (await resolve(kit, "s1", headers)).status == 403
    user = str(uuid.uuid4())
    whole = {**headers, "X-User-Id": user, "X-User-Roles": "ADMIN", "X-Actor-User-Id": "a"}
    assert (await kit.client.request("account", "GET", f"/users/{user}", headers=whole)).status == 403
    assert (await kit.client.request("account", "POST", f"/admin/users/{user}:suspend", headers=whole)).status == 403


async def test_an_empty_token_matches_nothing_not_even_an_empty_one(kit: CellEquipment) -> None:
    await kit.injector.set_setting("account", "ACCOUNT_INTERNAL_API_TOKEN", "")
    for headers in ({}, {"X-Internal-Token": ""}, token(kit)):
        assert (await resolve(kit, "s1", headers)).status == 403


async def test_owners_and_administrators_read_and_others_do_not(kit: CellEquipment) -> None:
    mine = (await resolve(kit, "s1")).json()["userId"]
    other = (await resolve(kit, "s2")).json()["userId"]
    assert (await get(kit, mine, mine)).status == 200
    refused = await get(kit, mine, other)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert (await get(kit, mine, other, "USER,ADMIN")).status == 200
    assert (await get(kit, mine, None)).status == 401
    assert (await get(kit, str(uuid.uuid4()), other, "ADMIN")).code == "NOT_FOUND"
    assert (await get(kit, "no-uuid", other, "ADMIN")).status == 404
    assert (kit.observer.log_count("account", "reason=not_owner", 30) or 0) >= 1


async def test_a_user_is_changed_by_its_owner_alone_and_only_where_it_may(kit: CellEquipment) -> None:
    mine = (await resolve(kit, "s1")).json()["userId"]

    async def patch(body: Any, as_user: str) -> Reply:
        headers = {**token(kit), "X-User-Id": as_user, "X-User-Roles": "USER"}
        return await kit.client.request("account", "PATCH", f"/users/{mine}", headers=headers, json=body)

    changed = (await patch({"displayName": "Neu", "locale": "ja"}, mine)).json()
    assert (changed["displayName"], changed["locale"]) == ("Neu", "ja")
    for bad in ({}, {"status": "ACTIVE"}, {"displayName": ""}, {"displayName": 1}, {"displayName": "x" * 200}, [1]):
        assert (await patch(bad, mine)).status == 400
    assert (await patch({"locale": "en"}, str(uuid.uuid4()))).status == 403


async def test_a_suspension_and_its_audit_record_come_together(kit: CellEquipment) -> None:
    user = (await resolve(kit, "s1")).json()["userId"]
    admin = {**token(kit), "X-User-Roles": "ADMIN", "X-Actor-User-Id": "boss"}
    path = f"/admin/users/{user}:suspend?reason=abuse"
    assert (await kit.client.request("account", "POST", path, headers={**admin, "X-User-Roles": "USER"})).status == 403
    assert (await kit.client.request("account", "POST", path, headers=admin)).status == 204
    assert (await resolve(kit, "s1")).json()["accountStatus"] == "SUSPENDED"
    rows = await kit.observer.sql(
        "SELECT actor_user_id, action, target_user_id::text, metadata_json FROM account.audit_logs"
    )
    assert rows == [("boss", "SUSPEND", user, '{"reason": "abuse"}')]
    assert (
        await kit.client.request("account", "POST", f"/admin/users/{uuid.uuid4()}:suspend", headers=admin)
    ).status == 404


async def test_a_suspension_that_cannot_be_audited_changes_nothing(kit: CellEquipment) -> None:
    user = (await resolve(kit, "s1")).json()["userId"]
    admin = {**token(kit), "X-User-Roles": "ADMIN", "X-Actor-User-Id": "boss"}
    await kit.injector.sql("account", "REVOKE INSERT ON account.audit_logs FROM account")
    try:
        reply = await kit.client.request("account", "POST", f"/admin/users/{user}:suspend", headers=admin)
        assert reply.status == 503
        assert (await resolve(kit, "s1")).json()["accountStatus"] == "ACTIVE"
    finally:
        await kit.injector.sql("account", "GRANT INSERT ON account.audit_logs TO account")


async def test_shipped_releases_do_what_they_say(kit: CellEquipment) -> None:
    user = (await resolve(kit, "s1")).json()["userId"]
    await kit.injector.deploy("account", "1.1.0")
    assert "accountStatus" not in (await resolve(kit, "s1")).json()
    await kit.injector.deploy("account", "1.2.0")
    assert (await get(kit, user, str(uuid.uuid4()))).status == 200
    change = await kit.operator.rollback_release("account")
    assert (change.old, change.new) == ("1.1.0", "1.2.0")
    assert "accountStatus" not in (await resolve(kit, "s1")).json()


async def test_roles_are_none_of_them_superusers(kit: CellEquipment) -> None:
    rows = await kit.observer.sql("SELECT rolname FROM pg_roles WHERE rolsuper")
    assert rows == [("postgres",)]
    owners = await kit.observer.sql(
        "SELECT n.nspname, r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner"
        " WHERE n.nspname IN ('account', 'entitlement', 'notification') ORDER BY 1"
    )
    assert owners == [(n, n) for n in ("account", "entitlement", "notification")]


async def test_a_harness_refused_call_is_refused_and_not_counted(kit: CellEquipment) -> None:
    name = "account_authorization_denied_total"

    async def denied() -> float:
        await kit.scrape({"account": frozenset({name})})
        value = kit.observer.metric("account", name, {"reason": "token"})
        assert value is not None
        return value

    before = await denied()
    assert (await kit.observer.http("account", f"/users/{uuid.uuid4()}")).status == 403
    assert await denied() == before
    assert (await resolve(kit, "s1", {})).status == 403
    assert await denied() == before + 1
