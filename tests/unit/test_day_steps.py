"""What a plan asks for is checked as a whole, with the commands' own words, before anything begins."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.drivers.notify import unknown
from harness.fronts import cli_day, wiring
from harness.fronts.gamedays import keeper
from harness.fronts.gamedays.plan_file import DrillStep, read
from harness.fronts.gamedays.steps import drill_words
from harness.model.errors import InfrastructureError, UsageError
from tests.unit.test_cli import called

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "game-day.yaml"
CRON = "schedule: {cron: '0 10 * * *'}\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(f"title: t\n{text}\n")
    return path


def test_the_example_is_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = called(capsys, "day", str(EXAMPLE), "--check", "--reports", str(tmp_path))
    assert code == 0
    assert out.endswith("The plan is whole.\n")
    assert "  5  drill: section 5.6, level 1, Ben\n" in out


BROKEN = [
    ("steps: [{run: [FM-ZZ-99]}]", "step 1: there is no scenario FM-ZZ-99"),
    ("steps: [{ask: '?'}, {drill: {section: '9.9'}}]", "step 2: there is no section 9.9"),
    ("steps: [{drill: {time_limit: soon}}]", "step 1: 'soon' is no time limit"),
    ("steps: [{drill: {time_limit: 1d}}]", "step 1: '1d' is no time limit"),
    ("steps: [{drill: {time_limit: 500ms}}]", "step 1: '500ms' is no time limit"),
    ("steps: [{drill: {time_limit: 0s}}]", "step 1: '0s' is no time limit"),
    ("steps: [{drill: {}}]\ncatalogue: nosuch", "step 1: there is no module nosuch"),
    ("steps: [{drill: {}}]\nprofile: slow", "step 1: there is no profile slow"),
    ("steps: [{drill: {}}]\nstack: /nowhere.toml", "step 1: the stack file /nowhere.toml cannot be read"),
    ("steps: [{ask: '?'}]\nnotify: ['carrier-pigeon://loft']", "notify: channel 1 (carrier-pigeon) is not known"),
    ("steps: [{ask: '?'}]\nnotify: ['json://${GAMEDAY_NO_SUCH}']", "${GAMEDAY_NO_SUCH}, which is not set"),
    (
        "steps: [{ask: '?'}]\nschedule: {cron: '0 10 * * *', budget: a.typo}",
        "schedule: budget: there is no indicator a.typo",
    ),
    (
        "steps: [{ask: '?'}]\nschedule: {cron: '0 10 * * *', budget: gateway.api_p95}",
        "gateway.api_p95 has no error budget, so it would refuse no start; those that have an error budget are gateway.",
    ),
    (
        "steps: [{ask: '?'}]\nschedule: {cron: '0 10 * * *', budget: notification.dlq}",
        "notification.dlq has no error budget",
    ),
]


@pytest.mark.parametrize(("text", "says"), BROKEN)
@pytest.mark.parametrize("flag", ["--check", "--unattended"])
def test_what_cannot_be_done_is_refused_before_anything_begins(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, says: str, flag: str
) -> None:
    path = written(tmp_path, text)
    code, out, err = called(capsys, "day", str(path), flag, "--reports", str(tmp_path / "reports"))
    assert (code, len(err.splitlines())) == (2, 1)
    assert f"the plan {path}: " in err
    assert says in err
    assert "whole" not in out
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(("text", "says"), BROKEN)
def test_a_scheduler_takes_no_plan_that_it_could_not_keep(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text if "schedule" in text else f"{text}\n{CRON}")
    with pytest.raises(UsageError, match=re.escape(says)):
        keeper.Keeper(
            [path], tmp_path, now=lambda: datetime(2026, 3, 2, tzinfo=UTC), start=lambda _: (0, ""), say=lambda _: None
        )


@pytest.mark.parametrize("address", ["HIDDEN-without-scheme", "discord:/123/HIDDEN", "carrier_pigeon!HIDDEN://x", ""])
def test_a_channel_without_a_scheme_keeps_its_secret(address: str) -> None:
    (line,) = unknown([address])
    assert "channel 1 (no scheme) is not known" in line
    assert "HIDDEN" not in line


def test_a_drill_is_asked_for_as_the_plan_says_and_its_seed_stays_out_of_sight(tmp_path: Path) -> None:
    text = "runtime: process\nprofile: realistic\ncatalogue: mine\nstack: my.toml\nseed: 71\nsteps:\n"
    known = read(written(tmp_path, f"{text}  - drill: {{section: '5.6', level: 2, trainee: ann, seed: 72}}"))
    step = known.steps[0]
    assert isinstance(step, DrillStep)
    words = " ".join(drill_words(known, step, Path("r")))
    for said in ("--runtime process", "--profile realistic", "--catalogue mine", "--stack my.toml", "--section 5.6"):
        assert said in words
    assert "--level 2 --time-limit 15m" in words
    assert "--trainee ann" in words
    assert "seed" not in words
    assert "72" not in words


def test_trouble_with_the_machine_ends_the_day_is_told_and_is_in_its_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says, told = "no container engine answers; start one", list[tuple[str, str]]()

    def no_engine(*_: object) -> None:
        raise InfrastructureError(says)

    monkeypatch.setattr(wiring, "run_to_end", no_engine)
    monkeypatch.setattr(cli_day, "notify", lambda _channels, title, body: told.append((title, body)) or [])
    path = written(tmp_path, "steps: [{run: [FM-OB-01]}, {run: all}]")
    code, out, err = called(
        capsys, "day", str(path), "--unattended", "--notify", "--reports", str(tmp_path / "reports")
    )  # fmt: skip
    assert (code, err) == (3, "")
    assert told == [("t: begins", ""), ("t: aborted", f"nothing was run; ended early: {says}")]
    (folder,) = (tmp_path / "reports").glob("day-*")
    assert f"ended early: {says}. Report: {folder / 'day.html'}" in out
    kept = json.loads((folder / "day.json").read_text())
    assert [(s["outcome"], s["says"]) for s in kept["steps"]] == [("INCONCLUSIVE", says)]
    assert kept["ended"] == says
    assert says in (folder / "day.md").read_text()
