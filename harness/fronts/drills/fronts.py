"""Where the trainee sits: at a terminal, or a program on standard input and output."""

import asyncio
import contextlib
import io
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import IO, Any, TextIO

from harness.drivers.lines import LONGEST, answer, encoded, refused
from harness.fronts.desk.desk import Desk, split
from harness.fronts.drills.trainee import page_of
from harness.model.drill import DrillRecord
from harness.model.errors import GamedayError
from harness.report import debrief
from harness.report.lang import Messages, text

PROTOCOL = 1
UTF_8 = "utf-8"


class Lines:
    """The lines of an input, read by a thread: an input may be a terminal, a pipe or a file."""

    def __init__(self, source: IO[str]) -> None:
        self._source = source
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        if isinstance(source, io.TextIOWrapper):
            # A byte that is no text is not the end of the input, and not half a character either.
            with contextlib.suppress(OSError, ValueError):
                source.reconfigure(errors="replace")

    async def read(self) -> AsyncIterator[str | None]:
        """Every line until the input ends; None for one that is longer than a request may be."""
        loop = asyncio.get_running_loop()

        def pump() -> None:
            line: str | None = None
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                while line != "":
                    try:
                        line = self._next()
                    except (OSError, ValueError):
                        line = ""
                    loop.call_soon_threadsafe(self._queue.put_nowait, line)

        threading.Thread(target=pump, daemon=True, name="input").start()
        while (line := await self._queue.get()) != "":
            yield line

    def _next(self) -> str | None:
        """The next line, empty at the end; one that is too long is read to its end, for its tail is no request."""
        line = self._source.readline(LONGEST)
        if len(line) < LONGEST or line.endswith("\n"):
            return line if len(line.encode(errors="replace")) <= LONGEST else None
        while (rest := self._source.readline(LONGEST)) and not rest.endswith("\n"):
            pass
        return None


class Terminal:
    """A person at a terminal, who is spoken to in the messages' language."""

    def __init__(
        self, messages: Messages | None = None, source: IO[str] | None = None, out: TextIO | None = None
    ) -> None:
        self._messages = messages or Messages()
        self._lines = Lines(source or sys.stdin)
        self._out = out or sys.stdout

    def _say(self, says: str, end: str = "\n") -> None:
        # A terminal that was closed does not keep the debrief from its folder, and one that lacks a character shows its code.
        encoding = self._out.encoding or UTF_8
        with contextlib.suppress(OSError, ValueError):
            self._out.write(says.encode(encoding, "backslashreplace").decode(encoding) + end)
            self._out.flush()

    def _word(self, key: str, **values: object) -> str:
        return text(f"drill.{key}", self._messages.lang, **values)

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Show something."""
        match kind:
            case "rules":
                self._say(f"{data['rules']}\n\n{self._word('starts')}")
            case "page":
                self._say(f"\a\n{page_of(data, self._messages)}\n")
            case "over":
                self._say(f"\n{self._word('over', why=debrief.why_ended(data['why'], self._messages))}")
            case "debrief":
                self._say(debrief.text(data["record"], self._messages))
                self._say(self._word("report", folder=data["folder"]))

    async def serve(self, desk: Desk, ended: Callable[[str], None]) -> None:
        """A line, an answer."""
        prompt = self._word("prompt") + " "
        self._say(prompt, end="")
        async for line in self._lines.read():
            if line is None:
                self._say(f"! {desk.say('too_long', n=LONGEST)}")
            elif line.strip():
                try:
                    told = await desk.do(split(line))
                    self._say(desk.masked(told.says))
                except GamedayError as error:
                    self._say(f"! {desk.failed(error)}")
            self._say(prompt, end="")
        ended("closed")


class Program:
    """A program: one JSON object a line, both ways; texts are in the messages' language, names and keys never are."""

    def __init__(
        self, messages: Messages | None = None, source: IO[str] | None = None, out: TextIO | None = None
    ) -> None:
        self._messages = messages or Messages()
        self._lines = Lines(source or sys.stdin)
        self._out = out or sys.stdout

    def _write(self, data: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.write(encoded(data, self._out.encoding or UTF_8) + "\n")
            self._out.flush()

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write something."""
        if kind == "debrief":
            record: DrillRecord = data["record"]
            self._write({"type": "debrief", "folder": data["folder"], **debrief.plain(record, self._messages)})
            return
        first: dict[str, Any] = {"protocol": PROTOCOL} if kind == "rules" else {}
        if kind == "page":
            first = {"says": page_of(data, self._messages)}
        self._write({"type": kind, **first, **data})

    async def serve(self, desk: Desk, ended: Callable[[str], None]) -> None:
        """A request, an answer."""
        async for line in self._lines.read():
            if line is None:
                self._write({"type": "answer", **refused(desk.say("too_long", n=LONGEST))})
            elif line.strip():
                self._write({"type": "answer", **await answer(line, desk.handle)})
        ended("closed")
