"""The table of a measurement."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        target: what it must not pass, or None without one.
        ratio: of this figure to the one it is compared with.
        more: whether more is better.
    """

    what: str
    unit: str
    target: float | None
    figure: float
    ratio: float | None = None
    more: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.more else self.figure <= self.target


def show(rows: Sequence[Row], machine: str) -> None:
    """Print it."""
    print(machine)
    print(f"{'what':<48} {'target':>9} {'figure':>9} {'ratio':>7}")
    for row in rows:
        target = "" if row.target is None else f"{row.target:g} {row.unit}"
        ratio = row.ratio if row.ratio is not None else (row.figure / row.target if row.target else None)
        mark = {True: "met", False: "MISSED", None: ""}[row.met]
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(f"{row.what:<48} {target:>9} {row.figure:>7.3g} {row.unit:<1} {shown:>7} {mark}")
