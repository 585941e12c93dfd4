"""The frame of every service: routes, error bodies, health and metrics."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stack.services.common.metrics import HttpMetrics, exposition

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
"""A route's function."""

Ready = Callable[[], Awaitable[bool]]
"""Whether one dependency can be used now; must answer at once."""


class ApiError(Exception):
    """An answer with an error body."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ").lower()


class Background(Protocol):
    """Something that lives as long as the service: a pool, a worker, a connection."""

    async def start(self) -> None:
        """Begin; must not wait for a dependency."""

    async def stop(self) -> None:
        """End within a second whatever the dependencies do."""


async def body_of(request: Request, *required: str) -> dict[str, Any]:
    """The JSON object of a request; 400 without one, or without a required field as a non-empty text."""
    try:
        body = await request.json()
    except ValueError:
        raise ApiError(400, "BAD_REQUEST", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "BAD_REQUEST", "the body is no JSON object")
    for name in required:
        if not isinstance(body.get(name), str) or not body[name]:
            raise ApiError(400, "BAD_REQUEST", f"{name} is missing or empty")
    return body


def create_app(
    registry: CollectorRegistry,
    routes: Sequence[BaseRoute],
    *,
    ready: Mapping[str, Ready],
    background: Sequence[Background] = (),
) -> Starlette:
    """A service with its own routes beside `/actuator`."""

    async def liveness(_request: Request) -> Response:
        return JSONResponse({"status": "UP"})

    async def readiness(_request: Request) -> Response:
        components = {name: "UP" if await check() else "DOWN" for name, check in ready.items()}
        up = "DOWN" not in components.values()
        return JSONResponse({"status": "UP" if up else "DOWN", "components": components}, 200 if up else 503)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for item in background:
            await item.start()
        try:
            yield
        finally:
            for item in reversed(background):
                try:
                    await item.stop()
                except (OSError, TimeoutError) as error:
                    log.warning("%s did not stop cleanly: %s", type(item).__name__, error)

    app = Starlette(
        routes=[
            Route("/actuator/health", readiness),
            Route("/actuator/health/liveness", liveness),
            Route("/actuator/health/readiness", readiness),
            Route("/actuator/prometheus", exposition),
            *routes,
        ],
        middleware=[Middleware(HttpMetrics, registry=registry)],
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _unexpected},
        lifespan=lifespan,
    )
    app.state.registry = registry
    return app


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  (registered for this class alone)
    return JSONResponse({"code": error.code, "message": error.message}, error.status)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this class alone)
    log.warning("nothing answers %s %s: %d", request.method, request.url.path, error.status_code)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    return JSONResponse({"code": code, "message": error.detail}, error.status_code)


async def _unexpected(_request: Request, error: Exception) -> Response:
    log.error("request failed: %s", error, exc_info=error)
    return JSONResponse({"code": "INTERNAL_ERROR", "message": "the service failed; see its log"}, 500)
