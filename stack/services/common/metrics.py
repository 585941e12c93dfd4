"""Metrics: one registry a service, and the histogram of HTTP requests."""

import time
from collections.abc import Iterable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.services.common import logs

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

PROBE_HEADER = b"x-gameday-probe"
"""Requests with this header are a harness's own and are counted nowhere."""

REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 0.45, 0.5, 0.7, 1.0, 2.5, 5.0, 10.0)
"""Holds the latency objectives: 250, 400, 450 and 700 ms."""

DELAY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Holds the objectives of delays, 1, 5, 10 and 30 s, and a tenth of each."""


def counter(registry: CollectorRegistry, name: str, says: str, label: str = "", values: Iterable[str] = ()) -> Counter:
    """A counter that starts at 0 for every known value of its label."""
    made = Counter(name, says, [label] if label else [], registry=registry)
    for value in values:
        made.labels(value)
    return made


class HttpMetrics:
    """ASGI middleware: `http_server_requests_seconds` by method, route template, status, exception and outcome."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "http_server_requests_seconds",
            "Time from request to the end of the answer",
            ["method", "uri", "status", "exception", "outcome"],
            registry=registry,
            buckets=REQUEST_BUCKETS_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it is one of the service's own routes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        logs.adopt(headers)
        if PROBE_HEADER.decode() in headers or scope["path"].startswith("/actuator"):
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        status = 500
        exception = "None"

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # a label tells its kind, whatever it was; it is raised again
            exception = type(error).__name__
            raise
        finally:
            self._seconds.labels(scope["method"], template(scope), str(status), exception, outcome(status)).observe(
                time.perf_counter() - started_s
            )


def template(scope: Scope) -> str:
    """The route template of a request, `UNKNOWN` without a route."""
    for route in scope["app"].routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return str(route.path)
    return "UNKNOWN"


def outcome(status: int) -> str:
    """The class of a status in words."""
    return {2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR"}.get(status // 100, "SERVER_ERROR")


async def exposition(request: Request) -> Response:
    """The metrics in Prometheus' text form; `name[]` in the query keeps only those families."""
    registry = request.app.state.registry
    names = request.query_params.getlist("name[]")
    source = registry.restricted_registry(names) if names else registry
    return Response(prometheus_client.generate_latest(source), media_type=prometheus_client.CONTENT_TYPE_LATEST)
