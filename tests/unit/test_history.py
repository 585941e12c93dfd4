"""The history and the postmortem on small made runs."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.model import events as ev
from harness.model.errors import InfrastructureError, UsageError
from harness.report.history import FILE, MIGRATIONS, History, Result, percentile, results_of, set_aside, worse
from harness.report.journal import JOURNAL
from harness.report.lang import Messages
from harness.report.postmortem import escaped, markdown
from harness.report.record import of


def run(run_id: str, claim: str = "PROVEN", rr_s: float | None = 2.0) -> dict[str, Any]:
    one = {"id": "FM-X-01", "variant": "", "claim": claim, "response_to_recovery_s": rr_s}
    return {"run_id": run_id, "started_at": f"2026-01-{run_id[-2:]}T00:00:00+00:00", "claims": [one]}


def result(claim: str, rr_s: float | None, arm: str = "timeline") -> Result:
    return Result("r", "", "FM-X-01", claim, "", None, None, rr_s, "ci", "process", arm)


def test_a_run_entered_twice_is_there_once(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.add(run("r-01"), "r-01")
        history.add(run("r-01", "REFUTED"), "r-01")
        assert [r.claim for r in history.results("FM-X-01")] == ["REFUTED"]


def test_runs_that_are_missing_are_imported_and_broken_ones_named(tmp_path: Path) -> None:
    for name, said in (("r-01", json.dumps(run("r-01"))), ("r-02", "{broken")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(said)
    with History(tmp_path) as history:
        assert [("r-02" in line) for line in history.import_missing()] == [True]
        assert [r.run_id for r in history.results()] == ["r-01"]


def journal_of(folder: Path, *, killed: bool = False) -> Path:
    """A run's folder with a whole journal, or with one that ends before its claim."""
    folder.mkdir()
    x = "FM-X-01"
    told: list[ev.Event] = [
        ev.RunStarted(0, None, folder.name, "2026-01-02T00:00:00+00:00", 1, "process", "ci", "timeline", [x]),
        ev.ScenarioStarted(1, x, "title", [], "timeline", 1, "f", "s", "r"),
    ]
    if not killed:
        told += [ev.Claimed(9, x, "PROVEN", [], "", 1.0, 2.0, 3.0, 4.0), ev.RunFinished(9, None, "2026-01-02")]
    (folder / JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in told))
    return folder


ODD = [
    b"", b'{"run_id": "r-02", "cla', b"\xff\xfe\x00", b"[]", b"[" * 100_000, b'{"claims": {"a": 1}}', b'{"claims": [7]}',
    *(
        json.dumps({**run("r-02"), **odd}).encode()
        for odd in ({"run_id": ["a"]}, {"run_id": {}}, {"arm": 5}, {"seed": "x"}, {"claims": [{"id": "FM-X-01"}]})
    ),
    json.dumps(run("r-02")).replace('"PROVEN"', "null").encode(),
    json.dumps(run("r-02", rr_s="long")).encode(),  # type: ignore[arg-type]
]  # fmt: skip
"""What may stand in a `run.json` that is none."""


def short(content: bytes) -> str:
    """A test's name for a file's content."""
    return repr(content[-40:])


@pytest.mark.parametrize("content", ODD, ids=short)
def test_a_run_whose_file_is_broken_is_read_from_its_journal(tmp_path: Path, content: bytes) -> None:
    (journal_of(tmp_path / "r-02") / "run.json").write_bytes(content)
    with History(tmp_path) as history:
        assert history.import_missing() == []
        assert [(r.run_id, r.claim, r.ttd_s, r.arm) for r in history.results()] == [("r-02", "PROVEN", 2.0, "timeline")]
    assert [(r.run_id, r.claim, r.ttd_s, r.arm) for r in results_of(tmp_path / "r-02")] == [
        ("r-02", "PROVEN", 2.0, "timeline")
    ]


