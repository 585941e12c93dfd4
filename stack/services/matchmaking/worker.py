"""The matchmaking worker: one loop a mode pairs tickets and tells the world, once, of each match."""

import asyncio
import logging
import time

from nats.js.api import StreamConfig
from prometheus_client import CollectorRegistry, Gauge, Histogram

from stack.services.common import logs
from stack.services.common.events import MatchmakingEvent, match_event_id
from stack.services.common.loops import Loop
from stack.services.common.messaging import MESSAGING_ERRORS, Messaging
from stack.services.common.metrics import DELAY_BUCKETS_S, counter
from stack.services.common.settings import Settings
from stack.services.matchmaking.queue import MODES, REDIS_ERRORS, Match, Queue

log = logging.getLogger("matchmaking.worker")

STREAM, SUBJECT = "matchmaking-events", "matchmaking.events"
DUPLICATE_WINDOW_S = 120
GAUGES_EVERY_S = 0.5


class Worker:
    """The loops of all modes, and the gauges of their queues."""

    def __init__(self, settings: Settings, queue: Queue, messaging: Messaging, registry: CollectorRegistry) -> None:
        self._queue = queue
        self._messaging = messaging
        self._batch = settings.integer("matchmaking.batch", 50)
        self._subject = settings.text("matchmaking.nats.subject", SUBJECT)
        self._timeout_s = settings.duration_s("matchmaking.nats.publish-timeout", "5s")
        self._stream_of = -1
        self._reachable = False
        self._seconds = Histogram(
            "mm_time_to_match_seconds", "From joined to matched", registry=registry, buckets=DELAY_BUCKETS_S
        )
        self._depth = Gauge("mm_queue_depth", "Tickets waiting", ["mode"], registry=registry)
        self._oldest = Gauge("mm_queue_oldest_age", "Age of the oldest waiting ticket", ["mode"], registry=registry)
        self._matches = counter(registry, "mm_match_total", "What became of tickets", "result", ("matched", "expired"))
        self.errors = counter(
            registry,
            "mm_dependency_error_total",
            "Failures by kind",
            "type",
            ("worker_loop", "redis", "nats_publish", "time_to_match_negative"),
        )
        every_s = settings.duration_s("matchmaking.worker-poll-interval", "1s")
        self._loops = [self._loop(mode, every_s) for mode in MODES]
        self._gauges = Loop("queue gauges", self._look, GAUGES_EVERY_S, survives=REDIS_ERRORS, failed=self._unknown)

    def _loop(self, mode: str, every_s: float) -> Loop:
        def failed(error: Exception) -> None:
            self.errors.labels("worker_loop").inc()
            log.error("matchmaker worker loop failed mode=%s error=%s: %s", mode, type(error).__name__, error)

        return Loop(f"matchmaker {mode}", lambda: self._round(mode), every_s, survives=REDIS_ERRORS, failed=failed)

    async def start(self) -> None:
        """Begin to match."""
        await self._gauges.start()
        for loop in self._loops:
            await loop.start()

    async def stop(self) -> None:
        """End."""
        await asyncio.gather(self._gauges.stop(), *(loop.stop() for loop in self._loops))
        await self._queue.close()

    async def ready(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self._reachable

    async def _round(self, mode: str) -> bool:
        occurred_at, matches, expired = await self._queue.match(mode, self._batch)
        self._matches.labels("expired").inc(expired)
        self._matches.labels("matched").inc(2 * len(matches))
        now_ms = time.time() * 1000
        for match in matches:
            for joined_ms in match.joined_ms:
                if joined_ms > now_ms + 1:
                    self.errors.labels("time_to_match_negative").inc()
                self._seconds.observe(max(now_ms - joined_ms, 0.0) / 1000)
        await asyncio.gather(*(self._tell(match, mode, occurred_at) for match in matches))
        return len(matches) == self._batch

    async def _tell(self, match: Match, mode: str, occurred_at: str) -> None:
        """Publish a match, once: a match that could not be told is for people to find and publish again."""
        event_id = match_event_id(match.match_id)
        event = MatchmakingEvent(event_id, 0, occurred_at, match.match_id, mode, logs.trace_id.get())
        try:
            if self._stream_of != self._messaging.generation:
                await self._messaging.ensure_stream(
                    StreamConfig(name=STREAM, subjects=[SUBJECT], duplicate_window=DUPLICATE_WINDOW_S)
                )
                self._stream_of = self._messaging.generation
            await self._messaging.publish(self._subject, event.encode(), message_id=event_id, timeout_s=self._timeout_s)
        except MESSAGING_ERRORS as error:
            self.errors.labels("nats_publish").inc()
            log.error("match publish failed matchId=%s error=%s: %s", match.match_id, type(error).__name__, error)

    async def _look(self) -> None:
        for mode in MODES:
            depth, oldest_s = await self._queue.shape(mode)
            self._depth.labels(mode).set(depth)
            self._oldest.labels(mode).set(oldest_s)
        self._reachable = True

    def _unknown(self, _error: Exception) -> None:
        self._reachable = False
        self.errors.labels("redis").inc()
        for mode in MODES:
            self._depth.labels(mode).set(float("nan"))
            self._oldest.labels(mode).set(float("nan"))
