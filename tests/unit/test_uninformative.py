"""What never leaves its steady band under a fault tells nothing of it, and coverage says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.fronts import books
from harness.model.bands import left_band
from harness.model.events import Claimed, Moved, RunStarted, to_line
from harness.model.runbook import measured
from harness.model.scenario import Scenario
from harness.runbook.coverage import Coverage, Seen, cover
from harness.runbook.parse import parse
from tests.fakes.world import World, play
from tests.unit.test_coverage import TEXT, accepted, catalogue, small

__all__ = ["small"]

ID = "FM-X-01"


@pytest.mark.parametrize(
    ("before", "during", "left"),
    [
        ([1, 1, 1], [1, 1, 1], False),
        ([1, 1, 1], [1, 1, 2], True),
        ([0, 4, 2], [4.9, 0, 2], False),
        ([0, 4, 2], [5.1, 0, 2], True),
        ([1, 1], [9, 9, 9], None),
        ([1, 1, 1], [9, 9], None),
    ],
)
def test_a_band_is_what_was_seen_and_a_quarter_of_it(before: list[float], during: list[float], left: bool) -> None:
    assert left_band(before, during) is left


async def test_a_run_tells_what_moved_under_its_fault() -> None:
    _, journal = await play(World())
    told = [e for e in journal if isinstance(e, Moved)]
    assert len(told) == 1
    assert True in told[0].probes.values()
    _, still = await play(World(symptom_shows=False))
    assert [e for e in still if isinstance(e, Moved)] == []


def covered(small: Scenario, moved: dict[tuple[str, str], bool], sections: tuple[str, ...] = ("1.1",)) -> Coverage:
    return cover(parse(TEXT), catalogue(replace(small, sections=sections)), accepted=accepted(), seen=Seen(moved=moved))


def test_bullets_whose_measurements_never_moved_are_named(small: Scenario) -> None:
    bad = small.recovery.probes[0].name
    found = [g for g in covered(small, {(ID, bad): False}).gaps if g.kind == "uninformative"]
    assert [g.subject for g in found] == ["1.1/check/1", "1.1/recovery/1"]
    assert bad in found[0].says


@pytest.mark.parametrize(
    ("moved", "sections"),
    [
        ({}, ("1.1",)),  # never run, or never read often enough: nothing is known
        ({(ID, "bad"): True}, ("1.1",)),
        ({(ID, "bad"): False}, ()),  # a fault of another section says nothing of this one's bullets
    ],
)
def test_what_moved_or_is_not_known_is_not_blamed(
    small: Scenario, moved: dict[tuple[str, str], bool], sections: tuple[str, ...]
) -> None:
    bad = small.recovery.probes[0].name
    named = {(i, bad): m for (i, _), m in moved.items()}
    assert [g for g in covered(small, named, sections).gaps if g.kind == "uninformative"] == []


def test_a_measurement_that_nobody_could_see_move_keeps_its_bullet_from_being_blamed(small: Scenario) -> None:
    bad, other = small.recovery.probes[0], small.unaffected.probes[0] if small.unaffected else None
    assert other is not None
    book = catalogue(small)
    both = replace(book.sections["1.1"], bullets=(measured("1.1/recovery/1", bad, other),), checks=())
    whole = replace(book, sections={**book.sections, "1.1": both})
    for known, blamed in (({bad.name: False}, False), ({bad.name: False, other.name: False}, True)):
        seen = Seen(moved={(ID, p): m for p, m in known.items()})
        found = cover(parse(TEXT), whole, accepted=accepted(), seen=seen)
        assert any(g.kind == "uninformative" for g in found.gaps) is blamed


def test_what_moved_in_one_run_or_variant_has_moved(tmp_path: Path) -> None:
    for run, label, moved in (("a", "FM-X-01", True), ("b", "FM-X-01:other", False), ("c", "FM-X-01", None)):
        folder = tmp_path / run
        folder.mkdir()
        events = [
            RunStarted(0.0, None, run, "2026-01-01T00:00:00+00:00", 1, "process", "ci", "timeline", [label], {}),
            Moved(1.0, label, {"p": moved, "q": False}),
            Claimed(2.0, label, "PROVEN", [], "", None, None, None, None),
        ]
        (folder / "journal.jsonl").write_text("".join(to_line(e) + "\n" for e in events))
    assert dict(books.seen_in(tmp_path).moved) == {("FM-X-01", "p"): True, ("FM-X-01", "q"): False}
