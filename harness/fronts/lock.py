"""One at a time: a lock on a folder, held for as long as its process lives."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from harness.model.errors import UsageError


@contextlib.contextmanager
def only_one(
    folder: Path, name: str, taken: str, instead: str = "name another folder with --reports"
) -> Iterator[None]:
    """Hold a lock of the folder; raises UsageError with `taken` and the holder's pid when somebody else holds it.

    `instead` is what to do about a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / name).open("a+")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}; {instead}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            lock.seek(0)
            raise UsageError(f"{taken} ({lock.read().strip() or 'unknown'})") from None
        lock.truncate(0)
        lock.write(f"pid {os.getpid()}")
        lock.flush()
        yield
