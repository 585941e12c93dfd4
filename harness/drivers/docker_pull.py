"""Pulls one image and ends: a process of its own, so that a registry that never answers can be given up."""

import os
import signal
import sys

from harness.drivers.docker_engine import Engine
from harness.model.errors import InfrastructureError


def main() -> None:
    """Pull the image named by the argument within GAMEDAY_PULL_S seconds."""
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the registry does not answer"))
    signal.alarm(max(1, int(float(os.environ.get("GAMEDAY_PULL_S", "600")))))
    try:
        Engine.connect().do_now(f"pull {sys.argv[1]}", lambda client: client.images.pull(sys.argv[1]))
    except InfrastructureError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
