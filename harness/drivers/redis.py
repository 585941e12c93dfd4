"""Redis: reading, the faults' and on-call's commands, emptying; the only module with the Redis client."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from harness.model.errors import ActFailed, CellError, Happened, Unreadable
from harness.model.runtime import Address, Cell
from harness.model.topology import Topology

ON_CALL = "oncall"

READING = frozenset(
    {
        "EXISTS", "GET", "HGET", "HGETALL", "HMGET", "INFO", "KEYS", "LLEN", "PING", "SCARD", "SMEMBERS", "TTL", "TYPE",
        "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZSCORE", "SLOWLOG", "LATENCY", "DBSIZE", "PTTL",
    }
)  # fmt: skip
"""Commands that a probe may use."""

TROUBLE = (RedisError, OSError, TimeoutError, UnicodeError)
"""What is no text fails as well: neither an argument nor an answer can be anything else."""


def part_of(topology: Topology) -> str | None:
    """The name of the Redis part; None when the topology has none."""
    return topology.speaking("redis")


class Store:
    """Connections past the links: the harness's own, and on-call's under its limited account."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._clients: dict[str, aioredis.Redis] = {}

    def _client(self, user: str = "") -> aioredis.Redis:
        if user not in self._clients:
            name = part_of(self._cell.topology)
            if name is None:
                raise Unreadable("the topology has no Redis")
            place = self._cell.address(name)
            login: dict[str, Any] = {}
            if user:
                login = {"username": user, "password": self._cell.topology.secrets[f"{user}-redis"]}
            self._clients[user] = aioredis.Redis(
                host=place.host, port=place.port, socket_timeout=1, socket_connect_timeout=1, decode_responses=True,
                client_name=user or None, **login,
            )  # fmt: skip
        return self._clients[user]

    async def read(self, *command: str) -> Any:
        """A read-only command; raises Unreadable."""
        if command[0].upper() not in READING:
            raise Unreadable(f"{command[0]} is no reading command")
        try:
            return await self._client().execute_command(*command)  # type: ignore[no-untyped-call]
        except TROUBLE as error:
            raise Unreadable(f"Redis: {type(error).__name__} {error}") from None

    async def run(self, *command: str, user: str = "") -> Any:
        """Any command that the account may use; raises ActFailed."""
        try:
            return await self._client(user).execute_command(*command)  # type: ignore[no-untyped-call]
        except TROUBLE as error:
            raise ActFailed(f"Redis refused {command[0]}: {type(error).__name__} {error}") from None

    async def clients(self) -> list[Mapping[str, str]]:
        """The clients as on-call sees them; raises ActFailed."""
        found = await self.run("CLIENT", "LIST", user=ON_CALL)
        if isinstance(found, str):
            found = [dict(pair.split("=", 1) for pair in line.split(" ")) for line in found.strip().splitlines()]
        return [c for c in found if c.get("name") != ON_CALL]

    async def end_client(self, client_id: str) -> None:
        """Disconnect a client; raises ActFailed."""
        ended = await self.run("CLIENT", "KILL", "ID", client_id, user=ON_CALL)
        if int(ended) < 1:
            raise ActFailed(f"Redis has no client {client_id}; list the clients", happened=Happened.NO)

    async def empty(self) -> None:
        """Remove every key; raises CellError."""
        try:
            await self._client().flushall()
        except TROUBLE as error:
            raise CellError(f"Redis of {self._cell.name} cannot be emptied: {error}") from None

    async def keys(self) -> int:
        """How many keys there are."""
        return int(await self.read("DBSIZE"))

    async def forget_connections(self) -> None:
        """Drop the connections; the next command connects anew."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            with contextlib.suppress(*TROUBLE):
                await client.aclose()


class RedisCanary:
    """A raw connection through a link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, _cell: Cell, address: Address) -> "RedisCanary":
        """Connect; raises OSError."""
        return cls(*await asyncio.open_connection(address.host, address.port))

    async def ask(self) -> None:
        """Ping; raises OSError."""
        self._writer.write(b"PING\r\n")
        await self._writer.drain()
        if not (await self._reader.readline()).startswith(b"+PONG"):
            raise ConnectionResetError("closed")

    async def close(self) -> None:
        """Drop it."""
        self._writer.transport.abort()
