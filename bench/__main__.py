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

from bench import cells
from bench.table import Row, show


def command(*arguments: str) -> float:
    """How long a command of ours takes, in seconds; the best of five, for the others hold the machine's noise."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "harness.fronts.cli", *arguments], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return min(took)


def whole_run(runtime: str, jobs: str, folder: Path) -> tuple[float, dict[str, str], float]:
    """How long the whole catalogue takes, its claims, and when the first scenario began."""
    out = folder / f"{runtime}-{jobs}.json"
    began = time.perf_counter()
    subprocess.run(
        [
            sys.executable, "-m", "harness.fronts.cli", "run", "--runtime", runtime, "--jobs", jobs, "--seed", "11",
            "--reports", str(folder), "--json", str(out),
        ],
        check=False, capture_output=True,
    )  # fmt: skip
    took = time.perf_counter() - began
    data = json.loads(out.read_text())
    first = min((p["started_s"] for c in data["claims"] for p in c["phases"]), default=float("nan"))
    return took, {c["id"]: c["claim"] for c in data["claims"]}, first


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="leave out the naive way and the containers")
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()
    rows: list[Row] = []
    rows.append(Row("gameday list", "s", 0.4, command("list")))
    rows += asyncio.run(cells.measure())
    with tempfile.TemporaryDirectory(prefix="gameday-bench-") as place:
        folder = Path(place)
        took, claims, first = whole_run("process", "auto", folder)
        rows.append(Row("first scenario begun", "s", 3.0, first))
        rows.append(Row(f"whole catalogue ({len(claims)}), processes, jobs auto", "s", _target(len(claims), 120), took))
        rows.append(
            Row("of these proven", "", float(len(claims)), float(list(claims.values()).count("PROVEN")), more=True)
        )
        if not asked.quick:
            alone, _, _ = whole_run("process", "1", folder)
            rows.append(Row("the same, one cell", "s", None, alone, ratio=alone / took))
            naive = sum(whole_one(label, folder) for label in claims)
            rows.append(Row("the naive way: a fresh stack each", "s", None, naive, ratio=naive / took))
            if _engine():
                boxed, _, _ = whole_run("docker", "auto", folder)
                rows.append(Row("whole catalogue, containers, jobs auto", "s", _target(len(claims), 240), boxed))
    show(rows, _machine())
    if asked.json is not None:
        asked.json.write_text(json.dumps([vars(r) for r in rows], indent=1))


def whole_one(label: str, folder: Path) -> float:
    """One scenario on a fresh stack of its own."""
    began = time.perf_counter()
    subprocess.run(
        [
            sys.executable, "-m", "harness.fronts.cli", "run", label, "--runtime", "process", "--jobs", "1",
            "--reports", str(folder),
        ],
        check=False, capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - began


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
