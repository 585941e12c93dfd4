"""Worker processes: one that is killed costs its own scenario its verdict, and nothing else."""

import signal
from pathlib import Path

import psutil
import pytest

from harness.drivers.clock import wait_until_sync
from tests.lifecycle.test_killed_runs import events, family, gameday, nothing_is_left

pytestmark = [pytest.mark.timeout(300)]

TWO = ("FM-OB-01", "FM-NOTI-01")


def workers(pid: int) -> list[psutil.Process]:
    nests = [p for p in psutil.Process(pid).children() if "harness.fronts.worker" in p.cmdline()]
    return [worker for nest in nests for worker in nest.children()]


def started(reports: Path) -> set[str]:
    return {e["scenario"] for e in events(reports) if e["kind"] == "phase_started" and e["phase"] == "hold"}


def test_a_killed_worker_costs_its_own_scenario_the_verdict_and_nothing_else(tmp_path: Path) -> None:
    run = gameday("run", *TWO, "--runtime", "process", "--reports", str(tmp_path), "--jobs", "2")
    wait_until_sync(lambda: len(started(tmp_path)) == len(TWO), what="both scenarios in their hold", timeout_s=120)
    processes = family(run.pid)
    victim = workers(run.pid)[0]
    victim.send_signal(signal.SIGKILL)
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 3, output
    claims = {e["scenario"]: e for e in events(tmp_path) if e["kind"] == "claim"}
    lost = [e for e in claims.values() if "the worker process ended by itself" in e["reason"]]
    assert [e["claim"] for e in lost] == ["INCONCLUSIVE"]
    # The other goes on to its end; on a machine that is busy with other things that end is no verdict.
    other = next(e for e in claims.values() if e not in lost)
    assert other["claim"] == "PROVEN" or other["findings"] == ["TOO_BUSY"], other
    nothing_is_left(run.pid, processes, "process")


def test_an_interrupted_run_of_several_workers_leaves_nothing(tmp_path: Path) -> None:
    run = gameday("run", *TWO, "--runtime", "process", "--reports", str(tmp_path), "--jobs", "2")
    wait_until_sync(lambda: len(started(tmp_path)) == len(TWO), what="both scenarios in their hold", timeout_s=120)
    processes = family(run.pid)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 130, output
    nothing_is_left(run.pid, processes, "process")
