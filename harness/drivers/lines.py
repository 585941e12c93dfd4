"""JSON lines over a unix socket that only its owner may use: one request a line, one answer a line."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from harness.model.errors import InfrastructureError, UsageError

LONGEST = 64 * 1024
"""Bytes of one request; longer ones are refused."""

ANSWER_S = 120.0
"""How long an answer may take: a restart of a service that does not come up takes its whole bound."""

MOST_ANSWER = 16 << 20

Handle = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class LineServer:
    """Answers requests on a socket file."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self.path = path
        self._handle = handle
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def begin(self) -> None:
        """Listen; a socket file that nobody listens on any more is replaced. Raises UsageError when somebody does."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if taken(self.path):
            raise UsageError(f"somebody else keeps {self.path}; end it first, or choose another name")
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)  # the file is the owner's alone from the moment it is there
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=self.path, limit=LONGEST)
        except OSError as error:
            raise InfrastructureError(f"{self.path} cannot be listened on: {error.strerror or error}") from None
        finally:
            os.umask(before)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await _line(reader):
                writer.write(encoded(await answer(line, self._handle)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, OSError):
            return
        except ValueError:
            with contextlib.suppress(OSError):
                writer.write(encoded(refused(f"a request is at most {LONGEST} bytes")).encode() + b"\n")
        finally:
            self._writers.discard(writer)
            writer.close()

    async def end(self) -> None:
        """Stop listening, and remove the file."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.close()
            self._server = None
            self.path.unlink(missing_ok=True)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty at the end; raises ValueError for one that is too long."""
    return await reader.readline()


async def answer(line: bytes | str, handle: Handle) -> Mapping[str, Any]:
    """The answer to one line; a broken one is answered too."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        return refused(f"that is no JSON: {error}")
    if not isinstance(request, dict):
        return refused('a request is an object such as {"do": "help"}')
    answered = dict(await handle(request))
    return {"id": request["id"], **answered} if "id" in request else answered


def refused(says: str) -> dict[str, Any]:
    """The answer to what was asked wrongly: nothing was done for it, and the same request will never do."""
    return {"ok": False, "wrong_use": True, "says": says}


def encoded(answered: Mapping[str, Any], encoding: str = "utf-8") -> str:
    """An answer as one line of JSON that can be written in an encoding, whatever characters came with the request."""
    try:
        line = json.dumps(answered, ensure_ascii=False, default=str)
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(answered, default=str)
    except RecursionError:
        return encoded(refused("that is no JSON: it goes too deep"))
    return line


def taken(path: Path) -> bool:
    """Whether somebody listens on a socket file."""
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def ask(path: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send one request and give the answer; raises InfrastructureError."""
    try:
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(ANSWER_S)
            talk.connect(str(path))
            talk.sendall(json.dumps(request).encode() + b"\n")
            with talk.makefile("rb") as reader:
                line = reader.readline(MOST_ANSWER)
    except OSError as error:
        raise InfrastructureError(f"the desk does not answer: {error.strerror or error}") from None
    if not line:
        raise InfrastructureError("the desk ended before it answered")
    answered: dict[str, Any] = json.loads(line)
    return answered
