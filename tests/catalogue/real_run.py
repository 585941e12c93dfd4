"""Running a scenario, changed or not, on a real cell, as `gameday run` would."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from harness.drivers.clock import SystemClock
from harness.drivers.process import ProcessRuntime
from harness.engine import plan
from harness.engine.outcome import Outcome
from harness.engine.reconcile import reconcile
from harness.engine.session import Lane, Session
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.wiring import equip
from harness.model.arms import TIMELINE, Arm
from harness.model.events import Event, PhaseStarted
from harness.model.runtime import Runtime
from harness.model.scenario import Scenario

TOPOLOGY = load_topology(None)
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
            act=lambda _label, _fields: None,
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

    async def heal(self) -> None:
        """What heals a fault by itself, behind the engine's back: everything back to the baseline but the data."""
        assert self.lane.equipment is not None
        equipment = self.lane.equipment
        for link in equipment.cell.topology.links:
            state = await equipment.links.state(link)
            if not state.enabled or state.toxics:
                await equipment.links.heal(link)
        for state in equipment.cell.states():
            if state.status.value == "frozen":
                await equipment.cell.thaw(state.name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(runtime: ProcessRuntime, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    """The session's stage."""
    runtime.want("keycloak")
    made = Stage(runtime, Path(tmp_path_factory.mktemp("stage")))
    yield made
    await made.session.let_go(made.lane)


__all__ = ["CATALOGUE", "TOPOLOGY", "Stage", "reconcile", "stage"]
