"""Administrators, who call account directly: they read other people's accounts, and suspend some."""

import hashlib
import random
import uuid
from dataclasses import dataclass

from harness.model.errors import InfrastructureError
from harness.model.ports import Client
from scenarios.workloads.common import enter

TARGETS = 8


def _user_id(subject: str) -> str:
    """The user id that account gives an identity: a version 3 UUID of its name without a namespace."""
    digest = hashlib.md5(f"keycloak:{subject}".encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=3))


SPARED = tuple(_user_id(f"to-suspend-{n:02d}") for n in range(TARGETS))
"""Whom `Suspensions` signs up and leaves as they are."""


async def _resolve(client: Client, subject: str) -> str:
    token = {"X-Internal-Token": client.secret("internal-token")}
    identity = {"provider": "keycloak", "subject": subject, "email": "", "name": subject}
    reply = await client.request("account", "POST", "/identities:resolve", headers=token, json=identity)
    body = reply.json()
    if reply.status != 200 or not isinstance(body, dict):
        raise InfrastructureError(f"{subject} cannot sign up: {reply.status or reply.error}")
    return str(body["userId"])


def _admin(client: Client) -> dict[str, str]:
    return {
        "X-Internal-Token": client.secret("internal-token"),
        "X-User-Id": "administrator",
        "X-User-Roles": "USER,ADMIN",
        "X-Actor-User-Id": "administrator",
    }


@dataclass(frozen=True)
class Admins:
    """An administrator reads other people's accounts."""

    rate_hz: float = 4.0
    name: str = "admins"
    uses: frozenset[str] = frozenset()

    async def prepare(self, client: Client, seed: int) -> None:
        """Sign up whom to read."""
        for n in range(TARGETS):
            await _resolve(client, f"to-read-{n}")

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Read one of them."""
        sent_s = client.clock.now_s()
        try:
            user_id = await _resolve(client, f"to-read-{n % TARGETS}")
        except InfrastructureError:
            user_id = "unknown"
        reply = await client.request("account", "GET", f"/users/{user_id}", headers=_admin(client))
        enter(client, "admins.read", planned_s, sent_s, reply, accepted=reply.status == 200, key=user_id)


@dataclass(frozen=True)
class Suspensions:
    """An administrator suspends accounts that exist for nothing else, each of them once and again."""

    rate_hz: float = 4.0
    name: str = "suspensions"
    uses: frozenset[str] = frozenset()

    async def prepare(self, client: Client, seed: int) -> None:
        """Sign up whom to suspend; half of them stay as they are."""
        for n in range(TARGETS * 2):
            await _resolve(client, f"to-suspend-{n:02d}")

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Suspend one of the other half."""
        sent_s = client.clock.now_s()
        try:
            user_id = await _resolve(client, f"to-suspend-{TARGETS + n % TARGETS:02d}")
        except InfrastructureError:
            user_id = "unknown"
        path = f"/admin/users/{user_id}:suspend?reason=abuse"
        reply = await client.request("account", "POST", path, headers=_admin(client))
        enter(client, "suspensions.suspend", planned_s, sent_s, reply, accepted=reply.status == 204, key=user_id)
