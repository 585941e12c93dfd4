"""The boundary around accounts: calls to account as the gateway makes them, each with the answer that is specified."""

from dataclasses import dataclass

from harness.model.errors import Unreadable
from harness.model.ports import Observer
from harness.model.probes import Probe
from scenarios.probes.account import ACCOUNT

STRANGER = "00000000-0000-4000-8000-000000000000"
"""Nobody's user id: no call at the boundary can change an account."""


@dataclass(frozen=True)
class Call:
    """One call: who makes it, for what, and what must come of it; `USER` in a path or id is a user that there is."""

    what: str
    status: int
    method: str = "GET"
    path: str = "/users/USER"
    token: bool = True
    user_id: str = ""
    roles: str = "USER"


CALLS = (
    Call("the owner reads the account", 200, user_id="USER"),
    Call("somebody else reads it", 403, user_id=STRANGER),
    Call("an administrator reads it", 200, user_id=STRANGER, roles="USER,ADMIN"),
    Call("nobody reads it", 401),
    Call("a call without a token reads it", 403, token=False, user_id="USER"),
    Call("a call without a token resolves an identity", 403, "POST", "/identities:resolve", token=False),
    Call("somebody suspends an account", 403, "POST", f"/admin/users/{STRANGER}:suspend?reason=probe"),
)


async def _violations(observer: Observer) -> float | None:
    rows = await observer.sql("SELECT user_id::text FROM account.users ORDER BY user_id LIMIT 1")
    if not rows:
        return None
    # As the gateway was given it: what account makes of it is what is asked.
    token = observer.setting("gateway-bff", "ACCOUNT_INTERNAL_API_TOKEN") or ""
    roles = observer.setting("gateway-bff", "ACCOUNT_USER_ROLES_HEADER_NAME") or ""
    return float(sum([await _violates(observer, call, rows[0][0], token, roles) for call in CALLS]))


async def _violates(observer: Observer, call: Call, user: str, token: str, roles_header: str) -> bool:
    headers = {roles_header: call.roles, "X-Actor-User-Id": STRANGER}
    if call.user_id:
        headers["X-User-Id"] = call.user_id.replace("USER", user)
    if call.token:
        headers["X-Internal-Token"] = token
    body = {"provider": "keycloak", "subject": "nobody"} if call.path == "/identities:resolve" else None
    reply = await observer.http(
        ACCOUNT, call.path.replace("USER", user), method=call.method, headers=headers, body=body
    )
    if reply.status is None:
        raise Unreadable(f"account did not answer whether {call.what}: {reply.error}")
    return reply.status != call.status


violations = Probe(
    "account.boundary_violations", f"how many of {len(CALLS)} calls at account's boundary come out wrong", _violations
)
