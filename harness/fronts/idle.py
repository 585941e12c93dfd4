"""One cell that nobody uses, to run queries on that no run has seen."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.drivers.clock import SystemClock
from harness.engine.queries import Queries
from harness.engine.session import CELL_READY_S
from harness.fronts.wiring import equip, make_runtime
from harness.model.events import Event, Queried, RunFinished, RunStarted
from harness.model.runbook import Query
from harness.model.runtime import CellSpec
from harness.model.topology import Topology
from harness.report.journal import Journal

ARM = "queries"
"""Stands in the journal in the place of an arm: nothing was broken and nothing claimed."""


def run_queries(
    queries: Sequence[Query], topology: Topology, profile: str, runtime: str, reports: Path
) -> list[Queried]:
    """Run each query once on a fresh cell, into a journal of its own; raises InfrastructureError without a cell."""
    run_id = f"{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    return asyncio.run(_run(queries, topology, profile, runtime, reports / run_id))


async def _run(
    queries: Sequence[Query], topology: Topology, profile: str, runtime_name: str, folder: Path
) -> list[Queried]:
    clock = SystemClock()
    journal = Journal(folder, topology.secrets.values())
    found: list[Queried] = []

    def emit(event: Event) -> None:
        event = journal.write(event)
        if isinstance(event, Queried):
            found.append(event)

    runtime, _ = make_runtime(runtime_name, topology, folder / "logs")
    try:
        await runtime.open()
        emit(
            RunStarted(
                clock.now_s(),
                None,
                folder.name,
                clock.wall(),
                0,
                runtime.name,
                profile,
                ARM,
                [],
                dict(runtime.versions),
            )
        )
        cell = await runtime.cell(CellSpec("cell-1", profile, folder / "logs" / "cell-1"))
        await cell.ready(timeout_s=CELL_READY_S)
        equipment = equip(cell, lambda _verb, _fields: None, clock)
        try:
            await Queries(queries, equipment.observer, clock, emit, None).sample("idle")
        finally:
            await equipment.close()
            await cell.close()
    finally:
        await runtime.close()
        emit(RunFinished(clock.now_s(), None, clock.wall()))
        journal.close()
    return found
