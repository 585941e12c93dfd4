"""What the machine bears, from what its cores did during one short look."""

from collections import namedtuple
from typing import Any

import psutil
import pytest

from harness.drivers import machine

Times = namedtuple("Times", "user nice system idle guest")  # noqa: PYI024  (the shape of psutil's own)


@pytest.mark.parametrize(
    ("spent", "share"),
    [
        ((0.0, 0.0, 0.0, 0.4, 0.0), 1.0),
        ((0.2, 0.0, 0.0, 0.2, 0.0), 0.5),
        ((0.0, 0.4, 0.0, 0.0, 0.0), 1.0),
        ((0.3, 0.0, 0.1, 0.0, 0.3), 0.0),
        ((0.0, 0.0, 0.0, 0.0, 0.0), 1.0),
    ],
    ids=["quiet", "half busy", "only what gives way", "busy, with a guest", "no tick passed"],
)
def test_a_short_look_tells_what_is_free(
    monkeypatch: pytest.MonkeyPatch, spent: tuple[float, ...], share: float
) -> None:
    readings = iter([Times(*([100.0] * 5)), Times(*(100.0 + s for s in spent))])

    def next_reading() -> Any:
        return next(readings)

    monkeypatch.setattr(psutil, "cpu_times", next_reading)
    monkeypatch.setattr(machine, "LOOK_S", 0.0)
    assert machine.idle_share() == pytest.approx(share)
