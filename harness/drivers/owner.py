"""Who a thing belongs to: the runner by pid and start time, so that what a dead one left can be told from a living one's."""

import functools
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import psutil

PID, STARTED, MACHINE = "gameday.pid", "gameday.started", "gameday.machine"

FILE = ".owner.json"
"""In a folder of ours that is not to outlive who made it: the marks of that process."""


@functools.cache
def machine() -> str:
    """This machine since its last start, as seen from here: another container or host is another machine."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = str(int(psutil.boot_time()))
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()} {boot} {space}"


@functools.cache
def mine() -> dict[str, str]:
    """The marks of this process."""
    return {PID: str(os.getpid()), STARTED: f"{psutil.Process().create_time():.2f}", MACHINE: machine()}


def alive(marks: Mapping[str, str]) -> bool | None:
    """Whether the owner of these marks lives; None when it is another machine's, which cannot be told from here."""
    if marks.get(MACHINE) != machine():
        return None
    try:
        process = psutil.Process(int(marks[PID]))
        same = abs(process.create_time() - float(marks[STARTED])) < 0.1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return False
