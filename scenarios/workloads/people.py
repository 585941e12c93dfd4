"""People who are logged in: who am I, my account, my profile."""

import random
from dataclasses import dataclass, field

from harness.model.ports import Client
from scenarios.workloads.common import enter, said
from scenarios.workloads.login import Crowd, crowd

SIZE = 6
"""So many people at once; each has a connection of its own now and then."""


@dataclass(frozen=True)
class People:
    """Reads through the gateway: half `/v1/me`, a quarter the account, a quarter the profile.

    Somebody whose session is gone logs in again, as a browser with its SSO cookie does.
    """

    rate_hz: float = 8.0
    name: str = "people"
    uses: frozenset[str] = frozenset({"keycloak"})
    _crowd: list[Crowd] = field(default_factory=list, compare=False, repr=False)

    async def prepare(self, client: Client, seed: int) -> None:
        """Log everybody in."""
        self._crowd[:] = [await crowd(client, SIZE, seed)]

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """One read by one of them."""
        sent_s = client.clock.now_s()
        people = self._crowd[0]
        who = n % len(people.browsers)
        browser, user_id = people.browsers[who], people.user_ids[who]
        op, path = rng.choice(
            (
                ("me", "/v1/me"),
                ("me", "/v1/me"),
                ("user", f"/v1/users/{user_id}"),
                ("profile", f"/v1/users/{user_id}/profile"),
            )
        )
        reply = await browser.request("GET", path)
        enter(
            client,
            f"people.{op}",
            planned_s,
            sent_s,
            reply,
            accepted=reply.status == 200,
            key=user_id,
            data=said(reply),
        )
        if reply.status == 401:
            await people.enter_again(client, who)
