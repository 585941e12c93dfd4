"""The whole catalogue at once, cells side by side as `gameday run` does it; each claim is then a test of its own."""

from collections.abc import Sequence
from pathlib import Path

from harness.drivers import machine
from harness.drivers.clock import SystemClock
from harness.engine import plan
from harness.engine.session import Session
from harness.fronts.wiring import equip
from harness.model.arms import TIMELINE
from harness.model.events import Acted
from harness.model.runtime import Runtime
from harness.model.scenario import Scenario
from harness.report.record import Recorder, RunRecord
from tests.catalogue.real_run import CATALOGUE


async def run_all(runtime: Runtime, scenarios: Sequence[Scenario], logs: Path, seed: int = 11) -> RunRecord:
    """Run the scenarios on as many cells as the machine bears."""
    clock = SystemClock()
    recorder = Recorder(keep_sweeps=False)
    session = Session(
        runtime,
        CATALOGUE,
        lambda cell, act: equip(cell, act, clock),
        recorder.add,
        profile="ci",
        logs=logs,
        clock_s=clock.now_s,
        act=lambda label, fields: recorder.add(Acted(clock.now_s(), label, **fields)),
        cells="whole",
    )
    await session.run(plan.items(scenarios, TIMELINE, seed), machine.bears_cells(), adapt=True)
    return recorder.run


def claim_of(run: RunRecord, label: str) -> tuple[str, str]:
    """The claim, and what fell short."""
    record = run.of(label)
    assert record is not None, f"{label} was not run: {run.notes}"
    return record.claim_name, record.reason


def is_proven(run: RunRecord, label: str) -> bool:
    """Whether it is proven, or the machine was too busy for any verdict, which says nothing about the scenario."""
    record = run.of(label)
    return claim_of(run, label)[0] == "PROVEN" or (
        record is not None and [f.finding for f in record.findings] == ["TOO_BUSY"]
    )


def mostly_proven(run: RunRecord) -> bool:
    """Whether the machine gave a verdict on three scenarios of four at least."""
    return sum(s.claim_name == "PROVEN" for s in run.scenarios) * 4 >= len(run.scenarios) * 3
