"""Numbers and times as people read them."""

from typing import Any


def num(value: Any) -> str:
    """A figure in at most four digits where it has a fraction; a dash where there is none."""
    if value is None:
        return "—"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer() and abs(value) < 10**15:
        return str(int(value))
    return f"{value:.4g}"


def secs(value: Any) -> str:
    """Seconds with their unit; a dash where there are none."""
    if not isinstance(value, int | float):
        return "—"
    return f"{value:.2f} s" if abs(value) < 10 else f"{value:.1f} s"


def tplus(value: float) -> str:
    """A moment in seconds since T, with its sign."""
    return f"{'−' if round(value, 2) < 0 else '+'}{abs(value):.2f} s"  # noqa: RUF001  (a minus as wide as the plus)


def figure(value: Any, kind: str, unit: str) -> str:
    """An indicator's value as people read it: a share in per cent, others with their unit."""
    if not isinstance(value, int | float):
        return "—"
    return f"{value * 100:.5g} %" if kind == "ratio" else f"{num(value)} {unit}".strip()
