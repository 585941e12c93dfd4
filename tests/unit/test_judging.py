"""When a machine is too busy: by how late requests went out, and by what was not read."""

import pytest

from harness.engine.judging import too_busy
from harness.model.probes import Sweep


@pytest.mark.parametrize(
    ("late", "of", "busy"),
    [
        (0, 0, False),
        (0, 80, False),
        (1, 1, True),
        (2, 2, True),
        (1, 80, False),
        (2, 80, False),
        (3, 80, True),
        (3, 300, True),
        (3, 301, False),
        (4, 301, True),
        (6, 700, False),
        (7, 700, True),
    ],
)
def test_it_is_too_busy_by_three_late_ones_that_are_one_in_a_hundred(late: int, of: int, busy: bool) -> None:
    said = too_busy([0.05] * (of - late) + [0.0501] * late, [])
    assert (said is not None) == busy
    if said is not None:
        assert said.startswith(f"{late} of {of} request")


@pytest.mark.parametrize(("late", "of", "busy"), [(0, 80, False), (1, 80, True), (1, 101, False), (2, 101, True)])
def test_what_fell_short_is_excused_by_one_in_a_hundred(late: int, of: int, busy: bool) -> None:
    assert (too_busy([0.05] * (of - late) + [0.0501] * late, [], in_doubt=True) is not None) == busy


def sweep(at_s: float, cost_ms: float = 0.0) -> Sweep:
    return Sweep(at_s=at_s, values={}, cost_ms=cost_ms)


def test_one_stall_is_told_by_what_was_not_read_in_it() -> None:
    assert too_busy([0.0] * 79 + [1.6], [sweep(1.0), sweep(2.4), sweep(4.0)]) == (
        "no probe was read for 1.6 s: the machine is too busy"
    )
    assert too_busy([], [sweep(1.0), sweep(2.4)]) is None


def test_what_a_probe_waited_for_the_system_is_no_stall_of_the_machine() -> None:
    assert too_busy([], [sweep(1.0), sweep(3.1, cost_ms=1600)]) is None
