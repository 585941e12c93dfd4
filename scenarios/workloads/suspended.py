"""People beside whom some are rightly suspended, and stay so."""

import random
from dataclasses import dataclass, field

from harness.model.errors import InfrastructureError
from harness.model.ports import Client
from scenarios.workloads.people import People

RIGHTLY_SUSPENDED = 3


@dataclass(frozen=True)
class PeopleAndSuspended(People):
    """The reads of `People`; before they begin, support suspends a few others for a good reason."""

    name: str = "people"
    reason: str = field(default="fraud", compare=False)

    async def prepare(self, client: Client, seed: int) -> None:
        """Sign a few up and suspend them, then log everybody else in."""
        token = {"X-Internal-Token": client.secret("internal-token")}
        admin = {**token, "X-User-Roles": "ADMIN", "X-Actor-User-Id": "support"}
        for n in range(RIGHTLY_SUSPENDED):
            identity = {"provider": "keycloak", "subject": f"suspended-{n}", "email": "", "name": f"Suspended {n}"}
            reply = await client.request("account", "POST", "/identities:resolve", headers=token, json=identity)
            body = reply.json()
            if reply.status != 200 or not isinstance(body, dict):
                raise InfrastructureError(f"nobody can sign up: {reply.status or reply.error}")
            path = f"/admin/users/{body['userId']}:suspend?reason={self.reason}"
            done = await client.request("account", "POST", path, headers=admin)
            if done.status != 204:
                raise InfrastructureError(f"nobody can be suspended: {done.status or done.error}")
        await super().prepare(client, seed)

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """As people do."""
        await super().send(client, planned_s, n, rng)
