"""Runs that end badly: killed in every phase, interrupted, ended by their engine; nothing of theirs stays."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.drivers.clock import pause_sync, wait_until_sync
from harness.drivers.docker_engine import Engine, states_now
from tests.containers.real_docker import engine

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

SCENARIO = "FM-OB-01"
PHASES = ("steady", "inject", "witness", "symptom", "hold", "respond", "recover", "restore")
TIMES = 3
"""So often in each phase and runtime: 48 kills, six in each phase, six while healing."""

RUNTIMES = ("process", pytest.param("docker", marks=pytest.mark.engine))


def gameday(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "harness.fronts.cli", *arguments]
    return subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more
    )


def events(reports: Path) -> Iterator[dict[str, Any]]:
    for journal in reports.glob("*/journal.jsonl"):
        if journal.parent.is_symlink():  # `latest`
            continue
        for line in journal.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def in_phase(reports: Path, phase: str) -> bool:
    return any(e["kind"] == "phase_started" and e["phase"] == phase for e in events(reports))


def begin(runtime: str, reports: Path, phase: str) -> subprocess.Popen[str]:
    run = gameday("run", SCENARIO, "--runtime", runtime, "--reports", str(reports), "--jobs", "1")

    def there() -> bool:
        assert run.poll() is None, run.stdout.read() if run.stdout else ""
        return in_phase(reports, phase)

    wait_until_sync(there, what=f"the phase {phase}", timeout_s=120, every_s=0.02)
    return run


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[str]:
    return [str(p) for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def of_engine(pid: int) -> list[str]:
    """Containers and networks that carry the runner's mark."""
    made = Engine.connect()
    try:
        label = f"gameday.pid={pid}"
        networks = made.do_now("list networks", lambda c: [n.name for n in c.networks.list(filters={"label": label})])
        return [*made.do_now("list containers", lambda c: states_now(c, {"gameday.pid": str(pid)})), *networks]
    finally:
        made.close()


def listening() -> set[int]:
    return {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}


def nothing_is_left(pid: int, processes: list[psutil.Process], runtime: str) -> None:
    wait_until_sync(lambda: not alive(processes), what=f"the end of {alive(processes)}", timeout_s=10)
    assert not list(Path("/tmp").glob(f"gameday-{pid}-*"))
    if runtime == "docker":
        assert of_engine(pid) == []


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_killed_run_leaves_nothing(runtime: str, phase: str, time: int, tmp_path: Path) -> None:
    if runtime == "docker":
        engine().close()
    run = begin(runtime, tmp_path, phase)
    # Not always at the same moment of the phase.
    pause_sync(0.15 * time)
    processes = family(run.pid)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=30)
    cleaned = gameday("cleanup")
    output, _ = cleaned.communicate(timeout=60)
    assert cleaned.returncode == 0, output
    nothing_is_left(run.pid, processes, runtime)
    # The journal can be read to where it was cut off.
    assert in_phase(tmp_path, phase)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_next_run_proves_the_same(runtime: str, tmp_path: Path) -> None:
    if runtime == "docker":
        engine().close()
    run = begin(runtime, tmp_path / "killed", "hold")
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=30)
    after = gameday("run", SCENARIO, "--runtime", runtime, "--reports", str(tmp_path / "next"), "--jobs", "1")
    output, _ = after.communicate(timeout=200)
    assert after.returncode == 0, output
    assert [e["claim"] for e in events(tmp_path / "next") if e["kind"] == "claim"] == ["PROVEN"]
    nothing_is_left(run.pid, [], runtime)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_interrupted_run_leaves_nothing_and_says_so(runtime: str, sig: int, tmp_path: Path) -> None:
    if runtime == "docker":
        engine().close()
    before = listening()
    run = begin(runtime, tmp_path, "hold")
    processes = family(run.pid)
    run.send_signal(sig)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 130, output
    nothing_is_left(run.pid, processes, runtime)
    assert listening() <= before
    finished = [e for e in events(tmp_path) if e["kind"] == "run_finished"]
    assert [e["interrupted"] for e in finished] == [True]
