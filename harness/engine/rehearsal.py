"""What a response would do, found by carrying its steps out on nothing."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.conduct import Kind, kind_of
from harness.model.drill import RunbookStep, deed_of
from harness.model.errors import GamedayError
from harness.model.events import Acted
from harness.model.scenario import Scenario, Step
from harness.model.topology import Topology
from harness.model.values import Change

BLOCKER, BLOCKED = 1, 2


class _Anything(dict[str, Any]):
    """A row that has every column."""

    def __missing__(self, key: str) -> Any:
        return 1.0 if key.endswith("_s") else 1


class Rehearsal:
    """An Operator that does nothing and remembers what it was asked for, as events have it.

    A step that goes by what it reads finds one of each that it may look for: a session that blocks another, a client of
    Redis that runs scripts, and an entry in whatever it reads from Redis.
    """

    def __init__(self, topology: Topology) -> None:
        self.acts: list[Acted] = []
        self._topology = topology

    def _note(self, verb: str, target: str, **arguments: object) -> None:
        said = {name: str(value) for name, value in arguments.items()}
        self.acts.append(Acted(0.0, None, "operator", verb, target, said, 0.0))

    async def restart(self, service: str) -> None:
        self._note("restart", service)

    async def restore_route(self, link: str) -> None:
        self._note("restore_route", link)

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        self._note("set_setting", service, name=name, value=value)

    async def rollback_setting(self, service: str) -> Change:
        self._note("rollback_setting", service)
        return Change(1, 0.0, "setting", service, "", None, None)

    async def deploy(self, service: str, version: str) -> None:
        self._note("deploy", service, version=version)

    async def rollback_release(self, service: str) -> Change:
        self._note("rollback_release", service)
        return Change(1, 0.0, "release", service, "", "", "")

    async def scale(self, service: str, instances: int) -> None:
        self._note("scale", service, instances=instances)

    async def jobs(self) -> list[str]:
        return list(self._topology.jobs)

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        self._note("start_job", job, **dict(settings or {}))

    async def slow_job(self, job: str, rate_hz: float) -> None:
        self._note("slow_job", job, rate_hz=rate_hz)

    async def stop_job(self, job: str) -> None:
        self._note("stop_job", job)

    async def run_tool(self, tool: str, *arguments: str) -> Mapping[str, Any]:
        self._note("run_tool", tool, arguments=" ".join(arguments))
        return _Anything()

    async def sessions(self) -> list[Mapping[str, Any]]:
        one = {"user": next(iter(self._topology.services), ""), "application": "psql", "state": "idle in transaction"}
        return [
            _Anything({**one, "pid": BLOCKER, "blocked_by": []}),
            _Anything({**one, "pid": BLOCKED, "blocked_by": [BLOCKER]}),
        ]

    async def end_session(self, pid: int) -> None:
        self._note("end_session", str(pid))

    async def redis_clients(self) -> list[Mapping[str, str]]:
        return [_Anything({"id": "1", "user": "somebody", "name": "", "cmd": "eval"})]

    async def end_redis_client(self, client_id: str) -> None:
        self._note("end_redis_client", client_id)

    async def sql(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        del params
        self._note("sql", "", statement=statement)
        return []

    async def redis(self, *command: str) -> Any:
        self._note("redis", command[0], arguments=" ".join(command[1:]))
        return "1"  # a text, a number and something to go through, whichever was asked for

    async def log_lines(self, name: str, text: str) -> list[str]:
        del name, text
        return []

    def changes(self) -> list[Change]:
        return []


async def rehearsed(step: Step, topology: Topology) -> RunbookStep:
    """A step with the acts that carry it out, looks left out; one that cannot go on with what it reads has those up to there."""
    operator = Rehearsal(topology)
    # Nothing is there to read: what it would do afterwards depends on the system.
    with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError, GamedayError):
        await step.act(operator)
    deeds = [deed_of(act, topology) for act in operator.acts if kind_of(act, {}) is not Kind.LOOK]
    return RunbookStep(step.title, tuple(dict.fromkeys(deeds)), step.in_runbook)


async def response_of(scenario: Scenario, topology: Topology) -> tuple[RunbookStep, ...]:
    """Every step of a scenario's response."""
    return tuple([await rehearsed(step, topology) for step in scenario.response])
