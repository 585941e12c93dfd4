"""Drills of everything there is to drill, on the real stack: somebody is paged, and who knows the runbook recovers it."""

from pathlib import Path

import pytest

from harness.model.scoring import score
from tests.lifecycle.expert import CATALOGUE, drilled, scenario_of, seed_for

pytestmark = [pytest.mark.timeout(420), pytest.mark.deep]

GOOD = 90.0
"""Of 100 points: whoever knows what is broken and does what the runbook says has all but what the machine takes."""

KNOWN = [s for s in CATALOGUE.scenarios.values() if s.response and s.sections]
VARIANTS = [f"{s.id}:{v.name}" for s in KNOWN for v in s.variants]
PAIRS = range(1, 13)
"""Seeds of the third level."""


def seen(record: object, expert: object) -> str:
    return f"{record.ended}; page {record.page!r}; {expert.trouble}"  # type: ignore[attr-defined]


async def ends_well(section: str, level: int, seed: int, reports: Path) -> None:
    record, expert = await drilled(section, level, seed, reports)
    assert record.whole, seen(record, expert)
    assert record.ended == "recovered", seen(record, expert)
    assert not expert.trouble
    points = score(record)
    assert points.total >= GOOD, [f"{p.points:+g} {p.what}: {p.why}" for p in points.points]


@pytest.mark.parametrize("label", [s.id for s in KNOWN])
async def test_everything_can_be_drilled(label: str, tmp_path: Path) -> None:
    await ends_well(*seed_for(label, 1)[:1], 1, seed_for(label, 1)[1], tmp_path)


@pytest.mark.parametrize("label", VARIANTS)
async def test_every_variant_can_be_drilled(label: str, tmp_path: Path) -> None:
    section, seed = seed_for(label, 2)
    await ends_well(section, 2, seed, tmp_path)


@pytest.mark.parametrize("seed", PAIRS, ids=lambda seed: f"{seed}-{'-'.join(scenario_of('', 3, seed)[1])}")
async def test_two_factors_can_be_drilled(seed: int, tmp_path: Path) -> None:
    await ends_well("", 3, seed, tmp_path)
