"""Traffic: the workloads of a scenario, open-loop: sent at planned times, whatever the system does."""

import asyncio
import contextlib
import random
from collections.abc import Sequence

from harness.model.ports import Client, Clock
from harness.model.scenario import Workload

MAX_IN_FLIGHT = 2000
"""More requests than this in flight at once are a leak of ours, not a load."""

DRAIN_S = 2.0
"""How long requests in flight may still end after the last one was sent; then they are given up."""

JITTER_RATIO = 0.2
"""Planned times vary by this share of the interval, seeded, so that workloads do not beat together."""


class Traffic:
    """The requests of every workload of one scenario run."""

    def __init__(self, workloads: Sequence[Workload], client: Client, rng: random.Random, seed: int) -> None:
        self._workloads = workloads
        self._client = client
        self._rng = rng
        self._seed = seed
        self._streams: list[asyncio.Task[None]] = []
        self._in_flight: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def prepare(self) -> None:
        """Prepare every workload; raises InfrastructureError while the system does not let it."""
        for workload in self._workloads:
            await workload.prepare(self._client, self._seed)

    async def begin(self, clock: Clock) -> None:
        """Send in the background until `end`."""
        start_s = clock.now_s()
        for workload in self._workloads:
            rng = random.Random(self._rng.random())
            self._streams.append(asyncio.create_task(self._stream(workload, clock, start_s, rng), name=workload.name))

    async def _stream(self, workload: Workload, clock: Clock, start_s: float, rng: random.Random) -> None:
        n = 0
        while True:
            interval_s = 1 / workload.rate_hz
            planned_s = start_s + (n + rng.uniform(-JITTER_RATIO, JITTER_RATIO)) * interval_s
            await clock.sleep_until(planned_s)
            if len(self._in_flight) < MAX_IN_FLIGHT:
                task = asyncio.create_task(workload.send(self._client, max(planned_s, start_s), n, rng))
                self._in_flight.add(task)
                task.add_done_callback(self._sent)
            n += 1

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            self._broken = self._broken or task.exception()

    async def end(self) -> None:
        """Stop sending, let what is in flight end within a bound, and raise what went wrong in a workload itself."""
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.cancel()
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight, timeout=DRAIN_S)
            for task in late:
                task.cancel()
        for stream in streams:
            with contextlib.suppress(asyncio.CancelledError):
                await stream
        self.must_be_sound()

    def must_be_sound(self) -> None:
        """Raise, once, what went wrong in a send: what is missing then is the workload's fault, and not the system's."""
        broken, self._broken = self._broken, None
        if broken is not None:
            raise broken
