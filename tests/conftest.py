"""Fixtures that every folder may use."""

from hypothesis import settings

from tests.catalogue.real_run import stage
from tests.containers.real_docker import docker_kit, docker_runtime, session_docker_kit
from tests.real import kit, runtime, session_kit

# How long an example takes is the machine's affair, which others use too.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

__all__ = [
    "docker_kit",
    "docker_runtime",
    "kit",
    "runtime",
    "session_docker_kit",
    "session_kit",
    "stage",
]
