"""Everything the engine works a cell with, put together of the drivers."""

from collections.abc import Callable, Mapping

from harness.drivers.acts import Act, Changes
from harness.drivers.data import CellData
from harness.drivers.history import ChangeHistory
from harness.drivers.http import Asker, HttpClient, Sender
from harness.drivers.injector import CellInjector
from harness.drivers.logs import Logs
from harness.drivers.metrics import Metrics
from harness.drivers.nats import Broker
from harness.drivers.observer import CellObserver
from harness.drivers.operator import CellOperator
from harness.drivers.postgres import Baseline, Reader, Sessions
from harness.drivers.redis import Store
from harness.drivers.toxiproxy import ToxiproxyLinks
from harness.model.ledger import Ledger
from harness.model.ports import Clock
from harness.model.runtime import Cell


class CellEquipment:
    """See model.runtime.Equipment."""

    def __init__(self, cell: Cell, clock: Clock, on_act: Callable[[Act], None]) -> None:
        self.cell = cell
        self.clock = clock
        self.ledger = Ledger()
        self._history = ChangeHistory(clock)
        self._sender = Sender()
        asker = Asker(cell, self._sender)
        self._metrics = Metrics(cell, asker, clock)
        self._reader, self._broker, self._store = Reader(cell), Broker(cell), Store(cell)
        self._baseline = Baseline(cell)
        sessions = Sessions(cell)
        logs = Logs(cell, clock)
        self.links = ToxiproxyLinks(cell)
        self.observer = CellObserver(
            cell,
            clock,
            self.ledger,
            reader=self._reader,
            broker=self._broker,
            store=self._store,
            asker=asker,
            metrics=self._metrics,
            logs=logs,
            history=self._history,
        )
        self.injector = CellInjector(
            cell,
            Changes(cell, self._history, "injector", on_act),
            links=self.links,
            sessions=sessions,
            broker=self._broker,
            store=self._store,
            asker=asker,
        )
        self.operator = CellOperator(
            cell,
            Changes(cell, self._history, "operator", on_act),
            self._history,
            links=self.links,
            sessions=sessions,
            store=self._store,
            logs=logs,
        )
        self.client = HttpClient(cell, clock, self.ledger, self._sender)
        self.data = CellData(cell, baseline=self._baseline, broker=self._broker, store=self._store, asker=asker)

    async def scrape(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Read the named metrics of the named services once."""
        await self._metrics.scrape(wanted)

    async def release_faults(self) -> None:
        """Let go of what the injector itself holds."""
        await self.injector.release()

    async def begin_scenario(self) -> None:
        """Forget what belongs to the scenario before."""
        self._metrics.forget()
        self.ledger.clear()
        self._history.forget()

    async def close(self) -> None:
        """Close its own connections."""
        await self.injector.release()
        await self._reader.close()
        await self._baseline.close()
        await self._broker.close()
        await self._store.forget_connections()
        await self._sender.close()
