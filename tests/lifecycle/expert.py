"""A trainee on a real drill who knows the answer: reads the section's checks, types the runbook's response, declares it over."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.desk import Desk
from harness.fronts.desk.extras import extras_of
from harness.fronts.drills.choose import choose
from harness.fronts.drills.facilitator import Facilitator, Options
from harness.model.drill import DrillRecord
from harness.model.errors import GamedayError
from harness.model.scenario import Scenario, Step
from harness.model.values import Change

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)

LIMIT_S = 240.0
LOOKS_EVERY_S = 1.0
MOST_SEEDS = 5000


def scenario_of(section: str, level: int, seed: int) -> tuple[Scenario, tuple[str, ...]]:
    """What a drill of this seed is of: the scenario, and the labels of all that it breaks."""
    choice = choose(CATALOGUE, EXTRAS, TOPOLOGY, section=section, level=level, seed=seed, profile="ci")
    return choice.scenario, tuple(label for label, _ in choice.factors)


def seed_for(label: str, level: int) -> tuple[str, int]:
    """The section and the first seed with which a drill of a level is of this scenario; raises LookupError."""
    section = CATALOGUE.scenarios[label.partition(":")[0]].sections[0]
    for seed in range(1, MOST_SEEDS):
        if scenario_of(section, level, seed)[1][0] == label:
            return section, seed
    raise LookupError(f"no drill of level {level} is of {label}")


class Typing:
    """An Operator whose every verb is typed at the desk, as a person would."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def _do(self, *words: str) -> Any:
        return (await self._desk.do(words)).data

    async def restart(self, service: str) -> None:
        await self._do("restart", service)

    async def restore_route(self, link: str) -> None:
        await self._do("route", link)

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        await self._do("set", service, name, *([] if value is None else [value]))

    async def rollback_setting(self, service: str) -> Change:
        return await self._newest("setting", service)

    async def rollback_release(self, service: str) -> Change:
        return await self._newest("release", service)

    async def _newest(self, what: str, service: str) -> Change:
        taken = await self._do("rollback", service, what)
        return next(c for c in self.changes() if c.revision == taken["revision"])

    async def deploy(self, service: str, version: str) -> None:
        await self._do("deploy", service, version)

    async def scale(self, service: str, instances: int) -> None:
        await self._do("scale", service, str(instances))

    async def jobs(self) -> list[str]:
        return [name for name, runs in (await self._do("jobs")).items() if runs]

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        await self._do("job", "start", job, *(f"{k}={v}" for k, v in (settings or {}).items()))

    async def slow_job(self, job: str, rate_hz: float) -> None:
        await self._do("job", "slow", job, f"{rate_hz:g}")

    async def stop_job(self, job: str) -> None:
        await self._do("job", "stop", job)

    async def run_tool(self, tool: str, *arguments: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._do("tool", tool, *arguments)
        return found

    async def sessions(self) -> list[Mapping[str, Any]]:
        return list(await self._do("sessions"))

    async def end_session(self, pid: int) -> None:
        await self._do("end-session", str(pid))

    async def redis_clients(self) -> list[Mapping[str, str]]:
        return list(await self._do("clients"))

    async def end_redis_client(self, client_id: str) -> None:
        await self._do("end-client", client_id)

    async def sql(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        values = tuple(f"'{p}'" if isinstance(p, str) else str(p) for p in params)
        return [tuple(row) for row in await self._do("sql", statement % values if params else statement)]

    async def redis(self, *command: str) -> Any:
        return await self._do("redis", *command)

    async def log_lines(self, name: str, text: str) -> list[str]:
        return [line for line in await self._do("logs", name, text) if text in line]

    def changes(self) -> list[Change]:
        return self._desk.equipment.operator.changes()


class Expert:
    """Where such a trainee sits."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.facilitator: Facilitator | None = None
        self.paged = asyncio.Event()
        self.trouble: list[str] = []

    def tell(self, kind: str, _data: Mapping[str, Any]) -> None:
        """Whoever is called knows it."""
        if kind == "page":
            self.paged.set()

    async def serve(self, desk: Desk, ended: Callable[[str], None]) -> None:
        """From the page to the recovery; what a step does not find to do is no trouble of its own."""
        assert self.facilitator is not None
        await desk.do(["detect", "an incident"])
        for section in self._scenario.sections:
            await desk.do(["checks", section])
        answer = self.facilitator._answer()
        place = min(p for p in answer.places if self._is_place(p)) if answer.places else "notification"
        await desk.do(["diagnose", self._scenario.sections[0], place, min(answer.kinds) if answer.kinds else "data"])
        typing = Typing(desk)
        for step in [s for s in self._scenario.response if s.unless is None]:
            await self._carry_out(step, typing, desk)
        for step in [None, *(s for s in self._scenario.response if s.unless is not None)]:
            if step is not None:
                await self._carry_out(step, typing, desk)
            if await self._over(desk, within_s=60.0):
                return
        while not await self._over(desk, within_s=60.0):
            """Until the time is over."""
        ended("closed")

    @staticmethod
    def _is_place(name: str) -> bool:
        return name in {*TOPOLOGY.parts, *TOPOLOGY.services, *TOPOLOGY.links, *TOPOLOGY.jobs}

    async def _carry_out(self, step: Step, typing: Typing, desk: Desk) -> None:
        try:
            await step.act(typing)
        except GamedayError as error:
            self.trouble.append(f"{step.title}: {error}")
        await desk.do(["dashboard"])

    async def _over(self, desk: Desk, within_s: float) -> bool:
        until_s = desk.equipment.clock.now_s() + within_s
        while desk.equipment.clock.now_s() < until_s:
            if ((await desk.do(["recovered"])).data or {}).get("confirmed"):
                return True
            await desk.equipment.clock.sleep(LOOKS_EVERY_S)
        return False


async def drilled(section: str, level: int, seed: int, reports: Path) -> tuple[DrillRecord, Expert]:
    """One drill on a real stack, led to its debrief."""
    options = Options(section, level, seed, LIMIT_S, "expert", "process", "ci", reports)
    scenario, _ = scenario_of(section, level, seed)
    expert = Expert(scenario)
    expert.facilitator = Facilitator(options, TOPOLOGY, CATALOGUE, EXTRAS)
    return await expert.facilitator.lead(expert), expert
