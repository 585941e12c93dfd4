"""Reading, and only reading: the probes' port."""

import asyncio
from collections.abc import Mapping
from typing import Any

from harness.drivers import canary
from harness.drivers.history import ChangeHistory
from harness.drivers.http import Asker
from harness.drivers.logs import Logs
from harness.drivers.metrics import Metrics
from harness.drivers.nats import Broker
from harness.drivers.postgres import Reader
from harness.drivers.redis import Store
from harness.model.errors import Unreadable
from harness.model.ledger import Ledger
from harness.model.ports import Canary, Clock
from harness.model.runtime import Cell
from harness.model.topology import variable
from harness.model.values import Change, PartState, Pong, Reply, Running


class CellObserver:
    """See model.ports.Observer."""

    def __init__(
        self,
        cell: Cell,
        clock: Clock,
        ledger: Ledger,
        *,
        reader: Reader,
        broker: Broker,
        store: Store,
        asker: Asker,
        metrics: Metrics,
        logs: Logs,
        history: ChangeHistory,
    ) -> None:
        self.clock = clock
        self.ledger = ledger
        self._cell = cell
        self._history = history
        self._asker = asker
        self._logs = logs
        self.sql = reader.rows
        self.query = reader.foreign
        self.stream = broker.stream
        self.messages = broker.held
        self.consumer = broker.consumer
        self.redis = store.read
        self.metric = metrics.value
        self.counter = metrics.counter
        self.buckets = metrics.buckets
        self.scraped_s = metrics.scraped_s
        self.increase = metrics.increase
        self.quantile_s = metrics.quantile_s

    async def http(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """A tagged request straight to a service."""
        return await self._asker.ask(service, path, method=method, headers=headers, body=body)

    def log_count(self, service: str, text: str, window_s: float) -> float | None:
        """How many log lines with this text came within the window."""
        return self._logs.count(service, text, window_s)

    async def canary(self, link: str) -> Canary:
        """Open a connection through a link and prove that it answers."""
        return await canary.open_canary(self._cell, link)

    async def reach(self, link: str, *, timeout_s: float = 1.0) -> Pong:
        """Ask through a link on a new connection."""
        return await canary.reach(self._cell, link, timeout_s)

    async def states(self, name: str | None = None) -> list[PartState]:
        """The state of parts and instances."""
        # Beside the loop: a container engine that is busy with a restart answers after a quarter of a second.
        return await asyncio.to_thread(self._cell.states, name)

    async def jobs(self) -> list[str]:
        """The jobs that run."""
        return await asyncio.to_thread(self._cell.jobs)

    def changes(self) -> list[Change]:
        """The change history."""
        return self._history.all()

    def setting(self, service: str, name: str) -> str | None:
        """A setting as the service was given it at its last start."""
        return self._cell.given(service).get(variable(name))

    async def told(self, service: str) -> Running | None:
        """What a service says it runs with."""
        topology = self._cell.topology
        if not topology.tells:
            return None
        reply = await self.http(service, topology.tells)
        said = reply.json() if reply.status == 200 else None
        if not isinstance(said, dict) or not isinstance(said.get("settings"), dict):
            raise Unreadable(f"{service} does not tell its settings: {reply.status or reply.error}")
        release = topology.services[service].release_of(str(said.get("module")))
        return Running(release, {str(name): str(value) for name, value in said["settings"].items()})
