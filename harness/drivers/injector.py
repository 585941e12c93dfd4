"""What a fault can do: nothing here is undone by itself."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from harness.drivers.acts import Changes
from harness.drivers.clock import pause
from harness.drivers.http import Asker
from harness.drivers.nats import Broker
from harness.drivers.postgres import Sessions
from harness.drivers.redis import Store
from harness.drivers.toxiproxy import ToxiproxyLinks
from harness.model.errors import ActFailed
from harness.model.runtime import Cell
from harness.model.values import PartStatus, Reply

MAX_LOAD_HZ, MAX_LOAD_S = 500.0, 120.0
"""Bounds of a load, whatever a scenario asks for."""


class CellInjector:
    """See model.ports.Injector."""

    def __init__(
        self,
        cell: Cell,
        changes: Changes,
        *,
        links: ToxiproxyLinks,
        sessions: Sessions,
        broker: Broker,
        store: Store,
        asker: Asker,
    ) -> None:
        self._cell = cell
        self._changes = changes
        self._links = links
        self._sessions = sessions
        self._broker = broker
        self._store = store
        self._asker = asker
        self._loads: list[asyncio.Task[None]] = []

    async def cut(self, link: str, *, black_hole: bool = False) -> None:
        """Refuse a link, or swallow its data."""
        async with self._changes.act("cut", link, black_hole=black_hole):
            await self._links.cut(link, black_hole=black_hole)

    async def slow(
        self, link: str, *, latency_ms: float = 0, jitter_ms: float = 0, rate_kb_s: float | None = None
    ) -> None:
        """Delay answers of a link and limit its bandwidth."""
        async with self._changes.act("slow", link, latency_ms=latency_ms, jitter_ms=jitter_ms, rate_kb_s=rate_kb_s):
            await self._links.slow(link, latency_ms=latency_ms, jitter_ms=jitter_ms, rate_kb_s=rate_kb_s)

    async def slow_briefly(self, link: str, *, latency_ms: float, duration_s: float) -> None:
        """Delay answers of a link for a while."""
        async with self._changes.act("slow_briefly", link, latency_ms=latency_ms, duration_s=duration_s):
            if duration_s > MAX_LOAD_S:
                raise ActFailed(f"a slowdown lasts {MAX_LOAD_S:g} s at most")
            await self._links.slow(link, latency_ms=latency_ms, jitter_ms=0, rate_kb_s=None)
            await pause(duration_s)
            await self._links.heal(link)

    async def reset(self, link: str, *, after_ms: int = 0) -> None:
        """Reset the link's connections."""
        async with self._changes.act("reset", link, after_ms=after_ms):
            await self._links.reset(link, after_ms=after_ms)

    async def stop(self, part: str) -> None:
        """End a part cleanly."""
        async with self._changes.act("stop", part):
            await self._cell.stop(part)
            await self._see(part, PartStatus.STOPPED)

    async def kill(self, part: str) -> None:
        """End a part at once."""
        async with self._changes.act("kill", part):
            await self._cell.kill(part)
            await self._see(part, PartStatus.STOPPED)

    async def freeze(self, part: str) -> None:
        """Let a part do nothing."""
        async with self._changes.act("freeze", part):
            await self._cell.freeze(part)
            await self._see(part, PartStatus.FROZEN)

    async def _see(self, part: str, status: PartStatus) -> None:
        other = [s for s in await asyncio.to_thread(self._cell.states, part) if s.status is not status]
        if other:
            raise ActFailed(f"{other[0].name} is {other[0].status.value}, not {status.value}")

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Give a service another value and restart it."""
        async with self._changes.act("set_setting", service, name=name, value=value):
            await self._changes.set_setting(service, name, value)

    async def deploy(self, service: str, version: str) -> None:
        """Put another release in place and restart."""
        async with self._changes.act("deploy", service, version=version):
            await self._changes.deploy(service, version)

    async def scale(self, service: str, instances: int) -> None:
        """Run this many instances."""
        async with self._changes.act("scale", service, instances=instances):
            await self._changes.scale(service, instances)

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        """Start a job of the stack."""
        async with self._changes.act("start_job", job, **dict(settings or {})):
            await self._changes.start_job(job, settings)

    async def sql(self, role: str, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement under a service's role."""
        async with self._changes.act("sql", role, statement=statement):
            return await self._sessions.run(role, statement, params)

    async def hold_locks(self, role: str, statements: Sequence[str], *, sessions: int = 1) -> None:
        """Open sessions that leave their transaction open."""
        async with self._changes.act("hold_locks", role, statements="; ".join(statements), sessions=sessions):
            await self._sessions.hold(role, statements, sessions=sessions)

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish a message."""
        async with self._changes.act("publish", subject, bytes=len(payload)):
            await self._broker.publish(subject, payload, headers)

    async def delete_consumer(self, stream: str, consumer: str) -> None:
        """Remove a durable consumer."""
        async with self._changes.act("delete_consumer", stream, consumer=consumer):
            await self._broker.delete_consumer(stream, consumer)

    async def redis(self, *command: str) -> Any:
        """Run a Redis command."""
        async with self._changes.act("redis", command[0], arguments=" ".join(command[1:])):
            return await self._store.run(*command)

    async def http(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """A request straight to a service."""
        async with self._changes.act("http", service, method=method, path=path):
            return await self._asker.ask(
                service, path, method=method, headers=headers, body=body, tagged=False, timeout_s=5
            )

    async def load(self, service: str, path: str, *, rate_hz: float, duration_s: float) -> None:
        """Begin a bounded load of GET requests."""
        async with self._changes.act("load", service, path=path, rate_hz=rate_hz, duration_s=duration_s):
            if rate_hz > MAX_LOAD_HZ or duration_s > MAX_LOAD_S:
                raise ActFailed(f"a load is at most {MAX_LOAD_HZ:g} requests a second for {MAX_LOAD_S:g} s")
            self._loads.append(asyncio.create_task(self._send(service, path, rate_hz, duration_s), name="load"))

    async def _send(self, service: str, path: str, rate_hz: float, duration_s: float) -> None:
        running: set[asyncio.Task[Reply]] = set()
        for _ in range(int(rate_hz * duration_s)):
            task = asyncio.create_task(self._asker.ask(service, path, tagged=False, timeout_s=5))
            running.add(task)
            task.add_done_callback(running.discard)
            await pause(1 / rate_hz)

    async def release(self) -> None:
        """Let go of sessions and loads."""
        await self._sessions.release()
        loads, self._loads = self._loads, []
        for load in loads:
            load.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await load
