"""The subscriber: events become notifications, each event id once; what cannot be delivered is recorded."""

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry

from stack.services.common import logs
from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.events import EntitlementEvent, MatchmakingEvent, UndecodableError
from stack.services.common.loops import Loop
from stack.services.common.messaging import MESSAGING_ERRORS, Messaging
from stack.services.common.metrics import counter
from stack.services.common.settings import Settings

log = logging.getLogger("notification.subscriber")

MATCH_USER = "matchmaking-system"
FETCH = 20
FETCH_S = 0.5
"""How long one pull waits for messages: short, so that a connection that came back is used at once."""

_ADVISORY = "$JS.EVENT.ADVISORY.CONSUMER"


@dataclass(frozen=True)
class Notice:
    """What an event says, as a notification needs it."""

    event_id: str
    user_id: str
    type: str
    occurred_at: str
    payload: dict[str, Any]


def of_entitlement(payload: bytes) -> Notice:
    """The notice of an entitlement event; raises UndecodableError."""
    event = EntitlementEvent.decode(payload)
    if event.trace_id:
        logs.trace_id.set(event.trace_id)
    kind = "ENTITLEMENT_GRANTED" if event.event_type == 0 else "ENTITLEMENT_REVOKED"
    return Notice(
        event.event_id, event.user_id, kind, event.occurred_at, {"stock_keeping_unit": event.stock_keeping_unit}
    )


def of_match(payload: bytes) -> Notice:
    """The notice of a match; raises UndecodableError."""
    event = MatchmakingEvent.decode(payload)
    return Notice(
        event.event_id, MATCH_USER, "MATCH_FOUND", event.occurred_at, {"match_id": event.match_id, "mode": event.mode}
    )


