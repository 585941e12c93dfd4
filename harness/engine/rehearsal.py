"""What a response would do, found by carrying its steps out on nothing."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.drill import Deed, RunbookStep
from harness.model.scenario import Scenario, Step
from harness.model.topology import Topology
from harness.model.values import Change


class _Anything(dict[str, Any]):
    """A row that has every column."""

    def __missing__(self, key: str) -> Any:
        return [1] if key == "blocked_by" else 1.0 if key.endswith("_s") else 1


class Rehearsal:
    """An Operator that does nothing and remembers what it was asked for."""

    def __init__(self, topology: Topology) -> None:
        self.deeds: list[Deed] = []
        self._topology = topology

    def _note(self, verb: str, target: str, name: str = "") -> None:
        self.deeds.append(Deed(verb, target, name))

    async def restart(self, service: str) -> None:
        self._note("restart", service)

    async def restore_route(self, link: str) -> None:
        self._note("restore_route", link)

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        del value
        self._note("set_setting", service, name)

    async def rollback_setting(self, service: str) -> Change:
        self._note("rollback_setting", service)
        return Change(1, 0.0, "setting", service, "", None, None)

    async def deploy(self, service: str, version: str) -> None:
        del version
        self._note("deploy", service)

    async def rollback_release(self, service: str) -> Change:
        self._note("rollback_release", service)
        return Change(1, 0.0, "release", service, "", "", "")

    async def scale(self, service: str, instances: int) -> None:
        del instances
        self._note("scale", service)

    async def jobs(self) -> list[str]:
        return list(self._topology.jobs)

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        del settings
        self._note("start_job", job)

    async def slow_job(self, job: str, rate_hz: float) -> None:
        del rate_hz
        self._note("slow_job", job)

    async def stop_job(self, job: str) -> None:
        self._note("stop_job", job)

    async def run_tool(self, tool: str, *arguments: str) -> Mapping[str, Any]:
        del arguments
        self._note("run_tool", tool)
        return _Anything()

    async def sessions(self) -> list[Mapping[str, Any]]:
        return [_Anything({"user": name, "application": "psql"}) for name in self._topology.services]

    async def end_session(self, pid: int) -> None:
        self._note("end_session", str(pid))

    async def redis_clients(self) -> list[Mapping[str, str]]:
        return [_Anything()]

    async def end_redis_client(self, client_id: str) -> None:
        self._note("end_redis_client", client_id)

    async def sql(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        del statement, params
        self._note("sql", "")
        return []

    async def redis(self, *command: str) -> Any:
        self._note("redis", command[0])
        return None

    async def log_lines(self, name: str, text: str) -> list[str]:
        del name, text
        return []

    def changes(self) -> list[Change]:
        return []


async def rehearsed(step: Step, topology: Topology) -> RunbookStep:
    """A step with the acts that carry it out; one that goes by what it reads has those up to where it cannot go on."""
    operator = Rehearsal(topology)
    # Nothing is there to read: what it would do afterwards depends on the system.
    with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError):
        await step.act(operator)
    return RunbookStep(step.title, tuple(dict.fromkeys(operator.deeds)), step.in_runbook)


async def response_of(scenario: Scenario, topology: Topology) -> tuple[RunbookStep, ...]:
    """Every step of a scenario's response."""
    return tuple([await rehearsed(step, topology) for step in scenario.response])
