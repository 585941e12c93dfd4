"""The one module that owns time: clocks, and waiting for conditions."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar

from harness.model.errors import CellError

T = TypeVar("T")


class SystemClock:
    """Real time; zero is when it was made, or when another process of the same run made its own."""

    def __init__(self, start_s: float | None = None) -> None:
        """`start_s` is the `start_s` of the clock whose zero is shared; None for one of its own."""
        self.start_s = time.monotonic() if start_s is None else start_s

    def now_s(self) -> float:
        """Seconds since the clock's zero."""
        return time.monotonic() - self.start_s

    def wall(self) -> str:
        """The time of day in UTC, ISO 8601 with milliseconds."""
        return wall()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, at_s: float) -> None:
        """Wait until `now_s` is `at_s`; others get their turn even when it is past."""
        await asyncio.sleep(max(at_s - self.now_s(), 0.0))


def now() -> datetime:
    """The time of day in UTC; it may jump, so nothing is measured with it."""
    return datetime.now(UTC)


async def turn() -> None:
    """Let whatever else is ready in the loop go on; no time passes."""
    await asyncio.sleep(0)


async def pause(seconds: float) -> None:
    """Wait in real time, where nobody's virtual clock can reach: between two looks at a real part."""
    await asyncio.sleep(seconds)


def pause_sync(seconds: float) -> None:
    """The same without an event loop."""
    time.sleep(seconds)


class VirtualClock:
    """Time that passes only when everybody sleeps: a test of minutes takes milliseconds."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._driver: asyncio.Task[None] | None = None

    def now_s(self) -> float:
        """The virtual time."""
        return self._now_s

    def wall(self) -> str:
        """A time of day that follows the virtual time."""
        return datetime.fromtimestamp(self._now_s, UTC).isoformat(timespec="milliseconds")

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await self.sleep_until(self._now_s + seconds)

    async def sleep_until(self, at_s: float) -> None:
        """Wait until the virtual time is `at_s`."""
        if at_s <= self._now_s:
            await turn()
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at_s, next(self._order), woken))
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        await woken

    async def _drive(self) -> None:
        """Let everybody run until nobody can, then wake whoever sleeps least."""
        while self._sleepers:
            for _ in range(50):  # enough turns for chains of awaits; nothing here waits for the outside
                await turn()
            at_s, _, woken = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, at_s)
            if not woken.done():
                woken.set_result(None)


def wall() -> str:
    """The time of day in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


async def wait_until(
    check: Callable[[], Awaitable[T]], *, what: str, timeout_s: float = 30.0, every_s: float = 0.02
) -> T:
    """Wait for the first true result and give it; raises CellError that says what did not come."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        if result := await check():
            return result
        if time.monotonic() >= deadline_s:
            raise CellError(f"{what} did not come within {timeout_s:g} s")
        await asyncio.sleep(every_s)


def wait_until_sync(check: Callable[[], T], *, what: str, timeout_s: float = 30.0, every_s: float = 0.02) -> T:
    """The same for code without an event loop."""
    deadline_s = time.monotonic() + timeout_s
    while not (result := check()):
        if time.monotonic() >= deadline_s:
            raise CellError(f"{what} did not come within {timeout_s:g} s")
        time.sleep(every_s)
    return result
