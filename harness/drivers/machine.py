"""What this machine bears."""

import gc
import os

import psutil

from harness.drivers.clock import pause_sync

CELLS_A_CORE = {"process": 2.2, "docker": 1.65}
"""Cells for each idle core, by runtime. A whole run of the catalogue takes about 115 s of processor time in processes and
235 s in containers; on 2 cores requests then go out 10 to 35 ms late at p99 with four cells of processes or three of
containers. The part beyond whole cells is what a machine that is not quite idle may lack."""

MEMORY_A_CELL = {"process": 300 * 2**20, "docker": 600 * 2**20}
KEYCLOAK_MEMORY = 600 * 2**20

LOOK_S, LOOKS = 0.3, 5
"""What ends or begins beside takes both cores for a moment: a look that finds nothing free is no answer yet."""


def bears_cells(runtime: str) -> int:
    """How many of a runtime's cells side by side leave room: by idle cores, the best of a few looks, and by free memory."""
    a_core = CELLS_A_CORE[runtime]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory().available - KEYCLOAK_MEMORY
    most = max(1, min(int(cores * a_core), memory // MEMORY_A_CELL[runtime]))
    found = 1
    for _ in range(LOOKS):
        found = max(found, min(most, int(cores * idle_share() * a_core)))
        if found == most:
            break
    return found


def idle_share() -> float:
    """The share of all cores that is free or at work at a low priority, which gives way; looks for `LOOK_S`.

    Of what the cores did in that time: psutil's own percentages count a look of less than a core's second as busy. A core
    whose only work waits for a disk is free.
    """
    before = psutil.cpu_times()
    pause_sync(LOOK_S)
    after = psutil.cpu_times()
    spent = {name: max(0.0, getattr(after, name) - getattr(before, name)) for name in after._fields}
    # Linux counts a guest's time in its host's too.
    total = sum(s for name, s in spent.items() if not name.startswith("guest"))
    free = sum(spent.get(name, 0.0) for name in ("idle", "iowait", "nice"))
    return free / total if total else 1.0


def spare_long_collections() -> None:
    """Keep everything that is there now out of Python's collections.

    One that goes through every imported module stops all that a process does for 70 to 200 ms, and none of it is garbage.
    """
    gc.collect()
    gc.freeze()
