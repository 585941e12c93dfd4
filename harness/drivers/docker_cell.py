"""A cell of containers on a network of its own."""

import asyncio
import contextlib
import json
import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.drivers import docker_parts, environment
from harness.drivers.clock import wait_until
from harness.drivers.docker_engine import EngineError, Wanted
from harness.drivers.placed import Placed
from harness.drivers.ports_alloc import PortBlock
from harness.drivers.process_cell import tool_report
from harness.model.errors import ActFailed, Happened
from harness.model.runtime import Address, CellSpec
from harness.model.values import PartState, PartStatus

if TYPE_CHECKING:
    from harness.drivers.docker import DockerRuntime

STOP_S = 4
"""How long something may take to end cleanly before it is killed."""

FIRST_LINK_PORT = 20001
"""Inside the Toxiproxy container, links listen from here on."""

SERVICE_PORT = 8080
CONTROL = "/tmp/control.json"  # noqa: S108  (inside a container of its own)
STATUS = {"running": PartStatus.RUNNING, "paused": PartStatus.FROZEN}


class DockerCell(Placed):
    """One copy of the stack as containers; see model.runtime.Cell."""

    def __init__(self, runtime: "DockerRuntime", spec: CellSpec, ports: PortBlock) -> None:
        super().__init__(runtime.topology, spec)
        self.superuser_password = secrets.token_hex(12)
        self._runtime = runtime
        self._ports = ports
        topology = self.topology
        self.prefix = f"{runtime.prefix}-{spec.name}"
        self.labels = {**runtime.labels, "gameday.cell": spec.name}
        self.own = [*(n for n, part in topology.parts.items() if not part.shared), *topology.services, "toxiproxy"]
        taken = iter(ports.take(len(self.own) + len(topology.links)))
        self._addresses = {name: Address("127.0.0.1", next(taken)) for name in self.own}
        self._addresses |= {name: runtime.shared_address(name) for name, part in topology.parts.items() if part.shared}
        self._links = {link: Address("127.0.0.1", next(taken)) for link in topology.links}
        self._inside_links = {link: FIRST_LINK_PORT + n for n, link in enumerate(topology.links)}
        self._extra_ports: dict[str, int] = {}
        self._given: dict[str, tuple[str | None, dict[str, str]]] = {}
        self._made: dict[str, Wanted] = {}
        self._starts: dict[str, int] = {}
        self._jobs: list[str] = []
        self._followers: list[threading.Thread] = []

    def address(self, name: str) -> Address:
        """As published."""
        return self._addresses[name]

    def addresses(self, service: str) -> list[Address]:
        """Of every instance, as published."""
        others = (Address("127.0.0.1", self._extra_port(key)) for key in self._keys(service)[1:])
        return [self._addresses[service], *others]

    def link_address(self, link: str) -> Address:
        """Of a link's proxy, as published."""
        self.topology.server(link)
        return self._links[link]

    def proxy_api(self) -> Address:
        """Of Toxiproxy's API, as published."""
        return self._addresses["toxiproxy"]

    def upstream(self, link: str) -> str:
        """On the cell's network."""
        server = self.topology.server(link)
        return f"{server}:{self._inside_port(server)}"

    def proxy_listen(self, link: str) -> str:
        """Inside the Toxiproxy container."""
        return f"0.0.0.0:{self._inside_links[link]}"

    def log_paths(self, name: str) -> list[Path]:
        """One file for each instance."""
        return [self._log(key) for key in self._keys(name)]

    def _log(self, key: str) -> Path:
        return self.spec.folder / f"{key.replace('#', '-')}.log"

    def _inside_port(self, name: str) -> int:
        return SERVICE_PORT if name in self.topology.services else docker_parts.port_of(self.topology, name)

    def _inside(self) -> dict[str, Address]:
        """Everything as containers of this cell reach it."""
        known = {name: Address(name, self._inside_port(name)) for name in self._addresses if name != "toxiproxy"}
        return known | {link: Address("toxiproxy", port) for link, port in self._inside_links.items()}

    def _for_services(self) -> dict[str, Address]:
        """Links as containers reach them; parts, and the links of clients, as the world outside does."""
        outside = {link: a for link, a in self._links.items() if link.startswith("client->")}
        return self._inside() | self._addresses | outside

    def container(self, key: str) -> str:
        """The name of an instance's container."""
        return f"{self.prefix}-{key.replace('#', '-')}"

    def states(self, name: str | None = None) -> list[PartState]:
        """As the engine has them."""
        if name:
            return [self._state(k, name, self._runtime.state_now(self.container(k))) for k in self._keys(name)]
        found = self._runtime.states_now(self.labels)
        return [self._state(key, n, found.get(self.container(key))) for n in self.own for key in self._keys(n)]

    def _state(self, key: str, name: str, state: str | None) -> PartState:
        release, given = self._given.get(key, (None, {}))
        status = STATUS.get(state or "", PartStatus.STOPPED)
        identity = f"{self.container(key)}@{self._starts.get(key, 0)}" if status is not PartStatus.STOPPED else ""
        return PartState(key, status, identity, release if name in self.topology.services else None, given)

    def given(self, service: str) -> Mapping[str, str]:
        """Of its first instance."""
        return self._given.get(service, (None, {}))[1]

    def identities(self) -> frozenset[str]:
        """Known here, without asking the engine."""
        return frozenset(f"{self.container(key)}@{starts}" for key, starts in self._starts.items())

    async def ready(self, names: Sequence[str] | None = None, *, timeout_s: float = 60.0) -> None:
        """Wait for every readiness probe, all at once."""
        await asyncio.gather(*(self._ready(name, timeout_s) for name in (names if names is not None else self.own)))

    async def _ready(self, name: str, timeout_s: float) -> None:
        if name in self.topology.parts and self.topology.parts[name].shared:
            await self._runtime.shared_ready(name, self, timeout_s)
            return
        asked: Counter[str] = Counter()

        async def gone(key: str) -> str:
            asked[key] += 1
            # Asking the engine costs more than asking the part.
            if asked[key] % 20 or await asyncio.to_thread(self._runtime.state_now, self.container(key)) in STATUS:
                return ""
            return f"{key} ended by itself; see {self._log(key)}"

        await self._until_ready(name, gone, timeout_s)

    # Starting and ending ---------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Make the network and start everything together."""
        self.spec.folder.mkdir(parents=True, exist_ok=True)
        await self._runtime.engine.network(self.prefix, self.labels)
        await asyncio.gather(self._provision(), *(self.start(name) for name in self.own))

    async def _provision(self) -> None:
        """Roles and schemas in PostgreSQL, a proxy for every link, each as soon as what it needs answers."""
        from harness.drivers import postgres, toxiproxy  # noqa: PLC0415  (they speak to cells, so they import this side)

        async def proxies() -> None:
            await self._until_made("toxiproxy")
            await self._ready("toxiproxy", 60)
            await toxiproxy.ToxiproxyLinks(self).create_all()

        async def roles(name: str) -> None:
            await self._until_made(name)
            await self._ready(name, 60)
            await postgres.provision(self, name)

        await asyncio.gather(
            proxies(), *(roles(name) for name, part in self.topology.parts.items() if part.protocol == "postgres")
        )

    async def _until_made(self, name: str) -> None:
        async def made() -> bool:
            return name in self._starts

        await wait_until(made, what=f"the container of {name}", timeout_s=120)

    async def start(self, name: str) -> None:
        """Start what does not run, with what is now in place."""
        found = await self._runtime.engine.states(self.labels)
        for key in self._keys(name):
            if found.get(self.container(key)) != "running":
                await self._start(name, key)

    async def _start(self, name: str, key: str) -> None:
        if name in self.topology.services:
            wanted = self._service(name, key)
        else:
            wanted = docker_parts.part(self._runtime.images, self.topology, name, self.superuser_password)
            if name == "toxiproxy":
                ports = {inside: self._links[link].port for link, inside in self._inside_links.items()}
                wanted = replace(wanted, ports={docker_parts.TOXIPROXY_API: self._addresses[name].port, **ports})
            else:
                wanted = replace(wanted, ports={self._inside_port(name): self._addresses[name].port})
        wanted = replace(
            wanted, name=self.container(key), network=self.prefix, aliases=(key.replace("#", "-"),), labels=self.labels
        )
        if self._made.get(key) == wanted:
            # The same container again: it keeps its data, and starting one that exists takes less than making one.
            await self._runtime.engine.act(self.container(key), "start")
        else:
            await self._runtime.engine.run(wanted)
            self._made[key] = wanted
        self._starts[key] = self._starts.get(key, 0) + 1
        self._follow(key)

    def _service(self, name: str, key: str) -> Wanted:
        release = self._releases[name]
        variables = environment.of_service(
            self.topology, name, self._settings[name], self._for_services(), Address("0.0.0.0", SERVICE_PORT)
        )
        self._given[key] = (release, variables)
        port = self._addresses[name].port if key == name else self._extra_port(key)
        module = self.topology.services[name].module_of(release)
        return Wanted(
            "", self._runtime.images.services, ("python3", "-m", module), variables, ports={SERVICE_PORT: port}
        )

    def _extra_port(self, key: str) -> int:
        if key not in self._extra_ports:
            self._extra_ports[key] = self._ports.take(1)[0]
        return self._extra_ports[key]

    def _follow(self, key: str) -> None:
        """Keep the container's output in a file for as long as it has any."""
        name, path = self.container(key), self._log(key)

        def follow() -> None:
            with contextlib.suppress(OSError), path.open("ab", buffering=0) as opened:
                for chunk in self._runtime.engine.follow(name):
                    opened.write(chunk)

        thread = threading.Thread(target=follow, name=f"log of {name}", daemon=True)
        thread.start()
        self._followers = [t for t in self._followers if t.is_alive()] + [thread]

    async def stop(self, name: str) -> None:
        """End it cleanly, every instance at once; a paused one goes on first, or it would never see the signal."""
        found = await self._runtime.engine.states(self.labels)

        async def end(container: str) -> None:
            if found.get(container) == "paused":
                await self._runtime.engine.act(container, "unpause")
            if found.get(container) in {"running", "paused"}:
                await self._runtime.engine.act(container, "stop", timeout=STOP_S)

        await asyncio.gather(*(end(self.container(key)) for key in self._keys(name)))

    async def kill(self, name: str) -> None:
        """End it at once."""
        found = await self._runtime.engine.states(self.labels)
        for key in self._keys(name):
            if found.get(self.container(key)) in {"running", "paused"}:
                await self._runtime.engine.act(self.container(key), "kill")
        await self._until(name, PartStatus.STOPPED)

    async def freeze(self, name: str) -> None:
        """Pause it."""
        for key in self._keys(name):
            await wait_until(lambda key=key: self._paused(key), what=f"pausing {name}", timeout_s=10)  # type: ignore[misc]
        await self._until(name, PartStatus.FROZEN)

    async def _paused(self, key: str) -> bool:
        """Pause once. On control groups of version 1 the kernel may refuse while a process forks; it then runs on."""
        try:
            await self._runtime.engine.act(self.container(key), "pause")
        except EngineError as error:
            if "unable to freeze" not in str(error):
                raise
            return False
        return True

    async def thaw(self, name: str) -> None:
        """Let it go on."""
        for key in self._keys(name):
            await self._runtime.engine.act(self.container(key), "unpause")
        await self._until(name, PartStatus.RUNNING)

    async def _until(self, name: str, status: PartStatus) -> None:
        async def there() -> bool:
            return all(s.status is status for s in await asyncio.to_thread(self.states, name))

        await wait_until(there, what=f"{name} {status.value}", timeout_s=10)

    async def restart(self, name: str) -> None:
        """End it, frozen or not, and start it with what is now in place."""
        await self.stop(name)
        for key in self._keys(name):
            await self._start(name, key)

    # What is in place ------------------------------------------------------------------------------------------------

    async def scale(self, service: str, count: int) -> None:
        """Start or stop instances."""
        for key in self._keys(service)[count:]:
            await self._runtime.engine.act(self.container(key), "remove", force=True, v=True)
            self._made.pop(key, None)
        self._instances[service] = count
        await self.start(service)

    def jobs(self) -> list[str]:
        """Those that run."""
        return [job for job in self._jobs if self._runtime.state_now(self.container(job)) == "running"]

    async def start_job(self, job: str, settings: Mapping[str, str]) -> None:
        """Start a job."""
        program = self.topology.jobs.get(job)
        if program is None:
            raise ActFailed(
                f"there is no job {job}; the jobs are {', '.join(self.topology.jobs)}", happened=Happened.NO
            )
        variables = environment.of_program(self.topology, program.environment, self._inside(), settings)
        await self._program(job, program.module, (), {**variables, "JOB_CONTROL_FILE": CONTROL})
        self._jobs = [*(j for j in self._jobs if j != job), job]
        self._follow(job)

    async def _program(self, key: str, module: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        wanted = Wanted(
            self.container(key), self._runtime.images.services, ("python3", "-m", module, *arguments), variables
        )
        await self._runtime.engine.run(replace(wanted, network=self.prefix, aliases=(key,), labels=self.labels))

    async def pace_job(self, job: str, rate_hz: float) -> None:
        """Write the pace where the job looks for it."""
        if job not in await asyncio.to_thread(self.jobs):
            raise ActFailed(f"the job {job} does not run", happened=Happened.NO)
        await self._runtime.engine.put(self.container(job), CONTROL, json.dumps({"rate_hz": rate_hz}).encode())

    async def stop_job(self, job: str) -> None:
        """End a job."""
        if job in self._jobs:
            self._jobs.remove(job)
            await self._runtime.engine.act(self.container(job), "remove", force=True, v=True)

    async def run_tool(self, tool: str, arguments: Sequence[str]) -> Mapping[str, Any]:
        """Run a tool to its end."""
        program = self.topology.tools.get(tool)
        if program is None:
            known = ", ".join(self.topology.tools)
            raise ActFailed(f"there is no tool {tool}; the tools are {known}", happened=Happened.NO)
        variables = environment.of_program(self.topology, program.environment, self._inside(), {})
        await self._program(tool, program.module, arguments, variables)
        try:
            status, output = await self._runtime.engine.wait(self.container(tool), 30)
        except TimeoutError:
            await self._runtime.engine.act(self.container(tool), "remove", force=True, v=True)
            raise ActFailed(f"the tool {tool} did not end within 30 s") from None
        with self._log(tool).open("a", encoding="utf-8") as opened:
            opened.write(output)
        await self._runtime.engine.act(self.container(tool), "remove", force=True, v=True)
        return tool_report(tool, status, output.strip().splitlines())

    async def close(self) -> None:
        """Remove everything of this cell."""
        await self._runtime.leave(self)
        with contextlib.suppress(EngineError):
            await self._runtime.engine.clear(self.labels)
        for thread in self._followers:
            await asyncio.to_thread(thread.join, 2)
        self._ports.close()
