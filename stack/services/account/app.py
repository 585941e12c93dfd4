"""Accounts: identities become users, users are read and changed by their owners, and suspended by administrators."""

import logging
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.account.access import Access
from stack.services.account.store import Identity, Store, User
from stack.services.common.app import ApiError, Handler, body_of, create_app
from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.metrics import counter
from stack.services.common.settings import Settings

log = logging.getLogger("account")

MIGRATIONS = Path(__file__).parent / "migrations"


def _database_errors(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except DATABASE_ERRORS as error:
            log.error("database failed: %s: %s", type(error).__name__, error)
            raise ApiError(
                503, "DATABASE_UNAVAILABLE", f"the database did not answer: {type(error).__name__}"
            ) from error

    return guarded


class Api:
    """The routes; releases override what they change."""

    access_type = Access
    store_type = Store

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.database = Database(settings, "account", MIGRATIONS)
        self.access = self.access_type(settings, self.registry)
        conflicts = counter(self.registry, "account_identity_conflict_total", "Unique violations of new identities")
        self.store = self.store_type(self.database, conflicts.inc)
        self._pool_gauges()

    def _pool_gauges(self) -> None:
        for name, stat in (
            ("size", "pool_size"), ("available", "pool_available"), ("waiting", "requests_waiting"),
        ):  # fmt: skip
            gauge = Gauge(f"account_database_pool_{name}", f"Connection pool: {name}", registry=self.registry)
            gauge.set_function(partial(self._pool_stat, stat))

    def _pool_stat(self, stat: str) -> float:
        return float(self.database.pool.get_stats().get(stat, 0))

    def identity_body(self, user: User) -> dict[str, Any]:
        """The answer of resolve."""
        return {"userId": user.user_id, "accountStatus": user.status, "roles": list(user.roles)}

    def user_body(self, user: User) -> dict[str, Any]:
        """The answer about a user."""
        return {
            "userId": user.user_id,
            "displayName": user.display_name,
            "locale": user.locale,
            "status": user.status,
            "roles": list(user.roles),
        }

    async def resolve(self, request: Request) -> Response:
        """The user of an identity."""
        self.access.internal(request)
        body = await body_of(request, "provider", "subject")
        user = await self.store.resolve(
            Identity(
                body["provider"],
                body["subject"],
                str(body.get("email") or ""),
                bool(body.get("emailVerified", False)),
                str(body.get("name") or ""),
            )
        )
        return JSONResponse(self.identity_body(user))

    async def read(self, request: Request) -> Response:
        """A user, for its owner or ADMIN."""
        user_id = _user_id(request)
        self.access.owner(request, str(user_id))
        return self._answer(await self.store.user(user_id))

    async def change(self, request: Request) -> Response:
        """Change a user's display name or locale."""
        user_id = _user_id(request)
        self.access.owner(request, str(user_id))
        body = await body_of(request)
        unknown = set(body) - {"displayName", "locale"}
        if unknown or not body or not all(isinstance(v, str) and 0 < len(v) <= 100 for v in body.values()):
            raise ApiError(400, "BAD_REQUEST", "only displayName and locale can be changed, each to a short text")
        return self._answer(await self.store.change(user_id, body.get("displayName"), body.get("locale")))

    def _answer(self, user: User | None) -> Response:
        if user is None:
            raise ApiError(404, "NOT_FOUND", "there is no such user")
        return JSONResponse(self.user_body(user))

    async def suspend(self, request: Request) -> Response:
        """Suspend a user."""
        actor = self.access.admin(request)
        if not await self.store.suspend(_user_id(request), actor, request.query_params.get("reason", "")):
            raise ApiError(404, "NOT_FOUND", "there is no such user")
        return Response(status_code=204)

    def app(self) -> Starlette:
        """The service."""
        return create_app(
            self.registry,
            [
                Route("/identities:resolve", _database_errors(self.resolve), methods=["POST"]),
                Route("/users/{user_id}", _database_errors(self.read), methods=["GET"]),
                Route("/users/{user_id}", _database_errors(self.change), methods=["PATCH"]),
                Route("/admin/users/{user_id}:suspend", _database_errors(self.suspend), methods=["POST"]),
            ],
            ready={"db": self.database.ready},
            background=(self.database,),
        )


def _user_id(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.path_params["user_id"])
    except ValueError:
        raise ApiError(404, "NOT_FOUND", "there is no such user") from None


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Api(settings).app()
