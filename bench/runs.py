"""Whole runs: how long they take, when the first scenario begins, what the engine costs, whether more of them cost more."""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.table import Row
from harness.drivers.clock import pause_sync
from harness.model.events import PhaseStarted
from harness.report import journal, record

SMALL = ("FM-OB-01", "FM-MM-03")
"""Two scenarios that use neither Keycloak nor much time, for what is measured over many runs."""

TIMES = 10


@dataclass(frozen=True)
class Run:
    """What one command took.

    Attributes:
        claims: the claims by id.
        first_s: when the first scenario began, in seconds since the run's start.
        engine_ms: what a scenario took beyond its phases and its workload's preparation, which waits for the system, in
            milliseconds; the median.
        memory_mb: the most that the runner alone held, in MB; its first and its last third apart.
    """

    took_s: float
    claims: dict[str, str]
    first_s: float
    engine_ms: float
    memory_mb: tuple[float, float]


def gameday(*arguments: str, reports: Path) -> Run:
    """One `gameday run`, from outside."""
    command = [sys.executable, "-m", "harness.fronts.cli", "run", *arguments, "--reports", str(reports)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = _memory_until_end(process)
    took_s = time.perf_counter() - began
    folder = reports / "latest"
    claims = json.loads((folder / "run.json").read_text())["claims"]
    # Of every attempt: one that the machine was too busy for is not among the claims.
    first_s = min((e.t for e in journal.read(folder / journal.JOURNAL, [PhaseStarted])), default=float("nan"))
    return Run(took_s, {c["id"]: c["claim"] for c in claims}, first_s, _engine_ms(folder), held)


def _memory_until_end(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    held: list[float] = []
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            held.append(watched.memory_info().rss / 2**20)
        except psutil.Error:
            break
        pause_sync(0.5)
    process.wait()
    third = max(1, len(held) // 3)
    return max(held[:third], default=0.0), max(held[-third:], default=0.0)


def _engine_ms(folder: Path) -> float:
    run = record.of(journal.read(folder / journal.JOURNAL), keep_sweeps=False)
    beyond = [s.engine_s for s in run.scenarios if s.engine_s is not None]
    return statistics.median(beyond) * 1000 if beyond else float("nan")


def growth(folder: Path) -> list[Row]:
    """Ten times as many runs: the time beside ten times the time of one, the memory beside that of the beginning."""
    once = gameday(*SMALL, "--runtime", "process", reports=folder)
    often = gameday(*SMALL, "--runtime", "process", "--repeat", str(TIMES), reports=folder)
    early, late = often.memory_mb
    return [
        Row(f"{len(SMALL)} scenarios, one run", "s", None, once.took_s),
        Row(f"{TIMES} runs of them in a row", "s", None, often.took_s, ratio=often.took_s / (TIMES * once.took_s)),
        Row("memory of the runner, last third", "MB", None, late, ratio=late / early),
    ]
