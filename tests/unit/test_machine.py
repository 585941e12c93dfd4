"""What the machine bears, from what its cores did during one short look."""

import os
from collections import namedtuple
from typing import Any

import psutil
import pytest

from harness.drivers import machine

Memory = namedtuple("Memory", "available")  # noqa: PYI024
Times = namedtuple("Times", "user nice system idle iowait guest")  # noqa: PYI024  (the shape of psutil's own)


@pytest.mark.parametrize(
    ("spent", "share"),
    [
        ((0.0, 0.0, 0.0, 0.4, 0.0, 0.0), 1.0),
        ((0.2, 0.0, 0.0, 0.2, 0.0, 0.0), 0.5),
        ((0.0, 0.4, 0.0, 0.0, 0.0, 0.0), 1.0),
        ((0.1, 0.0, 0.1, 0.2, 0.4, 0.0), 0.75),
        ((0.3, 0.0, 0.1, 0.0, 0.0, 0.3), 0.0),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0),
    ],
    ids=["quiet", "half busy", "only what gives way", "waits for a disk", "busy, with a guest", "no tick passed"],
)
def test_a_short_look_tells_what_is_free(
    monkeypatch: pytest.MonkeyPatch, spent: tuple[float, ...], share: float
) -> None:
    readings = iter([Times(*([100.0] * 6)), Times(*(100.0 + s for s in spent))])

    def next_reading() -> Any:
        return next(readings)

    monkeypatch.setattr(psutil, "cpu_times", next_reading)
    monkeypatch.setattr(machine, "LOOK_S", 0.0)
    assert machine.idle_share() == pytest.approx(share)


@pytest.mark.parametrize(
    ("runtime", "shares", "cells"),
    [
        ("process", [1.0], 4),
        ("docker", [1.0], 3),
        ("process", [0.1, 0.2, 0.95], 4),
        ("process", [0.3, 0.5, 0.1, 0.0, 0.4], 2),
        ("docker", [0.3, 0.5, 0.1, 0.0, 0.4], 1),
        ("process", [0.0] * 5, 1),
    ],
    ids=["quiet", "quiet, containers", "busy for a moment", "busy", "busy, containers", "nothing is free"],
)
def test_a_moment_of_work_beside_does_not_halve_the_cells(
    monkeypatch: pytest.MonkeyPatch, runtime: str, shares: list[float], cells: int
) -> None:
    left = iter(shares)
    monkeypatch.setattr(machine, "idle_share", lambda: next(left))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1}, raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(8 * 2**30))
    assert machine.bears_cells(runtime) == cells
    assert list(left) == []
