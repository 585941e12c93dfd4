"""The table of a measurement."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        target: what it must not pass, or None without one.
        stretch: what would be better still, or None.
        ratio: of this figure to the one it is compared with.
        more: whether more is better.
    """

    what: str
    unit: str
    target: float | None
    figure: float
    ratio: float | None = None
    more: bool = False
    stretch: float | None = None

    @property
    def says(self) -> str:
        """Whether the target is met, or what is better still; empty without one."""
        if self.stretch is not None and self._within(self.stretch):
            return "stretch met"
        if self.target is None:
            return ""
        return "met" if self._within(self.target) else "MISSED"

    def _within(self, target: float) -> bool:
        return self.figure >= target if self.more else self.figure <= target


def show(rows: Sequence[Row], machine: str) -> None:
    """Print it."""
    print(machine)
    print(f"{'what':<42} {'target':>8} {'stretch':>8} {'figure':>11} {'ratio':>6}")
    for row in rows:
        target, stretch = ("" if t is None else f"{t:g}" for t in (row.target, row.stretch))
        ratio = row.ratio if row.ratio is not None else (row.figure / row.target if row.target else None)
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(
            f"{row.what:<42} {target:>8} {stretch:>8} {row.figure:>7.3g} {row.unit:<3} {shown:>6} {row.says}".rstrip()
        )
