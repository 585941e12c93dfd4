"""Entitlements: commands with an outbox, its relay, and what people own."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.common.app import ApiError, body_of, create_app
from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.loops import Loop
from stack.services.common.messaging import Messaging
from stack.services.common.settings import Settings
from stack.services.entitlement.commands import Command, Commands
from stack.services.entitlement.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"

GAUGES_EVERY_S = 0.5
"""How often the outbox is looked at for the gauges."""


class OutboxGauges:
    """The age of the oldest unpublished row, and the number of FAILED ones."""

    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        self._database = database
        self._age = Gauge(
            "entitlement_outbox_backlog_age_seconds", "Age of the oldest unpublished event", registry=registry
        )
        self._failed = Gauge("entitlement_outbox_failed_current", "Events that failed for good", registry=registry)
        self._loop = Loop("outbox gauges", self._look, GAUGES_EVERY_S, survives=DATABASE_ERRORS, failed=self._unknown)
        self.start, self.stop = self._loop.start, self._loop.stop

    async def _look(self) -> None:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT coalesce(extract(epoch FROM now() - min(created_at)"
                " FILTER (WHERE status IN ('PENDING', 'IN_FLIGHT'))), 0), count(*) FILTER (WHERE status = 'FAILED')"
                " FROM entitlement.outbox_events WHERE status IN ('PENDING', 'IN_FLIGHT', 'FAILED')"
            )
            row = await cursor.fetchone()
        if row is not None:
            self._age.set(max(float(row[0]), 0.0))
            self._failed.set(row[1])

    def _unknown(self, _error: Exception) -> None:
        # An old figure would look healthy while nobody can tell.
        self._age.set(float("nan"))
        self._failed.set(float("nan"))


class Api:
    """The routes; releases override what they change."""

    commands_type = Commands
    relay_type = Relay

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.database = Database(settings, "entitlement", MIGRATIONS)
        self.messaging = Messaging(settings, "entitlement")
        self.commands = self.commands_type(self.database)
        self.relay = self.relay_type(settings, self.database, self.messaging, self.registry)
        self.gauges = OutboxGauges(self.database, self.registry)
        self._counted = Counter(
            "entitlement_command_total", "Commands by action and result", ["action", "result"], registry=self.registry
        )
        for action in ("grant", "revoke"):
            for result in ("success", "duplicate", "conflict", "error"):
                self._counted.labels(action, result)

    async def command(self, request: Request) -> Response:
        """Grant or revoke, as the path says."""
        action = "grant" if request.url.path.endswith("/grants") else "revoke"
        key = request.headers.get("idempotency-key", "")
        if not key:
            raise ApiError(400, "BAD_REQUEST", "Idempotency-Key is missing")
        body = await body_of(request, "user_id", "stock_keeping_unit", "reason", "purchase_id")
        command = Command(action, body["user_id"], body["stock_keeping_unit"], body["reason"], body["purchase_id"])
        try:
            answer = await self.commands.carry_out(command, key)
        except DATABASE_ERRORS as error:
            self._counted.labels(action, "error").inc()
            raise ApiError(
                503, "DATABASE_UNAVAILABLE", f"the database did not answer: {type(error).__name__}"
            ) from error
        self._counted.labels(action, answer.result).inc()
        return JSONResponse(answer.body, answer.status)

    async def owned(self, request: Request) -> Response:
        """What a user owns or owned."""
        user_id = request.path_params["user_id"]
        try:
            async with self.database.connection() as connection:
                cursor = await connection.execute(
                    "SELECT stock_keeping_unit, status, version, updated_at FROM entitlement.entitlements"
                    " WHERE user_id = %s ORDER BY stock_keeping_unit",
                    (user_id,),
                )
                rows = await cursor.fetchall()
        except DATABASE_ERRORS as error:
            raise ApiError(
                503, "DATABASE_UNAVAILABLE", f"the database did not answer: {type(error).__name__}"
            ) from error
        found = [
            {"stock_keeping_unit": sku, "status": status, "version": version, "updated_at": updated_at.isoformat()}
            for sku, status, version, updated_at in rows
        ]
        return JSONResponse({"user_id": user_id, "entitlements": found})

    def app(self) -> Starlette:
        """The service."""
        return create_app(
            self.registry,
            [
                Route("/v1/entitlements/grants", self.command, methods=["POST"]),
                Route("/v1/entitlements/revokes", self.command, methods=["POST"]),
                Route("/v1/users/{user_id}/entitlements", self.owned),
            ],
            ready={"db": self.database.ready, "nats": self.messaging.ready},
            background=(self.database, self.messaging, self.relay, self.gauges),
        )


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Api(settings).app()
