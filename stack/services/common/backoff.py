"""Retries: how long to wait before the next attempt."""

import random
from dataclasses import dataclass

from stack.services.common.settings import Settings


@dataclass(frozen=True)
class Backoff:
    """Exponential waits with a cap and jitter.

    Attributes:
        max_attempts: after this many the work has failed for good.
    """

    base_s: float
    max_s: float
    exponent: float
    jitter_min: float
    jitter_max: float
    max_attempts: int

    @classmethod
    def of(cls, settings: Settings, prefix: str) -> "Backoff":
        """The settings under a prefix."""
        return cls(
            settings.duration_s(f"{prefix}.backoff-base", "1s"),
            settings.duration_s(f"{prefix}.backoff-max", "60s"),
            settings.number(f"{prefix}.backoff-exponent", 2.0),
            settings.number(f"{prefix}.backoff-jitter-min", 0.5),
            settings.number(f"{prefix}.backoff-jitter-max", 1.5),
            settings.integer(f"{prefix}.max-attempts", 10),
        )

    def wait_s(self, attempt: int) -> float:
        """How long to wait after the attempt of this number, counted from 1."""
        nominal_s = min(self.base_s * self.exponent ** min(attempt - 1, 64), self.max_s)
        return nominal_s * random.uniform(self.jitter_min, self.jitter_max)
