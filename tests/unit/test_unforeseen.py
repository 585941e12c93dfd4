"""What nobody foresaw ends one scenario without a verdict; the others' verdicts, the reports and the exit code stay."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine import claim, plan
from harness.engine.session import Session
from harness.fronts.workers import Worker
from harness.model.arms import TIMELINE
from harness.model.criteria import eventually
from harness.model.events import Claimed, Event
from harness.model.probes import Probe
from harness.model.scenario import Catalogue, Scenario, step
from harness.model.values import Ability
from tests.fakes.world import FakeFault, FakeWorkload, World, play
from tests.fakes.world import scenario as a_scenario


async def breaks(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")


BREAKS_AT = breaks.__code__.co_firstlineno + 1


class Deaf(FakeWorkload):
    async def send(self, *_: Any) -> None:
        await breaks()


class Lost(FakeWorkload):
    async def prepare(self, *_: Any) -> None:
        await breaks()


class Dud(FakeFault):
    async def inject(self, injector: Any) -> None:
        await breaks()


@step("Break")
async def breaking(operator: Any) -> None:
    await breaks()


def broken_probe(s: Scenario, world: World) -> Scenario:
    return replace(s, symptom=eventually(Probe("world.broken_rows", "a bug", breaks).above(5), within_s=3))


@pytest.mark.parametrize(
    "plant",
    [
        lambda s, w: replace(s, workload=(Deaf(w),)),
        lambda s, w: replace(s, workload=(Lost(w),)),
        lambda s, w: replace(s, fault=Dud(w)),
        lambda s, _: replace(s, response=(breaking,)),
        broken_probe,
    ],
    ids=["send", "prepare", "fault", "response", "probe"],
)
async def test_a_bug_of_a_scenario_is_its_own(plant: Callable[[Scenario, World], Scenario]) -> None:
    world = World()
    outcome, journal = await play(world, of=plant(a_scenario(world), world))
    assert claim.of(f for f, _, _ in outcome.findings).value == "INCONCLUSIVE"
    said = [says for _, _, says in outcome.findings]
    assert any(
        re.search(r"nobody foresaw: ZeroDivisionError: a bug, at unit/test_unforeseen.py:\d+$", s) for s in said
    ), said
    assert not outcome.restored, "what it left behind may be anything"
    assert [e.claim for e in journal if isinstance(e, Claimed)] == ["INCONCLUSIVE"]


class DeafUnderTheFault(FakeWorkload):
    async def send(self, *args: Any) -> None:
        if self.world.injected_s is not None:
            await breaks()
        await super().send(*args)


async def test_a_workload_that_breaks_under_the_fault_refutes_nothing() -> None:
    world = World(symptom_shows=False)
    scenario = a_scenario(world)
    outcome, _ = await play(world, of=scenario)
    assert claim.of(f for f, _, _ in outcome.findings).value == "REFUTED"
    world = World(symptom_shows=False)
    outcome, _ = await play(world, of=replace(a_scenario(world), workload=(DeafUnderTheFault(world),)))
    assert claim.of(f for f, _, _ in outcome.findings).value == "INCONCLUSIVE"


async def test_a_bug_in_putting_a_cell_back_is_its_scenarios_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engine.run.reconcile", breaks)
    outcome, journal = await play(World())
    assert not outcome.restored
    assert [e.claim for e in journal if isinstance(e, Claimed)] == ["INCONCLUSIVE"]


class Cellless:
    """A runtime whose cells break in a way that nobody foresaw."""

    abilities = frozenset(Ability)
    cells_first = False
    name = "process"

    def want(self, part: str) -> None:
        """Nothing has to begin."""

    async def cell(self, spec: Any) -> Any:
        return await breaks()


class Closing:
    """Equipment that cannot be closed."""

    async def close(self) -> None:
        await breaks()


def session_of(journal: list[Event], runtime: Any) -> Session:
    return Session(
        runtime, Catalogue("none", {}, {}), lambda *_: None, journal.append,  # type: ignore[arg-type, return-value]
        profile="ci", logs=Path(), clock_s=lambda: 0.0,
    )  # fmt: skip


async def test_a_cell_that_breaks_costs_its_scenario_alone() -> None:
    journal: list[Event] = []
    session, one = session_of(journal, Cellless()), a_scenario(World())
    scenarios = [replace(one, id=f"FM-X-0{n}") for n in (1, 2, 3)]
    await session.run(plan.items(scenarios, TIMELINE, 1), 2)
    assert {label: c.value for label, c in session.claims.items()} == {s.id: "INCONCLUSIVE" for s in scenarios}
    assert {e.reason for e in journal if isinstance(e, Claimed)} == {
        f"no cell: it broke in a way that nobody foresaw: ZeroDivisionError: a bug, at unit/test_unforeseen.py:{BREAKS_AT}"
    }


async def test_a_cell_that_cannot_be_closed_is_trouble() -> None:
    class Leaving(Session):
        async def stand(self, _lane: Any, _item: Any) -> Any:
            return None

        async def run_one(self, lane: Any, item: Any) -> Any:
            lane.equipment = Closing()

    session = session_of([], Cellless())
    session.__class__ = Leaving
    await session.run(plan.items([a_scenario(World())], TIMELINE, 1), 1)
    assert session.trouble == ["a cell could not be closed: ZeroDivisionError: a bug"]


async def test_nobody_waits_for_a_worker_whose_words_cannot_be_read() -> None:
    worker = Worker(None, lambda _: None, Path())  # type: ignore[arg-type]
    reader = asyncio.StreamReader()
    reader.feed_data((12).to_bytes(8, "big") + b"no message at all, of no kind")
    reader.feed_eof()
    reading = asyncio.create_task(worker._read(reader))
    await asyncio.wait({reading})
    reading.exception()
    assert worker._answers.get_nowait() is None


def test_whoever_stops_reading_changes_no_exit_code() -> None:
    says = (
        "import sys; from harness.fronts.terminal import Screen; s = Screen(); [s.print('x' * 999) for _ in range(999)]"
    )
    process = subprocess.Popen([sys.executable, "-c", f"{says}; sys.exit(3)"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 3
