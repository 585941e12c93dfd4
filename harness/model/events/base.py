"""What all events have in common, and the words for phases, findings and claims."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Phase(Enum):
    """The phases of a scenario in their order."""

    STEADY = "steady"
    INJECT = "inject"
    WITNESS = "witness"
    SYMPTOM = "symptom"
    HOLD = "hold"
    RESPOND = "respond"
    RECOVER = "recover"
    INVARIANTS = "invariants"
    RESTORE = "restore"


class Finding(Enum):
    """What one scenario run came to."""

    AS_EXPECTED = "AS_EXPECTED"
    NOT_STEADY = "NOT_STEADY"
    NO_WITNESS = "NO_WITNESS"
    TOO_BUSY = "TOO_BUSY"
    VACUOUS_SYMPTOM = "VACUOUS_SYMPTOM"
    NOT_REPRODUCED = "NOT_REPRODUCED"
    SELF_HEALED = "SELF_HEALED"
    NOT_RECOVERED = "NOT_RECOVERED"
    COLLATERAL = "COLLATERAL"
    INVARIANT_BROKEN = "INVARIANT_BROKEN"
    UNKNOWN = "UNKNOWN"


class Claim(Enum):
    """What may be claimed of the runbook after it."""

    PROVEN = "PROVEN"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIPPED = "SKIPPED"


WORST_FIRST = tuple(c.value for c in (Claim.REFUTED, Claim.INCONCLUSIVE, Claim.SKIPPED, Claim.PROVEN))
"""The words of claims by their gravity: of several, the first one that occurs counts for all."""


@dataclass(frozen=True)
class Event:
    """What all events have: `t` in seconds since the run began, and the scenario's label or None."""

    kind: ClassVar[str] = "event"
    t: float
    scenario: str | None
