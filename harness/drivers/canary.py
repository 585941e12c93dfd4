"""Canaries: connections through a link, opened and proven before a fault, that stand for every pooled one."""

import asyncio
import time
from typing import Protocol

from harness.drivers.nats import NatsCanary
from harness.drivers.postgres import PostgresCanary
from harness.drivers.redis import RedisCanary
from harness.model.errors import Unreadable
from harness.model.runtime import Address, Cell
from harness.model.values import Pong

OPEN_S = 1.0


class Connection(Protocol):
    """A connection that can be asked; both verbs raise OSError when it is dead."""

    async def ask(self) -> None: ...

    async def close(self) -> None: ...


class HttpCanary:
    """A kept-alive HTTP connection through a link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        self._reader = reader
        self._writer = writer
        self._path = path

    @classmethod
    async def open(cls, address: Address, path: str) -> "HttpCanary":
        """Connect; raises OSError."""
        return cls(*await asyncio.open_connection(address.host, address.port), path)

    async def ask(self) -> None:
        """GET the health path and read the whole answer; raises OSError."""
        self._writer.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Gameday-Probe: 1\r\n\r\n".encode())
        await self._writer.drain()
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            if "content-length:" in head:
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                await self._reader.readexactly(length)
            elif "chunked" in head:
                size = -1
                while size != 0:
                    size = int((await self._reader.readline()).strip(), 16)
                    await self._reader.readexactly(size + 2)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("closed") from None

    async def close(self) -> None:
        """Drop it."""
        self._writer.transport.abort()


class LinkCanary:
    """See model.ports.Canary."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open_question: asyncio.Task[None] | None = None

    async def ping(self, *, timeout_s: float = 1.0) -> Pong:
        """Ask the server on the existing connection.

        An answer that is still owed to an earlier question is awaited first, or it would be taken for this one's.
        """
        try:
            async with asyncio.timeout(timeout_s):
                if self._open_question is not None:
                    await asyncio.shield(self._open_question)
                began_s = time.perf_counter()
                self._open_question = asyncio.create_task(self._connection.ask())
                await asyncio.shield(self._open_question)
                self._open_question = None
        except TimeoutError:
            return Pong(False, None, "silent")
        except (OSError, ValueError):
            return Pong(False, None, "closed")
        return Pong(True, (time.perf_counter() - began_s) * 1000, "answered")

    async def close(self) -> None:
        """Drop the connection."""
        if self._open_question is not None:
            self._open_question.cancel()
            await asyncio.wait({self._open_question})
        await self._connection.close()


async def open_canary(cell: Cell, link: str) -> LinkCanary:
    """A canary on a link; raises Unreadable when the link does not answer."""
    try:
        async with asyncio.timeout(OPEN_S):
            return LinkCanary(await _open(cell, link))
    except (OSError, TimeoutError) as error:
        raise Unreadable(f"{link} does not answer: {str(error) or type(error).__name__}") from None


async def reach(cell: Cell, link: str, timeout_s: float) -> Pong:
    """Ask through a link on a new connection."""
    began_s = time.perf_counter()
    connection: Connection | None = None
    try:
        async with asyncio.timeout(timeout_s):
            connection = await _open(cell, link)
            await connection.ask()
    except TimeoutError:
        return Pong(False, None, "silent")
    except ConnectionRefusedError:
        return Pong(False, None, "refused")
    except (OSError, ValueError):
        return Pong(False, None, "closed")
    finally:
        if connection is not None:
            await connection.close()
    return Pong(True, (time.perf_counter() - began_s) * 1000, "answered")


async def _open(cell: Cell, link: str) -> Connection:
    server = cell.topology.server(link)
    address = cell.link_address(link)
    match cell.topology.protocol(server):
        case "postgres":
            return await PostgresCanary.open(cell, address)
        case "nats":
            return await NatsCanary.open(cell, address)
        case "redis":
            return await RedisCanary.open(cell, address)
    part = cell.topology.parts.get(server)
    path = str(part.options.get("health", "/")) if part else "/actuator/health/liveness"
    return await HttpCanary.open(address, path)
