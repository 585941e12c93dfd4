"""NATS JetStream: reading streams and consumers, publishing for faults, emptying; the only module with the NATS client."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from harness.model.errors import ActFailed, CellError, Unreadable
from harness.model.runtime import Address, Cell
from harness.model.topology import Topology

OBSERVER = "gameday"
"""The harness's own account on the broker."""

ANSWER_S = 1.0
AT_ONCE = 50
"""So many messages are asked for at once."""
TROUBLE = (NatsError, OSError, TimeoutError)


def part_of(topology: Topology) -> str | None:
    """The name of the NATS part; None when the topology has none."""
    return next((name for name, part in topology.parts.items() if part.protocol == "nats"), None)


class Broker:
    """The harness's own connection, which no link fault touches."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self._baseline: frozenset[str] = frozenset()

    async def _connected(self) -> Client:
        async with self._lock:
            if self._client is None or self._client.is_closed or not self._client.is_connected:
                if self._client is not None:
                    with contextlib.suppress(*TROUBLE):
                        await self._client.close()
                name = part_of(self._cell.topology)
                if name is None:
                    raise Unreadable("the topology has no NATS")
                self._client = await nats.connect(
                    f"nats://{self._cell.address(name)}",
                    user=OBSERVER,
                    password=self._cell.topology.secrets[f"{OBSERVER}-nats"],
                    name=OBSERVER,
                    connect_timeout=1,
                    allow_reconnect=False,
                    error_cb=_silent,
                )
            return self._client

    async def _ask(self, subject: str, payload: bytes = b"") -> dict[str, Any]:
        """One request of the JetStream API, as JSON; raises Unreadable."""
        try:
            client = await self._connected()
            reply = await client.request(f"$JS.API.{subject}", payload, timeout=ANSWER_S)
        except TROUBLE as error:
            raise Unreadable(f"NATS: {type(error).__name__} {error}") from None
        answer: dict[str, Any] = json.loads(reply.data)
        if "error" in answer:
            raise Unreadable(f"NATS: {answer['error'].get('description', 'error')}")
        return answer

    async def stream(self, name: str) -> Mapping[str, int]:
        """A stream's `first_seq`, `last_seq`, `messages`."""
        state = (await self._ask(f"STREAM.INFO.{name}"))["state"]
        return {key: int(state[key]) for key in ("first_seq", "last_seq", "messages")}

    async def consumer(self, stream: str, name: str) -> Mapping[str, int]:
        """A durable consumer's figures."""
        info = await self._ask(f"CONSUMER.INFO.{stream}.{name}")
        return {
            "ack_floor": int(info["ack_floor"]["stream_seq"]),
            "delivered": int(info["delivered"]["stream_seq"]),
            "pending": int(info["num_pending"]),
            "ack_pending": int(info["num_ack_pending"]),
            "redelivered": int(info["num_redelivered"]),
        }

    async def held(self, name: str) -> list[tuple[int, Mapping[str, str], bytes]]:
        """Sequence, headers and payload of every message that a stream holds; raises Unreadable."""
        state = await self.stream(name)
        if not state["messages"]:
            return []
        found: list[tuple[int, Mapping[str, str], bytes]] = []
        sequences = range(state["first_seq"], state["last_seq"] + 1)
        for start in range(0, len(sequences), AT_ONCE):
            asked = [self._message(name, seq) for seq in sequences[start : start + AT_ONCE]]
            found += [message for message in await asyncio.gather(*asked) if message is not None]
        return found

    async def _message(self, stream: str, sequence: int) -> tuple[int, Mapping[str, str], bytes] | None:
        try:
            answer = await self._ask(f"STREAM.MSG.GET.{stream}", json.dumps({"seq": sequence}).encode())
        except Unreadable as error:
            if "no message found" in str(error):
                return None
            raise
        message = answer["message"]
        lines = base64.b64decode(message.get("hdrs", "")).decode(errors="replace").splitlines()[1:]
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return sequence, headers, base64.b64decode(message.get("data", ""))

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish and wait for the stream's acknowledgement; raises ActFailed."""
        try:
            client = await self._connected()
            await client.jetstream().publish(subject, payload, timeout=ANSWER_S, headers=dict(headers or {}) or None)
        except TROUBLE as error:
            raise ActFailed(f"nothing could be published on {subject}: {type(error).__name__} {error}") from None

    async def delete_consumer(self, stream: str, name: str) -> None:
        """Remove a durable consumer; raises ActFailed."""
        try:
            await self._ask(f"CONSUMER.DELETE.{stream}.{name}")
        except Unreadable as error:
            raise ActFailed(f"the consumer {name} could not be removed: {error}") from None

    async def _names(self) -> dict[str, list[str]]:
        streams = (await self._ask("STREAM.NAMES")).get("streams") or []
        return {s: (await self._ask(f"CONSUMER.NAMES.{s}")).get("consumers") or [] for s in streams}

    async def take(self) -> None:
        """Remember the streams and consumers."""
        self._baseline = self._flat(await self._names())

    async def drift(self) -> list[str]:
        """Which streams and consumers came or went."""
        now = self._flat(await self._names())
        gone = [f"{x} is gone" for x in sorted(self._baseline - now)]
        return gone + [f"{x} is new" for x in sorted(now - self._baseline)]

    @staticmethod
    def _flat(names: Mapping[str, list[str]]) -> frozenset[str]:
        return frozenset(names) | {f"{stream}/{consumer}" for stream, found in names.items() for consumer in found}

    async def empty(self) -> None:
        """Remove every message of every stream; raises CellError."""
        try:
            for stream in sorted({x.split("/")[0] for x in self._baseline}):
                await self._ask(f"STREAM.PURGE.{stream}")
        except Unreadable as error:
            raise CellError(f"the streams of {self._cell.name} cannot be emptied: {error}") from None

    async def messages(self) -> int:
        """How many messages all streams hold."""
        return sum([(await self.stream(s))["messages"] for s in {x.split("/")[0] for x in self._baseline}])

    async def close(self) -> None:
        """Drop the connection."""
        if self._client is not None:
            with contextlib.suppress(*TROUBLE):
                await self._client.close()


async def _silent(_error: Exception) -> None:
    """Errors show where they matter: in the call that fails."""


class NatsCanary:
    """A raw connection through a link: it shows what a pooled one meets, without a client that would repair it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, cell: Cell, address: Address) -> "NatsCanary":
        """Connect and authenticate; raises OSError."""
        login = {"user": OBSERVER, "pass": cell.topology.secrets[f"{OBSERVER}-nats"], "verbose": False}
        reader, writer = await asyncio.open_connection(address.host, address.port)
        canary = cls(reader, writer)
        try:
            await canary._line(b"INFO")
        except BaseException:  # cancelled or not, the connection must not stay open; it is raised again
            writer.transport.abort()
            raise
        writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\n")
        return canary

    async def ask(self) -> None:
        """Ping; raises OSError."""
        self._writer.write(b"PING\r\n")
        await self._writer.drain()
        await self._line(b"PONG")

    async def _line(self, wanted: bytes) -> None:
        while line := await self._reader.readline():
            if line.startswith(wanted):
                return
            if line.startswith(b"PING"):
                self._writer.write(b"PONG\r\n")
        raise ConnectionResetError("closed")

    async def close(self) -> None:
        """Drop it."""
        self._writer.transport.abort()
