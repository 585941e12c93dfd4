"""The real parts: found on PATH, named in the configuration, or fetched and built once into a per-user cache."""

from harness.drivers.parts.errors import BuildError, CacheError, FetchError, PartError
from harness.drivers.parts.store import Part, ensure, ensure_all, executable, locate, plant_realm, planted

__all__ = [
    "BuildError",
    "CacheError",
    "FetchError",
    "Part",
    "PartError",
    "ensure",
    "ensure_all",
    "executable",
    "locate",
    "plant_realm",
    "planted",
]
