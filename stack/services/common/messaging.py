"""NATS JetStream: one connection that comes back without end, and publishes that are never buffered."""

import asyncio
import contextlib
import logging

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from stack.services.common.settings import Settings

log = logging.getLogger(__name__)

MESSAGING_ERRORS = (NatsError, TimeoutError, OSError)
"""What a call may raise when the broker or the way to it, not the service, is at fault."""


class NotConnectedError(NatsError):
    """There is no connection to the broker now."""


class Messaging:
    """One service's connection to NATS.

    Attributes:
        generation: rises whenever a new client stands for the connection, so that subscriptions are made anew.
    """

    def __init__(self, settings: Settings, service: str) -> None:
        self._service = service
        self._url = settings.text("NATS_URL", "nats://127.0.0.1:4222")
        self._max_reconnect = settings.integer(f"{service}.nats.max-reconnect", -1)
        self._wait_s = settings.duration_s(f"{service}.nats.reconnect-wait", "1s")
        self._ping_s = settings.duration_s(f"{service}.nats.ping-interval", "10s")
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.generation = 0

    async def start(self) -> None:
        """Begin to connect."""
        self._keeper = asyncio.create_task(self._keep(), name="nats connection")

    async def stop(self) -> None:
        """Close the connection within a bound."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper}, timeout=0.5)
        if self._client is not None and not self._client.is_closed:
            with contextlib.suppress(*MESSAGING_ERRORS):
                await asyncio.wait_for(self._client.close(), 0.5)

    async def ready(self) -> bool:
        """Whether a connection was made and is not known to be lost."""
        return self._client is not None and self._client.is_connected

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on the connection; raises NotConnectedError while there is none."""
        if self._client is None or not self._client.is_connected:
            raise NotConnectedError("not connected to NATS")
        return self._client.jetstream()

    async def publish(self, subject: str, payload: bytes, *, message_id: str, timeout_s: float) -> None:
        """Publish and wait for the stream's acknowledgement; raises one of MESSAGING_ERRORS.

        Nothing is buffered: a publish that failed while disconnected does not arrive later.
        """
        async with asyncio.timeout(timeout_s):
            await self.jetstream.publish(subject, payload, timeout=timeout_s, headers={"Nats-Msg-Id": message_id})

    async def ensure_stream(self, config: StreamConfig) -> None:
        """Create a stream unless it is there."""
        try:
            await self.jetstream.stream_info(config.name or "")
        except NotFoundError:
            await self.jetstream.add_stream(config)

    async def _keep(self) -> None:
        """Connect, and connect anew whenever the client has given up although there is no limit."""
        said = ""
        while True:
            closed = asyncio.Event()
            try:
                self._client = await self._connect(closed)
                self.generation += 1
                log.info("connected to NATS")
                await closed.wait()
                log.warning("the connection to NATS was closed for good")
                if self._max_reconnect >= 0:
                    return
            except MESSAGING_ERRORS as error:
                if str(error) != said:
                    log.warning("cannot connect to NATS: %s", error)
                    said = str(error)
            await asyncio.sleep(self._wait_s)

    async def _connect(self, closed: asyncio.Event) -> Client:
        async def on_closed() -> None:
            closed.set()

        async def on_error(_error: Exception) -> None:
            """Errors show where they matter: in the call that fails."""

        async def on_disconnected() -> None:
            log.warning("disconnected from NATS")

        async def on_reconnected() -> None:
            log.info("reconnected to NATS")

        return await nats.connect(
            self._url,
            name=self._service,
            connect_timeout=1,
            reconnect_time_wait=self._wait_s,
            max_reconnect_attempts=self._max_reconnect,
            ping_interval=self._ping_s,
            max_outstanding_pings=2,
            pending_size=0,
            closed_cb=on_closed,
            error_cb=on_error,
            disconnected_cb=on_disconnected,
            reconnected_cb=on_reconnected,
        )
