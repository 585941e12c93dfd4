"""A cell of child processes on 127.0.0.1."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.drivers import environment, process_parts
from harness.drivers.clock import wait_until
from harness.drivers.placed import Placed
from harness.drivers.ports_alloc import PortBlock
from harness.drivers.process_parts import Command
from harness.drivers.spawner import Process
from harness.model.errors import ActFailed, Happened
from harness.model.runtime import Address, CellSpec
from harness.model.values import PartState, PartStatus

if TYPE_CHECKING:
    from harness.drivers.process import ProcessRuntime

STOP_S = 4.0
"""How long something may take to end cleanly before it is killed; services end within two seconds."""


class ProcessCell(Placed):
    """One copy of the stack as child processes; see model.runtime.Cell."""

    def __init__(self, runtime: "ProcessRuntime", spec: CellSpec, ports: PortBlock, folder: Path) -> None:
        super().__init__(runtime.topology, spec)
        self.superuser_password = secrets.token_hex(12)
        self._runtime = runtime
        self._ports = ports
        self._folder = folder
        self._processes: dict[str, Process] = {}
        self._frozen: set[str] = set()
        self._given: dict[str, tuple[str, dict[str, str]]] = {}
        self._jobs: dict[str, Process] = {}
        topology = self.topology
        own = [*(n for n, part in topology.parts.items() if not part.shared), *topology.services, "toxiproxy"]
        taken = iter(ports.take(len(own) + len(topology.links)))
        self.own = own
        self._addresses = {name: Address("127.0.0.1", next(taken)) for name in own}
        self._addresses |= {name: runtime.shared_address(name) for name, part in topology.parts.items() if part.shared}
        self._links = {link: Address("127.0.0.1", next(taken)) for link in topology.links}
        self._extra_ports: dict[str, int] = {}

    # Where things are -------------------------------------------------------------------------------------------------

    def address(self, name: str) -> Address:
        """Of a part or service itself."""
        return self._addresses[name]

    def addresses(self, service: str) -> list[Address]:
        """Of every instance."""
        keys = self._keys(service)
        return [self._addresses[service], *(Address("127.0.0.1", self._extra_port(key)) for key in keys[1:])]

    def link_address(self, link: str) -> Address:
        """Of a link's proxy."""
        self.topology.server(link)
        return self._links[link]

    def proxy_api(self) -> Address:
        """Of Toxiproxy's API."""
        return self._addresses["toxiproxy"]

    def upstream(self, link: str) -> str:
        """What the link's proxy forwards to."""
        return str(self._addresses[self.topology.server(link)])

    def proxy_listen(self, link: str) -> str:
        """What the link's proxy listens on."""
        return str(self._links[link])

    def log_paths(self, name: str) -> list[Path]:
        """One file for each instance."""
        return [self._log(key) for key in self._keys(name)] or [self._log(name)]

    def _log(self, key: str) -> Path:
        return self.spec.folder / f"{key.replace('#', '-')}.log"

    # States ----------------------------------------------------------------------------------------------------------

    def states(self, name: str | None = None) -> list[PartState]:
        """As the kernel has them."""
        names = [name] if name else self.own
        return [self._state(key, n) for n in names for key in self._keys(n)]

    def _state(self, key: str, name: str) -> PartState:
        process = self._processes.get(key)
        release, given = self._given.get(key, (None, {}))
        if process is None or not process.running:
            return PartState(key, PartStatus.STOPPED, "", release, given)
        status = PartStatus.FROZEN if _stopped(process.pid) else PartStatus.RUNNING
        return PartState(key, status, process.identity, release if name in self.topology.services else None, given)

    def given(self, service: str) -> Mapping[str, str]:
        """Of its first instance."""
        return self._given.get(service, (None, {}))[1]

    def identities(self) -> frozenset[str]:
        """Of every process that was started last."""
        return frozenset(process.identity for process in self._processes.values())

    async def ready(self, names: Sequence[str] | None = None, *, timeout_s: float = 60.0) -> None:
        """Wait for every readiness probe, all at once; a part that ended says so at once."""
        wanted = names if names is not None else self.own
        await asyncio.gather(*(self._ready(name, timeout_s) for name in wanted))

    async def _ready(self, name: str, timeout_s: float) -> None:
        if name in self.topology.parts and self.topology.parts[name].shared:
            await self._runtime.shared_ready(name, timeout_s)
            return

        async def gone(key: str) -> str:
            process = self._processes.get(key)
            if process is not None and process.running:
                return ""
            return f"{key} ended by itself; the end of its log: {_tail(self._log(key))}"

        await self._until_ready(name, gone, timeout_s)

    # Starting and ending ---------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Start everything together; what needs another part waits for it by itself."""
        self.spec.folder.mkdir(parents=True, exist_ok=True)
        parts = [name for name in self.own if name not in self.topology.services]
        await asyncio.gather(*(self.start(name) for name in parts))
        await asyncio.gather(self._provision(), *(self.start(name) for name in self.topology.services))

    async def _provision(self) -> None:
        """Roles and schemas in PostgreSQL, a proxy for every link."""
        from harness.drivers import postgres, toxiproxy  # noqa: PLC0415  (they speak to cells, so they import this side)

        for name, part in self.topology.parts.items():
            if part.protocol == "postgres":
                await self._ready(name, 30)
                await postgres.provision(self, name)
        await self._ready("toxiproxy", 30)
        await toxiproxy.ToxiproxyLinks(self).create_all()

    async def start(self, name: str) -> None:
        """Start a part, or every instance of a service that does not run."""
        for key in self._keys(name):
            process = self._processes.get(key)
            if process is not None and process.running:
                continue
            if name in self.topology.services:
                await self._start_service(name, key)
            else:
                command = await self._command(name)
                self._processes[key] = await self._runtime.spawner.spawn(
                    argv=command.argv,
                    env=self._runtime.base_environment() | dict(command.env),
                    user=command.user,
                    log=self._log(key),
                )

    async def _start_service(self, name: str, key: str) -> None:
        port = self._addresses[name].port if key == name else self._extra_port(key)
        release = self._releases[name]
        variables = environment.of_service(
            self.topology, name, self._settings[name], self._all_addresses(), Address("127.0.0.1", port)
        )
        module = self.topology.services[name].module_of(release)
        self._processes[key] = await self._runtime.start_module(module, variables, self._log(key))
        self._given[key] = (release, variables)

    def _extra_port(self, key: str) -> int:
        if key not in self._extra_ports:
            self._extra_ports[key] = self._ports.take(1)[0]
        return self._extra_ports[key]

    def _all_addresses(self) -> dict[str, Address]:
        return self._addresses | self._links

    async def _command(self, name: str) -> Command:
        parts, folder = self._runtime.parts, self._folder
        listen = self._addresses[name]
        if name == "toxiproxy":
            return process_parts.toxiproxy(parts["toxiproxy"], listen)
        protocol = self.topology.parts[name].protocol
        if protocol == "postgres":
            data = folder / name
            if not data.exists():
                await asyncio.to_thread(
                    process_parts.prepare_postgres, parts["postgres"], data, self.superuser_password
                )
            return process_parts.postgres(
                parts["postgres"], data, listen, self.topology.parts[name].options.get("parameters", {})
            )
        if protocol == "redis":
            return process_parts.redis(parts["redis"], folder, listen, process_parts.acl_rules(self.topology, name))
        return process_parts.nats(parts["nats"], folder, listen, process_parts.nats_users(self.topology, name))

    async def stop(self, name: str) -> None:
        """End it cleanly, every instance at once."""
        # SIGINT is PostgreSQL's fast shutdown.
        sig = 2 if name in self.topology.parts and self.topology.parts[name].protocol == "postgres" else 15
        running = [self._processes[key] for key in self._keys(name) if key in self._processes]
        await asyncio.gather(*(self._runtime.spawner.end(p, grace_s=STOP_S, sig=sig) for p in running))

    async def kill(self, name: str) -> None:
        """End it at once."""
        for key in self._keys(name):
            if key in self._processes:
                await self._runtime.spawner.kill(self._processes[key])

    async def freeze(self, name: str) -> None:
        """Pause it."""
        for key in self._keys(name):
            await self._runtime.spawner.send(self._processes[key], 19)
        await wait_until(self._all_have(name, PartStatus.FROZEN), what=f"the freeze of {name}", timeout_s=5)

    async def thaw(self, name: str) -> None:
        """Let it go on."""
        for key in self._keys(name):
            await self._runtime.spawner.send(self._processes[key], 18)
        await wait_until(self._all_have(name, PartStatus.RUNNING), what=f"the thaw of {name}", timeout_s=5)

    def _all_have(self, name: str, status: PartStatus) -> Any:
        async def check() -> bool:
            return all(s.status is status for s in self.states(name))

        return check

    async def restart(self, name: str) -> None:
        """End it, frozen or not, and start it with what is now in place."""
        await self.stop(name)
        await self.start(name)

    # What is in place ------------------------------------------------------------------------------------------------

    async def scale(self, service: str, count: int) -> None:
        """Start or stop instances."""
        for key in self._keys(service)[count:]:
            if key in self._processes:
                await self._runtime.spawner.end(self._processes.pop(key), grace_s=STOP_S)
        self._instances[service] = count
        await self.start(service)

    # Jobs and tools ----------------------------------------------------------------------------------------------------

    def jobs(self) -> list[str]:
        """Those that run."""
        return [job for job, process in self._jobs.items() if process.running]

    async def start_job(self, job: str, settings: Mapping[str, str]) -> None:
        """Start a job."""
        program = self.topology.jobs.get(job)
        if program is None:
            raise ActFailed(
                f"there is no job {job}; the jobs are {', '.join(self.topology.jobs)}", happened=Happened.NO
            )
        control = self._folder / f"{job}.control.json"
        control.unlink(missing_ok=True)
        variables = environment.of_program(self.topology, program.environment, self._all_addresses(), settings)
        variables["JOB_CONTROL_FILE"] = str(control)
        self._jobs[job] = await self._runtime.start_module(program.module, variables, self._log(job))

    async def pace_job(self, job: str, rate_hz: float) -> None:
        """Write the pace where the job looks for it."""
        if job not in self.jobs():
            raise ActFailed(f"the job {job} does not run", happened=Happened.NO)
        control = self._folder / f"{job}.control.json"
        fresh = control.with_suffix(".new")
        fresh.write_text(json.dumps({"rate_hz": rate_hz}))
        fresh.rename(control)

    async def stop_job(self, job: str) -> None:
        """End a job."""
        process = self._jobs.pop(job, None)
        if process is not None:
            await self._runtime.spawner.end(process, grace_s=STOP_S)

    async def run_tool(self, tool: str, arguments: Sequence[str]) -> Mapping[str, Any]:
        """Run a tool to its end."""
        program = self.topology.tools.get(tool)
        if program is None:
            raise ActFailed(
                f"there is no tool {tool}; the tools are {', '.join(self.topology.tools)}", happened=Happened.NO
            )
        log = self._log(tool)
        began = log.stat().st_size if log.exists() else 0
        variables = environment.of_program(self.topology, program.environment, self._all_addresses(), {})
        process = await self._runtime.start_module(program.module, variables, log, arguments)
        try:
            await asyncio.wait_for(process.ended.wait(), 30)
        except TimeoutError:
            await self._runtime.spawner.kill(process)
            raise ActFailed(f"the tool {tool} did not end within 30 s (log: {log})") from None
        with log.open() as opened:
            opened.seek(began)
            lines = opened.read().strip().splitlines()
        return tool_report(tool, process.status, lines)

    async def close(self) -> None:
        """End everything at once: nothing of a cell is kept."""
        everything = [*self._processes.values(), *self._jobs.values()]
        await asyncio.gather(*(self._runtime.spawner.kill(p) for p in everything))
        self._ports.close()
        # Thousands of files: beside the loop, for other cells send on time meanwhile.
        await asyncio.to_thread(shutil.rmtree, self._folder, True)


def tool_report(tool: str, status: int | None, lines: Sequence[str]) -> Mapping[str, Any]:
    """What a tool printed last, as JSON; raises ActFailed when it failed."""
    last = lines[-1] if lines else "no output"
    if status != 0:
        raise ActFailed(f"the tool {tool} failed: {last[:300]}")
    try:
        report = json.loads(last)
    except ValueError:
        raise ActFailed(f"the tool {tool} gave no report: {last[:300]}") from None
    return report if isinstance(report, dict) else {"report": report}


def _stopped(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in {"T", "t"}


def _tail(log: Path) -> str:
    try:
        return " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])[:400] or "empty"
    except OSError:
        return "none"
