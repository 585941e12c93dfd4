"""The runner's side of the spawner: processes that none of them outlives the runner."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.model.errors import CellError

ANSWER_S = 30.0
"""How long the spawner may take to answer; warming takes a second or two on a busy machine."""


@dataclass
class Process:
    """A started process, known by pid and start time.

    Attributes:
        start_time: seconds of the epoch as the kernel has it; with the pid it names one process for good.
        status: its exit status once it has ended (negative: the signal), else None.
    """

    pid: int
    start_time: float
    ended: asyncio.Event
    status: int | None = None

    @property
    def identity(self) -> str:
        """A text that no other process has."""
        return f"{self.pid}@{self.start_time:.2f}"

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.is_set()


class Spawner:
    """Starts, signals and awaits processes."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._processes: dict[int, Process] = {}
        self._early: dict[int, int] = {}
        self._next = 0

    async def start(self, door: Path | None = None) -> None:
        """Start the spawner's process; `door` is where further channels may be opened, None for nowhere."""
        ours, theirs = socket.socketpair()
        # The main thread starts it and lives as long as the runner: a death signal follows the thread.
        self._child = subprocess.Popen(  # noqa: ASYNC220  (milliseconds, once, and it must be this thread)
            [sys.executable, "-m", "harness.drivers.spawner_child", *([str(door)] if door else [])],
            stdin=theirs.fileno(),
            close_fds=True,
        )
        theirs.close()
        await self._begin(ours)

    async def connect(self, door: Path) -> None:
        """Order from a spawner that another process of this run started; what was ordered here ends with this channel."""
        ours = socket.socket(socket.AF_UNIX)
        try:
            ours.connect(str(door))
        except OSError as error:
            ours.close()
            raise CellError(
                f"the process that starts the others cannot be reached at {door}: {error.strerror}"
            ) from None
        await self._begin(ours)

    async def _begin(self, channel: socket.socket) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=channel, limit=1 << 20)
        self._listening = asyncio.create_task(self._listen(), name="spawner")

    @property
    def pid(self) -> int | None:
        """The spawner's own process."""
        return self._child.pid if self._child else None

    async def warm(self, modules: Sequence[str]) -> None:
        """Import modules once, so that services forked later have them."""
        await self._order({"do": "warm", "modules": list(modules)})

    async def spawn(
        self,
        *,
        log: Path,
        argv: Sequence[str | Path] | None = None,
        module: str | None = None,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> Process:
        """Start a program, or fork a Python module; raises CellError when it could not even begin."""
        reply = await self._order(
            {
                "do": "spawn",
                "argv": [str(a) for a in argv] if argv else None,
                "module": module,
                "arguments": list(arguments),
                "env": dict(env if env is not None else os.environ),
                "cwd": str(cwd) if cwd else None,
                "user": user,
                "log": str(log),
            }
        )
        pid = int(reply["pid"])
        try:
            started = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            started = 0.0
        process = Process(pid, started, asyncio.Event())
        if pid in self._early:
            process.status = self._early.pop(pid)
            process.ended.set()
        else:
            self._processes[pid] = process
        return process

    async def send(self, process: Process, sig: int, *, group: bool = True) -> None:
        """Send a signal to a process (and its group); nothing happens when it has ended already."""
        if process.running:
            with contextlib.suppress(CellError):
                await self._order({"do": "signal", "pid": process.pid, "signal": int(sig), "group": group})

    async def end(self, process: Process, *, grace_s: float, sig: int = signal.SIGTERM) -> None:
        """Ask it to end, and kill it after the grace; a frozen one gets on first, or it would never see the signal."""
        await self.send(process, sig, group=False)
        await self.send(process, signal.SIGCONT)
        try:
            await asyncio.wait_for(process.ended.wait(), grace_s)
        except TimeoutError:
            await self.kill(process)
        # What it started itself goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    async def kill(self, process: Process) -> None:
        """Kill it and its group, and see it gone."""
        await self.send(process, signal.SIGKILL)
        try:
            await asyncio.wait_for(process.ended.wait(), 10)
        except TimeoutError:
            raise CellError(f"process {process.pid} did not end when killed") from None

    async def close(self) -> None:
        """End the spawner, and with it everything that it started."""
        if self._writer is not None:
            self._writer.close()
        if self._listening is not None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(asyncio.shield(self._listening), 5)
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        if self._child is not None:
            try:
                await asyncio.to_thread(self._child.wait, 5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    async def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        if self._writer is None or self._listening is None or self._listening.done():
            raise CellError("the process that starts the others is gone; run the command again")
        self._next += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = answer
        self._writer.write(json.dumps({"id": self._next, **order}).encode() + b"\n")
        try:
            reply = await asyncio.wait_for(answer, ANSWER_S)
        except TimeoutError:
            raise CellError(f"the process that starts the others did not answer within {ANSWER_S:.0f} s") from None
        if "error" in reply:
            raise CellError(
                f"cannot {order['do']} {order.get('module') or (order.get('argv') or [''])[0]}: {reply['error']}"
            )
        return reply

    async def _listen(self) -> None:
        assert self._reader is not None  # noqa: S101  (started by `start` alone)
        try:
            while line := await self._reader.readline():
                message = json.loads(line)
                if "exit" in message:
                    self._note_exit(message["exit"], message["status"])
                else:
                    waiting = self._waiting.pop(message["id"], None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
        finally:
            # It kills all it started before it goes.
            for process in self._processes.values():
                process.ended.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(
                        CellError("the process that starts the others is gone; run the command again")
                    )

    def _note_exit(self, pid: int, status: int) -> None:
        process = self._processes.pop(pid, None)
        if process is None:
            # It ended before the runner had read that it began.
            self._early[pid] = status
            return
        process.status = status
        process.ended.set()
