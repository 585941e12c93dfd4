"""Matchmaking: people queue with a ticket, ask after it, and cancel it."""

import json
import logging
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.common.app import ApiError, Handler, body_of, create_app
from stack.services.common.messaging import Messaging
from stack.services.common.settings import Settings
from stack.services.matchmaking.queue import MODES, REDIS_ERRORS, Queue
from stack.services.matchmaking.worker import Worker

log = logging.getLogger("matchmaking")


class Api:
    """The routes."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.queue = Queue(settings)
        self.messaging = Messaging(settings, "matchmaking")
        self.worker = Worker(settings, self.queue, self.messaging, self.registry)

    def guarded(self, handler: Handler) -> Handler:
        """Answer 503 when Redis does not."""

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except REDIS_ERRORS as error:
                self.worker.errors.labels("redis").inc()
                log.error("redis failed: %s: %s", type(error).__name__, error)
                raise ApiError(503, "REDIS_UNAVAILABLE", f"redis did not answer: {type(error).__name__}") from error

        return guarded

    async def join(self, request: Request) -> Response:
        """Queue a ticket."""
        mode, user_id = request.path_params["mode"], _user(request)
        if mode not in MODES:
            raise ApiError(404, "NOT_FOUND", f"there is no mode {mode}")
        body = await body_of(request)
        attributes = body.get("attributes", {})
        if body.get("party_size", 1) != 1 or not isinstance(attributes, dict):
            raise ApiError(400, "BAD_REQUEST", "party_size is 1 and attributes is an object")
        return JSONResponse(
            await self.queue.join(user_id, mode, attributes, str(body.get("idempotency_key") or "")), 201
        )

    async def read(self, request: Request) -> Response:
        """A ticket, for its owner."""
        ticket_id = request.path_params["ticket_id"]
        ticket = await self._own(request, ticket_id)
        matched: dict[str, Any] | None = None
        if ticket["status"] == "MATCHED":
            match_id = ticket["match_id"]
            peers = json.loads(ticket.get("peer_user_ids", "[]"))
            matched = {"match_id": match_id, "peer_user_ids": peers, "session": {"session_id": match_id}}
        return JSONResponse(
            {
                "ticket_id": ticket_id,
                "status": ticket["status"],
                "expires_at": ticket["expires_at"],
                "matched": matched,
            }
        )

    async def cancel(self, request: Request) -> Response:
        """Cancel a ticket; again is the same."""
        ticket_id = request.path_params["ticket_id"]
        ticket = await self._own(request, ticket_id)
        status = await self.queue.cancel(ticket_id, ticket["mode"])
        return JSONResponse({"ticket_id": ticket_id, "status": status, "expires_at": ticket["expires_at"]})

    async def _own(self, request: Request, ticket_id: str) -> dict[str, str]:
        user_id = _user(request)
        ticket = await self.queue.ticket(ticket_id)
        if ticket is None:
            raise ApiError(404, "NOT_FOUND", "there is no such ticket")
        if ticket["user_id"] != user_id:
            raise ApiError(403, "FORBIDDEN", "the ticket is somebody else's")
        return ticket


def _user(request: Request) -> str:
    user_id = request.headers.get("x-user-id", "")
    if not user_id:
        raise ApiError(401, "UNAUTHORIZED", "X-User-Id is missing")
    return user_id


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    api = Api(settings)
    return create_app(
        api.registry,
        [
            Route("/v1/matchmaking/queues/{mode}/tickets", api.guarded(api.join), methods=["POST"]),
            Route("/v1/matchmaking/tickets/{ticket_id}", api.guarded(api.read), methods=["GET"]),
            Route("/v1/matchmaking/tickets/{ticket_id}", api.guarded(api.cancel), methods=["DELETE"]),
        ],
        ready={"redis": api.worker.ready, "nats": api.messaging.ready},
        background=(api.messaging, api.worker),
    )
