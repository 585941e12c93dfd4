"""Changes to a cell that both a fault and a person on call can make, each written to the neutral change history."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness.drivers import readiness
from harness.drivers.clock import wait_until
from harness.drivers.history import ChangeHistory
from harness.model.errors import ActFailed, CellError, GamedayError, Happened
from harness.model.runtime import Cell
from harness.model.words import unforeseen

ALIVE_S = 15.0
"""How long a restarted service may take to answer at all; 0.2 s when nothing else runs."""

READY_S = 5.0
"""How long a restart waits for readiness; a service that is alive but not ready is for the person to see, no error."""


@dataclass(frozen=True)
class Act:
    """One act on the system, as it is reported.

    Attributes:
        who: `injector` or `operator`.
        failed: why it failed, or None.
    """

    who: str
    verb: str
    target: str
    arguments: Mapping[str, str]
    took_s: float
    failed: str | None


OnAct = Callable[[Act], None]


class Changes:
    """The changes, for one of the two ports."""

    def __init__(self, cell: Cell, history: ChangeHistory, who: str, on_act: OnAct) -> None:
        self._cell = cell
        self._history = history
        self._who = who
        self._on_act = on_act

    @asynccontextmanager
    async def act(self, verb: str, target: str, **arguments: object) -> AsyncIterator[None]:
        """Report what is done inside, and turn the cell's errors into ActFailed."""
        began_s = time.perf_counter()
        failed: str | None = "cut off before its end"
        try:
            yield
            failed = None
        except ActFailed as error:
            failed = str(error)
            raise
        except CellError as error:
            failed = str(error)
            raise ActFailed(failed) from None
        except GamedayError as error:
            failed = str(error)
            raise ActFailed(failed, happened=Happened.NO) from None
        except Exception as error:  # whatever it was, it is told with the act; it is raised again
            failed = unforeseen(error)
            raise
        finally:
            said = {name: str(value) for name, value in arguments.items()}
            self._on_act(Act(self._who, verb, target, said, round(time.perf_counter() - began_s, 3), failed))

    def known(self, service: str) -> None:
        """Raise ActFailed for a service that there is not."""
        if service not in self._cell.topology.services:
            known = ", ".join(self._cell.topology.services)
            raise ActFailed(f"there is no service {service}; the services are {known}", happened=Happened.NO)

    async def restart(self, service: str) -> None:
        """Restart every instance and wait until each answers, and for a while until it is ready."""
        await self._cell.restart(service)
        for address in self._cell.addresses(service):

            async def alive() -> bool:
                return await readiness.answers("http", address, "/actuator/health/liveness")  # noqa: B023  (awaited here)

            await wait_until(alive, what=f"{service} after its restart", timeout_s=ALIVE_S)
        try:
            await self._cell.ready([service], timeout_s=READY_S)
        except CellError:
            return

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Put a value in place and restart."""
        self._cell.topology.setting(service, name)
        old = self._cell.settings(service).get(name)
        self._cell.configure(service, name, value)
        self._history.add("setting", service, name, old, value)
        await self.restart(service)

    async def deploy(self, service: str, version: str) -> None:
        """Put a release in place and restart."""
        old = self._cell.release(service)
        self._cell.deploy(service, version)
        self._history.add("release", service, "", old, version)
        await self.restart(service)

    async def scale(self, service: str, instances: int) -> None:
        """Run this many instances."""
        old = self._cell.instances(service)
        await self._cell.scale(service, instances)
        self._history.add("scale", service, "", str(old), str(instances))
        await self._cell.ready([service], timeout_s=ALIVE_S)

    async def start_job(self, job: str, settings: Mapping[str, str] | None) -> None:
        """Start a job."""
        await self._cell.start_job(job, dict(settings or {}))
        self._history.add("job", job, "", "stopped", "running")

    async def stop_job(self, job: str) -> None:
        """Stop a job."""
        jobs = await asyncio.to_thread(self._cell.jobs)
        if job not in jobs:
            running = ", ".join(jobs) or "none"
            raise ActFailed(f"the job {job} does not run; running are {running}", happened=Happened.NO)
        await self._cell.stop_job(job)
        self._history.add("job", job, "", "running", "stopped")
