"""What this machine bears."""

import gc
import os

import psutil

CELLS_A_CORE = 1.45
"""A loaded cell with its engine, its alerts and its share of the logins takes 0.4 to 0.6 of a core, and services that
start or restart need room beside: with two cells on 2 cores requests go out 10 to 25 ms late at p99, with three one
scenario in ten is too busy, with four one in five. The part beyond whole cells is what a machine that is not quite idle
may lack."""

MEMORY_A_CELL = 300 * 2**20
KEYCLOAK_MEMORY = 600 * 2**20

LOOK_S = 0.2


def bears_cells() -> int:
    """How many cells side by side leave room: by idle cores now, and by free memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    now = psutil.cpu_times_percent(LOOK_S)
    # What runs at a low priority gives way.
    idle = (now.idle + getattr(now, "nice", 0.0)) / 100
    memory = psutil.virtual_memory().available - KEYCLOAK_MEMORY
    return max(1, min(int(cores * idle * CELLS_A_CORE), memory // MEMORY_A_CELL))


def spare_long_collections() -> None:
    """Keep everything that is there now out of Python's collections.

    One that goes through every imported module stops all that a process does for 70 to 200 ms, and none of it is garbage.
    """
    gc.collect()
    gc.freeze()
