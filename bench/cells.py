"""Cells: how fast they are there, reset, and how little they cost."""

import random
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from bench.table import Row
from harness.drivers.clock import SystemClock, pause
from harness.drivers.equipment import CellEquipment
from harness.drivers.process import ProcessRuntime
from harness.engine.reconcile import reconcile
from harness.engine.traffic import Traffic
from harness.engine.watch import Watch
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.ledger import Sent
from harness.model.ports import Client
from harness.model.runtime import CellSpec

BURSTS_HZ = (300.0, 1000.0)
BURST_S = 5.0


class _Pings:
    """Requests to entitlement's list, which costs the system next to nothing."""

    name = "pings"
    uses: frozenset[str] = frozenset()

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz

    async def prepare(self, client: Client, seed: int) -> None:
        """Nothing."""

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """One request."""
        sent_s = client.clock.now_s()
        reply = await client.request("notification", "GET", "/actuator/health/liveness")
        ended_s = client.clock.now_s()
        client.ledger.add(Sent("pings.ping", planned_s, sent_s, ended_s, reply.status, accepted=reply.status == 200))


async def measure() -> list[Row]:
    """One cell of processes: ready, reset, its memory, what the engine costs, how late requests are sent."""
    topology = load_topology(None)
    catalogue = load_catalogue("scenarios", topology)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as folder:
        runtime = ProcessRuntime(topology, Path(folder))
        began = time.perf_counter()
        await runtime.open()
        runtime.want("keycloak")
        try:
            cell = await runtime.cell(CellSpec("cell-1", "ci", Path(folder) / "cell-1"))
            await cell.ready(timeout_s=120)
            rows.append(Row("first cell ready, from nothing", "s", None, time.perf_counter() - began))
            await cell.ready(["keycloak"], timeout_s=120)
            rows.append(Row("stack ready with Keycloak", "s", 8.0, time.perf_counter() - began, stretch=5.0))
            second = []
            for n in range(3):
                began = time.perf_counter()
                other = await runtime.cell(CellSpec(f"other-{n}", "ci", Path(folder) / f"other-{n}"))
                await other.ready(timeout_s=60)
                second.append(time.perf_counter() - began)
                await other.close()
            rows.append(Row("one more cell ready", "s", None, median(second)))
            equipment = CellEquipment(cell, SystemClock(), lambda _act: None)
            await equipment.data.take_baseline()
            resets = []
            for _ in range(10):
                began = time.perf_counter()
                await reconcile(equipment)
                resets.append(time.perf_counter() - began)
            rows.append(Row("reset of a clean cell", "s", 0.3, median(resets), stretch=0.05))
            rows.append(Row("memory of a cell (PSS)", "MB", 300.0, _memory_mb(cell), stretch=180.0))
            probes = [p for s in catalogue.scenarios.values() for p in s.probes]
            watch = Watch(equipment, probes[:12], lambda _event: None, "bench")
            await watch.begin()
            await equipment.clock.sleep(4)
            await watch.end()
            costs = [s.cost_ms for s in watch.sweeps]
            rows.append(Row("one round of 12 probes", "ms", None, median(costs)))
            rows += [await _lateness(equipment, rate_hz) for rate_hz in BURSTS_HZ]
            await equipment.close()
        finally:
            await runtime.close()
    return rows


async def _lateness(equipment: CellEquipment, rate_hz: float) -> Row:
    equipment.ledger.clear()
    traffic = Traffic((_Pings(rate_hz),), equipment.client, random.Random(1), 1)
    await traffic.begin(equipment.clock)
    await pause(BURST_S)
    await traffic.end()
    late_ms = (equipment.ledger.lateness_s(0.99) or 0.0) * 1000
    must, stretch = (5.0, None) if rate_hz == BURSTS_HZ[0] else (None, 5.0)
    return Row(f"send lateness p99 at {rate_hz:g} a second", "ms", must, late_ms, stretch=stretch)


def _memory_mb(cell: object) -> float:
    total = 0
    for state in cell.states():  # type: ignore[attr-defined]
        if not state.identity:
            continue
        process = psutil.Process(int(state.identity.split("@")[0]))
        for member in [process, *process.children(recursive=True)]:
            total += member.memory_full_info().pss
    return total / 2**20
