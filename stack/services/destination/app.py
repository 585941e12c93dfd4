"""The outside provider that notifications are sent to: a server of finite capacity.

There is one queue, first come first served, and `destination.servers` servers that each take `destination.service-time`
for a request. A request whose caller has gone still waits for its turn and still costs its service time: the provider
has begun to work on what it accepted. A request without the right credential is refused at once and costs nothing.
"""

import asyncio
import contextlib
import hmac
import time
from collections import deque
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.common.app import ApiError, create_app
from stack.services.common.settings import Settings

KEPT = 20_000
"""Records kept; the oldest go first."""


@dataclass
class Record:
    """One request; times are seconds of the epoch, None while it has not come to that.

    Attributes:
        status: the answer given, or that would have been given.
        caller_there: whether the caller still waited when it ended.
        left_at: when the caller went without an answer; None when it stayed.
    """

    request_id: str
    notification_id: str
    event_id: str
    arrived_at: float
    began_at: float | None = None
    ended_at: float | None = None
    status: int | None = None
    caller_there: bool | None = None
    left_at: float | None = None


class Provider:
    """The queue, the servers and the records."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self._credential = settings.text("destination.credential", "")
        self._service_s = settings.duration_s("destination.service-time", "20ms")
        self._servers = settings.integer("destination.servers", 20)
        self._free = asyncio.Semaphore(self._servers)
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._working: set[asyncio.Task[None]] = set()
        waiting = Gauge("destination_requests_current", "Requests waiting or in service", registry=self.registry)
        waiting.set_function(lambda: len(self._working))
        abandoned = Gauge("destination_abandoned_current", "Those whose caller has gone", registry=self.registry)
        abandoned.set_function(lambda: sum(r.caller_there is False for r in self._records if r.ended_at is None))

    async def deliver(self, request: Request) -> Response:
        """Take one delivery: 200 after its service, 401 without the credential."""
        body = await request.json()
        record = Record(
            request.headers.get("x-request-id", ""),
            str(body.get("notification_id", "")),
            str(body.get("event_id", "")),
            time.time(),
        )
        self._records.append(record)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._credential or not hmac.compare_digest(given.encode(), self._credential.encode()):
            record.ended_at, record.status, record.caller_there = time.time(), 401, True
            raise ApiError(401, "UNAUTHORIZED", "the credential is not known")
        work = asyncio.create_task(self._serve(record))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        gone = asyncio.create_task(self._until_gone(request))
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            record.caller_there, record.left_at = False, time.time()
            return Response(status_code=499)
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        record.caller_there = True
        return JSONResponse({"notification_id": record.notification_id, "status": "DELIVERED"})

    async def _serve(self, record: Record) -> None:
        async with self._free:
            record.began_at = time.time()
            await asyncio.sleep(self._service_s)
        record.ended_at, record.status = time.time(), 200

    async def _until_gone(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async def records(self, request: Request) -> Response:
        """The records that arrived since `?since=`, oldest first."""
        since = float(request.query_params.get("since", "0"))
        return JSONResponse([asdict(r) for r in self._records if r.arrived_at >= since])

    async def forget(self, _request: Request) -> Response:
        """Drop the records."""
        self._records.clear()
        return Response(status_code=204)


def build(settings: Settings) -> Starlette:
    """The provider of its settings."""
    provider = Provider(settings)
    return create_app(
        provider.registry,
        [
            Route("/v1/deliveries", provider.deliver, methods=["POST"]),
            Route("/records", provider.records, methods=["GET"]),
            Route("/records", provider.forget, methods=["DELETE"]),
        ],
        ready={},
    )
