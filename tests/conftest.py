"""Fixtures that every folder may use."""

from tests.catalogue.real_run import stage
from tests.containers.real_docker import docker_kit, docker_runtime, session_docker_kit
from tests.real import kit, runtime, session_kit

__all__ = [
    "docker_kit",
    "docker_runtime",
    "kit",
    "runtime",
    "session_docker_kit",
    "session_kit",
    "stage",
]
