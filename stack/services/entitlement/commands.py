"""Grants and revokes: state, audit, idempotency key and outbox row in one transaction."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from stack.services.common import logs
from stack.services.common.database import Connection, Database

KEY_LIFETIME = timedelta(days=1)
"""How long an idempotency key answers again."""


@dataclass(frozen=True)
class Command:
    """What was asked: `action` is `grant` or `revoke`."""

    action: str
    user_id: str
    stock_keeping_unit: str
    reason: str
    purchase_id: str

    @property
    def hash(self) -> str:
        """The same for the same request, whatever its spelling."""
        text = json.dumps([self.action, self.user_id, self.stock_keeping_unit, self.reason, self.purchase_id])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; `result` is the word for the metrics: success, duplicate or conflict."""

    status: int
    body: dict[str, Any]
    result: str


def _conflict(code: str, message: str) -> Answer:
    return Answer(409, {"code": code, "message": message}, "conflict")


class Commands:
    """Carries commands out, each key once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def carry_out(self, command: Command, key: str) -> Answer:
        """Carry out a command; the same key and body give the stored answer again."""
        try:
            async with self._database.transaction() as connection:
                stored = await self._stored(connection, command, key)
                if stored is not None:
                    return stored
                answer = await self._apply(connection, command)
                await connection.execute(
                    "INSERT INTO entitlement.idempotency_keys"
                    " (idem_key, request_hash, response_code, response_body, expires_at) VALUES (%s, %s, %s, %s, %s)",
                    (key, command.hash, answer.status, json.dumps(answer.body), datetime.now(UTC) + KEY_LIFETIME),
                )
                return answer
        except psycopg.errors.UniqueViolation:
            # Another request with this key, or for this entitlement, was first: its effect is there now.
            async with self._database.connection() as connection:
                stored = await self._stored(connection, command, key)
                if stored is None:
                    # The key was used long ago, and is in the way of nothing but its own use again.
                    await connection.execute(
                        "DELETE FROM entitlement.idempotency_keys WHERE idem_key = %s AND expires_at <= now()", (key,)
                    )
            return stored if stored is not None else await self.carry_out(command, key)

    async def _stored(self, connection: Connection, command: Command, key: str) -> Answer | None:
        cursor = await connection.execute(
            "SELECT request_hash, response_code, response_body FROM entitlement.idempotency_keys"
            " WHERE idem_key = %s AND expires_at > now()",
            (key,),
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        if row[0] != command.hash:
            return _conflict("IDEMPOTENCY_KEY_CONFLICT", "the key was used for another request")
        return Answer(row[1], json.loads(row[2]), "duplicate")

    async def _apply(self, connection: Connection, command: Command) -> Answer:
        await connection.execute(
            "DELETE FROM entitlement.idempotency_keys WHERE expires_at <= now() AND idem_key IN"
            " (SELECT idem_key FROM entitlement.idempotency_keys WHERE expires_at <= now() LIMIT 10)"
        )
        cursor = await connection.execute(
            "SELECT status, version, granted_at FROM entitlement.entitlements"
            " WHERE user_id = %s AND stock_keeping_unit = %s FOR UPDATE",
            (command.user_id, command.stock_keeping_unit),
        )
        row = await cursor.fetchone()
        grants = command.action == "grant"
        if (row is not None and row[0] == "ACTIVE") is grants:
            return _conflict("ENTITLEMENT_STATE_CONFLICT", f"it is {'active' if grants else 'not active'} already")
        now = datetime.now(UTC)
        version = (row[1] if row else 0) + 1
        status = "ACTIVE" if grants else "REVOKED"
        await self._write_state(connection, command, status, version, now, known=row is not None)
        await self._write_audit(connection, command, now)
        await self._write_outbox(connection, command, version, now)
        return Answer(
            200,
            {
                "user_id": command.user_id,
                "stock_keeping_unit": command.stock_keeping_unit,
                "status": status,
                "version": version,
                "updated_at": now.isoformat(),
            },
            "success",
        )

    async def _write_state(
        self, connection: Connection, command: Command, status: str, version: int, now: datetime, *, known: bool
    ) -> None:
        granted = now if status == "ACTIVE" else None
        revoked = now if status == "REVOKED" else None
        if known:
            await connection.execute(
                "UPDATE entitlement.entitlements SET status = %s, granted_at = coalesce(%s, granted_at), revoked_at = %s,"
                " source = 'purchase', source_id = %s, version = %s, updated_at = %s"
                " WHERE user_id = %s AND stock_keeping_unit = %s",
                (
                    status,
                    granted,
                    revoked,
                    command.purchase_id,
                    version,
                    now,
                    command.user_id,
                    command.stock_keeping_unit,
                ),
            )
        else:
            await connection.execute(
                "INSERT INTO entitlement.entitlements VALUES (%s, %s, %s, %s, %s, 'purchase', %s, %s, %s)",
                (
                    command.user_id,
                    command.stock_keeping_unit,
                    status,
                    granted,
                    revoked,
                    command.purchase_id,
                    version,
                    now,
                ),
            )

    async def _write_audit(self, connection: Connection, command: Command, now: datetime) -> None:
        await connection.execute(
            "INSERT INTO entitlement.entitlement_audit VALUES (%s, %s, %s, %s, %s, 'purchase', %s, %s, %s)",
            (
                uuid.uuid4(), now, command.user_id, command.stock_keeping_unit, command.action.upper(),
                command.purchase_id, logs.request_id.get(), command.reason,
            ),
        )  # fmt: skip

    def payload(self, action: str, body: dict[str, object]) -> str:
        """What the relay will read, for either action; releases override it."""
        return json.dumps(body) if action else ""

    async def _write_outbox(self, connection: Connection, command: Command, version: int, now: datetime) -> None:
        body: dict[str, object] = {
            "occurred_at": now.isoformat(),
            "user_id": command.user_id,
            "stock_keeping_unit": command.stock_keeping_unit,
            "source": "purchase",
            "source_id": command.purchase_id,
            "version": version,
            "trace_id": logs.trace_id.get(),
        }
        payload = self.payload(command.action, body)
        await connection.execute(
            "INSERT INTO entitlement.outbox_events (event_id, event_type, aggregate_key, payload, status, created_at)"
            " VALUES (%s, %s, %s, %s, 'PENDING', %s)",
            (
                uuid.uuid4(),
                "EntitlementGranted" if command.action == "grant" else "EntitlementRevoked",
                f"{command.user_id}:{command.stock_keeping_unit}",
                payload,
                now,
            ),
        )
