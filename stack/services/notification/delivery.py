"""The delivery worker: claims notifications with a lease and sends each to the destination."""

import asyncio
import json
import logging
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, Gauge, Histogram

from stack.services.common.backoff import Backoff
from stack.services.common.database import DATABASE_ERRORS, Connection, Database
from stack.services.common.http_client import HttpClient
from stack.services.common.loops import Loop
from stack.services.common.metrics import DELAY_BUCKETS_S, counter
from stack.services.common.settings import Settings

log = logging.getLogger("notification.delivery")

GAUGES_EVERY_S = 0.5
"""How often the backlog is counted for its gauge."""


@dataclass(frozen=True)
class Claimed:
    """A notification that this worker holds until its lease ends."""

    notification_id: uuid.UUID
    event_id: str
    user_id: str
    type: str
    payload: str
    attempts: int
    occurred_at: datetime


class Delivery:
    """Sends what the subscriber wrote."""

    def __init__(self, settings: Settings, database: Database, registry: CollectorRegistry) -> None:
        prefix = "notification.delivery"
        self._database = database
        timeout_s = settings.duration_s("notification.destination.timeout", "2s")
        self._parallelism = settings.integer(f"{prefix}.parallelism", 20)
        self._client = HttpClient(
            settings.text("destination.base-url", "http://127.0.0.1:8085"),
            connect_s=timeout_s,
            read_s=timeout_s,
            max_connections=self._parallelism,
        )
        self._timeout_s = timeout_s
        self._credential = settings.text("destination.credential", "")
        self._enabled = settings.flag(f"{prefix}.enabled", True)
        self._batch = settings.integer(f"{prefix}.batch-size", 50)
        self._lease_s = settings.duration_s(f"{prefix}.lease", "30s")
        self._backoff = Backoff.of(settings, prefix)
        self._owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._sending: set[asyncio.Task[None]] = set()
        self._delivered = counter(
            registry, "notification_delivery_total", "Sends by result", "result", ("sent", "failed", "retry_scheduled")
        )
        self._dlq = counter(registry, "notification_dlq_total", "Notifications that failed for good")
        self._lost = counter(registry, "notification_lock_lost_total", "Marks that found another owner")
        self._delay = Histogram(
            "notification_delivery_e2e_delay_seconds",
            "From occurred to sent",
            registry=registry,
            buckets=DELAY_BUCKETS_S,
        )
        self._backlog = Gauge("notification_backlog_current", "Waiting notifications", registry=registry)
        self._loop = Loop(
            "delivery",
            self._round,
            settings.duration_s(f"{prefix}.poll-interval", "1s"),
            survives=(*DATABASE_ERRORS, OSError),
        )
        self._gauges = Loop(
            "delivery gauges", self._look, GAUGES_EVERY_S, survives=DATABASE_ERRORS, failed=self._unknown
        )

    async def start(self) -> None:
        """Begin to send."""
        await self._client.start()
        await self._gauges.start()
        if self._enabled:
            await self._loop.start()

    async def stop(self) -> None:
        """End; sends that are under way are given up, and left to their lease."""
        await self._loop.stop()
        await self._gauges.stop()
        for task in self._sending:
            task.cancel()
        await self._client.stop()

    async def _round(self) -> bool:
        free = min(self._parallelism - len(self._sending), self._batch)
        rows = await self._claim(free) if free > 0 else []
        for row in rows:
            task = asyncio.create_task(self._deliver(row))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return False

    async def _claim(self, free: int) -> list[Claimed]:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                "UPDATE notification.notifications SET status = 'PROCESSING', locked_by = %(owner)s, locked_at = now(),"
                " lease_until = now() + %(lease)s * interval '1 second'"
                " WHERE notification_id IN (SELECT notification_id FROM notification.notifications"
                "  WHERE (status = 'PENDING' AND (next_retry_at IS NULL OR next_retry_at <= now()))"
                "  OR (status = 'PROCESSING' AND lease_until < now())"
                "  ORDER BY created_at LIMIT %(free)s FOR UPDATE SKIP LOCKED)"
                " RETURNING notification_id, event_id, user_id, type, payload_json, attempt_count, occurred_at",
                {"owner": self._owner, "lease": self._lease_s, "free": free},
            )
            return [Claimed(*row) for row in await cursor.fetchall()]

    async def _deliver(self, row: Claimed) -> None:
        error = await self._send(row)
        try:
            if error is None:
                await self._sent(row)
            elif row.attempts + 1 >= self._backoff.max_attempts:
                await self._failed(row, error)
            else:
                await self._retry(row, error)
        except DATABASE_ERRORS as problem:
            # The row stays claimed; after its lease it is claimed again.
            log.warning("notification could not be marked notificationId=%s: %s", row.notification_id, problem)

    async def _send(self, row: Claimed) -> str | None:
        """Send one; gives what went wrong, or None."""
        try:
            # httpx has no limit on a whole request, and an answer that trickles must not outlive the lease.
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.request(
                    "POST",
                    "/v1/deliveries",
                    headers={
                        "Authorization": f"Bearer {self._credential}",
                        "X-Notification-Id": str(row.notification_id),
                    },
                    json={
                        "notification_id": str(row.notification_id),
                        "event_id": row.event_id,
                        "user_id": row.user_id,
                        "type": row.type,
                        "payload": json.loads(row.payload),
                    },
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return type(error).__name__
        return None if response.is_success else f"HTTP {response.status_code}"

    async def _sent(self, row: Claimed) -> None:
        async with self._database.connection() as connection:
            delay_s = await self._mark(
                connection,
                row,
                "status = 'SENT', sent_at = now(), next_retry_at = NULL",
                {},
                "extract(epoch FROM sent_at - occurred_at)",
            )
        if delay_s is not None:
            self._delivered.labels("sent").inc()
            self._delay.observe(float(delay_s))

    async def _retry(self, row: Claimed, error: str) -> None:
        wait_s = self._backoff.wait_s(row.attempts + 1)
        async with self._database.connection() as connection:
            marked = await self._mark(
                connection,
                row,
                "status = 'PENDING', next_retry_at = now() + %(wait)s * interval '1 second'",
                {"wait": wait_s},
            )
        if marked is not None:
            self._delivered.labels("retry_scheduled").inc()
            log.warning("notification retry scheduled notificationId=%s error=%s", row.notification_id, error)

    async def _failed(self, row: Claimed, error: str) -> None:
        """FAILED and the DLQ row in one transaction, or neither."""
        async with self._database.transaction() as connection:
            marked = await self._mark(connection, row, "status = 'FAILED', next_retry_at = NULL", {})
            if marked is None:
                return
            await connection.execute(
                "INSERT INTO notification.notification_dlq (dlq_id, notification_id, event_id, payload_json, error_message)"
                " VALUES (%s, %s, %s, %s, %s)",
                (uuid.uuid4(), row.notification_id, row.event_id, row.payload, error),
            )
        self._delivered.labels("failed").inc()
        self._dlq.inc()
        log.error("notification moved to DLQ notificationId=%s error=%s", row.notification_id, error)

    async def _mark(
        self, connection: Connection, row: Claimed, change: str, values: dict[str, Any], give: str = "1"
    ) -> Any:
        """Change a row under this worker's claim; None when the claim was lost, which changes nothing."""
        cursor = await connection.execute(
            f"UPDATE notification.notifications SET {change}, attempt_count = attempt_count + 1, locked_by = NULL,"  # noqa: S608
            " locked_at = NULL, lease_until = NULL"
            f" WHERE notification_id = %(id)s AND locked_by = %(owner)s AND status = 'PROCESSING' RETURNING {give}",
            {"id": row.notification_id, "owner": self._owner, **values},
        )
        found = await cursor.fetchone()
        if found is None:
            self._lost.inc()
            log.warning("notification lock lost notificationId=%s", row.notification_id)
            return None
        return found[0]

    async def _look(self) -> None:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM notification.notifications"
                " WHERE status = 'PENDING' OR (status = 'PROCESSING' AND lease_until < now())"
            )
            row = await cursor.fetchone()
        if row is not None:
            self._backlog.set(row[0])

    def _unknown(self, _error: Exception) -> None:
        self._backlog.set(float("nan"))
