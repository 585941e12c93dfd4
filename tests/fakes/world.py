"""A stack in memory on a virtual clock: one number that is bad while the system is broken, and knobs to plant defects."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.drivers.clock import VirtualClock
from harness.engine.outcome import Outcome
from harness.engine.run import ScenarioRun
from harness.model.alerts import Policy
from harness.model.arms import TIMELINE, Arm
from harness.model.criteria import always, eventually
from harness.model.errors import ActFailed, CellError, Unreadable
from harness.model.events import Event
from harness.model.invariants import Invariants
from harness.model.ledger import Ledger, Sent
from harness.model.probes import Cohort, Probe, cohort_probe
from harness.model.runtime import CellSpec, LinkState
from harness.model.scenario import Scenario, step
from harness.model.topology import parse
from harness.model.values import Ability, Change, PartState, PartStatus
from harness.model.witness import QueryWitness

TOPOLOGY = """
[stack]
name = "small"
entry = "front"
[profiles.ci]
async-scale = 0.1
alert-scale = 0.1
[parts.store]
protocol = "redis"
[services.front]
module = "front"
release = "1"
[links]
front = ["store"]
[settings.front]
"front.timeout" = { value = "1s", unit = "duration" }
"""


@dataclass
class World:
    """The system under test, and what is wrong with it.

    Attributes:
        fault_works: whether injecting breaks it.
        injecting_s: how long injecting takes; it breaks at its end.
        witness_lies: what the witness says whatever happens, or None for the truth.
        symptom_shows: whether the number moves when it is broken.
        always_bad: whether the number is bad from the beginning.
        heals_after_s: it comes right by itself so long after the injection.
        response_works: whether the response brings it right.
        blind_from_s: probes cannot be read so long after the injection, or None.
        late_s: how late requests are sent.
        late_ones: how many are sent late, the first ones.
        refuses: whether requests fail from the beginning.
        ready_s: from when the workload can begin.
        collateral: whether the other number turns bad with the fault.
        heal_fails: whether the cell can be shown clean afterwards.
        act_fails: whether the response's act raises.
        refuses_when_broken: whether requests fail while it is broken.
        rows: how many rows a table has, by the seconds since the injection (negative before); None cannot be read.
        silent_from_s: its service is not scraped so long after the injection, or None.
    """

    fault_works: bool = True
    injecting_s: float = 0.0
    witness_lies: bool | None = None
    symptom_shows: bool = True
    always_bad: bool = False
    heals_after_s: float | None = None
    response_works: bool = True
    blind_from_s: float | None = None
    late_s: float = 0.0
    late_ones: float = math.inf
    refuses: bool = False
    collateral: bool = False
    ready_s: float = 0.0
    heal_fails: bool = False
    act_fails: bool = False
    refuses_when_broken: bool = False
    rows: Callable[[float], float | None] = lambda _since_s: 0.0
    silent_from_s: float | None = None
    clock: VirtualClock = field(default_factory=VirtualClock)
    injected_s: float | None = None
    responded_s: float | None = None
    restored: bool = False
    acts: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether it is broken now."""
        if self.injected_s is None or not self.fault_works or self.restored:
            return False
        if self.heals_after_s is not None and self.clock.now_s() >= self.injected_s + self.heals_after_s:
            return False
        return not (self.responded_s is not None and self.response_works)

    @property
    def since_s(self) -> float:
        """The time since the injection; before it, the time since the beginning less a thousand seconds."""
        return self.clock.now_s() - (1000.0 if self.injected_s is None else self.injected_s)

    @property
    def blind(self) -> bool:
        """Whether probes cannot be read now."""
        after = self.blind_from_s
        return after is not None and self.injected_s is not None and self.clock.now_s() >= self.injected_s + after


class FakeCell:
    """The cell of a world."""

    superuser_password = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.topology = parse(TOPOLOGY, "/nowhere")
        self.name = "cell-1"
        self.spec = CellSpec("cell-1", "ci", Path("/nowhere"))

    def upstream(self, link: str) -> str:
        return "127.0.0.1:1"

    def given(self, service: str) -> dict[str, str]:
        return {}

    def states(self, name: str | None = None) -> list[PartState]:
        return [PartState(n, PartStatus.RUNNING, "1@1", None, {}) for n in ("store", "front")]

    def identities(self) -> frozenset[str]:
        return frozenset({"1@1"})

    async def ready(self, names: Any = None, *, timeout_s: float = 0) -> None:
        """Always."""

    async def restart(self, name: str) -> None:
        self.world.acts.append(f"cell restart {name}")

    def settings(self, service: str) -> dict[str, str]:
        return self.spec.baseline(self.topology, service)

    def configure(self, service: str, name: str, value: str | None) -> None:
        """Nothing is ever changed."""

    def release(self, service: str) -> str:
        return "1"

    def deploy(self, service: str, version: str) -> None:
        """Nothing is ever changed."""

    def instances(self, service: str) -> int:
        return 1

    async def scale(self, service: str, count: int) -> None:
        """Nothing is ever changed."""

    def jobs(self) -> list[str]:
        return []

    async def stop_job(self, job: str) -> None:
        """There is none."""


class FakeLinks:
    def __init__(self, world: World) -> None:
        self.world = world

    async def states(self) -> dict[str, LinkState]:
        return dict.fromkeys(parse(TOPOLOGY, "/nowhere").links, LinkState(not self.world.broken, "127.0.0.1:1", ()))

    async def heal(self, link: str) -> None:
        self.world.restored = True

    async def replace(self) -> None:
        self.world.restored = True


