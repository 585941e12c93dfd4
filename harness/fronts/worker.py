"""Worker processes: one lane of a run each, with an event loop of its own, so that no lane waits for another's computing.

The module is run once, as the nest: it imports what workers need, and forks one for each channel that the runner hands it
over its standard input. Nest and workers end with the runner, however it ends.
"""

import asyncio
import contextlib
import os
import signal
import socket
from typing import Any

from harness.drivers.clock import SystemClock
from harness.drivers.machine import spare_long_collections
from harness.drivers.spawner_child import die_with
from harness.engine.plan import Item, choose
from harness.engine.session import Lane, Session
from harness.fronts import books
from harness.fronts.catalogue import load_catalogue
from harness.fronts.channel import Done, Hired, Order, Setup, Stand, Told, hear, say
from harness.fronts.wiring import equip, make_runtime, slo_policy
from harness.model.arms import ARMS
from harness.model.errors import GamedayError, InfrastructureError
from harness.model.events import Event


class Worker:
    """One lane, told what to run."""

    def __init__(self, setup: Setup, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._clock = SystemClock(setup.clock_s)
        self._lane = Lane(1)
        loaded = load_catalogue(setup.catalogue, setup.topology)
        self._catalogue, _ = books.sampled(loaded, setup.runbook, setup.topology, setup.profile)
        self._runtime, _ = make_runtime(setup.runtime, setup.topology, setup.logs, joins=setup.joins)
        self._session = Session(
            self._runtime,
            self._catalogue,
            lambda cell, act: equip(cell, act, self._clock),
            self._tell,
            profile=setup.profile,
            logs=setup.logs,
            clock_s=self._clock.now_s,
            policy=lambda numbers: slo_policy(self._catalogue, numbers),
            cells=setup.cells,
        )

    def _tell(self, event: Event) -> None:
        say(self._writer, Told(event))

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Carry out orders until the last one, or until the runner is gone."""
        await self._runtime.open()
        heard = asyncio.create_task(hear(reader))
        try:
            while isinstance(order := await heard, Order):
                # Whatever is heard while a scenario runs means that it is to stop.
                heard = asyncio.create_task(hear(reader))
                work = asyncio.create_task(self._run(order))
                await asyncio.wait({work, heard}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
        finally:
            heard.cancel()
            await self._end()

    async def _run(self, order: Order) -> None:
        item = Item(choose(self._catalogue, [order.label])[0], ARMS[order.arm], order.seed)
        doing = self._session.stand if isinstance(order, Stand) else self._session.run_one
        outcome = await doing(self._lane, item)
        say(self._writer, Done(outcome, self._trouble()))

    def _trouble(self) -> tuple[str, ...]:
        lines = tuple(self._lane.trouble)
        self._lane.trouble.clear()
        return lines

    async def _end(self) -> None:
        await self._session.let_go(self._lane)
        with contextlib.suppress(InfrastructureError):
            await self._runtime.close()
        say(self._writer, Done(None, self._trouble(), gone=True))


async def serve(channel: socket.socket) -> None:
    """Serve the runner at the other end."""
    reader, writer = await asyncio.open_connection(sock=channel)
    say(writer, Hired(os.getpid()))
    setup: Any = await hear(reader)
    if isinstance(setup, Setup):
        try:
            await Worker(setup, writer).serve(reader)
        except GamedayError as error:
            say(writer, Done(None, (str(error),), gone=True))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def work(channel: socket.socket) -> None:
    """Be a worker, to the end of the channel."""
    import uvloop  # noqa: PLC0415  (as in the runner)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(channel))


def main() -> None:
    """Be the nest, until the runner closes standard input."""
    runner = os.getppid()
    # Ctrl-C in the runner's terminal is the runner's to handle: it says what is to stop.
    for sig in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)
    # The kernel forgets workers that end: the runner sees it by their channels.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    die_with(runner)
    door, nest = socket.socket(fileno=os.dup(0)), os.getpid()
    spare_long_collections()
    while True:
        said, handed, _, _ = socket.recv_fds(door, 1, 1)
        if not said:
            return
        if os.fork() == 0:
            break
        os.close(handed[0])
    door.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with(nest)
    work(socket.socket(fileno=handed[0]))


if __name__ == "__main__":
    main()
