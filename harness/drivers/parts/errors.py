"""Errors of getting the real parts.

InfrastructureError
└── PartError           a part could not be had
├── FetchError      its download failed
├── BuildError      it could not be built
└── CacheError      the cache cannot be used
"""

from harness.model.errors import InfrastructureError


class PartError(InfrastructureError):
    """A part could not be had; the line says what failed and what to install instead."""


class FetchError(PartError):
    """A download failed or did not match its checksum; nothing of it was kept."""


class BuildError(PartError):
    """A part could not be built from its source or prepared for use."""


class CacheError(PartError):
    """The cache folder cannot be read or written."""
