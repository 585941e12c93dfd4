"""Fixtures that every folder may use."""

from tests.catalogue.real_run import stage
from tests.real import kit, runtime, session_kit

__all__ = ["kit", "runtime", "session_kit", "stage"]
