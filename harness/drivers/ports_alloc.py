"""Ports on 127.0.0.1 for a cell: outside the range of outgoing connections, and never the same for two runs."""

import contextlib
import errno
import fcntl
import os
import random
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from harness.model.errors import InfrastructureError

LOW, HIGH = 20_000, 32_000
"""Below 32768: a stopped service would lose a port of the range that outgoing connections take theirs from."""

BLOCK = 100
"""Ports are reserved in blocks of this many, one lock file each."""


class PortsError(InfrastructureError):
    """No free ports could be had."""


@dataclass
class PortBlock:
    """Ports reserved for this process until it ends or lets go of them."""

    first: int
    _lock: IO[str]
    _given: list[int] = field(default_factory=list)

    def take(self, count: int) -> list[int]:
        """Ports that nobody listens on now; raises PortsError when the block has too few."""
        found: list[int] = []
        for port in range(self.first, self.first + BLOCK):
            if len(found) == count:
                break
            if port not in self._given and _free(port):
                found.append(port)
        if len(found) < count:
            raise PortsError(
                f"only {len(found)} of {count} ports are free from {self.first} on; end what listens there"
            )
        self._given += found
        return found

    def close(self) -> None:
        """Let go of the block."""
        self._lock.close()


def reserve(folder: Path) -> PortBlock:
    """A block that no other run on this machine has; the kernel frees it when this process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = list(range(LOW, HIGH, BLOCK))
    # Runs that begin together look in different places first.
    random.Random(os.getpid()).shuffle(blocks)
    for first in blocks:
        lock = (folder / f"{first}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            continue
        os.set_inheritable(lock.fileno(), False)
        return PortBlock(first, lock)
    raise PortsError(f"every block of ports from {LOW} to {HIGH} is taken; end other runs (gameday status lists them)")


def _free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
