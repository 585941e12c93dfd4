"""What this machine bears."""

import os

import psutil

CELLS_A_CORE = 2.5
"""A loaded cell takes 0.14 of a core and its engine 0.06; past about five cells a core everything collapses at once, and
services starting or restarting need room beside (measured on 2 cores; see docs/benchmarks.md)."""

MEMORY_A_CELL = 300 * 2**20
KEYCLOAK_MEMORY = 600 * 2**20

LOOK_S = 0.2


def bears_cells() -> int:
    """How many cells side by side leave room: by idle cores now, and by free memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    idle = 1 - psutil.cpu_percent(LOOK_S) / 100
    memory = psutil.virtual_memory().available - KEYCLOAK_MEMORY
    return max(1, min(int(cores * idle * CELLS_A_CORE), memory // MEMORY_A_CELL))