class Pull:
    """One durable pull consumer and the loop that reads it."""

    def __init__(
        self,
        messaging: Messaging,
        stream: StreamConfig,
        consumer: ConsumerConfig,
        handle: Callable[[Msg], Awaitable[None]],
    ) -> None:
        self._messaging = messaging
        self._stream = stream
        self._consumer = consumer
        self._handle = handle
        self.made = False
        self._bound_to = -1
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._loop = Loop(
            consumer.durable_name or "",
            self._round,
            0.1,
            survives=(*MESSAGING_ERRORS, *DATABASE_ERRORS),
            failed=self._failed,
        )
        self._said = ""
        self.start, self.stop = self._loop.start, self._loop.stop

    def _failed(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._said:
            log.warning("%s cannot be read: %s", self._consumer.durable_name, text)
            self._said = text

    async def _round(self) -> bool:
        if self._bound_to != self._messaging.generation or self._subscription is None:
            await self._bind()
        assert self._subscription is not None  # noqa: S101  (bound just now)
        try:
            messages = await self._subscription.fetch(FETCH, timeout=FETCH_S)
        except NatsTimeoutError:
            return True
        for message in messages:
            await self._handle(message)
        self._said = ""
        return True

    async def _bind(self) -> None:
        """Create stream and consumer at the first connection only; later ones only bind."""
        jetstream = self._messaging.jetstream
        stream, durable = self._stream.name or "", self._consumer.durable_name or ""
        if not self.made:
            await self._messaging.ensure_stream(self._stream)
            try:
                await jetstream.consumer_info(stream, durable)
            except NotFoundError:
                await jetstream.add_consumer(stream, self._consumer)
            self.made = True
        self._subscription = await jetstream.pull_subscribe_bind(durable=durable, stream=stream)
        self._bound_to = self._messaging.generation


class Subscriber:
    """Both event consumers and both advisory consumers."""

    def __init__(
        self, settings: Settings, database: Database, messaging: Messaging, registry: CollectorRegistry
    ) -> None:
        self._database = database
        self._enabled = settings.flag("notification.subscriber.enabled", True)
        self._undecodable = counter(registry, "notification_decode_failed_total", "Payloads that are no event")
        self._duplicates = counter(
            registry, "notification_duplicate_suppressed_total", "Events that were known already"
        )
        ack_wait_s = settings.duration_s("notification.nats.ack-wait", "10s")
        max_deliver = settings.integer("notification.nats.max-deliver", 10)

        def events(stream: str, subject: str, durable: str, notice: Callable[[bytes], Notice]) -> Pull:
            return Pull(
                messaging,
                StreamConfig(name=stream, subjects=[subject], duplicate_window=120),
                ConsumerConfig(
                    durable_name=durable,
                    ack_policy=AckPolicy.EXPLICIT,
                    deliver_policy=DeliverPolicy.ALL,
                    ack_wait=ack_wait_s,
                    max_deliver=max_deliver,
                    max_ack_pending=1000,
                ),
                lambda message: self._event(message, notice),
            )

        def advisories(stream: str, durable: str, kind: str) -> Pull:
            watched = (
                ("entitlement-events", "notification-entitlement-consumer"),
                ("matchmaking-events", "notification-matchmaking-consumer"),
            )
            return Pull(
                messaging,
                StreamConfig(name=stream, subjects=[f"{_ADVISORY}.{kind}.{s}.{c}" for s, c in watched]),
                ConsumerConfig(durable_name=durable, ack_policy=AckPolicy.EXPLICIT, ack_wait=ack_wait_s),
                self._advisory,
            )

        self._pulls = [
            events("entitlement-events", "entitlement.events", "notification-entitlement-consumer", of_entitlement),
            events("matchmaking-events", "matchmaking.events", "notification-matchmaking-consumer", of_match),
            advisories("notification-advisory-dlq", "notification-advisory-consumer", "MAX_DELIVERIES"),
            advisories(
                "notification-terminated-advisory-dlq", "notification-terminated-advisory-consumer", "MSG_TERMINATED"
            ),
        ]

    async def ready(self) -> bool:
        """Whether every consumer was made and is read."""
        return not self._enabled or all(pull.made for pull in self._pulls)

    async def start(self) -> None:
        """Begin to read."""
        for pull in self._pulls if self._enabled else ():
            await pull.start()

    async def stop(self) -> None:
        """End, all at once: each has a fetch in progress, which is not cut off, for what it brings would wait for its ack."""
        await asyncio.gather(*(pull.stop() for pull in self._pulls if self._enabled))

    async def _event(self, message: Msg, notice: Callable[[bytes], Notice]) -> None:
        sequence = message.metadata.sequence.stream
        try:
            said = notice(message.data)
            occurred_at = datetime.fromisoformat(said.occurred_at)
        except (UndecodableError, ValueError) as error:
            self._undecodable.inc()
            log.error(
                "failed to parse nats message payload stream=%s seq=%d: %s", message.metadata.stream, sequence, error
            )
            await message.term()
            return
        try:
            async with self._database.transaction() as connection:
                await connection.execute(
                    "INSERT INTO notification.processed_events (event_id) VALUES (%s)", (said.event_id,)
                )
                await connection.execute(
                    "INSERT INTO notification.notifications"
                    " (notification_id, event_id, user_id, type, occurred_at, payload_json, status)"
                    " VALUES (%s, %s, %s, %s, %s, %s, 'PENDING')",
                    (uuid.uuid4(), said.event_id, said.user_id, said.type, occurred_at, json.dumps(said.payload)),
                )
        except psycopg.errors.UniqueViolation:
            self._duplicates.inc()
            log.info("duplicate notification event skipped eventId=%s", said.event_id)
        await message.ack()

    async def _advisory(self, message: Msg) -> None:
        try:
            advisory = json.loads(message.data)
            key = (str(advisory["stream"]), int(advisory["stream_seq"]))
        except (ValueError, KeyError, TypeError) as error:
            log.error("failed to parse an advisory: %s", error)
            await message.term()
            return
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO notification.notification_nats_dlq (stream, stream_seq) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                key,
            )
        await message.ack()
