"""Lengths of time and thresholds derived from the stack's settings by name, so that they follow the profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Settings = Mapping[str, float]
"""Numbers by name: settings of the stack (durations in seconds), and `profile.async-scale`, `profile.alert-scale`."""

ASYNC_SCALE = "profile.async-scale"
"""The name under which the profile's factor for asynchronous objectives stands (1 realistic, 0.1 ci)."""

ALERT_SCALE = "profile.alert-scale"
"""The name under which the profile's factor for alert windows stands (1 realistic, 1/60 ci)."""


@dataclass(frozen=True)
class Span:
    """A number that is computed from the settings of a cell.

    Attributes:
        text: how it is derived, for people.
        of: the computation; raises KeyError for a setting that the topology does not name.
    """

    text: str
    of: Callable[[Settings], float]

    def __add__(self, other: "Span | float") -> "Span":
        right = as_span(other)
        return Span(f"{self.text} + {right.text}", lambda s: self.of(s) + right.of(s))

    def __mul__(self, factor: float) -> "Span":
        text = f"({self.text})" if " + " in self.text else self.text
        return Span(f"{text} x {factor:g}", lambda s: self.of(s) * factor)


Number = Span | float
"""A plain number, or one that is derived from settings."""


def as_span(value: Number) -> Span:
    """The value as a span."""
    if isinstance(value, Span):
        return value
    number = float(value)
    return Span(f"{number:g}", lambda _: number)


def setting(name: str) -> Span:
    """The number of a setting; durations count in seconds."""
    return Span(name, lambda s: s[name])


def scaled(value: float) -> Span:
    """A number of the realistic profile that scales as asynchronous objectives do."""
    return Span(f"{value:g} scaled", lambda s: value * s[ASYNC_SCALE])


def alert_minutes(minutes: float) -> Span:
    """A length of the alert policy, in seconds, which scales as its windows do."""
    return Span(f"{minutes:g} min of the alerts", lambda s: minutes * 60 * s[ALERT_SCALE])


def retries_last(prefix: str, *, jitter: float) -> Span:
    """How long `<prefix>.max-attempts` attempts last in seconds when every wait is `jitter` times its nominal length.

    Waits are `backoff-base` doubled each time and capped at `backoff-max`; the first attempt costs nothing.
    """

    def compute(s: Settings) -> float:
        base, cap = s[f"{prefix}.backoff-base"], s[f"{prefix}.backoff-max"]
        waits = (min(base * 2.0**n, cap) for n in range(int(s[f"{prefix}.max-attempts"]) - 1))
        return jitter * sum(waits)

    return Span(f"the retries of {prefix} at jitter {jitter:g}", compute)
