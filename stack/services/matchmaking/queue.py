"""Tickets and queues in Redis."""

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from stack.services.common.settings import Settings
from stack.services.matchmaking import scripts

MODES = ("casual", "rank")

REDIS_ERRORS = (RedisError, OSError, TimeoutError)
"""What a command may raise when Redis or the way to it, not the service, is at fault."""


@dataclass(frozen=True)
class Match:
    """A match that was just made; times are milliseconds of the epoch."""

    match_id: str
    joined_ms: tuple[int, int]


class Queue:
    """The queues of all modes."""

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.duration_s("matchmaking.redis.timeout", "1s")
        self._lifetime_ms = int(settings.duration_s("matchmaking.ticket-ttl", "60s") * 1000)
        self._kept_ms = int(settings.duration_s("matchmaking.matched-ttl", "10m") * 1000)
        pool: aioredis.BlockingConnectionPool = aioredis.BlockingConnectionPool(
            host=settings.text("REDIS_HOST", "127.0.0.1"),
            port=settings.integer("REDIS_PORT", 6379),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            timeout=timeout_s,
            max_connections=50,
            decode_responses=True,
            client_name="matchmaking",
            # A command that timed out may have had its effect; whoever asked decides whether to ask again.
            retry=Retry(NoBackoff(), 0),
        )
        self._unused: dict[str, list[str]] = {}
        self._redis = aioredis.Redis(connection_pool=pool)
        self._join = self._redis.register_script(scripts.JOIN)
        self._cancel = self._redis.register_script(scripts.CANCEL)
        self._match = self._redis.register_script(scripts.MATCH)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def ping(self) -> None:
        """Ask whether Redis answers."""
        await self._redis.ping()

    async def join(self, user_id: str, mode: str, attributes: dict[str, Any], key: str) -> dict[str, Any]:
        """Queue a ticket; the same user, mode and key give the ticket of before."""
        ticket_id = str(uuid.uuid4())
        now_ms = int(time.time() * 1000)
        created, expires = _iso(now_ms), _iso(now_ms + self._lifetime_ms)
        idempotency = f"mm:idemp:{user_id}:{mode}:{key}" if key else ""
        found, new = await self._join(
            keys=[f"mm:ticket:{ticket_id}", f"mm:queue:{mode}", idempotency],
            args=[
                ticket_id, now_ms, self._lifetime_ms, self._kept_ms, user_id, mode, created, expires, json.dumps(attributes),
            ],
        )  # fmt: skip
        if not int(new):
            known = await self.ticket(found)
            if known is not None:
                return {"ticket_id": found, "status": known["status"], "expires_at": known["expires_at"]}
        return {"ticket_id": found, "status": "QUEUED", "expires_at": expires}

    async def ticket(self, ticket_id: str) -> dict[str, str] | None:
        """A ticket as it is; one whose lifetime is over is EXPIRED whether the worker came by or not."""
        found = {str(k): str(v) for k, v in (await self._redis.hgetall(f"mm:ticket:{ticket_id}")).items()}
        if not found:
            return None
        if found["status"] == "QUEUED" and int(float(found["expires_at_epoch_millis"])) <= time.time() * 1000:
            found["status"] = "EXPIRED"
        return found

    async def cancel(self, ticket_id: str, mode: str) -> str | None:
        """Take a queued ticket out; gives the status it has then."""
        status = await self._cancel(keys=[f"mm:ticket:{ticket_id}", f"mm:queue:{mode}"], args=[ticket_id])
        return str(status) if status else None

    async def match(self, mode: str, batch: int) -> tuple[str, list[Match], int]:
        """One round of a mode: when it took place, the matches made, the number of tickets that expired."""
        now_ms = int(time.time() * 1000)
        occurred_at = _iso(now_ms)
        # Most rounds make no match and leave their ids to the next. One that fails may have used them: they are not kept.
        ids = self._unused.pop(mode, [])
        ids += [str(uuid.uuid4()) for _ in range(batch - len(ids))]
        made, expired = await self._match(
            keys=[f"mm:queue:{mode}"], args=[now_ms, batch, self._kept_ms, occurred_at, mode, *ids]
        )
        used = {m for m, _, _ in made}
        self._unused[mode] = [i for i in ids if i not in used]
        return occurred_at, [Match(m, (int(float(a)), int(float(b)))) for m, a, b in made], int(expired)

    async def shape(self, mode: str) -> tuple[int, float]:
        """Depth, and the oldest ticket's age in seconds (0 when empty)."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(f"mm:queue:{mode}")
            pipe.zrange(f"mm:queue:{mode}", 0, 0, withscores=True)
            depth, oldest = await pipe.execute()
        age_s = max(time.time() - float(oldest[0][1]) / 1000, 0.0) if oldest else 0.0
        return int(depth), age_s


def _iso(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
