"""`make bench`: target, figure and ratio for each, with the machine and the date.

The naive way is measured in the same run: a fresh stack for each scenario, one after the other.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench import cells, runs
from bench.table import Row, show

SEED = ("--seed", "11")

EVERY = 3
"""Each third scenario stands for all in the naive way, which takes long: a fresh stack each, one after the other."""


def command(*arguments: str) -> float:
    """How long a command of ours takes, in seconds; the best of five, for the others hold the machine's noise."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "harness.fronts.cli", *arguments], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return min(took)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="leave out the naive way, the growth and the containers")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()
    rows = [Row("gameday list", "s", 0.4, command("list")), *asyncio.run(cells.measure())]
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as place:
        rows += whole_runs(Path(place), quick=asked.quick)
    show(rows, _machine())
    if asked.json is not None:
        asked.json.write_text(json.dumps([vars(r) for r in rows], indent=1))


def whole_runs(folder: Path, *, quick: bool) -> list[Row]:
    """The whole catalogue, as CI runs it; unless `quick`, also the naive way, growth and containers."""
    fast = runs.gameday(*SEED, "--runtime", "process", reports=folder)
    count, took_s = len(fast.claims), fast.took_s
    proven = list(fast.claims.values()).count("PROVEN")
    rows = [
        Row("first scenario begun", "s", 3.0, fast.first_s, stretch=1.5),
        Row("the engine, a scenario", "ms", 100.0, fast.engine_ms, stretch=50.0),
        Row(f"whole catalogue ({count}), processes", "s", _target(count, 120), took_s, stretch=_target(count, 60)),
        Row("of these proven", "", float(count), float(proven), more=True),
    ]
    if quick:
        return rows
    sample = list(fast.claims)[::EVERY]
    sampled_s = sum(
        runs.gameday(label, "--runtime", "process", "--jobs", "1", reports=folder).took_s for label in sample
    )
    naive_s = sampled_s * count / len(sample)
    rows.append(Row(f"the naive way, from {len(sample)} of them", "s", None, naive_s, ratio=naive_s / took_s))
    rows += runs.growth(folder)
    if _engine():
        boxed = runs.gameday(*SEED, "--runtime", "docker", reports=folder)
        proven = list(boxed.claims.values()).count("PROVEN")
        rows += [
            Row(
                f"whole catalogue ({count}), containers", "s", _target(count, 240), boxed.took_s,
                stretch=_target(count, 110),
            ),
            Row("of these proven", "", float(count), float(proven), more=True),
        ]  # fmt: skip
    return rows


def _target(scenarios: int, whole: float) -> float:
    """The target for 29 scenarios, in proportion; with nine it is 45 and 90 s, for set-up does not shrink."""
    return {9: whole * 0.375}.get(scenarios, whole * scenarios / 29)


def _engine() -> bool:
    done = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return done.returncode == 0


def _machine() -> str:
    memory_gb = psutil.virtual_memory().total / 2**30
    load = statistics.fmean(os.getloadavg()[:1])
    when = datetime.now(UTC).date()
    return f"{when}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}, load {load:.1f} before"


if __name__ == "__main__":
    main()
