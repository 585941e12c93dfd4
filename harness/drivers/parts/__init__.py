"""The real parts: found on PATH, named in the configuration, or fetched and built once into a per-user cache."""

from harness.drivers.parts.errors import BuildError, CacheError, FetchError, PartError
from harness.drivers.parts.store import Part, cached, ensure, ensure_all, executable, locate, planted

__all__ = [
    "BuildError",
    "CacheError",
    "FetchError",
    "Part",
    "PartError",
    "cached",
    "ensure",
    "ensure_all",
    "executable",
    "locate",
    "planted",
]
