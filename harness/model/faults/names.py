"""What a fault names of the topology, so that a wrong name is known before anything is broken."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Kind(StrEnum):
    """What a name in a topology can be of."""

    ANY = "part or service"
    SERVICE = "service"
    LINK = "link"
    SETTING = "setting"
    RELEASE = "release"
    JOB = "job"


@dataclass(frozen=True)
class Name:
    """A name that the topology must know; settings and releases are `of` a service."""

    kind: Kind
    name: str
    of: str = ""


@runtime_checkable
class Naming(Protocol):
    """A fault that names things of the topology; what breaks by free functions or data alone names nothing."""

    @property
    def names(self) -> tuple[Name, ...]:
        """What must be there, a service before what is of it."""
