"""Running a scenario, changed or not, on a real cell, as `gameday run` would."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from harness.drivers.clock import SystemClock
from harness.drivers.machine import spare_long_collections
from harness.drivers.process import ProcessRuntime
from harness.engine import plan
from harness.engine.outcome import Outcome
from harness.engine.reconcile import reconcile
from harness.engine.session import Lane, Session
from harness.fronts.catalogue import load_catalogue
from harness.fronts.wiring import equip
from harness.model.arms import TIMELINE, Arm
from harness.model.errors import ActFailed
from harness.model.events import Event, PhaseStarted
from harness.model.faults import (
    BriefSlowdown,
    DataChange,
    DeletedConsumer,
    Fault,
    Message,
    RedisChange,
    RunawayJob,
    Together,
)
from harness.model.runtime import Cell, Runtime
from harness.model.scenario import Scenario
from harness.model.values import PartStatus
from tests.real import topology

TOPOLOGY = topology()
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)


class Stage:
    """One lane of a session on the process runtime; scenarios run on it one after another."""

    def __init__(self, runtime: Runtime, logs: Path) -> None:
        self.clock = SystemClock()
        self.journal: list[Event] = []
        self.lane = Lane(1)
        self.on_phase: dict[str, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.session = Session(
            runtime,
            CATALOGUE,
            lambda cell, act: equip(cell, act, self.clock),
            self._emit,
            profile="ci",
            logs=logs,
            clock_s=self.clock.now_s,
            cells="stage",
        )

    def _emit(self, event: Event) -> None:
        self.journal.append(event)
        if isinstance(event, PhaseStarted) and event.phase in self.on_phase:
            self._tasks.append(asyncio.create_task(self.on_phase.pop(event.phase)()))

    async def play(self, scenario: Scenario, arm: Arm = TIMELINE, seed: int = 11) -> Outcome:
        """Run it; whatever a test planted ends with it."""
        self.journal.clear()
        item = plan.items([scenario], arm, seed)[0]
        try:
            return await self.session.run_one(self.lane, item)
        finally:
            for task in self._tasks:
                await task
            self._tasks.clear()
            self.on_phase.clear()

    async def heal(self, scenario: Scenario) -> None:
        """What heals a fault by itself, behind the engine's back: as if somebody else had undone it.

        Everything that has a baseline goes back to it; data has none, and is repaired by what the response does to it.
        """
        assert self.lane.equipment is not None
        equipment = self.lane.equipment
        cell = equipment.cell
        await equipment.release_faults()
        for job in cell.jobs():
            await cell.stop_job(job)
        for link, state in (await equipment.links.states()).items():
            if not state.enabled or state.toxics:
                await equipment.links.heal(link)
        await equipment.data.restore()
        await self._services_back(cell)
        if any(isinstance(f, OF_DATA) for f in flat(scenario.fault)):
            for step in scenario.response:
                with contextlib.suppress(ActFailed):  # what was put back above needs no act any more
                    await step.act(equipment.operator)

    async def _services_back(self, cell: Cell) -> None:
        for service, known in cell.topology.services.items():
            wanted, found = cell.spec.baseline(cell.topology, service), cell.settings(service)
            names = [n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n)]
            for name in names:
                cell.configure(service, name, wanted.get(name))
            other = cell.release(service) != known.release
            if other:
                cell.deploy(service, known.release)
            if cell.instances(service) != 1:
                await cell.scale(service, 1)
            if names or other:
                await cell.restart(service)
        for state in cell.states():
            if state.status is PartStatus.FROZEN:
                await cell.thaw(state.name)
            elif state.status is PartStatus.STOPPED:
                await cell.start(state.name)


OF_DATA = (BriefSlowdown, DataChange, DeletedConsumer, Message, RedisChange, RunawayJob)
"""Faults that leave something behind which no baseline knows."""


def flat(fault: Fault) -> tuple[Fault, ...]:
    """A fault, or the several that it is made of."""
    return fault.faults if isinstance(fault, Together) else (fault,)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(runtime: ProcessRuntime, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    """The session's stage."""
    runtime.want("keycloak")
    spare_long_collections()
    made = Stage(runtime, Path(tmp_path_factory.mktemp("stage")))
    yield made
    await made.session.let_go(made.lane)


__all__ = ["CATALOGUE", "TOPOLOGY", "Stage", "reconcile", "stage"]
