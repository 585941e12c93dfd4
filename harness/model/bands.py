"""Steady bands: whether a measurement left, under a fault, what it showed before."""

from collections.abc import Sequence

from harness.model.probes import Sweep

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


def moved(sweeps: Sequence[Sweep], steady_s: float, injected_s: float, responded_s: float) -> dict[str, bool | None]:
    """For each probe of the sweeps, whether it left its band between injection and response."""
    before: dict[str, list[float]] = {}
    during: dict[str, list[float]] = {}
    names: dict[str, None] = {}
    for sweep in sweeps:
        into = (
            before
            if steady_s <= sweep.at_s < injected_s
            else during
            if injected_s <= sweep.at_s < responded_s
            else None
        )
        for name, value in sweep.values.items():
            names[name] = None
            if into is not None and value is not None:
                into.setdefault(name, []).append(value)
    return {name: left_band(before.get(name, ()), during.get(name, ())) for name in names}
