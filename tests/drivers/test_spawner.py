"""Processes that none of them outlives its runner, however the runner ends."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from harness.drivers.clock import wait_until_sync
from harness.drivers.spawner import Spawner
from harness.model.errors import CellError

RUNNER = """
    import asyncio, sys
    from pathlib import Path
    from harness.drivers.spawner import Spawner

    async def main() -> None:
        spawner = Spawner()
        await spawner.start()
        folder = Path(sys.argv[1])
        a = await spawner.spawn(argv=["sleep", "600"], log=folder / "a.log")
        b = await spawner.spawn(argv=["sh", "-c", "sleep 600 & sleep 600"], log=folder / "b.log")
        frozen = await spawner.spawn(argv=["sleep", "600"], log=folder / "c.log")
        await spawner.send(frozen, 19)
        print(spawner.pid, a.pid, b.pid, frozen.pid, flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("who", ["runner", "spawner"])
def test_a_kill_leaves_nothing(tmp_path: Path, who: str) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUNNER), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout is not None
    pids = [int(p) for p in runner.stdout.readline().split()]
    family = pids + [c.pid for c in psutil.Process(pids[0]).children(recursive=True)]
    assert len(family) >= 6
    os.kill(runner.pid if who == "runner" else pids[0], signal.SIGKILL)
    if who == "runner":
        runner.wait()
    wait_until_sync(lambda: all(gone(p) for p in pids), what="the end of every process", timeout_s=10)
    runner.kill()
    runner.wait()
    runner.stdout.close()


async def test_what_came_through_a_further_channel_ends_with_it_and_nothing_else_does(tmp_path: Path) -> None:
    door = tmp_path / "door.sock"
    spawner, other = Spawner(), Spawner()
    await spawner.start(door)
    mine = await spawner.spawn(argv=["sleep", "600"], log=tmp_path / "a.log")
    await other.connect(door)
    assert door.stat().st_mode & 0o077 == 0
    theirs = await other.spawn(argv=["sleep", "600"], log=tmp_path / "b.log")
    short = await other.spawn(argv=["true"], log=tmp_path / "c.log")
    await asyncio.wait_for(short.ended.wait(), 5)
    assert short.status == 0
    with pytest.raises(CellError, match="not started here"):
        await spawner._order({"do": "signal", "pid": theirs.pid, "signal": 9, "group": False})
    await other.close()
    wait_until_sync(lambda: gone(theirs.pid), what="the end of what the channel started", timeout_s=10)
    assert not gone(mine.pid)
    again = Spawner()
    await again.connect(door)
    await spawner.close()
    wait_until_sync(lambda: gone(mine.pid), what="the end of everything", timeout_s=10)
    with pytest.raises(CellError, match="is gone"):
        await again.spawn(argv=["sleep", "600"], log=tmp_path / "d.log")
    await again.close()
    with pytest.raises(CellError, match="cannot be reached"):
        await Spawner().connect(tmp_path / "nowhere.sock")


async def test_a_process_is_ended_cleanly_and_a_stubborn_or_frozen_one_all_the_same(tmp_path: Path) -> None:
    spawner = Spawner()
    await spawner.start()
    deaf = tmp_path / "b.log"
    polite = await spawner.spawn(argv=["sleep", "600"], log=tmp_path / "a.log")
    stubborn = await spawner.spawn(argv=["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], log=deaf)
    frozen = await spawner.spawn(argv=["sleep", "600"], log=tmp_path / "c.log")
    await spawner.send(frozen, signal.SIGSTOP)
    # A shell that has not come to its trap yet would hear the signal.
    wait_until_sync(lambda: "deaf" in deaf.read_text(), what="the trap", timeout_s=10)
    await spawner.end(polite, grace_s=5)
    await spawner.end(stubborn, grace_s=0.3)
    await spawner.end(frozen, grace_s=5)
    assert (polite.status, stubborn.status, frozen.status) == (-15, -9, -15)
    await spawner.close()


@pytest.mark.parametrize("error", ["ValueError('why')", "asyncio.CancelledError('why')"])
async def test_a_module_that_fails_leaves_why_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    (tmp_path / "failing.py").write_text(f"import asyncio\nraise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    spawner = Spawner()
    await spawner.start()
    process = await spawner.spawn(module="failing", log=tmp_path / "a.log")
    await asyncio.wait_for(process.ended.wait(), 10)
    assert process.status == 1
    assert f"{error.partition('(')[0].rpartition('.')[2]}: why" in (tmp_path / "a.log").read_text()
    await spawner.close()


async def test_what_cannot_be_started_ends_with_127_and_says_so(tmp_path: Path) -> None:
    spawner = Spawner()
    await spawner.start()
    process = await spawner.spawn(argv=["/nowhere/program"], log=tmp_path / "a.log")
    await asyncio.wait_for(process.ended.wait(), 10)
    assert process.status == 127
    assert "/nowhere/program: No such file" in (tmp_path / "a.log").read_text()
    with pytest.raises(CellError, match="cannot spawn"):
        await spawner.spawn(argv=["true"], log=tmp_path / "no" / "folder.log")
    await spawner.close()
    with pytest.raises(CellError, match="is gone"):
        await spawner.spawn(argv=["true"], log=tmp_path / "a.log")


async def test_a_module_is_forked_with_its_own_environment_and_arguments(tmp_path: Path) -> None:
    spawner = Spawner()
    await spawner.start()
    # `this` is a module of the standard library that prints; what it prints goes to the log.
    process = await spawner.spawn(module="this", env={"ONLY": "this"}, log=tmp_path / "a.log")
    await asyncio.wait_for(process.ended.wait(), 10)
    assert process.status == 0
    assert "Namespaces are one honking great idea" in (tmp_path / "a.log").read_text()
    broken = await spawner.spawn(module="no_such_module", env={}, log=tmp_path / "b.log")
    await asyncio.wait_for(broken.ended.wait(), 10)
    assert broken.status == 1
    assert "no_such_module" in (tmp_path / "b.log").read_text()
    await spawner.close()


async def test_the_environment_of_the_runner_is_not_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_MINE", "x")
    spawner = Spawner()
    await spawner.start()
    process = await spawner.spawn(argv=["/usr/bin/env"], env={"ONLY": "this"}, log=tmp_path / "a.log")
    await asyncio.wait_for(process.ended.wait(), 10)
    assert (tmp_path / "a.log").read_text().strip().splitlines() == ["ONLY=this"]
    await spawner.close()
