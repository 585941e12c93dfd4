"""A session whose lanes are worker processes: one for each cell, hired when it gets its first scenario."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.engine import claim
from harness.engine.outcome import Outcome
from harness.engine.plan import Item
from harness.engine.session import Lane, Session
from harness.fronts.channel import Done, Hired, LetGo, Order, RunOne, Setup, Stand, Told, hear, say
from harness.model.errors import CellError
from harness.model.events import Event

GO_S = 40.0
"""How long a worker may take to close its cell; then it is killed, and its runner's runtime removes what is left."""


class Nest:
    """The process that workers are forked from, started once a run."""

    def __init__(self, log: Path) -> None:
        self._door, theirs = socket.socketpair()
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab") as opened:
            # This thread lives as long as the runner: a death signal follows the thread.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.fronts.worker"], stdin=theirs.fileno(), stdout=opened, stderr=opened
            )
        theirs.close()

    def fork(self) -> socket.socket:
        """The channel to a new worker; raises OSError when the nest is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._door, [b"f"], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """End it; workers have been dismissed before."""
        self._door.close()
        self._process.wait()
        with contextlib.suppress(OSError):
            if not self.log.stat().st_size:
                self.log.unlink()


class Worker:
    """One worker process, seen from its runner."""

    def __init__(self, setup: Setup, emit: Callable[[Event], None], log: Path) -> None:
        self._setup = setup
        self._emit = emit
        self._log = log
        self._pid = 0
        self._answers: asyncio.Queue[Done | None] = asyncio.Queue()

    async def hire(self, channel: socket.socket) -> None:
        """Tell it what it needs to know."""
        reader, self._writer = await asyncio.open_connection(sock=channel)
        self._reading = asyncio.create_task(self._read(reader), name=f"worker {self._setup.cells}")
        say(self._writer, self._setup)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (heard := await hear(reader)) is not None:
                if isinstance(heard, Told):
                    self._emit(heard.event)
                elif isinstance(heard, Hired):
                    self._pid = heard.pid
                else:
                    self._answers.put_nowait(heard)
        finally:
            # However it ends: somebody waits for an answer.
            self._answers.put_nowait(None)

    async def carry_out(self, order: Order) -> tuple[Outcome | None, tuple[str, ...]]:
        """Have an order carried out; gives what Done tells, and raises CellError when the worker ends over it."""
        say(self._writer, order)
        answer = await self._answers.get()
        if answer is None:
            raise CellError(f"the worker process ended by itself (log: {self._log})")
        if answer.gone:
            raise CellError("; ".join(answer.trouble) or f"the worker process gave up (log: {self._log})")
        return answer.outcome, answer.trouble

    async def dismiss(self) -> tuple[str, ...]:
        """Have it close its cell and end; gives what went wrong, one line each."""
        trouble: list[str] = []
        say(self._writer, LetGo())
        try:
            async with asyncio.timeout(GO_S):
                while (answer := await self._answers.get()) is not None:
                    trouble += answer.trouble
        except TimeoutError:
            trouble.append(f"a worker process did not end within {GO_S:g} s and was killed (log: {self._log})")
            if self._pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
        self._writer.close()
        await self._reading
        return tuple(trouble)


class WorkerSession(Session):
    """See engine.session.Session; `setup` makes what a worker is told from the number of its lane."""

    def __init__(self, *args: Any, setup: Callable[[int], Setup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._setup = setup
        self._workers: dict[int, Worker] = {}
        self._hired = 0
        self._nest: Nest | None = None

    async def run(self, items: Sequence[Item], jobs: int, *, adapt: bool = False) -> None:
        """See the base; the nest is there meanwhile."""
        self._nest = Nest(self._logs / "workers.log")
        try:
            await super().run(items, jobs, adapt=adapt)
        finally:
            await asyncio.to_thread(self._nest.close)

    async def run_one(self, lane: Lane, item: Item) -> Outcome:
        """Have one item run by the lane's worker; whatever fails, there is a claim."""
        outcome = await self._order(lane, item, RunOne)
        assert outcome is not None  # noqa: S101  (it has run, or was given up)
        return outcome

    async def stand(self, lane: Lane, item: Item) -> Outcome | None:
        """Have the lane's worker make its first cell; see the base."""
        return await self._order(lane, item, Stand)

    async def _order(self, lane: Lane, item: Item, kind: type[Order]) -> Outcome | None:
        try:
            if lane.number not in self._workers:
                await self._hire(lane)
            order = kind(item.label, item.arm.name, item.seed)
            outcome, trouble = await self._workers[lane.number].carry_out(order)
        except CellError as error:
            return await self._give_up(lane, item, str(error))
        lane.trouble += trouble
        if outcome is not None:
            self.claims[item.label] = claim.of(f for f, _, _ in outcome.findings)
        return outcome

    async def _hire(self, lane: Lane) -> None:
        self._hired += 1
        assert self._nest is not None  # noqa: S101  (there while the session runs)
        # What it tells has been through a session of its own: rules are judged there, where the scenario runs.
        worker = Worker(self._setup(self._hired), self._tell, self._nest.log)
        try:
            await worker.hire(self._nest.fork())
        except OSError as error:
            raise CellError(f"no worker process could be started: {error.strerror} (log: {self._nest.log})") from None
        self._workers[lane.number] = worker

    async def let_go(self, lane: Lane) -> None:
        """Dismiss the lane's worker."""
        worker = self._workers.pop(lane.number, None)
        if worker is not None:
            lane.trouble += await worker.dismiss()