@pytest.mark.parametrize("journal", [None, b"", b"rubbish\n"])
@pytest.mark.parametrize("content", [*ODD, json.dumps({**run("r-02"), "seed": 2**70}).encode()], ids=short)
def test_one_broken_run_is_named_and_costs_no_other(tmp_path: Path, content: bytes, journal: bytes | None) -> None:
    for name in ("r-01", "r-02", "r-03"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes(content if name == "r-02" else json.dumps(run(name)).encode())
    if journal is not None:
        (tmp_path / "r-02" / JOURNAL).write_bytes(journal)
    with History(tmp_path) as history:
        [line] = history.import_missing()
        assert str(tmp_path / "r-02") in line
        assert "left out" in line
        assert "\n" not in line
        assert [r.run_id for r in history.results()] == ["r-01", "r-03"]
        assert history.known() == {"r-01", "r-03"}


def test_a_full_disk_is_no_fault_of_the_runs_that_are_imported(tmp_path: Path) -> None:
    for name in ("r-01", "r-02"):
        (tmp_path / name).mkdir()
        big = [{"id": "FM-X-02", "claim": "PROVEN", "reason": "x" * 100_000}]
        (tmp_path / name / "run.json").write_text(json.dumps({**run(name), "claims": big}))
    with History(tmp_path) as history:
        pages = history._db.execute("PRAGMA page_count").fetchone()[0]
        history._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(InfrastructureError, match="full"):
            history.import_missing()
        assert history.results() == []


def test_a_killed_run_tells_what_there_is_and_an_empty_folder_nothing(tmp_path: Path) -> None:
    [one] = results_of(journal_of(tmp_path / "r-02", killed=True))
    assert (one.label, one.claim, one.profile) == ("FM-X-01", "INCONCLUSIVE", "ci")
    (tmp_path / "r-03").mkdir()
    (tmp_path / "r-03" / JOURNAL).touch()
    for name in ("r-03", "r-04"):
        with pytest.raises(UsageError, match=f"{name} cannot be read"):
            results_of(tmp_path / name)


def test_two_at_once_on_one_folder_lose_nothing(tmp_path: Path) -> None:
    with History(tmp_path) as one, History(tmp_path) as other:
        one.add(run("r-01"), "r-01")
        other.add(run("r-02"), "r-02")
        assert [r.run_id for r in one.results()] == ["r-01", "r-02"]


def test_a_broken_file_is_one_line_and_can_be_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database" * 100)
    with pytest.raises(InfrastructureError, match="--rebuild") as told:
        History(tmp_path)
    assert "\n" not in str(told.value)
    assert set_aside(tmp_path) == []
    with History(tmp_path) as history:
        assert history.results() == []
    assert (tmp_path / f"{FILE}.old-1").exists()


def test_a_rebuild_is_the_advice_for_a_damaged_file_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Reports")
    with pytest.raises(InfrastructureError, match=r"README.md cannot be written: File exists; name another folder"):
        History(tmp_path / "README.md")
    (tmp_path / FILE).mkdir()
    with pytest.raises(InfrastructureError, match="unable to open database file; let its folder be written"):
        History(tmp_path)


def test_drills_outlive_a_rebuild(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.add_drill("2026-01-01T00:00:00+00:00", "ann", "FM-X-01", {"found": True})
    [drill] = set_aside(tmp_path)
    assert (drill["who"], drill["result"]) == ("ann", {"found": True})


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InfrastructureError, match="newer gameday"):
        History(tmp_path)


def test_a_database_of_the_first_version_is_brought_up_to_this_one(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript(MIGRATIONS[0])
        db.execute("PRAGMA user_version = 1")
        db.execute(
            "INSERT INTO runs (run_id, started_at, interrupted, folder) VALUES ('r-01', '2026-01-01', 0, 'r-01')"
        )
        db.execute("INSERT INTO results VALUES ('r-01', 0, 'FM-X-01', 'slow', 'PROVEN', '', NULL, NULL, 2.0)")
    db.close()
    with History(tmp_path) as history:
        history.add(run("r-02"), "r-02")
        assert [(r.run_id, r.label) for r in history.results()] == [("r-01", "FM-X-01:slow"), ("r-02", "FM-X-01")]


def test_runs_are_read_in_their_order_by_an_index_for_there_may_be_thousands(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        plan = history._db.execute(
            "EXPLAIN QUERY PLAN SELECT u.run_id FROM results r JOIN runs u USING (run_id) ORDER BY u.started_at, u.run_id, r.n"
        ).fetchall()
    assert any("runs_by_time" in str(row) for row in plan)


def test_what_is_no_run_is_passed_over_when_runs_are_imported(tmp_path: Path) -> None:
    (tmp_path / "r-01").mkdir()
    (tmp_path / "r-01" / "run.json").write_text(json.dumps(run("r-01")))
    (tmp_path / "notes").mkdir()
    (tmp_path / "latest").symlink_to("r-01")
    with History(tmp_path) as history:
        assert history.import_missing() == []
        assert [r.run_id for r in history.results()] == ["r-01"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.add(run("r-01"), "r-01")
        pages = history._db.execute("PRAGMA page_count").fetchone()[0]
        history._db.execute(f"PRAGMA max_page_count = {pages}")
        big = {**run("r-02"), "claims": [{"id": "FM-X-02", "claim": "PROVEN", "reason": "x" * 100_000}]}
        with pytest.raises(InfrastructureError, match=r"full; free some space$"):
            history.add(big, "r-02")
        assert [r.run_id for r in history.results()] == ["r-01"]


def test_what_got_worse_is_explained_and_small_changes_are_not() -> None:
    assert "REFUTED" in worse(result("PROVEN", 2.0), result("REFUTED", None))
    assert "9.0 s, was 2.0 s" in worse(result("PROVEN", 2.0), result("PROVEN", 9.0))
    assert worse(result("PROVEN", 2.0), result("PROVEN", 3.5)) == ""
    assert worse(result("PROVEN", 20.0), result("PROVEN", 23.0)) == ""
    assert worse(result("PROVEN", 2.0), result("PROVEN", 9.0, arm="treated")) == ""


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([], 0.5) is None
    assert percentile([4.0, 1.0, 2.0, 3.0], 0.5) == 2.5


def made(check_under_fault: float, *, killed: bool = False, slis: Sequence[ev.SliMeasured] = ()) -> str:
    x = "FM-X-01"
    told: list[ev.Event] = [
        ev.RunStarted(0, None, "r-01", "2026-01-01", 1, "process", "ci", "timeline", [x]),
        ev.ScenarioStarted(1, x, "A <b>title</b> | `x`", [], "timeline", 1, "a->b is refused", "s", "r"),
        *(ev.Swept(2 + n / 10, x, {"a.b": 1.0}, 1.0) for n in range(5)),
        ev.PhaseStarted(3, x, "inject"),
        *(ev.Swept(4 + n / 10, x, {"a.b": check_under_fault}, 1.0) for n in range(5)),
        ev.PhaseStarted(5, x, "respond"),
        ev.Checked(5, x, "5.1/check/1", "Look", {"a.b": check_under_fault}),
        ev.Stepped(6, x, "Restart it", skipped=True, took_s=0),
    ]
    told += slis
    if not killed:
        told += [ev.Claimed(9, x, "PROVEN", [], "", 1.0, 2.0, 3.0, 4.0), ev.RunFinished(9, None, "2026-01-01")]
    record = of(told)
    return markdown(record, record.scenarios[0], Messages("en"))


def test_a_postmortem_has_its_records_and_proposes_what_differed() -> None:
    said = made(1.0)
    assert [f"## {n}." in said for n in range(1, 6)] == [True] * 5
    assert "TTD 2.0 s; TTR 3.0 s" in said
    assert "5.1/check/1" in said
    assert "was not needed here" in said
    assert "belongs to no section" in said
    assert "holds no SLI measurements" in said


def test_a_check_that_moved_is_not_blamed() -> None:
    assert "5.1/check/1" not in made(7.0)


def test_a_killed_run_has_a_postmortem_with_blanks() -> None:
    said = made(7.0, killed=True)
    assert "ended from outside" in said
    assert "TTD -; TTR -" in said
    assert "nothing about checks" in said


def test_an_indicator_that_went_blind_is_told_and_one_that_nobody_used_is_not() -> None:
    def sli(name: str, stretch: str, value: float | None) -> ev.SliMeasured:
        verdict = "unknown" if value is None else "held"
        return ev.SliMeasured(8, "FM-X-01", name, name, "ratio", "", 0.99, stretch, 0, 5, value, verdict)

    said = made(
        1.0,
        slis=[sli("a.blind", "steady", 1.0), sli("a.blind", "untreated", None)]
        + [sli("a.unused", stretch, None) for stretch in ("steady", "untreated")],
    )
    assert "a.blind" in said
    assert "cannot be known" in said
    assert "a.unused" not in said
    assert "No measured SLI missed" not in said


def test_markup_is_escaped() -> None:
    assert "<b>" not in made(1.0)
    assert escaped("a | `b` <i>\n# x") == "a \\| \\`b\\` &lt;i\\> \\# x"
