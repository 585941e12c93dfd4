"""Retention: rows older than their age limit are deleted, in batches, and counted."""

from prometheus_client import CollectorRegistry

from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.loops import Loop
from stack.services.common.metrics import counter
from stack.services.common.settings import Settings

BATCH = 500
"""Rows deleted in one statement, so that no lock is held for long."""


class Retention:
    """Deletes processed events and sent notifications that are too old."""

    def __init__(self, settings: Settings, database: Database, registry: CollectorRegistry) -> None:
        self._database = database
        self._enabled = settings.flag("notification.retention.enabled", True)
        self._max_age_s = settings.duration_s("notification.retention.max-age", "30d")
        self._deleted = counter(registry, "notification_retention_deleted_total", "Rows deleted for their age")
        every_s = settings.duration_s("notification.retention.cleanup-interval", "1h")
        self._loop = Loop("retention", self._round, every_s, survives=DATABASE_ERRORS)

    async def start(self) -> None:
        """Begin to clean up."""
        if self._enabled:
            await self._loop.start()

    async def stop(self) -> None:
        """End."""
        if self._enabled:
            await self._loop.stop()

    async def _round(self) -> bool:
        deleted = 0
        too_old = "now() - %(age)s * interval '1 second'"
        async with self._database.connection() as connection:
            for table, key, age in (
                ("processed_events", "event_id", f"processed_at < {too_old}"),
                ("notifications", "notification_id", f"created_at < {too_old} AND status = 'SENT'"),
            ):
                cursor = await connection.execute(
                    f"DELETE FROM notification.{table} WHERE {key} IN (SELECT {key} FROM notification.{table}"  # noqa: S608
                    f" WHERE {age} LIMIT %(batch)s FOR UPDATE SKIP LOCKED)",
                    {"age": self._max_age_s, "batch": BATCH},
                )
                deleted += cursor.rowcount
        self._deleted.inc(deleted)
        return deleted >= BATCH
