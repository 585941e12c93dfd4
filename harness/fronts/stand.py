"""`gameday up`, `down` and `status`: a stack on its own, kept by a process in the background."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from harness.drivers.clock import wait_until_sync
from harness.drivers.folders import state_folder
from harness.fronts.catalogue import load_topology
from harness.fronts.desk.served import served
from harness.fronts.wiring import make_runtime
from harness.model.errors import CellError, GamedayError, InfrastructureError, UsageError
from harness.model.runtime import Cell, CellSpec

UP_S = 180.0
"""How long a stack may take to be up; getting its parts or images is not counted."""


def _file(name: str) -> Path:
    return state_folder() / "stacks" / f"{name}.json"


def _read(name: str) -> dict[str, Any] | None:
    """What is noted of a stack that is up; None when there is none, and a dead one's note is removed."""
    try:
        noted: dict[str, Any] = json.loads(_file(name).read_text())
    except (OSError, ValueError):
        return None
    if _alive(noted):
        return noted
    _file(name).unlink(missing_ok=True)
    return None


def _alive(noted: dict[str, Any]) -> bool:
    try:
        process = psutil.Process(int(noted["pid"]))
        return abs(process.create_time() - float(noted["started"])) < 0.1 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return False


def up(name: str, profile: str, stack: str | None, runtime: str, catalogue: str = "scenarios") -> str:
    """Start a stack in the background and wait until it is up; gives its addresses and a login."""
    if not name.isidentifier():
        raise UsageError(f"'{name}' is no name for a stack; use letters, digits and underscores")
    topology = load_topology(stack)
    if profile not in topology.profiles:
        raise UsageError(f"there is no profile {profile}; there are {', '.join(topology.profiles)}")
    noted = _read(name)
    if noted is not None:
        return f"The stack {name} is up already.\n\n{noted['says']}"
    # Here and not in the keeper: it takes minutes once, and shows its progress.
    asyncio.run(make_runtime(runtime, topology, Path())[0].fetch())
    file = _file(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    log = file.with_suffix(".log")
    with log.open("w") as opened:
        keeper = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-m", "harness.fronts.stand", name, profile, stack or "", runtime, catalogue],
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=opened,
            start_new_session=True,
        )

    def there() -> dict[str, Any] | None:
        if keeper.poll() is not None:
            last = (log.read_text().strip().splitlines() or ["no output"])[-1]
            raise CellError(f"the stack did not come up: {last} (log: {log})")
        return _read(name)

    try:
        noted = wait_until_sync(there, what=f"the stack (log: {log})", timeout_s=UP_S, every_s=0.05)
    except BaseException:  # interrupted or not, no keeper may be left behind; it is raised again
        if keeper.poll() is None:
            keeper.terminate()
        raise
    assert noted is not None  # noqa: S101  (what it waited for)
    return str(noted["says"])


def down(name: str) -> str:
    """End a stack."""
    noted = _read(name)
    if noted is None:
        raise UsageError(f"no stack {name} is up; gameday status lists those that are")
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(noted["pid"]), signal.SIGTERM)
    try:
        wait_until_sync(lambda: not _alive(noted), what=f"the end of the stack {name}", timeout_s=20)
    except CellError:
        os.kill(int(noted["pid"]), signal.SIGKILL)
    _file(name).unlink(missing_ok=True)
    return f"The stack {name} is down."


def status() -> str:
    """Every stack that is up."""
    folder = state_folder() / "stacks"
    names = sorted(p.stem for p in folder.glob("*.json")) if folder.is_dir() else []
    found = [(name, noted) for name in names if (noted := _read(name)) is not None]
    if not found:
        return "No stack is up. Start one with: gameday up"
    return "\n\n".join(f"{name}\n{noted['says']}" for name, noted in found)


def describe(cell: Cell, name: str) -> str:
    """Where everything is, and how to log in."""
    topology = cell.topology
    lines = [f"The stack {name} is up ({cell.spec.profile}). Services, as clients reach them:"]
    for link in topology.links:
        client, server = link.split("->")
        if client == "client":
            lines.append(f"  {server:<14} http://{cell.link_address(link)}")
    lines.append("Past the links:")
    lines += [f"  {part:<14} {cell.address(part)}" for part in (*topology.parts, *topology.services)]
    lines.append(f"  {'toxiproxy':<14} http://{cell.proxy_api()}/proxies")
    entry = cell.link_address(f"client->{topology.entry}")
    lines.append(f"Log in: http://{entry}/login with user-001 / {topology.secrets.get('user-password', '')}")
    lines.append(f"Logs: {cell.spec.folder}")
    lines.append(f"On call: gameday ops{'' if name == 'default' else f' --name {name}'} help")
    lines.append(f"End it with: gameday down{'' if name == 'default' else f' --name {name}'}")
    return "\n".join(lines)


async def keep(name: str, profile: str, stack: str | None, runtime_name: str, catalogue: str) -> None:
    """Start the stack, note where it is, and keep it until told to end."""
    topology = load_topology(stack)
    logs = state_folder() / "stacks" / f"{name}-logs"
    runtime, _ = make_runtime(runtime_name, topology, logs)
    ended = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sig, ended.set)
    try:
        await runtime.open()
        cell = await runtime.cell(CellSpec("stack", profile, logs))
        await cell.ready(
            [*topology.services, *(name for name, part in topology.parts.items() if part.shared)], timeout_s=UP_S
        )
        me = psutil.Process()
        noted = {"pid": me.pid, "started": me.create_time(), "says": describe(cell, name)}
        fresh = _file(name).with_suffix(".new")
        fresh.write_text(json.dumps(noted))
        async with served(cell, name, catalogue, logs):
            fresh.rename(_file(name))
            await ended.wait()
    finally:
        _file(name).unlink(missing_ok=True)
        with contextlib.suppress(InfrastructureError):
            await runtime.close()


if __name__ == "__main__":
    _name, _profile, _stack, _runtime, _catalogue = sys.argv[1:6]
    try:
        asyncio.run(keep(_name, _profile, _stack or None, _runtime, _catalogue))
    except GamedayError as error:
        sys.exit(str(error))
