"""Fixtures that every folder may use, and what comes first."""

import pytest
from hypothesis import settings

from tests.catalogue.real_run import stage
from tests.containers.real_docker import docker_kit, docker_runtime, session_docker_kit
from tests.real import kit, runtime, session_kit

# How long an example takes is the machine's affair, which others use too.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

WHOLE = {"whole", "in_containers"}
"""The fixtures that run the whole catalogue."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs come before all that keeps a stack of its own beside them: they are to have the machine for themselves."""
    items.sort(key=lambda item: not WHOLE & set(getattr(item, "fixturenames", ())))


__all__ = [
    "docker_kit",
    "docker_runtime",
    "kit",
    "runtime",
    "session_docker_kit",
    "session_kit",
    "stage",
]
