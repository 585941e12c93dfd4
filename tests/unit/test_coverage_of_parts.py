"""Coverage of what was run in part, or again: nothing is said of what no run has shown, and the newest run tells."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.fronts import books
from harness.model.events import Claimed, Event, Moved, Queried, RunStarted, to_line
from harness.model.runbook import judged
from harness.model.scenario import Catalogue, Scenario, Section
from harness.runbook.coverage import LastClaim, Seen, cover
from harness.runbook.movement import Sample
from harness.runbook.parse import parse
from tests.unit.test_coverage import MOVES, TEXT, accepted, catalogue, course, names, of, query, small

__all__ = ["small"]

TWO = TEXT.replace("`FM-X-01`", "`FM-X-01`, `FM-X-02`")
SLOW = "PostgreSQL: canceling statement due to statement timeout"


def with_two(small: Scenario) -> Catalogue:
    """A section with two failure modes."""
    book = catalogue(small)
    return replace(book, scenarios={**book.scenarios, "FM-X-02": replace(small, id="FM-X-02")})


def of_the_other(samples: tuple[Sample, ...]) -> list[Sample]:
    return [Sample(s.run, replace(s.event, scenario="FM-X-02:again")) for s in samples]


def test_measurements_and_queries_are_not_blamed_before_every_fault_of_the_section_was_there(small: Scenario) -> None:
    bad, book, still = small.recovery.probes[0].name, with_two(small), course(3, 3, 3)

    def kinds(moved: dict[tuple[str, str], bool], samples: list[Sample]) -> set[str]:
        seen = Seen(samples=samples, moved=moved)
        return {g.kind for g in cover(parse(TWO), book, accepted=accepted(TWO), seen=seen).gaps}

    blamed = {"uninformative", "never-moves"}
    assert kinds({("FM-X-01", bad): False}, [*still]) & blamed == set()
    both = {("FM-X-01", bad): False, ("FM-X-02", bad): False}
    assert kinds(both, [*still, *of_the_other(still)]) & blamed == blamed
    assert kinds(both | {("FM-X-02", bad): True}, [*still, *of_the_other(course(0, 0, 9))]) & blamed == set()


def test_what_some_faults_alone_make_a_run_tell_is_not_missed_before_they_were_there(small: Scenario) -> None:
    rules = Section("3.2", "Rules", (), (judged("3.2/rule/1", "alert"),))
    book = with_two(small)
    book = replace(book, sections={**book.sections, "3.2": rules})

    def lost(*ids: str) -> bool:
        claims = {i: LastClaim(i, "PROVEN", "r", "", None) for i in ids}
        seen = Seen(claims=claims, kinds=frozenset({"claim"}))
        return any(g.kind == "lost-claim" for g in cover(parse(TWO), book, accepted=accepted(TWO), seen=seen).gaps)

    assert not lost("FM-X-01")
    assert lost("FM-X-01", "FM-X-02")


def test_a_query_that_is_too_slow_where_nothing_is_broken_is_told(small: Scenario) -> None:
    slow = [query(moment, 0, failed=SLOW) for moment in ("begun", "steady", "hold")]
    assert names(of(small, samples=slow)) == ["failed-sql:1.1/sql/1"]
    assert names(of(small, samples=[query("idle", 0, failed=SLOW)])) == ["failed-sql:1.1/sql/1"]
    # Under a fault it is the fault's, and once on a busy machine is not always.
    assert names(of(small, samples=[query("hold", 0, failed=SLOW)])) == []
    assert names(of(small, samples=[*slow, *MOVES])) == []


def test_what_the_database_refuses_since_the_newest_run_is_told(small: Scenario) -> None:
    gone = [
        query(m, 0, run="new/FM-X-01", failed='PostgreSQL: relation "bad" does not exist') for m in ("begun", "hold")
    ]
    old = course(0, 0, 7, run="old/FM-X-01:other")
    assert names(of(small, samples=[*gone, *old])) == ["failed-sql:1.1/sql/1"]
    assert names(of(small, samples=[*old, *gone])) == []


def told(folder: Path, at: str, events: list[Event], arm: str = "timeline") -> None:
    folder.mkdir()
    begun = RunStarted(0.0, None, folder.name, f"2026-01-{at}T00:00:00.000+00:00", 1, "process", "ci", arm, ["FM-X-01"])
    claim = Claimed(9.0, "FM-X-01", "PROVEN", [], "", 1.0, None, None, None)
    (folder / "journal.jsonl").write_text("\n".join(to_line(e) for e in (begun, *events, claim)))


def test_a_newer_run_stands_in_the_place_of_an_older_one_whatever_their_folders_are_called(tmp_path: Path) -> None:
    moved, still = (Moved(5.0, "FM-X-01", {"bad": m, "other": None}) for m in (True, False))
    told(tmp_path / "z-first", "01", [moved, *(s.event for s in course(0, 0, 7))])
    assert books.seen_in(tmp_path).moved == {("FM-X-01", "bad"): True}
    told(tmp_path / "a-second", "02", [still, *(s.event for s in course(3, 3, 3))])
    # One without a fault has nothing to put in their place.
    told(tmp_path / "control", "03", [s.event for s in course(3, 3, 3)[:2]], arm="control")
    seen = books.seen_in(tmp_path)
    assert seen.moved == {("FM-X-01", "bad"): False}
    assert {s.folder for s in seen.samples} == {"a-second", "control"}


def test_cells_that_only_ran_queries_do_not_push_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_RUNS", 2)
    for day in (1, 2, 3):
        told(tmp_path / f"run-{day}", f"0{day}", [])
    for day in (4, 5, 6):
        idle = Queried(1.0, None, "1.1/sql/1", scaled=False, digest="d", moment="idle")
        told(tmp_path / f"queries-{day}", f"0{day}", [idle], arm="queries")
    seen = books.seen_in(tmp_path)
    assert seen.claims["FM-X-01"].run_id == "run-3"
    assert len(seen.samples) == 3


@pytest.mark.parametrize("above", ["", "One more line.\n\n"])
def test_a_baseline_names_problems_without_the_line(small: Scenario, above: str) -> None:
    text = above + TEXT + "\n## 3.2 Rules again\n- one thing at a time\n"
    gaps = names(of(small, text, accepted=accepted(TEXT)))
    assert gaps == ["document:a second section 3.2", "unclaimed:3.2#2/rule/1"]


def test_a_baseline_that_is_nested_without_end_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.fronts.cli import main  # noqa: PLC0415

    deep = tmp_path / "baseline.json"
    deep.write_text("[" * 100_000)
    with pytest.raises(SystemExit) as ended:
        main.main(["coverage", "--offline", "--reports", str(tmp_path), "--baseline", str(deep)], prog_name="gameday")
    assert ended.value.code == 2
    assert "is no baseline" in capsys.readouterr().err
