"""Noise: requests for what a service does not have, so that its log holds more than what is broken."""

import random
from dataclasses import dataclass

from harness.model.ports import Client

PATH = "/favicon.ico"


@dataclass(frozen=True)
class Noise:
    """One service is asked for what it does not have, from before anything is broken to the end of the drill.

    It is traffic, not an act of the injector: a load of the injector is bounded, and a drill is as long as its limit.
    """

    service: str
    rate_hz: float = 1.0
    uses: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """One stream a service."""
        return f"noise of {self.service}"

    async def prepare(self, client: Client, seed: int) -> None:
        """Nobody is needed for it."""

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Ask; the answer is entered nowhere, for no indicator and no criterion may count it."""
        del planned_s, n, rng
        await client.request(self.service, "GET", PATH)
