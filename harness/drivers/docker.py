"""The docker runtime: the same parts as containers, labelled, on networks of their own, ports on 127.0.0.1 alone."""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.drivers import docker_parts, owner, readiness
from harness.drivers.clock import wait_until
from harness.drivers.docker_cell import DockerCell
from harness.drivers.docker_engine import Engine, EngineError, state_now, states_now
from harness.drivers.folders import state_folder
from harness.drivers.images import Images, ensure_images
from harness.drivers.parts import cached, planted
from harness.drivers.ports_alloc import PortBlock, reserve
from harness.drivers.process_parts import realm_of
from harness.model.errors import CellError
from harness.model.runtime import Address, CellSpec
from harness.model.topology import Topology
from harness.model.values import Ability

KEYCLOAK_READY_S = 180.0
"""Keycloak takes 10 s in a container on an idle machine of 2 cores, and several times as long on a busy one."""


class DockerRuntime:
    """See model.runtime.Runtime."""

    name = "docker"
    abilities = frozenset(Ability)
    cells_first = True

    def __init__(self, topology: Topology, logs: Path, engine: Engine, joins: Mapping[str, Any] | None = None) -> None:
        """`joins` is what another process of the same run gave with `share`; None for a run of its own."""
        self.topology = topology
        self._joins = joins
        self.engine = engine
        self.images = Images()
        self._logs = logs
        self.prefix: str = joins["prefix"] if joins else f"gameday-{secrets.token_hex(3)}"
        self.labels: dict[str, str] = joins["labels"] if joins else {**owner.mine(), "gameday.run": self.prefix}
        self._ports: PortBlock | None = None
        self._shared: dict[str, Address] = {}
        self._started: dict[str, asyncio.Task[None]] = {}
        self._settling: list[asyncio.Task[None]] = []
        self._seed: Path | None = None
        self._joined: dict[str, set[str]] = {}
        self._cells: list[DockerCell] = []

    @property
    def versions(self) -> Mapping[str, str]:
        """The engine's version and the images in use."""
        return {"docker": self.engine.version, **self.images.versions}

    async def fetch(self) -> None:
        """Get the images."""
        self.images = await ensure_images(self.engine, self.topology)

    async def open(self) -> None:
        """Get the images, and ports for what is shared."""
        if self._joins is not None:
            self.images, self._shared = self._joins["images"], dict(self._joins["shared"])
            return
        await self.fetch()
        if self.images.keycloak_optimized and "keycloak" in self.topology.parts:
            # Now and not when it is wanted: making one takes every core for seconds.
            found = {name: part for name in ("java", "keycloak") if (part := cached(name)) is not None}
            if len(found) == 2:  # else the images were built elsewhere, or the cache is gone
                realm = realm_of(self.topology, "keycloak")
                self._seed = await asyncio.to_thread(planted, found, realm)
        self._logs.mkdir(parents=True, exist_ok=True)
        self._ports = await asyncio.to_thread(reserve, state_folder() / "ports")
        shared = [name for name, part in self.topology.parts.items() if part.shared]
        self._shared = {n: Address("127.0.0.1", p) for n, p in zip(shared, self._ports.take(len(shared)), strict=True)}

    def share(self) -> Mapping[str, Any]:
        """What another process of this run needs to make cells beside this one; it can be pickled."""
        return {"prefix": self.prefix, "labels": self.labels, "images": self.images, "shared": self._shared}

    def states_now(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The states of containers, asked at once: milliseconds."""
        return self.engine.do_now("list containers", lambda client: states_now(client, labels))

    def state_now(self, container: str) -> str | None:
        """The state of one container, a few milliseconds; None when there is none."""
        return self.engine.do_now(f"look at {container}", lambda client: state_now(client, container))

    def shared_address(self, name: str) -> Address:
        """Of a part that all cells share, as published."""
        return self._shared[name]

    def want(self, name: str) -> None:
        """Begin to start a shared part, without waiting for it."""
        if name not in self._started and self._joins is None:
            self._started[name] = asyncio.create_task(self._start_shared(name), name=f"start of {name}")

    async def _start_shared(self, name: str) -> None:
        if name != "keycloak":
            raise CellError(f"the docker runtime cannot share {name}; only keycloak can be shared")
        wanted = docker_parts.keycloak(self.images, self.topology, name, str(self._shared[name]), self._seed)
        container = f"{self.prefix}-{name}"
        own = {"ports": {docker_parts.KEYCLOAK_PORT: self._shared[name].port}, "labels": self.labels, "name": container}
        await self.engine.run(type(wanted)(**{**vars(wanted), **own}))
        self._settling.append(asyncio.create_task(self._settle(name, container), name=f"settling of {name}"))
        log = self._logs / f"{name}.log"

        def follow() -> None:
            with contextlib.suppress(OSError), log.open("ab", buffering=0) as opened:
                for chunk in self.engine.follow(container):
                    opened.write(chunk)

        threading.Thread(target=follow, name=f"log of {name}", daemon=True).start()

    async def _settle(self, name: str, container: str) -> None:
        """A Java program takes every core for seconds when it starts: it has one until it answers."""
        await self.engine.narrow(container)
        with contextlib.suppress(CellError):  # said by whoever waits for it
            await self._answering(name, KEYCLOAK_READY_S)
        await self.engine.widen(container)

    async def at_rest(self) -> None:
        """Let what is still starting have every core, and wait until it has started."""
        for name in self._started:
            await self.engine.widen(f"{self.prefix}-{name}")
        await asyncio.gather(*self._started.values(), return_exceptions=True)
        await asyncio.gather(*self._settling, return_exceptions=True)

    async def shared_ready(self, name: str, cell: DockerCell, timeout_s: float) -> None:
        """Wait until a shared part answers, and put it on the cell's network."""
        self.want(name)
        if self._joins is None:
            await self._started[name]
        else:
            await self._started_there(name, timeout_s)
        joined = self._joined.setdefault(cell.name, set())
        if name not in joined:
            joined.add(name)
            await self.engine.join(cell.prefix, f"{self.prefix}-{name}", [name])
        await self._answering(name, max(timeout_s, KEYCLOAK_READY_S))

    async def _answering(self, name: str, timeout_s: float) -> None:
        """Wait until a shared part answers; raises CellError when it does not, or has ended."""
        path = str(self.topology.parts[name].options.get("health", "/"))

        asked = 0

        async def check() -> bool:
            nonlocal asked
            asked += 1
            container = f"{self.prefix}-{name}"
            if asked % 20 == 0 and await asyncio.to_thread(self.state_now, container) != "running":
                raise CellError(f"{name} ended by itself; see {self._logs / f'{name}.log'}")
            return await readiness.answers(self.topology.parts[name].protocol, self._shared[name], path)

        what = f"{name} (log: {self._logs / f'{name}.log'})"
        await wait_until(check, what=what, timeout_s=timeout_s, every_s=0.1)

    async def _started_there(self, name: str, timeout_s: float) -> None:
        """Wait until the process that this one joins has started a shared part."""

        async def check() -> bool:
            return await asyncio.to_thread(self.state_now, f"{self.prefix}-{name}") == "running"

        await wait_until(check, what=f"the container of {name}", timeout_s=timeout_s, every_s=0.2)

    async def cell(self, spec: CellSpec) -> DockerCell:
        """Start a cell."""
        cell = DockerCell(self, spec, await asyncio.to_thread(reserve, state_folder() / "ports"))
        self._cells.append(cell)
        await cell.begin()
        return cell

    async def leave(self, cell: DockerCell) -> None:
        """Take what is shared off a cell's network, which could not be removed otherwise."""
        for name in self._joined.pop(cell.name, set()):
            with contextlib.suppress(EngineError):
                await self.engine.do(
                    f"take {name} off {cell.prefix}",
                    lambda client, name=name: client.networks.get(cell.prefix).disconnect(  # type: ignore[misc]
                        f"{self.prefix}-{name}", force=True
                    ),
                )

    async def close(self) -> None:
        """Remove everything it started."""
        for task in (*self._started.values(), *self._settling):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, EngineError, CellError):
                    await task
        for cell in self._cells:
            with contextlib.suppress(EngineError, CellError):
                await cell.close()
        if self._joins is None:
            with contextlib.suppress(EngineError):
                await self.engine.clear({"gameday.run": self.prefix})
        if self._ports is not None:
            self._ports.close()
        self.engine.close()
