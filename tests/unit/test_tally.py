"""Many runs in a row: what is said of them, and the exit code."""

import io

import pytest
from rich.console import Console

from harness.fronts.tally import Tally, exit_code
from harness.report import record
from tests.fakes.world import World, play


async def test_each_outcome_is_counted_and_the_worst_one_marks_the_line() -> None:
    tally = Tally()
    for works in (True, False, True):
        tally.add(record.of((await play(World(response_works=works)))[1]))
    console = Console(width=80, record=True, file=io.StringIO())
    tally.show(console)
    (line,) = [one for one in console.export_text().splitlines() if "FM-" in one]
    assert line.startswith("✗ FM-X-01")
    assert "1 REFUTED, 2 PROVEN" in line
    assert len(line) < 80


@pytest.mark.parametrize(("codes", "one"), [([], 0), ([0, 0], 0), ([0, 3, 0], 3), ([3, 1, 0], 1), ([1, 130], 130)])
def test_the_gravest_code_counts(codes: list[int], one: int) -> None:
    assert exit_code(codes) == one
