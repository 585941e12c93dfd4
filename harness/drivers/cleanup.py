"""What dead runs left behind: found by the marks of their owner, removed, and nothing else touched."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from harness.drivers import owner
from harness.drivers.docker_engine import Engine, EngineError, clear_now
from harness.drivers.folders import state_folder
from harness.model.words import counted


def clean_up(*, containers: bool = True) -> list[str]:
    """Remove what is left of runs whose runner is gone; gives what was done, one line each."""
    done = _folders() + _stacks()
    if containers:
        with contextlib.suppress(EngineError):
            engine = Engine.connect()
            try:
                done += _containers(engine)
            finally:
                engine.close()
    return done


def _folders() -> list[str]:
    done = []
    for note in Path(tempfile.gettempdir()).glob(f"gameday-*/{owner.FILE}"):
        folder = note.parent
        try:
            if folder.stat().st_uid != os.geteuid():
                continue
            marks = json.loads(note.read_text())
        except (OSError, ValueError):
            continue
        if not isinstance(marks, dict) or owner.alive(marks) is not False:
            continue
        done += _processes(marks)
        shutil.rmtree(folder, ignore_errors=True)
        done.append(f"removed the folder {folder}")
    return done


def _processes(marks: Mapping[str, Any]) -> list[str]:
    """End the spawner of a dead run, which ends everything it started; normally the kernel did so long ago."""
    spawner = {
        owner.PID: marks.get("spawner.pid"),
        owner.STARTED: marks.get("spawner.started"),
        owner.MACHINE: owner.machine(),
    }
    if spawner[owner.PID] is None or not owner.alive({k: str(v) for k, v in spawner.items()}):
        return []
    pid = int(str(spawner[owner.PID]))
    family = psutil.Process(pid).children(recursive=True)
    for process in [*(p.pid for p in family), pid]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    return [f"ended {counted(len(family) + 1, 'process', 'processes')} of a run that is gone"]


def _stacks() -> list[str]:
    done = []
    folder = state_folder() / "stacks"
    for note in folder.glob("*.json") if folder.is_dir() else ():
        try:
            noted = json.loads(note.read_text())
            process = psutil.Process(int(noted["pid"]))
            if abs(process.create_time() - float(noted["started"])) < 0.1:
                continue
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            pass
        note.unlink(missing_ok=True)
        done.append(f"forgot the stack {note.stem}, which is not up any more")
    return done


def _containers(engine: Engine) -> list[str]:
    def dead(client: Any) -> set[str]:
        runs: dict[str, Mapping[str, str]] = {}
        for container in client.api.containers(all=True, filters={"label": owner.PID}):
            runs[container["Labels"].get("gameday.run", "")] = container["Labels"]
        for network in client.api.networks(filters={"label": owner.PID}):
            runs[network["Labels"].get("gameday.run", "")] = network["Labels"]
        return {run for run, labels in runs.items() if run and owner.alive(labels) is False}

    done = []
    for run in sorted(engine.do_now("look for what was left", dead)):
        gone = engine.do_now("clean up", lambda client, run=run: clear_now(client, {"gameday.run": run}))  # type: ignore[misc]
        done += [f"removed the {what}" for what in gone]
    return done
