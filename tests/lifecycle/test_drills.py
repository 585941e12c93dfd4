"""Drills of everything there is to drill, on the real stack: somebody is paged, and who knows the runbook recovers it."""

import itertools
from pathlib import Path

import pytest

from harness.model.drill import DrillRecord
from harness.model.scoring import score
from tests.lifecycle.trainees import CATALOGUE, TRAINEES, Trainee, drilled, everybody, scenario_of, seed_for

pytestmark = [pytest.mark.timeout(420), pytest.mark.deep]

GOOD = 90.0
"""Of 100 points: whoever knows what is broken and does what the runbook says has all but what the machine takes."""


def pair(seed: int) -> tuple[str, ...]:
    """The labels of what a drill of the third level breaks."""
    return scenario_of("", 3, seed)[1]


KNOWN = [s for s in CATALOGUE.scenarios.values() if s.response and s.sections]
VARIANTS = [f"{s.id}:{v.name}" for s in KNOWN for v in s.variants]
STORM = "FM-NOTI-03"
"""It needs as much traffic as any to show, and must have it beside another failure mode too."""

PAIRS = [*range(1, 13), *itertools.islice((n for n in itertools.count(13) if STORM in pair(n)), 2)]
"""Seeds of the third level."""

SURFACES: dict[str, frozenset[str]] = {}
"""What the first drill of each level showed of the harness when the page came; all others must show the same."""


def seen(record: DrillRecord, trainee: Trainee) -> str:
    points = "; ".join(f"{p.points:+g} {p.what}: {p.why}" for p in score(record).points)
    return f"{record.ended}; page {record.page!r}; {trainee.trouble}; {points}"


async def ends_well(section: str, level: int, seed: int, reports: Path) -> None:
    record, trainee = await drilled(section, level, seed, reports)
    assert record.whole, seen(record, trainee)
    assert record.ended == "recovered", seen(record, trainee)
    assert not trainee.trouble
    first, surface = SURFACES.setdefault(f"level {level}", trainee.surface), trainee.surface
    assert first, "nothing was seen of the drill at all"
    assert surface == first, f"it can be told from another drill: {surface ^ first}"
    assert score(record).total >= GOOD, seen(record, trainee)


@pytest.mark.parametrize("label", [s.id for s in KNOWN])
async def test_everything_can_be_drilled(label: str, tmp_path: Path) -> None:
    section, seed = seed_for(label, 1)
    await ends_well(section, 1, seed, tmp_path)


@pytest.mark.parametrize("label", VARIANTS)
async def test_every_variant_can_be_drilled(label: str, tmp_path: Path) -> None:
    section, seed = seed_for(label, 2)
    await ends_well(section, 2, seed, tmp_path)


@pytest.mark.parametrize("seed", PAIRS, ids=lambda seed: f"{seed}-{'-'.join(pair(seed))}")
async def test_two_factors_can_be_drilled(seed: int, tmp_path: Path) -> None:
    await ends_well("", 3, seed, tmp_path)


@pytest.mark.timeout(1200)
async def test_whoever_does_better_has_the_higher_score(tmp_path: Path) -> None:
    scores = {}
    for name, record in (await everybody(tmp_path)).items():
        assert record.whole, record.ended
        scores[name] = score(record).total
        assert (tmp_path / record.drill_id / "debrief.md").is_file()
    assert list(scores) == list(TRAINEES)
    assert all(better > worse for better, worse in itertools.pairwise(scores.values())), scores
