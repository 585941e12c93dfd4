"""Matchmaking joins through the gateway."""

import random
from dataclasses import dataclass, field

from harness.model.ports import Client
from scenarios.workloads.common import enter
from scenarios.workloads.login import Crowd, crowd

SIZE = 8
"""So many people queue; two of one mode are matched with each other, so more than two are needed."""


@dataclass(frozen=True)
class Joins:
    """People queue for a match, two by two in each mode, so that nobody waits long for a partner."""

    rate_hz: float = 8.0
    name: str = "joins"
    uses: frozenset[str] = frozenset({"keycloak"})
    _crowd: list[Crowd] = field(default_factory=list, compare=False, repr=False)

    async def prepare(self, client: Client, seed: int) -> None:
        """Log everybody in."""
        self._crowd[:] = [await crowd(client, SIZE, seed)]

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Queue one ticket."""
        sent_s = client.clock.now_s()
        people = self._crowd[0]
        who = n % len(people.browsers)
        mode = "casual" if n // 2 % 2 == 0 else "rank"
        reply = await people.browsers[who].request(
            "POST",
            f"/v1/matchmaking/queues/{mode}/tickets",
            json={"party_size": 1, "attributes": {}, "idempotency_key": f"{rng.getrandbits(64):016x}-{n}"},
        )
        body = reply.json() if reply.status == 201 else None
        ticket = str(body.get("ticket_id", "")) if isinstance(body, dict) else ""
        enter(client, "joins.join", planned_s, sent_s, reply, accepted=bool(ticket), key=ticket, data={"mode": mode})
        if reply.status == 401:
            await people.enter_again(client, who)
