"""Whether a part or service answers: asked the way its clients would, never slept for."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from harness.drivers.clock import wait_until
from harness.model.errors import CellError
from harness.model.runtime import Address

ASK_S = 1.0
"""How long one question may take."""


async def answers(protocol: str, address: Address, path: str = "/actuator/health/readiness") -> bool:
    """Whether it answers now; `path` is for HTTP."""
    try:
        async with asyncio.timeout(ASK_S):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                return await _ask(protocol, reader, writer, path)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _ask(protocol: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bool:
    if protocol == "nats":
        return (await reader.readline()).startswith(b"INFO")
    if protocol == "redis":
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith((b"+PONG", b"-NOAUTH"))
    if protocol == "postgres":
        # A startup message for a database that everybody may ask for: any answer but "starting up" will do.
        parameters = b"user\0gameday\0database\0postgres\0\0"
        writer.write((len(parameters) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + parameters)
        answer = await reader.readexactly(1)
        return answer == b"R" or b"57P03" not in await reader.read(500)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {address_of(writer)}\r\nX-Gameday-Probe: 1\r\nConnection: close\r\n\r\n".encode()
    )
    status = (await reader.readline()).split()
    return len(status) > 1 and status[1] == b"200"


def address_of(writer: asyncio.StreamWriter) -> str:
    """The peer as a Host header names it."""
    host, port = writer.get_extra_info("peername")[:2]
    return f"{host}:{port}"


async def every_instance(
    protocol: str,
    path: str,
    instances: Mapping[str, Address],
    *,
    gone: Callable[[str], Awaitable[str]],
    what: Callable[[str], str],
    timeout_s: float,
) -> None:
    """Wait until each instance answers; raises CellError that says which did not.

    `gone` says in one line that one ended by itself, and nothing while it runs; `what` names it for whoever waits.
    """

    async def one(key: str, address: Address) -> None:
        async def check() -> bool:
            if says := await gone(key):
                raise CellError(says)
            return await answers(protocol, address, path)

        await wait_until(check, what=what(key), timeout_s=timeout_s)

    await asyncio.gather(*(one(key, address) for key, address in instances.items()))
