"""Taking turns at what keeps a core busy for a moment, among all lanes and all runs of this user."""

import contextlib
import fcntl
import time
from collections.abc import Iterator

from harness.drivers.clock import pause_sync
from harness.drivers.folders import state_folder

TURN_S = 5.0
"""How long one waits for its turn at most: who hangs, or is very slow, does not stop the others."""

LOOK_S = 0.02


@contextlib.contextmanager
def my_turn(at: str) -> Iterator[None]:
    """Wait, in a thread, until nobody else is at it, or `TURN_S`; `at` is a word for what is done."""
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{at}.lock").open("ab") as turn:
        deadline_s = time.monotonic() + TURN_S
        while not _taken(turn.fileno()) and time.monotonic() < deadline_s:
            pause_sync(LOOK_S)
        yield


def _taken(fd: int) -> bool:
    """Take the lock if it is free; the kernel frees it when the file is closed, however its process ends."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