class FakeData:
    def __init__(self, world: World) -> None:
        self.world = world

    async def take_baseline(self) -> None:
        """Nothing to take."""

    async def drift(self) -> list[str]:
        return ["a table is gone"] if self.world.heal_fails else []

    async def restore(self) -> list[str]:
        return []

    async def reset(self) -> None:
        if self.world.heal_fails:
            raise CellError("the data does not stay empty")


class FakePort:
    """Injector, operator and observer in one."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self.world = world
        self.ledger = ledger
        self.clock = world.clock

    async def states(self, name: str | None = None) -> list[PartState]:
        return [PartState("front", PartStatus.RUNNING, "1@1")]

    async def sql(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if (rows := self.world.rows(self.world.since_s)) is None:
            raise Unreadable("the table cannot be read")
        return [(rows,) * query.count("(SELECT ")]

    def scraped_s(self, service: str) -> float | None:
        silent_s, now_s = self.world.silent_from_s, self.world.clock.now_s()
        return now_s if silent_s is None else now_s - max(self.world.since_s - silent_s, 0.0)

    def counter(self, service: str, name: str, labels: Any = None) -> float | None:
        return (self.scraped_s(service) or 0.0) * 10

    def changes(self) -> list[Change]:
        return []

    async def cut(self, link: str, *, black_hole: bool = False) -> None:
        await self.world.clock.sleep(self.world.injecting_s)
        self.world.injected_s = self.world.clock.now_s()

    async def restore_route(self, link: str) -> None:
        if self.world.act_fails:
            raise ActFailed("the route could not be set")
        self.world.acts.append(f"restore {link}")
        if link == "front->store":
            self.world.responded_s = self.world.clock.now_s()


class FakeEquipment:
    def __init__(self, world: World) -> None:
        self.cell: Any = FakeCell(world)
        self.clock = world.clock
        self.ledger = Ledger()
        port: Any = FakePort(world, self.ledger)
        self.observer = self.injector = self.operator = self.client = port
        self.links: Any = FakeLinks(world)
        self.data: Any = FakeData(world)
        self.scrapes: list[tuple[float, dict[str, frozenset[str]]]] = []

    async def scrape(self, wanted: Mapping[str, frozenset[str]]) -> None:
        self.scrapes.append((self.clock.now_s(), dict(wanted)))

    async def release_faults(self) -> None:
        """Nothing is held."""

    async def begin_scenario(self) -> None:
        self.ledger.clear()

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class FakeWorkload:
    world: World
    rate_hz: float = 10.0
    name: str = "fake"
    uses: frozenset[str] = frozenset()

    async def prepare(self, client: Any, seed: int) -> None:
        """Only once the system lets it."""
        if self.world.clock.now_s() < self.world.ready_s:
            raise CellError("nobody can log in")

    async def send(self, client: Any, planned_s: float, n: int, rng: random.Random) -> None:
        now_s = self.world.clock.now_s()
        broken = self.world.refuses_when_broken and self.world.broken
        accepted = not (self.world.refuses or broken)
        late_s = self.world.late_s if len(client.ledger) < self.world.late_ones else 0.0
        client.ledger.add(Sent("fake.op", planned_s, planned_s + late_s, now_s, 200, accepted=accepted))


@dataclass(frozen=True)
class FakeFault:
    world: World
    says: str = "front->store is refused"
    needs: frozenset[Ability] = frozenset()

    async def inject(self, injector: Any) -> None:
        await injector.cut("front->store")

    def witness(self) -> QueryWitness:
        async def look(_observer: Any) -> bool | None:
            return self.world.broken if self.world.witness_lies is None else self.world.witness_lies

        return QueryWitness("the link", look)


def scenario(world: World) -> Scenario:
    """A scenario of this world, with lengths of seconds of virtual time."""

    async def read_bad(_observer: Any) -> float | None:
        if world.blind:
            return None
        return 10.0 if world.always_bad or (world.broken and world.symptom_shows) else 0.0

    async def read_other(_observer: Any) -> float | None:
        return 0.0 if world.collateral and world.injected_s is not None else 1.0

    async def capture(_observer: Any) -> Cohort:
        return ("a", "b")

    async def left(_observer: Any, cohort: Cohort) -> float | None:
        return float(len(cohort)) if world.broken else 0.0

    bad = Probe("world.bad_rows", "bad rows", read_bad)
    other = Probe("world.other_ratio", "another number", read_other)
    remaining = cohort_probe("world.cohort_rows", "rows of the cohort", capture=capture, left=left)

    @step("Set the route back")
    async def respond(operator: Any) -> None:
        await operator.restore_route("front->store")

    @step("Set another route back")
    async def placebo(operator: Any) -> None:
        await operator.restore_route("other->store")

    return Scenario(
        id="FM-X-01",
        title="A small failure",
        sections=("1.1",),
        workload=(FakeWorkload(world),),
        fault=FakeFault(world),
        symptom=eventually(bad.above(5), within_s=3),
        hold_s=2.0,
        response=(respond,),
        recovery=eventually(bad.below(5), remaining.equals(0), within_s=4, hold_s=1),
        unaffected=always(other.equals(1)),
        placebo=placebo,
    )


async def play(
    world: World,
    *,
    arm: Arm = TIMELINE,
    of: Scenario | None = None,
    policy: Policy | None = None,
    invariants: Invariants | None = None,
) -> tuple[Outcome, list[Event]]:
    """Run a scenario in a world, with an alert policy and invariants or without; gives its outcome and the journal."""
    journal: list[Event] = []
    run = ScenarioRun(
        of or scenario(world),
        arm,
        FakeEquipment(world),
        journal.append,
        seed=1,
        settings={},
        sections={},
        policy=policy,
        invariants=invariants,
    )
    return await run.run(), journal
