"""A team's drills over time, beside claims that they must not touch."""

import sqlite3
from pathlib import Path

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.drills.sealed import SealedJournal
from harness.model import events as ev
from harness.report.history import FILE, MIGRATIONS, History
from tests.unit.test_cli import called

X = "FM-X-01"


def drill(reports: Path, name: str, *, debriefed: bool) -> None:
    journal = SealedJournal(reports / name, ())
    journal.write(ev.RunStarted(0, None, name, "2026-03-02T10:00:00+00:00", 7, "process", "ci", "drill", [X], {}))
    journal.write(ev.ScenarioStarted(1, X, "t", [], "drill", 7, "f", "s", "r"))
    if not debriefed:
        journal.close()
        return
    journal.open()
    (reports / name / "debrief.json").write_text("{}")


def results_of(reports: Path) -> list[str]:
    with History(reports) as history:
        assert history.import_missing() == []
        return [r.label for r in history.results()]


@pytest.mark.parametrize("debriefed", [True, False])
def test_a_drill_is_no_run_of_the_claims_history(tmp_path: Path, debriefed: bool) -> None:
    drill(tmp_path, "drill-20260302-100000-ab12", debriefed=debriefed)
    assert results_of(tmp_path) == []
    with History(tmp_path) as history:
        assert history.known() == set()


def test_drills_that_were_taken_for_runs_are_taken_out(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript(";".join(MIGRATIONS[:2]))
        db.execute("PRAGMA user_version = 2")
        for name, arm in (("d", "drill"), ("r", "timeline")):
            db.execute("INSERT INTO runs (run_id, interrupted, arm, folder) VALUES (?, 0, ?, ?)", (name, arm, name))
            db.execute("INSERT INTO results VALUES (?, 0, ?, '', 'PROVEN', '', NULL, NULL, 2.0)", (name, f"FM-{name}"))
    db.close()
    assert results_of(tmp_path) == ["FM-r"]


@pytest.fixture
def team(tmp_path: Path) -> Path:
    def result(score: float, recover_s: float | None) -> dict[str, object]:
        return {"score": score, "level": 2, "detect_s": 12.4, "diagnose_s": 61.0, "recover_s": recover_s}

    with History(tmp_path) as history:
        history.add_drill("2026-03-02T10:00:00+00:00", "mia", X, result(40.0, None), "drill-1")
        history.add_drill("2026-03-09T10:00:00+00:00", "ann", f"{X}:slow", result(70.0, 80.0), "drill-2")
        history.add_drill("2026-03-16T10:00:00+00:00", "mia", "FM-X-02", result(83.5, 90.0), None)
    return tmp_path


def test_a_teams_drills_are_shown_over_time(capsys: pytest.CaptureFixture[str], team: Path) -> None:
    code, out, _ = called(capsys, "history", "--drills", "--reports", str(team))
    assert code == 0
    assert out.splitlines() == [
        "  when                  score  level   detected  diagnosed  recovered",
        "    what  drill",
        "ann: 1 drill, score 70 on average, 70 at best",
        "  2026-03-09 10:00 UTC     70      2       12 s       61 s       80 s",
        "    FM-X-01:slow  drill-2",
        "mia: 2 drills, score 62 on average, 83.5 at best",
        "  2026-03-02 10:00 UTC     40      2       12 s       61 s          -",
        "    FM-X-01  drill-1",
        "  2026-03-16 10:00 UTC   83.5      2       12 s       61 s       90 s",
        "    FM-X-02  -",
    ]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (("--trainee", "mia"), ["drill-1", "FM-X-02"]),
        ((X,), ["drill-1", "drill-2"]),
        (("fm-x-01",), ["drill-1", "drill-2"]),
        ((f"{X}:slow",), ["drill-2"]),
        (("--trainee", "bob"), ["has no such drills"]),
    ],
)
def test_drills_of_one_trainee_or_one_failure_mode(
    capsys: pytest.CaptureFixture[str], team: Path, asked: tuple[str, ...], shown: list[str]
) -> None:
    _, out, _ = called(capsys, "history", "--drills", *asked, "--reports", str(team))
    marks = ["drill-1", "drill-2", "FM-X-02", "has no such drills"]
    assert sorted(mark for mark in marks if mark in out) == sorted(shown)


def test_a_failure_mode_that_nobody_was_drilled_in_is_wrong_use(capsys: pytest.CaptureFixture[str], team: Path) -> None:
    code, _, err = called(capsys, "history", "FM-X-09", "--drills", "--reports", str(team))
    assert (code, err) == (2, f"gameday: no drill in {team} has FM-X-09; there are FM-X-01, FM-X-02\n")


def test_a_trainee_without_drills_is_wrong_use(capsys: pytest.CaptureFixture[str], team: Path) -> None:
    code, _, err = called(capsys, "history", "--trainee", "mia", "--reports", str(team))
    assert (code, err) == (2, "gameday: --trainee is for the history of drills; add --drills\n")


def test_a_drill_of_another_version_is_shown_as_far_as_it_is_known(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with History(tmp_path) as history:
        history.add_drill("2026-03-02", "ann", X, {"found": True})
    _, out, _ = called(capsys, "history", "--drills", "--reports", str(tmp_path))
    assert out.splitlines()[2] == "ann: 1 drill"
    assert out.splitlines()[3].split() == ["2026-03-02", "-", "-", "-", "-", "-"]
    assert out.splitlines()[4].split() == [X, "-"]


def test_a_row_fits_into_a_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    result = {"score": 100.0, "level": 3, "detect_s": 3600.0, "diagnose_s": 3600.0, "recover_s": 3600.0}
    catalogue = load_catalogue("scenarios", load_topology(None))
    labels = [f"{s.id}:{v.name}" for s in catalogue.scenarios.values() for v in s.variants]
    with History(tmp_path) as history:
        history.add_drill(
            "2026-03-02T10:00:00+00:00", "ann", max(labels, key=len), result, "drill-20260302-100000-ab12"
        )
    _, out, _ = called(capsys, "history", "--drills", "--reports", str(tmp_path))
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize("debriefed", [True, False])
@pytest.mark.parametrize(
    "command",
    [
        ("report", "DRILL"),
        ("postmortem", "DRILL", X),
        ("judge", "DRILL"),
        ("judge", "JOURNAL"),
        ("compare", "DRILL", "DRILL"),
    ],
)
def test_a_drill_is_no_run_for_the_commands_of_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: tuple[str, ...], debriefed: bool
) -> None:
    drill(tmp_path, "drill-1", debriefed=debriefed)
    folder = tmp_path / "drill-1"
    if debriefed:
        (folder / "debrief.md").write_text("# Debrief")
    before = sorted(folder.iterdir())
    named = {"DRILL": str(folder), "JOURNAL": str(folder / "journal.jsonl")}
    code, _, err = called(capsys, *(named.get(word, word) for word in command))
    where = f"its debrief is {folder / 'debrief.md'}" if debriefed else "it was ended before its debrief"
    assert (code, err) == (2, f"gameday: drill-1 is a drill, and claims nothing; {where}\n")
    assert sorted(folder.iterdir()) == before
