"""Steady bands: whether a measurement left, under a fault, what it showed before."""

from collections.abc import Iterable, Mapping, Sequence

MIN_SAMPLES = 3
"""With fewer samples than this before or under the fault nothing is said of a probe."""

ROOM_RATIO = 0.25
"""A steady band is what was seen in the steady stretch and this share of its width to either side."""


def left_band(before: Sequence[float], during: Sequence[float]) -> bool | None:
    """Whether a measurement left its steady band; None when too little of it was read on either side."""
    if len(before) < MIN_SAMPLES or len(during) < MIN_SAMPLES:
        return None
    low, high = min(before), max(before)
    room = max((high - low) * ROOM_RATIO, 1e-9)
    return any(v < low - room or v > high + room for v in during)


def moved(
    readings: Iterable[tuple[float, Mapping[str, float | None]]], steady_s: float, injected_s: float, responded_s: float
) -> dict[str, bool | None]:
    """For each probe of readings (when, and values by name), whether it left its band between injection and response."""
    seen: dict[str, tuple[list[float], list[float]]] = {}
    for at_s, values in readings:
        under = at_s >= injected_s
        counts = steady_s <= at_s < responded_s
        for name, value in values.items():
            bands = seen.setdefault(name, ([], []))
            if counts and value is not None:
                bands[under].append(value)
    return {name: left_band(before, during) for name, (before, during) in seen.items()}
