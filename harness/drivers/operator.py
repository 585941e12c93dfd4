"""What a person on call can do: exactly these verbs, for scenarios, trainees and programs alike."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from harness.drivers.acts import Changes
from harness.drivers.history import ChangeHistory
from harness.drivers.logs import Logs
from harness.drivers.postgres import ON_CALL as DATABASE_ROLE
from harness.drivers.postgres import Sessions
from harness.drivers.redis import ON_CALL as REDIS_USER
from harness.drivers.redis import Store
from harness.drivers.toxiproxy import ToxiproxyLinks
from harness.model.errors import ActFailed, Happened
from harness.model.runtime import Cell
from harness.model.values import Change


class CellOperator:
    """See model.ports.Operator."""

    def __init__(
        self,
        cell: Cell,
        changes: Changes,
        history: ChangeHistory,
        *,
        links: ToxiproxyLinks,
        sessions: Sessions,
        store: Store,
        logs: Logs,
    ) -> None:
        self._cell = cell
        self._changes = changes
        self._history = history
        self._links = links
        self._sessions = sessions
        self._store = store
        self._logs = logs

    def _ours(self, service: str) -> None:
        """Raise ActFailed for a service that there is not, or that is somebody else's."""
        self._changes.known(service)
        if self._cell.topology.services[service].external:
            raise ActFailed(f"{service} belongs to its provider; on-call cannot change it", happened=Happened.NO)

    async def restart(self, service: str) -> None:
        """Restart every instance."""
        async with self._changes.act("restart", service):
            self._ours(service)
            await self._changes.restart(service)

    async def restore_route(self, link: str) -> None:
        """Set a route back to what the topology says."""
        async with self._changes.act("restore_route", link):
            self._cell.topology.server(link)
            await self._links.heal(link)

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Give a service another value and restart it."""
        async with self._changes.act("set_setting", service, name=name, value=value):
            self._ours(service)
            await self._changes.set_setting(service, name, value)

    async def rollback_setting(self, service: str) -> Change:
        """Take back the newest change of a setting, and restart."""
        async with self._changes.act("rollback_setting", service):
            self._ours(service)
            change = self._newest("setting", service)
            await self._changes.set_setting(service, change.what, change.old)
            return change

    async def deploy(self, service: str, version: str) -> None:
        """Put a shipped release in place and restart."""
        async with self._changes.act("deploy", service, version=version):
            self._ours(service)
            await self._changes.deploy(service, version)

    async def rollback_release(self, service: str) -> Change:
        """Go back to the release before the newest deployment."""
        async with self._changes.act("rollback_release", service):
            self._ours(service)
            change = self._newest("release", service)
            assert change.old is not None  # noqa: S101  (a service always runs some release)
            await self._changes.deploy(service, change.old)
            return change

    def _newest(self, kind: str, service: str) -> Change:
        change = self._history.newest(kind, service)
        if change is None:
            raise ActFailed(f"no {kind} of {service} was changed; see the change history", happened=Happened.NO)
        return change

    async def scale(self, service: str, instances: int) -> None:
        """Run this many instances."""
        async with self._changes.act("scale", service, instances=instances):
            self._ours(service)
            await self._changes.scale(service, instances)

    async def jobs(self) -> list[str]:
        """The jobs that run."""
        return await asyncio.to_thread(self._cell.jobs)

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        """Start a job that the stack ships."""
        async with self._changes.act("start_job", job, **dict(settings or {})):
            await self._changes.start_job(job, settings)

    async def slow_job(self, job: str, rate_hz: float) -> None:
        """Let a job go on at another pace."""
        async with self._changes.act("slow_job", job, rate_hz=rate_hz):
            await self._cell.pace_job(job, rate_hz)

    async def stop_job(self, job: str) -> None:
        """Stop a job."""
        async with self._changes.act("stop_job", job):
            await self._changes.stop_job(job)

    async def run_tool(self, tool: str, *arguments: str) -> Mapping[str, Any]:
        """Run one of the stack's own repair tools to its end."""
        async with self._changes.act("run_tool", tool, arguments=" ".join(arguments)):
            return await self._cell.run_tool(tool, arguments)

    async def sessions(self) -> list[Mapping[str, Any]]:
        """The database's sessions."""
        return await self._sessions.list()

    async def end_session(self, pid: int) -> None:
        """End a database session."""
        async with self._changes.act("end_session", str(pid)):
            await self._sessions.end(pid)

    async def redis_clients(self) -> list[Mapping[str, str]]:
        """The clients of Redis."""
        return await self._store.clients()

    async def end_redis_client(self, client_id: str) -> None:
        """Disconnect a client of Redis."""
        async with self._changes.act("end_redis_client", client_id):
            await self._store.end_client(client_id)

    async def sql(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL under on-call's limited role; one transaction."""
        async with self._changes.act("sql", DATABASE_ROLE, statement=statement):
            return await self._sessions.run(DATABASE_ROLE, statement, params)

    async def redis(self, *command: str) -> Any:
        """Run a Redis command that on-call may use."""
        async with self._changes.act("redis", command[0], arguments=" ".join(command[1:])):
            return await self._store.run(*command, user=REDIS_USER)

    async def log_lines(self, name: str, text: str) -> list[str]:
        """The newest log lines with this text."""
        return await asyncio.to_thread(self._logs.lines, name, text)

    def changes(self) -> list[Change]:
        """The change history, oldest first."""
        return self._history.all()
