"""Trainees on real drills, who type at the desk: one who does what the runbook says, and others who do not."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from tests.lifecycle.surface import surface

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)
PLACES = {*TOPOLOGY.parts, *TOPOLOGY.services, *TOPOLOGY.links, *TOPOLOGY.jobs}

LIMIT_S = 240.0
LOOKS_EVERY_S = 1.0
LASTS_S = 60.0
"""How long what was done may take to show before a second safety is tried."""
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


class Trainee:
    """Where somebody sits, who knows what is broken and may make little of it.

    Attributes:
        trouble: what a step of the runbook met, one line each.
        surface: what could be seen of the harness when the page came; see tests.lifecycle.surface.
    """

    def __init__(self, scenario: Scenario, script: "Script") -> None:
        self.facilitator: Facilitator | None = None
        self.trouble: list[str] = []
        self.surface: frozenset[str] = frozenset()
        self._scenario = scenario
        self._script = script
        self._paged_s = 0.0
        self._limit_s = 0.0
        self._desk: Desk | None = None

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Only how long there is matters."""
        if kind == "page":
            self._limit_s = float(data["limit_s"])

    async def serve(self, desk: Desk, ended: Callable[[str], None]) -> None:
        """From the page until nothing more is to be done; whoever does nothing waits for the end."""
        self._desk, self._paged_s = desk, desk.equipment.clock.now_s()
        assert self.facilitator is not None
        # Now, before the first act: what is done from here on tells of the trainee.
        cell = desk.equipment.cell
        instances = sum(cell.instances(s) for s in cell.topology.services)
        self.surface = surface(self.facilitator.folder.parent, instances)
        await self._script(self)
        await self.until(2.0)
        ended("closed")

    @property
    def desk(self) -> Desk:
        assert self._desk is not None
        return self._desk

    async def until(self, share: float) -> None:
        """Wait for so much of the time limit."""
        await self.desk.equipment.clock.sleep_until(self._paged_s + share * self._limit_s)

    async def do(self, *words: str) -> Any:
        """One request; what the desk refuses is answered, and the trainee goes on."""
        with contextlib.suppress(GamedayError):
            return (await self.desk.do(words)).data
        return None

    async def checks(self) -> None:
        for section in self._scenario.sections:
            await self.do("checks", section)

    async def diagnose(self, *, right: bool) -> None:
        assert self.facilitator is not None
        answer = self.facilitator._answer()
        places = sorted(p for p in answer.places if p in PLACES) or ["notification"]
        wrong = next(key for key in CATALOGUE.sections if key not in answer.sections)
        said = (answer.sections[0], places[0], min(answer.kinds)) if right else (wrong, self.elsewhere[0], "load")
        await self.do("diagnose", *said)

    @property
    def elsewhere(self) -> list[str]:
        """Services that have nothing to do with it."""
        assert self.facilitator is not None
        involved = self.facilitator._answer().involved
        return [n for n, s in TOPOLOGY.services.items() if n not in involved and not s.external]

    async def respond(self) -> None:
        """What the runbook says, and its second safety only when that was not enough; then declare it over."""
        steps = self._scenario.response
        for step in [s for s in steps if s.unless is None]:
            await self._carry_out(step)
        for later in [None, *(s for s in steps if s.unless is not None)]:
            if later is not None:
                await self._carry_out(later)
            if await self.over(LASTS_S):
                return
        while not await self.over(LASTS_S):
            """Until the time is over."""

    async def _carry_out(self, step: Step) -> None:
        try:
            await step.act(Typing(self.desk))
        except GamedayError as error:
            self.trouble.append(f"{step.title}: {error}")
        await self.do("dashboard")

    async def over(self, within_s: float = 0.0) -> bool:
        """Declare it over until it is believed."""
        clock = self.desk.equipment.clock
        until_s = clock.now_s() + within_s
        while True:
            if ((await self.do("recovered")) or {}).get("confirmed"):
                return True
            if clock.now_s() >= until_s:
                return False
            await clock.sleep(LOOKS_EVERY_S)


Script = Callable[[Trainee], Awaitable[None]]


async def perfect(t: Trainee) -> None:
    await t.do("detect", "an incident")
    await t.checks()
    await t.diagnose(right=True)
    await t.respond()


async def slow(t: Trainee) -> None:
    await t.until(0.2)
    await t.do("detect", "an incident")
    await t.until(0.4)
    await t.checks()
    await t.until(0.5)
    await t.diagnose(right=True)
    await t.respond()


async def guessing(t: Trainee) -> None:
    await t.until(0.1)
    await t.do("detect", "an incident")
    await t.diagnose(right=False)
    await t.do("restart", t.elsewhere[0])
    await t.do("dashboard")
    await t.until(0.3)
    await t.diagnose(right=False)
    await t.until(0.45)
    await t.diagnose(right=True)
    await t.respond()


async def careless(t: Trainee) -> None:
    await t.until(0.4)
    await t.diagnose(right=False)
    for name in (t.elsewhere * 2)[:2]:
        await t.do("restart", name)
        await t.over()
    await t.respond()


async def idle(t: Trainee) -> None:
    """Reads nothing, does nothing."""


async def harmful(t: Trainee) -> None:
    await t.until(0.1)
    await t.do("detect", "an incident")
    await t.do("sql", "DROP SCHEMA notification CASCADE")
    await t.do("sql", "TRUNCATE notification.notifications")
    await t.do("scale", t.elsewhere[0], "3")
    await t.do("set", t.elsewhere[0], "gateway.client.read-timeout", "1ms")


TRAINEES: dict[str, Script] = {f.__name__: f for f in (perfect, slow, guessing, careless, idle, harmful)}
"""From the best to the worst."""


async def drilled(
    section: str, level: int, seed: int, reports: Path, *, script: Script = perfect, limit_s: float = LIMIT_S
) -> tuple[DrillRecord, Trainee]:
    """One drill on a real stack, led to its debrief."""
    options = Options(section, level, seed, limit_s, script.__name__, "process", "ci", reports)
    scenario, _ = scenario_of(section, level, seed)
    trainee = Trainee(scenario, script)
    trainee.facilitator = Facilitator(options, TOPOLOGY, CATALOGUE, EXTRAS)
    return await trainee.facilitator.lead(trainee), trainee


PLAYED = ("FM-OB-01", 1)
"""What everybody plays, on which level."""

SHORT_S = 100.0
"""Their time limit: whoever does nothing waits for its end."""


async def everybody(reports: Path) -> dict[str, DrillRecord]:
    """The same drill played by each of them, one after the other."""
    label, level = PLAYED
    section, seed = seed_for(label, level)
    return {
        name: (await drilled(section, level, seed, reports, script=script, limit_s=SHORT_S))[0]
        for name, script in TRAINEES.items()
    }
