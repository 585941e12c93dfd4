"""The outbox relay: claims rows with a lease, publishes them, and marks each under its own claim."""

import asyncio
import json
import logging
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.js.api import StreamConfig
from prometheus_client import CollectorRegistry, Histogram

from stack.services.common.backoff import Backoff
from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.events import EntitlementEvent
from stack.services.common.loops import Loop
from stack.services.common.messaging import MESSAGING_ERRORS, Messaging
from stack.services.common.metrics import DELAY_BUCKETS_S, counter
from stack.services.common.settings import Settings

log = logging.getLogger("entitlement.outbox")

STREAM = "entitlement-events"
SUBJECT = "entitlement.events"
DUPLICATE_WINDOW_S = 120

_TYPES = {"EntitlementGranted": 0, "EntitlementRevoked": 1}


@dataclass(frozen=True)
class Claimed:
    """A row that this relay holds until its lease ends."""

    event_id: uuid.UUID
    event_type: str
    payload: str
    attempts: int
    created_at: datetime


class Unpublishable(Exception):  # noqa: N818  (a state of a row, not a failure of ours)
    """A row can never be published, whatever the broker does."""


def encode(row: Claimed) -> bytes:
    """The event's wire form; raises Unpublishable for a payload that is none."""
    try:
        body = json.loads(row.payload)
        return EntitlementEvent(str(row.event_id), _TYPES[row.event_type], **body).encode()
    except (ValueError, TypeError, KeyError) as error:
        raise Unpublishable(f"the payload cannot be parsed: {error}") from None


class Relay:
    """Publishes what the commands wrote."""

    def __init__(
        self, settings: Settings, database: Database, messaging: Messaging, registry: CollectorRegistry
    ) -> None:
        prefix = "entitlement.outbox"
        self._database = database
        self._messaging = messaging
        self._batch = settings.integer(f"{prefix}.batch-size", 50)
        self._lease_s = settings.duration_s(f"{prefix}.lease", "30s")
        self._timeout_s = settings.duration_s(f"{prefix}.publish-timeout", "5s")
        self._backoff = Backoff.of(settings, prefix)
        self._enabled = settings.flag(f"{prefix}.enabled", True)
        # Unique per process, so that a claim of a relay that came back late is never taken for a new one's.
        self._owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._stream_of = -1
        self._delay = Histogram(
            "entitlement_outbox_publish_delay_seconds",
            "From created to published",
            registry=registry,
            buckets=DELAY_BUCKETS_S,
        )
        self._lost = counter(registry, "entitlement_outbox_lock_lost_total", "Marks that found another owner")
        self._loop = Loop(
            "outbox relay",
            self.round,
            settings.duration_s(f"{prefix}.poll-interval", "1s"),
            survives=(*DATABASE_ERRORS, OSError),
        )

    async def start(self) -> None:
        """Begin to publish."""
        if self._enabled:
            await self._loop.start()

    async def stop(self) -> None:
        """End; what is still claimed is left to its lease."""
        await self._loop.stop()

    async def round(self) -> bool:
        """Claim a batch and publish it; true when there may be more at once."""
        rows = await self._claim()
        await asyncio.gather(*(self._publish(row) for row in rows))
        return len(rows) == self._batch

    async def _claim(self) -> list[Claimed]:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                "UPDATE entitlement.outbox_events SET status = 'IN_FLIGHT', locked_by = %(owner)s, locked_at = now(),"
                " lease_until = now() + %(lease)s * interval '1 second'"
                " WHERE event_id IN (SELECT event_id FROM entitlement.outbox_events"
                "  WHERE (status = 'PENDING' AND (next_retry_at IS NULL OR next_retry_at <= now()))"
                "  OR (status = 'IN_FLIGHT' AND lease_until < now())"
                "  ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED)"
                " RETURNING event_id, event_type, payload, attempt_count, created_at",
                {"owner": self._owner, "lease": self._lease_s, "batch": self._batch},
            )
            return [Claimed(*row) for row in await cursor.fetchall()]

    async def _publish(self, row: Claimed) -> None:
        try:
            payload = self.encode(row)
            await self._ensure_stream()
            await self._messaging.publish(SUBJECT, payload, message_id=str(row.event_id), timeout_s=self._timeout_s)
        except Unpublishable as error:
            await self._failed(row, str(error))
        except MESSAGING_ERRORS as error:
            await self._retry(row, f"{type(error).__name__}: {error}")
        else:
            await self._published(row)

    def encode(self, row: Claimed) -> bytes:
        """The event's wire form; releases override it."""
        return encode(row)

    async def _ensure_stream(self) -> None:
        if self._stream_of != self._messaging.generation:
            await self._messaging.ensure_stream(
                StreamConfig(name=STREAM, subjects=[SUBJECT], duplicate_window=DUPLICATE_WINDOW_S)
            )
            self._stream_of = self._messaging.generation

    async def _published(self, row: Claimed) -> None:
        marked = await self._mark(
            row,
            "status = 'PUBLISHED', published_at = now(), last_error = NULL, next_retry_at = NULL",
            {},
            "extract(epoch FROM published_at - created_at)",
        )
        if marked is not None:
            self._delay.observe(float(marked))

    async def _retry(self, row: Claimed, error: str) -> None:
        attempt = row.attempts + 1
        if attempt >= self._backoff.max_attempts:
            await self._failed(row, error)
            return
        wait_s = self._backoff.wait_s(attempt)
        marked = await self._mark(
            row,
            "status = 'PENDING', next_retry_at = now() + %(wait)s * interval '1 second', last_error = %(error)s",
            {"wait": wait_s, "error": error[:500]},
        )
        if marked is not None:
            log.warning("outbox publish retry scheduled eventId=%s attempt=%d error=%s", row.event_id, attempt, error)

    async def _failed(self, row: Claimed, error: str) -> None:
        marked = await self._mark(
            row, "status = 'FAILED', next_retry_at = NULL, last_error = %(error)s", {"error": error[:500]}
        )
        if marked is not None:
            log.error("outbox publish moved to FAILED eventId=%s error=%s", row.event_id, error)

    async def _mark(self, row: Claimed, change: str, values: dict[str, Any], give: str = "1") -> Any:
        """Change a row under this relay's claim; None when the claim was lost, which changes nothing."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                f"UPDATE entitlement.outbox_events SET {change}, attempt_count = attempt_count + 1, locked_by = NULL,"  # noqa: S608
                " locked_at = NULL, lease_until = NULL"
                f" WHERE event_id = %(id)s AND locked_by = %(owner)s AND status = 'IN_FLIGHT' RETURNING {give}",
                {"id": row.event_id, "owner": self._owner, **values},
            )
            found = await cursor.fetchone()
        if found is None:
            self._lost.inc()
            log.warning("outbox lock lost eventId=%s", row.event_id)
            return None
        return found[0]
