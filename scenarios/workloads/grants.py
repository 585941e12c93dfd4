"""Grants and revokes, sent to entitlement directly."""

import random
from dataclasses import dataclass

from harness.model.ports import Client
from scenarios.workloads.common import enter

USERS = 20

LOOK_BACK_S = 30.0
"""Longer than four requests take at any rate in use, their patience included."""


@dataclass(frozen=True)
class Grants:
    """Purchases: every fifth takes back the grant of four requests before, where that one was accepted."""

    rate_hz: float = 5.0
    name: str = "grants"
    uses: frozenset[str] = frozenset()

    async def prepare(self, client: Client, seed: int) -> None:
        """Nothing to prepare: every key is new."""

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Grant a new unit, or revoke one that was granted."""
        sent_s = client.clock.now_s()
        # What was refused while something restarted cannot be taken back later: that would be a fault of ours.
        revokes = n % 5 == 4 and _granted(client, planned_s, n - 4)
        of = n - 4 if revokes else n
        action = "revoke" if revokes else "grant"
        key = f"{action}-{rng.getrandbits(64):016x}-{n}"
        reply = await client.request(
            "entitlement",
            "POST",
            f"/v1/entitlements/{action}s",
            headers={"Idempotency-Key": key},
            json={
                "user_id": f"buyer-{of % USERS:02d}",
                "stock_keeping_unit": f"unit-{of}",
                "reason": "purchase" if not revokes else "refund",
                "purchase_id": f"purchase-{of}",
            },
        )
        enter(client, f"grants.{action}", planned_s, sent_s, reply, accepted=reply.status == 200, key=key)


def _granted(client: Client, before_s: float, n: int) -> bool:
    sent = client.ledger.since(before_s - LOOK_BACK_S, "grants.grant")
    return any(s.accepted and s.key.endswith(f"-{n}") for s in sent)
