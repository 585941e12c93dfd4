"""`gameday history` and `gameday compare` as they are called: like is compared with like, and nothing is a traceback."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.drivers import clock
from harness.fronts.cli import main
from harness.model import events as ev
from harness.report.history import FILE
from harness.report.journal import JOURNAL

X = "FM-X-01"


def run(reports: Path, day: str, claim: str = "PROVEN", rr_s: float | None = None, **more: Any) -> str:
    """A run of one scenario on a day of November, as its `run.json` has it; gives its id."""
    run_id = f"202611{day}-000000-aaaa"
    one = {"id": X, "variant": "", "claim": claim, "response_to_recovery_s": rr_s}
    told = {
        "run_id": run_id, "started_at": f"2026-11-{day}T00:00:00+00:00", "runtime": "process", "profile": "ci",
        "arm": "timeline", "claims": [one],
    }  # fmt: skip
    (reports / run_id).mkdir(parents=True)
    (reports / run_id / "run.json").write_text(json.dumps({**told, **more}))
    return run_id


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main.main(list(arguments), prog_name="gameday")
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return int(end.value.code or 0), said.out, said.err


@pytest.fixture
def history(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 26, tzinfo=UTC))

    def lines(*arguments: str) -> list[str]:
        code, out, _ = called(capsys, "history", *arguments, "--reports", str(tmp_path))
        assert code == 0
        return out.splitlines()

    return lines


@pytest.mark.parametrize("arm", ["control", "untreated", "placebo", "drill", ""])
def test_only_an_arm_that_breaks_and_responds_is_a_proof(tmp_path: Path, history: Any, arm: str) -> None:
    run(tmp_path, "25", arm=arm)
    assert "  never proven" in history()
    run(tmp_path, "01")
    head, proof, *_ = history()
    assert head == f"{X:<22} PROVEN        1 run, last 2026-11-01 00:00 UTC; 1 run on other arms"
    assert proof == "  STALE: proven 25.0 days ago"


def test_the_claim_that_is_shown_is_the_last_one_about_the_response(tmp_path: Path, history: Any) -> None:
    run(tmp_path, "01", "REFUTED")
    run(tmp_path, "24", arm="control")
    assert history()[0].startswith(f"{X:<22} REFUTED ")
    run(tmp_path, "25", arm="treated")
    assert history()[:2] == [
        f"{X:<22} PROVEN        2 runs, last 2026-11-25 00:00 UTC; 1 run on other arms",
        "  proven 1.0 days ago",
    ]


def test_a_scenario_that_was_never_responded_to_says_on_which_arm_it_ran(tmp_path: Path, history: Any) -> None:
    run(tmp_path, "25", arm="control")
    assert history()[:2] == [f"{X:<22} PROVEN        1 run, last 2026-11-25 00:00 UTC, arm control", "  never proven"]


def test_times_are_of_runs_under_the_same_conditions(tmp_path: Path, history: Any) -> None:
    run(tmp_path, "20", rr_s=3.0)
    run(tmp_path, "21", rr_s=5.0)
    assert "  response to recovery: p50 4.0 s, p95 4.9 s of 2" in history()
    run(tmp_path, "22", rr_s=60.0, profile="realistic")
    run(tmp_path, "23", rr_s=9.0, runtime="docker")
    times = [line for line in history() if "p50" in line]
    assert times == [
        "  response to recovery: p50 9.0 s, p95 9.0 s of 1 (ci, docker, timeline)",
        "  response to recovery: p50 4.0 s, p95 4.9 s of 2 (ci, process, timeline)",
        "  response to recovery: p50 60.0 s, p95 60.0 s of 1 (realistic, process, timeline)",
    ]
    assert any(line.startswith("  2026-11-22 00:00 UTC  PROVEN ") for line in history(X))
    assert any("60.0 s  20261122-000000-aaaa  realistic, process, timeline" in line for line in history(X))


def test_what_got_worse_is_told_of_runs_under_the_same_conditions(tmp_path: Path, history: Any) -> None:
    first = run(tmp_path, "20")
    run(tmp_path, "21", profile="realistic")
    run(tmp_path, "22", "REFUTED", arm="control")
    assert not any("worse" in line for line in history())
    run(tmp_path, "23", "REFUTED")
    assert [line for line in history() if "worse" in line] == [
        f"  worse than {first}: was PROVEN, is REFUTED (ci, process, timeline)"
    ]


@pytest.mark.parametrize("said", ["99999999999d", f"{'9' * 400}w", "soon", "-1d", "7 years"])
def test_a_length_of_time_that_is_none_is_one_line_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    code, _, err = called(capsys, "history", "--reports", str(tmp_path), f"--stale-after={said}")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "--stale-after" in err


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "yesterday", "2026-11-25"])
def test_a_moment_that_is_none_is_no_trouble(tmp_path: Path, history: Any, at: str) -> None:
    run(tmp_path, "25", started_at=at)
    assert "proven" in history()[1]


def test_a_rebuild_leaves_out_a_broken_run_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "20")
    broken = run(tmp_path, "21", claims=[{"id": X, "claim": None}])
    odd = run(tmp_path, "22", run_id=["odd"])
    run(tmp_path, "23")
    (tmp_path / FILE).write_bytes(b"this is no database" * 100)
    code, out, err = called(capsys, "history", "--rebuild", "--reports", str(tmp_path))
    assert code == 0
    assert "2 runs, last 2026-11-23" in out
    assert err.splitlines() == [
        f"gameday: {tmp_path / broken} cannot be read: its claim is null; it is left out of the history",
        f'gameday: {tmp_path / odd} cannot be read: its run_id is ["odd"]; it is left out of the history',
    ]


def test_a_killed_run_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = run(tmp_path, "20", rr_s=3.0)
    killed = tmp_path / "killed"
    killed.mkdir()
    started = ev.RunStarted(0, None, "killed", "2026-11-21T00:00:00+00:00", 1, "process", "ci", "timeline", [X])
    begun = ev.ScenarioStarted(1, X, "title", [], "timeline", 1, "f", "s", "r")
    (killed / JOURNAL).write_text(f"{ev.to_line(started)}\n{ev.to_line(begun)}\n{{")
    code, out, _ = called(capsys, "compare", before, "killed", "--reports", str(tmp_path))
    assert code == 1
    assert out.startswith(f"{X:<22} PROVEN")
    assert "worse: was PROVEN, is INCONCLUSIVE" in out


@pytest.mark.parametrize(
    ("more", "met"),
    [
        ({"arm": "control"}, "ci, process, control"),
        ({"profile": "realistic"}, "realistic, process, timeline"),
        ({"runtime": "docker"}, "ci, docker, timeline"),
    ],
)
def test_runs_under_other_conditions_are_shown_and_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, str], met: str
) -> None:
    one, other = run(tmp_path, "20", rr_s=3.0), run(tmp_path, "21", "REFUTED", **more)
    code, out, _ = called(capsys, "compare", one, other, "--reports", str(tmp_path))
    assert code == 0
    assert f"not compared: {met}, was ci, process, timeline" in out


def test_a_run_that_cannot_be_read_is_one_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = run(tmp_path, "20")
    other = run(tmp_path, "21", claims=None, run_id=None)
    code, _, err = called(capsys, "compare", one, other, "--reports", str(tmp_path))
    assert code == 2
    assert f"{other} cannot be read" in err


def test_an_id_may_be_written_in_small_letters(tmp_path: Path, history: Any) -> None:
    run(tmp_path, "25")
    run(tmp_path, "24", claims=[{"id": X, "variant": "slow", "claim": "PROVEN"}])
    assert history("fm-x-01")[0].startswith(f"{X:<22} PROVEN ")
    assert history("fm-x-01:slow")[0].startswith(f"{X}:slow ")


@pytest.mark.parametrize(
    ("asked", "there"), [("FM-OB-1", "FM-A-02, FM-X-01"), ("fm-x-01:melt", "FM-X-01, FM-X-01:slow")]
)
def test_an_id_that_the_history_does_not_have_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str, there: str
) -> None:
    named = [{"id": X, "variant": v, "claim": "PROVEN"} for v in ("slow", "")]
    run(tmp_path, "25", claims=[*named, {"id": "FM-A-02", "claim": "PROVEN"}])
    code, _, err = called(capsys, "history", asked, "--reports", str(tmp_path))
    label = asked.replace("fm-x", "FM-X")
    assert (code, err) == (2, f"gameday: no run in {tmp_path} has {label}; there are {there}\n")


@pytest.mark.parametrize("command", ["postmortem", "report"])
def test_the_commands_of_one_run_take_ids_in_small_letters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    folder = tmp_path / "r1"
    folder.mkdir()
    started = ev.RunStarted(0, None, "r1", "2026-11-21T00:00:00+00:00", 1, "process", "ci", "timeline", [X])
    begun = ev.ScenarioStarted(1, X, "title", [], "timeline", 1, "f", "s", "r")
    (folder / JOURNAL).write_text(f"{ev.to_line(started)}\n{ev.to_line(begun)}\n")
    own = {"postmortem": ("fm-x-01",), "report": ("--only", "fm-x-01", "--output", str(tmp_path / "out"))}
    code, _, err = called(capsys, command, "r1", *own[command], "--reports", str(tmp_path))
    assert (code, err) == (0, "")
    own = {"postmortem": ("fm-z-01",), "report": ("--only", "fm-z-01", "--output", str(tmp_path / "out"))}
    code, _, err = called(capsys, command, "r1", *own[command], "--reports", str(tmp_path))
    assert (code, err) == (2, f"gameday: {folder} has no scenario FM-Z-01; it has {X}\n")


@pytest.mark.parametrize("command", [("report",), ("postmortem", "latest", X), ("compare", "latest", "latest")])
@pytest.mark.parametrize("there", ["missing", "empty", "a drill"])
def test_a_folder_without_runs_is_told_with_what_makes_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    there: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if there != "missing":
        Path("reports").mkdir()
    if there == "a drill":
        Path("reports/d").mkdir()
        started = ev.RunStarted(0, None, "d", "2026-11-21T00:00:00+00:00", 1, "process", "ci", "drill", [X])
        (Path("reports/d") / JOURNAL).write_text(f"{ev.to_line(started)}\n")
    code, _, err = called(capsys, *command)
    assert (code, err) == (2, "gameday: reports has no runs yet; make one with: gameday run\n")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("latest", "my runs has no runs yet; make one with: gameday run --reports 'my runs'"),
        ("a/b", "there is no run a/b, and my runs has no runs yet; make one with: gameday run --reports 'my runs'"),
    ],
)
def test_the_advice_is_for_the_folder_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called(capsys, "report", asked, "--reports", "my runs")[2] == f"gameday: {says}\n"


def test_a_time_of_another_zone_is_told_as_utc(tmp_path: Path, history: Any) -> None:
    run(tmp_path, "25", started_at="2026-11-25T03:30:00+09:00")
    assert ", last 2026-11-24 18:30 UTC" in history()[0]


@pytest.mark.parametrize("more", [(), ("--drills",), ("--rebuild",), ("FM-X-01",)])
def test_a_folder_that_is_not_there_is_wrong_use_and_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    folder = tmp_path / "typo"
    code, _, err = called(capsys, "history", *more, "--reports", str(folder))
    assert (code, err) == (2, f"gameday: there is no folder {folder}; name another with --reports\n")
    assert not folder.exists()


def test_before_the_first_run_the_history_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = called(capsys, "history")
    assert code == 2
    assert err.endswith("there is no folder reports; name another with --reports, or make a run with: gameday run\n")


def test_a_file_in_the_place_of_the_folder_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    file.write_text("# Reports")
    code, _, err = called(capsys, "history", "--reports", str(file))
    assert (code, err) == (2, f"gameday: {file} is no folder; name another with --reports\n")


@pytest.mark.parametrize(("more", "says"), [((), "no runs yet"), (("--drills",), "no such drills yet")])
def test_no_database_appears_where_nothing_ever_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], says: str
) -> None:
    code, out, _ = called(capsys, "history", *more, "--reports", str(tmp_path))
    assert (code, out) == (0, f"{tmp_path} has {says}.\n")
    assert list(tmp_path.iterdir()) == []
