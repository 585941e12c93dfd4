"""The process runtime: the real parts as child processes on 127.0.0.1, none of which outlives the runner."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from harness.drivers import cores, owner, process_parts, readiness
from harness.drivers import parts as real_parts
from harness.drivers.clock import wait_until
from harness.drivers.folders import state_folder
from harness.drivers.parts import Part
from harness.drivers.ports_alloc import PortBlock, reserve
from harness.drivers.process_cell import ProcessCell
from harness.drivers.spawner import Process, Spawner
from harness.model.errors import CellError
from harness.model.runtime import Address, CellSpec
from harness.model.topology import Topology
from harness.model.values import Ability

DOOR = "spawner.sock"
"""In the folder of a run: where its worker processes order from the spawner."""

LONGEST_SOCKET = 100
"""Bytes of a socket's name, a little below what kernels take (108 on Linux, 104 elsewhere)."""


KEYCLOAK_READY_S = 120.0
"""Keycloak takes 4 to 8 s on an idle machine of 2 cores; a busy one takes several times as long."""


class ProcessRuntime:
    """See model.runtime.Runtime."""

    name = "process"
    abilities = frozenset(Ability)
    cells_first = False

    def __init__(self, topology: Topology, logs: Path, joins: Mapping[str, Any] | None = None) -> None:
        """`joins` is what another process of the same run gave with `share`; None for a run of its own."""
        self.topology = topology
        self.spawner = Spawner()
        self._joins = joins
        self.parts: dict[str, Part] = {}
        self._logs = logs
        self._folder = Path()
        self._shared_ports: PortBlock | None = None
        self._shared: dict[str, Address] = {}
        self._started: dict[str, asyncio.Task[Process]] = {}
        self._settling: list[asyncio.Task[None]] = []
        self._seed: Path | None = None
        self._management = 0
        self._warm: asyncio.Task[None] | None = None
        self._cells: list[ProcessCell] = []

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each real part."""
        return {name: part.version for name, part in self.parts.items()}

    def needed_parts(self) -> list[str]:
        """The real parts that the topology asks for."""
        protocols = {part.protocol for part in self.topology.parts.values()}
        named = [name for name in ("postgres", "redis", "nats") if name in protocols]
        return [*named, *(["java", "keycloak"] if "keycloak" in self.topology.parts else []), "toxiproxy"]

    async def fetch(self) -> None:
        """Get the parts."""
        self.parts = await asyncio.to_thread(real_parts.ensure_all, self.needed_parts())

    async def open(self) -> None:
        """Get the parts, start the spawner, and begin to warm it."""
        await self.fetch()
        if self._joins is not None:
            await self._join(self._joins)
            return
        if "keycloak" in self.parts:
            realm = process_parts.realm_of(self.topology, "keycloak")
            self._seed = await asyncio.to_thread(real_parts.planted, self.parts, realm)
        self._folder = Path(tempfile.mkdtemp(prefix=f"gameday-{os.getpid()}-"))
        self._folder.chmod(0o755)
        self._logs.mkdir(parents=True, exist_ok=True)
        door = self._folder / DOOR
        await self.spawner.start(door if len(os.fsencode(door)) < LONGEST_SOCKET else None)
        self._note_owner()
        self._warm = asyncio.create_task(self.spawner.warm(self.topology.preload))
        self._shared_ports = await asyncio.to_thread(reserve, state_folder() / "ports")
        shared = [name for name, part in self.topology.parts.items() if part.shared]
        ports = self._shared_ports.take(len(shared) + 1)
        self._shared = {name: Address("127.0.0.1", port) for name, port in zip(shared, ports, strict=False)}
        self._management = ports[-1]

    def share(self) -> Mapping[str, Any]:
        """What another process of this run needs to make cells beside this one; it can be pickled.

        Raises CellError where there can be no such process.
        """
        if len(os.fsencode(self._folder / DOOR)) >= LONGEST_SOCKET:
            raise CellError(f"the name of {self._folder} is too long for a socket in it; set TMPDIR to a shorter one")
        return {"folder": self._folder, "shared": self._shared}

    async def _join(self, run: Mapping[str, Any]) -> None:
        self._folder = run["folder"] / f"worker-{os.getpid()}"
        self._folder.mkdir(mode=0o755)
        self._shared = dict(run["shared"])
        await self.spawner.connect(run["folder"] / DOOR)

    def _note_owner(self) -> None:
        """Say in the folder whose it is, so that the next command can tell a dead run's from a living one's."""
        marks = dict(owner.mine())
        if self.spawner.pid is not None:
            marks["spawner.pid"] = str(self.spawner.pid)
            marks["spawner.started"] = f"{psutil.Process(self.spawner.pid).create_time():.2f}"
        (self._folder / owner.FILE).write_text(json.dumps(marks))

    def base_environment(self) -> dict[str, str]:
        """What every process gets: enough to run, nothing of the person's own."""
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}}
        return {"LC_ALL": "C.UTF-8", **kept}

    async def start_module(
        self, module: str, env: Mapping[str, str], log: Path, arguments: Sequence[str] = ()
    ) -> Process:
        """Fork a Python module from the warmed process."""
        if self._warm is not None:
            await asyncio.shield(self._warm)
        python = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
        return await self.spawner.spawn(
            module=module, arguments=arguments, env=self.base_environment() | python | dict(env), log=log
        )

    def shared_address(self, name: str) -> Address:
        """Of a part that all cells share."""
        return self._shared[name]

    def want(self, name: str) -> None:
        """Begin to start a shared part, without waiting for it; once is enough."""
        if name not in self._started and self._joins is None:
            self._started[name] = asyncio.create_task(self._start_shared(name), name=f"start of {name}")

    async def _start_shared(self, name: str) -> Process:
        if name != "keycloak":
            raise CellError(f"the process runtime cannot share {name}; only keycloak can be shared")
        folder = self._folder / "shared"
        folder.mkdir()
        command = process_parts.keycloak(
            self.parts["keycloak"],
            self.parts["java"],
            folder,
            listen=self._shared[name],
            management=self._management,
            realm=process_parts.realm_of(self.topology, name),
            seed=self._seed,
        )
        process = await self.spawner.spawn(
            argv=command.argv, env=self.base_environment() | dict(command.env), log=self._logs / f"{name}.log"
        )
        self._settling.append(asyncio.create_task(self._settle(name, process), name=f"settling of {name}"))
        return process

    async def _settle(self, name: str, process: Process) -> None:
        """A Java program takes every core for seconds when it starts: it has one until it answers."""
        cores.narrow(process.pid)
        try:
            await self._answering(name, process, KEYCLOAK_READY_S)
        except CellError:
            pass  # said by whoever waits for it
        finally:
            cores.widen(process.pid)

    async def at_rest(self) -> None:
        """Nothing to wait for: what starts beside scenarios leaves them a core, and is done in seconds."""

    async def shared_ready(self, name: str, timeout_s: float) -> None:
        """Wait until a shared part answers."""
        self.want(name)
        process = await self._started[name] if self._joins is None else None
        await self._answering(name, process, max(timeout_s, KEYCLOAK_READY_S))

    async def _answering(self, name: str, process: Process | None, timeout_s: float) -> None:
        path = str(self.topology.parts[name].options.get("health", "/"))
        protocol = self.topology.parts[name].protocol

        async def check() -> bool:
            if process is not None and not process.running:
                raise CellError(f"{name} ended by itself; see {self._logs / f'{name}.log'}")
            return await readiness.answers(protocol, self._shared[name], path)

        await wait_until(check, what=f"{name} (log: {self._logs / f'{name}.log'})", timeout_s=timeout_s)

    async def cell(self, spec: CellSpec) -> ProcessCell:
        """Start a cell."""
        ports = await asyncio.to_thread(reserve, state_folder() / "ports")
        folder = self._folder / spec.name
        folder.mkdir()
        folder.chmod(0o755)
        cell = ProcessCell(self, spec, ports, folder)
        self._cells.append(cell)
        await cell.begin()
        return cell

    async def close(self) -> None:
        """End everything."""
        for task in (self._warm, *self._started.values(), *self._settling):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CellError):
                    await task
        await self.spawner.close()
        for cell in self._cells:
            with contextlib.suppress(CellError):
                await cell.close()
        if self._shared_ports is not None:
            self._shared_ports.close()
        if self._folder != Path():
            await asyncio.to_thread(shutil.rmtree, self._folder, True)
