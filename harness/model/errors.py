"""What can go wrong, and what it means for the exit code.

    GamedayError
    ├── UsageError            the command line or the configuration is wrong           exit 2
    │   └── CatalogueError    a scenario, the topology or an inequality is wrong       exit 2
    ├── InfrastructureError   the machine or a part failed, not the runbook            exit 3
    │   ├── CellError         a cell could not be started, reset or shown clean
    │   └── ActFailed         an act on the system failed; `happened` says what is known of it
    ├── AbilityMissing        the runtime cannot do what the scenario needs            skipped
    └── Unreadable            a probe could not read; the sample is None

Every message is one line: what happened, where, and what to do.
"""

from enum import Enum


class GamedayError(Exception):
    """The root of every error that people can meet; its text is one line."""

    exit_code = 3


class UsageError(GamedayError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class CatalogueError(UsageError):
    """A scenario, the topology or one of their inequalities is wrong."""


class InfrastructureError(GamedayError):
    """The machine or a part of the stack failed in a way that says nothing about the runbook."""


class CellError(InfrastructureError):
    """A cell could not be started, reset or shown clean."""


class Happened(Enum):
    """Whether a failed act may have had its effect all the same."""

    NO = "no"
    UNKNOWN = "unknown"


class ActFailed(InfrastructureError):  # noqa: N818  (the words of the design)
    """An act on the system failed.

    Attributes:
        happened: whether its effect may be there all the same.
    """

    def __init__(self, message: str, *, happened: Happened = Happened.UNKNOWN) -> None:
        super().__init__(message)
        self.happened = happened


class AbilityMissing(GamedayError):  # noqa: N818  (the words of the design)
    """The runtime lacks an ability, so whatever needs it is skipped with this reason."""


class Unreadable(GamedayError):  # noqa: N818  (the words of the design)
    """A probe could not read its measurement; never a good sample."""
