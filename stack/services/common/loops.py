"""Background loops: a round, then a pause that a stop cuts short."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

STOP_S = 1.0
"""How long a round in progress may go on after the stop."""


class Loop:
    """Calls `work` again and again; a true result asks for the next round at once.

    Errors named in `survives` are given to `failed` and end the round, not the loop; any other one is a defect of ours
    and is logged with its traceback, and the loop goes on all the same: a worker must outlive one bad row.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[bool | None]],
        every_s: float,
        *,
        survives: tuple[type[Exception], ...] = (),
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self.name = name
        self._work = work
        self._every_s = every_s
        self._survives = survives
        self._failed = failed
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._go_on(), name=self.name)

    def finish(self) -> None:
        """Let the round in progress be the last."""
        self._stopping.set()

    async def stop(self) -> None:
        """Let the round in progress end within a second, else cancel it."""
        self._stopping.set()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=STOP_S)
            if not done:
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=STOP_S)

    async def _go_on(self) -> None:
        while not self._stopping.is_set():
            again: bool | None = False
            try:
                again = await self._work()
            except self._survives as error:
                if self._failed is not None:
                    self._failed(error)
                else:
                    log.warning("%s failed: %s", self.name, error)
            except Exception:
                # See the class: logged, and the loop goes on.
                log.exception("%s failed unexpectedly", self.name)
            if not again:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._every_s)
