"""The data of a cell's parts: emptied between scenarios, and compared with what the cell began with."""

from harness.drivers.clock import pause
from harness.drivers.http import Asker
from harness.drivers.nats import Broker
from harness.drivers.postgres import Baseline
from harness.drivers.redis import Store
from harness.model.errors import CellError, Unreadable
from harness.model.runtime import Cell

ROUNDS = 40
"""How often emptying is tried; what services still had in hand arrives once or twice."""

LOOK_AFTER_S = 0.05
"""Longer than a message takes from the stream to the table on an idle cell."""


class CellData:
    """See model.runtime.Data."""

    def __init__(self, cell: Cell, *, baseline: Baseline, broker: Broker, store: Store, asker: Asker) -> None:
        self._cell = cell
        self._database = baseline
        self._broker = broker
        self._store = store
        self._asker = asker
        self._has = {part.protocol for part in cell.topology.parts.values()}

    async def take_baseline(self) -> None:
        """Remember what is not data."""
        if "postgres" in self._has:
            await self._database.take()
        if "nats" in self._has:
            await self._broker.take()

    async def drift(self) -> list[str]:
        """What differs from the baseline."""
        found = await self._database.drift() if "postgres" in self._has else []
        return found + (await self._broker.drift() if "nats" in self._has else [])

    async def restore(self) -> list[str]:
        """Undo what of a drift can be undone without loss."""
        return await self._database.restore() if "postgres" in self._has else []

    async def reset(self) -> None:
        """Empty everything until it stays empty; raises CellError when it does not."""
        for reset in self._cell.topology.resets:
            reply = await self._asker.ask(reset["service"], reset["path"], method=reset["method"])
            if reply.status is None or not 200 <= reply.status < 300:
                raise CellError(
                    f"{reset['service']} could not be reset: {reply.error or f'it answered {reply.status}'}"
                )
        left = ""
        for _ in range(ROUNDS):
            await self._empty()
            await pause(LOOK_AFTER_S)
            left = await self._left()
            if not left:
                return
        raise CellError(f"the data of {self._cell.name} does not stay empty: {left}")

    async def _empty(self) -> None:
        if "postgres" in self._has:
            await self._database.empty()
        if "nats" in self._has:
            await self._broker.empty()
        if "redis" in self._has:
            await self._store.empty()

    async def _left(self) -> str:
        try:
            counts = {
                "tables with rows": await self._database.rows() if "postgres" in self._has else 0,
                "messages": await self._broker.messages() if "nats" in self._has else 0,
                "keys": await self._store.keys() if "redis" in self._has else 0,
            }
        except Unreadable as error:
            raise CellError(f"the data of {self._cell.name} cannot be read: {error}") from None
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
