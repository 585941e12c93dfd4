"""This program's own commands in processes of their own, which do not outlive who started them."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from harness.drivers.spawner_child import die_with


def begin(words: Sequence[str], **more: Any) -> "subprocess.Popen[bytes]":
    """Start a command; it is interrupted when this process dies, however it dies, and ends as after Ctrl-C.

    `environment` is what its environment has beside ours; the rest is for Popen.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **more.pop("environment", {})}
    return subprocess.Popen(  # noqa: S603  (ourselves)
        [sys.executable, "-m", "harness.fronts.cli", *words],
        env=environment,
        # Between fork and exec it makes one call of the kernel and takes no lock.
        preexec_fn=partial(die_with, os.getpid(), signal.SIGINT),  # noqa: PLW1509
        **more,
    )
