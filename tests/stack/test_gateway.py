"""The gateway: logins checked to the letter, identities resolved at each call, failures told apart."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey

from harness.drivers.equipment import CellEquipment
from harness.drivers.http import HttpBrowser
from scenarios.workloads.login import log_in
from tests.stack.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLBACK = "/login/oauth2/code/keycloak"


@pytest_asyncio.fixture(loop_scope="session")
async def keycloak(kit: CellEquipment) -> CellEquipment:
    await kit.cell.ready(["keycloak"], timeout_s=120)
    return kit


async def logged_in(kit: CellEquipment, user: str = "user-001") -> tuple[HttpBrowser, str]:
    browser = kit.client.browser("gateway-bff")
    good, reply = await log_in(kit.client, browser, user)
    assert good, (reply.status, reply.headers.get("location"))
    me = await browser.request("GET", "/v1/me")
    assert me.status == 200, (me.status, me.code, me.error)
    return browser, me.json()["userId"]


async def test_a_login_through_keycloak_ends_in_a_session(keycloak: CellEquipment) -> None:
    browser, user_id = await logged_in(keycloak)
    me = await browser.request("GET", "/v1/me")
    assert me.json() == {"userId": user_id, "accountStatus": "ACTIVE", "roles": ["USER"]}
    own = (await browser.request("GET", f"/v1/users/{user_id}")).json()
    assert set(own) == {"userId", "displayName", "locale", "status", "roles"}
    changed = await browser.request("PATCH", f"/v1/users/{user_id}", json={"locale": "ja"})
    assert changed.json()["locale"] == "ja"
    assert (await browser.request("PATCH", f"/v1/users/{user_id}", json={"roles": "ADMIN"})).status == 400


async def test_the_session_cookie_is_ours_alone_and_logout_needs_the_token(keycloak: CellEquipment) -> None:
    browser, _ = await logged_in(keycloak)
    cookies = browser.cookies("/v1/me")
    assert set(cookies) == {"JSESSIONID", "XSRF-TOKEN"}
    assert (await browser.request("POST", "/logout")).status == 403
    assert (await browser.request("POST", "/logout", headers={"X-XSRF-TOKEN": "not-it"})).status == 403
    assert (await browser.request("GET", "/v1/me")).status == 200
    assert (await browser.request("POST", "/logout", headers={"X-XSRF-TOKEN": cookies["XSRF-TOKEN"]})).status == 204
    assert (await browser.request("GET", "/v1/me")).status == 401


async def test_the_way_in_and_where_failed_logins_end(kit: CellEquipment) -> None:
    browser = kit.client.browser("gateway-bff")
    way_in = await browser.request("GET", "/login")
    assert (way_in.status, way_in.headers["location"]) == (302, "/oauth2/authorization/keycloak")
    sent = await browser.request("GET", "/oauth2/authorization/keycloak")
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge", "client_id", "redirect_uri", "scope"} <= set(query)
    assert "openid" in query["scope"][0]
    assert (await browser.request("GET", "/login?error")).status == 401
    assert (await browser.request("GET", "/v1/me")).status == 401
    assert (await browser.request("GET", "/v1/users/x")).status == 401


async def test_other_people_are_out_of_reach(keycloak: CellEquipment) -> None:
    _, other = await logged_in(keycloak, "user-002")
    browser, user_id = await logged_in(keycloak, "user-001")
    refused = await browser.request("GET", f"/v1/users/{other}")
    assert (refused.status, refused.code) == (403, "ACCOUNT_FORBIDDEN")
    profile = await browser.request("GET", f"/v1/users/{other}/profile")
    assert (profile.status, profile.code) == (403, "PROFILE_FORBIDDEN")
    own = (await browser.request("GET", f"/v1/users/{user_id}/profile")).json()
    assert (own["account"]["userId"], own["entitlements"]) == (user_id, [])


async def test_matchmaking_passes_through_and_tickets_are_ones_own(keycloak: CellEquipment) -> None:
    browser, user_id = await logged_in(keycloak, "user-001")
    other, _ = await logged_in(keycloak, "user-002")
    joined = await browser.request("POST", "/v1/matchmaking/queues/rank/tickets", json={"party_size": 1})
    assert joined.status == 201
    path = f"/v1/matchmaking/tickets/{joined.json()['ticket_id']}"
    assert (await browser.request("GET", path)).json()["status"] == "QUEUED"
    assert (await other.request("GET", path)).code == "MATCHMAKING_FORBIDDEN"
    profile = await browser.request("GET", f"/v1/users/{user_id}/profile?ticketId={joined.json()['ticket_id']}")
    assert profile.json()["matchmaking"]["status"] == "QUEUED"
    assert (await browser.request("DELETE", path)).json()["status"] == "CANCELLED"
    assert (await browser.request("GET", "/v1/matchmaking/tickets/none")).code == "MATCHMAKING_NOT_FOUND"
    assert (await browser.request("POST", "/v1/matchmaking/queues/chess/tickets", json={})).status == 404


async def test_a_suspended_account_is_inactive_at_once(keycloak: CellEquipment) -> None:
    browser, user_id = await logged_in(keycloak)
    headers = {
        "X-Internal-Token": keycloak.cell.topology.secrets["internal-token"],
        "X-User-Roles": "ADMIN",
        "X-Actor-User-Id": "boss",
    }
    await keycloak.client.request("account", "POST", f"/admin/users/{user_id}:suspend?reason=r", headers=headers)
    me = await browser.request("GET", "/v1/me")
    assert (me.status, me.code) == (403, "ACCOUNT_INACTIVE")


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        ("freeze", 504, "ACCOUNT_TIMEOUT"),
        ("stop", 502, "ACCOUNT_BAD_GATEWAY"),
        ("cut", 502, "ACCOUNT_BAD_GATEWAY"),
        ("release", 502, "ACCOUNT_INVALID_RESPONSE"),
        ("token", 403, "ACCOUNT_FORBIDDEN"),
        ("database", 502, "ACCOUNT_BAD_GATEWAY"),
    ],
)
async def test_what_account_does_is_told_apart(keycloak: CellEquipment, broken: str, status: int, code: str) -> None:
    browser, _ = await logged_in(keycloak)
    match broken:
        case "freeze":
            await keycloak.injector.freeze("account")
        case "stop":
            await keycloak.injector.stop("account")
        case "cut":
            await keycloak.injector.cut("gateway-bff->account")
        case "release":
            await keycloak.injector.deploy("account", "1.1.0")
        case "token":
            await keycloak.injector.set_setting("account", "ACCOUNT_INTERNAL_API_TOKEN", "other")
        case "database":
            # Account must give up waiting for a connection before the gateway gives up waiting for account.
            await keycloak.injector.set_setting("account", "account.database.acquire-timeout", "200ms")
            await keycloak.injector.cut("account->postgres")
    reply = await browser.request("GET", "/v1/me")
    assert (reply.status, reply.code) == (status, code)


async def test_calls_to_account_are_limited_when_on_call_says_so(keycloak: CellEquipment) -> None:
    import asyncio  # noqa: PLC0415

    await keycloak.operator.set_setting("gateway-bff", "gateway.account.max-concurrent-calls", "1")
    browser, _ = await logged_in(keycloak)
    await keycloak.injector.slow("gateway-bff->account", latency_ms=400)
    replies = await asyncio.gather(*(browser.request("GET", "/v1/me") for _ in range(6)))
    assert {r.code for r in replies if r.status == 503} == {"ACCOUNT_BUSY"}
    assert any(r.status == 200 for r in replies)


# Logins against a provider that lies ------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def liar(kit: CellEquipment) -> AsyncIterator[Provider]:
    provider = Provider()
    await provider.start()
    for name, path in (("OIDC_TOKEN_URI", "/token"), ("OIDC_JWK_SET_URI", "/keys"), ("OIDC_ISSUER_URI", "")):
        kit.cell.configure("gateway-bff", name, provider.base + path)
    await kit.cell.restart("gateway-bff")
    await kit.cell.ready(["gateway-bff"])
    yield provider
    await provider.stop()


async def come_back(
    kit: CellEquipment, provider: Provider, *, session: bool = True, **changed: str | None
) -> tuple[str, HttpBrowser]:
    """Begin a login and come back as the provider would send one; gives where that ends."""
    browser = kit.client.browser("gateway-bff")
    sent = await browser.request("GET", "/oauth2/authorization/keycloak")
    query = {k: v[0] for k, v in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    provider.nonce = query["nonce"]
    parameters = {k: v for k, v in {"state": query["state"], "code": "c", **changed}.items() if v is not None}
    if not session:
        browser = kit.client.browser("gateway-bff")
    reply = await browser.request("GET", f"{CALLBACK}?{urlencode(parameters)}")
    assert reply.status == 302
    return reply.headers["location"], browser


async def test_a_good_answer_logs_in(kit: CellEquipment, liar: Provider) -> None:
    where, browser = await come_back(kit, liar)
    assert where == "/"
    assert (await browser.request("GET", "/v1/me")).status == 200


LIES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("state", {"state": "other"}, {}, "invalid_state_parameter"),
    ("no state", {"state": None}, {}, "invalid_state_parameter"),
    ("refused at the provider", {"code": None, "error": "access_denied"}, {}, "access_denied"),
    ("nonce", {}, {"claims": {"nonce": "other"}}, "invalid_id_token"),
    ("no nonce", {}, {"claims": {"nonce": None}}, "invalid_id_token"),
    ("issuer", {}, {"claims": {"iss": "http://elsewhere"}}, "invalid_id_token"),
    ("audience", {}, {"claims": {"aud": "someone-else"}}, "invalid_id_token"),
    ("expired", {}, {"claims": {"exp": 1}}, "invalid_id_token"),
    ("signature", {}, {"signing": RSAKey.generate_key(2048, {"kid": "k1"})}, "invalid_id_token"),
    ("secret", {}, {"status": 401}, "invalid_token_response"),
]


@pytest.mark.parametrize(("parameters", "lie", "reason"), [c[1:] for c in LIES], ids=[c[0] for c in LIES])
async def test_a_lie_ends_where_failed_logins_end(
    kit: CellEquipment, liar: Provider, parameters: dict[str, Any], lie: dict[str, Any], reason: str
) -> None:
    for name, value in lie.items():
        setattr(liar, name, value)
    where, browser = await come_back(kit, liar, **parameters)
    assert where == "/login?error"
    assert (await browser.request("GET", "/v1/me")).status == 401
    assert (kit.observer.log_count("gateway-bff", f"oauth2 login failed: [{reason}", 20) or 0) >= 1


async def test_an_answer_to_another_browser_is_refused(kit: CellEquipment, liar: Provider) -> None:
    where, _ = await come_back(kit, liar, session=False)
    assert where == "/login?error"


async def test_an_answer_is_good_for_one_time(kit: CellEquipment, liar: Provider) -> None:
    where, browser = await come_back(kit, liar)
    assert where == "/"
    again = await browser.request("GET", f"{CALLBACK}?state=x&code=c")
    assert again.headers["location"] == "/login?error"


async def test_a_wrong_secret_is_refused_by_keycloak_itself(keycloak: CellEquipment) -> None:
    await keycloak.injector.set_setting("gateway-bff", "OIDC_CLIENT_SECRET", "not-it")
    browser = keycloak.client.browser("gateway-bff")
    good, reply = await log_in(keycloak.client, browser, "user-001")
    assert not good
    assert (reply.status, reply.code) == (401, "LOGIN_FAILED")
