"""Which cores a process may use."""

import contextlib
import os
from pathlib import Path


def narrow(pid: int) -> None:
    """Leave a process one core, so that whoever is measured meanwhile keeps the others; nothing where that cannot be done."""
    own = _own()
    if len(own) > 1:
        _let(pid, {max(own)})


def widen(pid: int) -> None:
    """Give a process every core again that this one has, with all its threads."""
    _let(pid, _own())


def _own() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _let(pid: int, cores: set[int]) -> None:
    # What a thread may use is its own affair on Linux; those that it starts later take after it.
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)
