"""Signals that ask to end, a terminal that is gone, and processes that must not outlive who started them."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drivers.clock import wait_until_sync
from harness.fronts.gamedays import keeper, signals
from tests.unit.test_cli import called

STUB = """#!{python}
import pathlib, signal, sys
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append("SIGINT"))
signal.signal(signal.SIGTERM, lambda *_: seen.append("SIGTERM"))
pathlib.Path("ready").touch()
while not seen:
    signal.pause()
pathlib.Path("ended").write_text(seen[0])
"""
"""Stands for the program: says that it is there, and what ended it."""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    path = tmp_path / "stub"
    path.write_text(STUB.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def scheduler(stub: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that leads a game day in another one, and is there to be killed."""
    code = (
        f"import sys; from pathlib import Path; from harness.fronts.gamedays.keeper import by_process\n"
        f"sys.executable = {str(stub)!r}\n"
        f"by_process(Path('reports'), lambda: False)(Path('plan.yaml'))"
    )
    root = str(Path(__file__).parents[2])
    running = subprocess.Popen([sys.executable, "-c", code], cwd=stub.parent, env={**os.environ, "PYTHONPATH": root})
    yield running
    running.kill()
    running.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is dead")
def test_a_scheduler_that_is_killed_leaves_no_game_day_behind(
    scheduler: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    wait_until_sync((tmp_path / "ready").exists, what="the game day")
    scheduler.kill()
    wait_until_sync(lambda: (tmp_path / "ended").exists() and (tmp_path / "ended").read_text(), what="its end")
    assert (tmp_path / "ended").read_text() == "SIGINT"


@pytest.mark.parametrize(("sig", "code"), [(signal.SIGHUP, 0), (signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_every_signal_that_asks_to_end_ends_the_scheduler(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sig: int, code: int
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("title: t\nsteps: [{ask: '?'}]\nschedule: {cron: '0 10 * * *'}\n")
    monkeypatch.setattr(keeper.Keeper, "look", lambda _: signal.raise_signal(sig) or 0.0)
    before = [signal.getsignal(s) for s in signals.ENDING]
    assert called(capsys, "schedule", "run", str(plan), "--reports", str(tmp_path))[0] == code
    assert [signal.getsignal(s) for s in signals.ENDING] == before


def test_under_nohup_a_closed_terminal_is_of_no_account() -> None:
    told: list[int] = []
    with signals.put_back():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with signals.heard(told.append):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
    assert told == [signal.SIGTERM]


def test_what_is_said_to_a_terminal_that_is_gone_goes_nowhere() -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    with pytest.raises(OSError, match="Input/output error"):
        os.write(theirs, b"x")
    signals._let_go([theirs])
    assert os.write(theirs, b"x") == 1
    os.close(theirs)
