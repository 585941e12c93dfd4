"""A plan for other schedulers: each line, unit and step does the plan, and what it cannot keep is said."""

import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from cronsim import CronSim

from harness.engine import plan as planning
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.cli_run import run as run_command
from harness.fronts.gamedays import emit as emitting
from harness.fronts.gamedays.cron_text import in_utc
from harness.fronts.gamedays.emit import emit
from harness.fronts.gamedays.plan_file import Plan, read
from harness.model.errors import UsageError
from tests.unit.test_cli import called

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "game-day.yaml"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def plan(**more: Any) -> Plan:
    rules = {"cron": "*/15 10 * * mon-fri", "timezone": "Asia/Tokyo", **more.pop("schedule", {})}
    return Plan.model_validate({"title": "t", "steps": [{"run": ["FM-A-01"]}], "schedule": rules, **more})


def emitted(kind: str, cron: str = "*/15 10 * * mon-fri", **more: Any) -> str:
    return emit(kind, Path("my plan.yaml"), plan(schedule={"cron": cron, **more.pop("schedule", {})}, **more))


# cron ---------------------------------------------------------------------------------------------------------------------


def test_cron_keeps_the_expression_and_the_zone_and_finds_the_program() -> None:
    text = emitted("cron")
    assert "CRON_TZ=Asia/Tokyo\n*/15 10 * * mon-fri cd " in text
    assert "gameday day 'my plan.yaml' --unattended --notify\n" in text
    command = text.splitlines()[-1].partition(" && ")[2]
    assert Path(shlex.split(command)[0]).is_absolute()
    assert "known to cronie alone" in text


def test_a_program_that_is_not_installed_is_named_by_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert emitting.program() == [str(tmp_path / "python"), "-m", "harness.fronts.cli"]


@pytest.mark.parametrize("kind", ["cron", "systemd", "github-actions"])
@pytest.mark.parametrize("cron", ["0 0 L * *", "0 0 LW * *", "0 0 * * 5L", "0 0 * * mon#2"])
def test_days_that_no_other_scheduler_knows_are_refused(kind: str, cron: str) -> None:
    with pytest.raises(UsageError, match="without L, W and #"):
        emitted(kind, cron)


# systemd ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("*/15 10 * * mon-fri", "OnCalendar=Mon..Fri *-*-* 10:00,15,30,45:00 Asia/Tokyo"),
        ("0 9 1 */3 *", "OnCalendar=*-01,04,07,10-01 09:00:00 Asia/Tokyo"),
        ("5 4 1,15 * 0", "OnCalendar=*-*-01,15 04:05:00 Asia/Tokyo\nOnCalendar=Sun *-*-* 04:05:00 Asia/Tokyo"),
        ("0 10 * * 0-5", "OnCalendar=Mon..Fri,Sun *-*-* 10:00:00 Asia/Tokyo"),
        ("0 10 * * sun-tue", "OnCalendar=Mon,Tue,Sun *-*-* 10:00:00 Asia/Tokyo"),
        ("0 10 * * 0-7", "OnCalendar=*-*-* 10:00:00 Asia/Tokyo"),
        ("0 10 * * 5-7", "OnCalendar=Fri..Sun *-*-* 10:00:00 Asia/Tokyo"),
        ("0 10 * * */2", "OnCalendar=Tue,Thu,Sat,Sun *-*-* 10:00:00 Asia/Tokyo"),
        ("0 10 */10 * mon", "OnCalendar=Mon *-*-01,11,21,31 10:00:00 Asia/Tokyo"),
    ],
)
def test_systemd_begins_at_the_same_moments(cron: str, says: str) -> None:
    assert f"{says}\nPersistent" in emitted("systemd", cron)


def test_systemd_leaves_the_words_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "program", lambda: ["/opt/100% of $it/gameday"])
    text = emitted("systemd", title="50% off")
    assert 'ExecStart="/opt/100%% of $$it/gameday" day "my plan.yaml" --unattended --notify\n' in text
    assert "Description=50%% off" in text


# GitHub Actions -----------------------------------------------------------------------------------------------------------


def proving(text: str) -> list[str]:
    steps = yaml.safe_load(text)["jobs"]["prove"]["steps"]
    return [step["run"] for step in steps if "gameday run" in step.get("run", "")]


def test_the_workflow_is_a_matrix_of_shards_with_a_merge() -> None:
    text = emitted("github-actions")
    workflow = yaml.safe_load(text)
    assert workflow["jobs"]["prove"]["strategy"]["matrix"]["shard"] == [1, 2, 3, 4]
    assert "--shard ${{ matrix.shard }}/4" in proving(text)[0]
    assert "--seed ${{ github.run_number }}" in proving(text)[0]
    assert workflow["jobs"]["merge"]["needs"] == "prove"
    assert "zone" not in workflow["jobs"]
    assert "Workflows keep UTC" in text


def test_every_shard_of_the_example_proves_what_its_step_names() -> None:
    known = read(EXAMPLE)
    catalogue = load_catalogue("scenarios", load_topology(None))
    chosen = []
    for command in proving(emit("github-actions", EXAMPLE, known)):
        words = shlex.split(command.replace("${{ matrix.shard }}", "1"))
        asked = run_command.make_context("run", words[2:]).params
        assert (asked["shard"], asked["seed"]) == ("1/4", 7)
        chosen.append([s.id for s in planning.choose(catalogue, asked["ids"], asked["sections"], asked["variant"])])
    assert sorted(chosen[0]) == ["FM-NATS-01", "FM-OB-01"]
    assert len(chosen) == 2
    assert all("5.7" in catalogue.scenarios[id_].sections for id_ in chosen[1])


def test_each_step_runs_with_all_its_options_whatever_became_of_the_one_before() -> None:
    steps = [{"run": "all", "variant": "all"}, {"section": ["5.6", "5.7"], "arm": "untreated"}, {"run": ["FM-A-01"]}]
    text = emitted(
        "github-actions", steps=steps, jobs=3, catalogue="mine", stack="my topo.toml", runtime="process", seed=9
    )
    of_day = "--runtime process --profile ci --jobs 3 --catalogue mine --stack 'my topo.toml'"
    shard = "--seed 9 --shard ${{ matrix.shard }}/4 --reports shard"
    assert proving(text) == [
        f".venv/bin/gameday run --variant all {of_day} {shard}/1",
        f".venv/bin/gameday run --section 5.6 --section 5.7 --arm untreated {of_day} {shard}/2",
        f".venv/bin/gameday run FM-A-01 {of_day} {shard}/3",
    ]
    jobs = yaml.safe_load(text)["jobs"]
    assert [s.get("if") for s in jobs["prove"]["steps"] if "gameday run" in s.get("run", "")][1:] == [
        "${{ !cancelled() }}"
    ] * 2
    merging = [s["run"] for s in jobs["merge"]["steps"] if "merge" in s.get("run", "")]
    assert merging == [f".venv/bin/gameday merge shards/*/{n}/2* --reports reports/{n}" for n in (1, 2, 3)]


def test_nothing_runs_after_a_question_that_nobody_answers_with_go() -> None:
    steps = [{"run": ["FM-A-01"]}, {"ask": "Really?", "unattended": "no-go"}, {"run": ["FM-B-01"]}]
    text = emitted("github-actions", steps=steps)
    assert len(proving(text)) == 1
    assert "Left out, for the answer is no-go: what comes after 'Really?'" in text
    with pytest.raises(UsageError, match="runs no scenarios"):
        emitted("github-actions", steps=steps[1:])


@pytest.mark.parametrize(
    ("cron", "zone", "lines"),
    [
        ("0 10 * * fri", "Asia/Tokyo", ["0 1 * * FRI"]),
        ("30 3 * * 1,7", "Asia/Tokyo", ["30 18 * * 0,6"]),
        ("0 10,22 * * *", "America/Phoenix", ["0 5,17 * * *"]),
        ("15 4 * * *", "Asia/Kolkata", ["45 22 * * *"]),
        ("0 3 2,15 * *", "Asia/Tokyo", ["0 18 1,14 * *"]),
        ("0 10 1 jan 7", "UTC", ["0 10 1 JAN 0"]),
    ],
)
def test_a_workflow_begins_at_the_plans_hour(cron: str, zone: str, lines: list[str]) -> None:
    workflow = yaml.safe_load(emitted("github-actions", cron, schedule={"timezone": zone}))
    assert workflow["on"]["schedule"] == [{"cron": line} for line in lines]
    local = CronSim(cron, NOW.astimezone(ZoneInfo(zone)))
    in_utc_ = sorted(m for line in lines for m in islice(CronSim(line, NOW), 40))
    assert in_utc_[:40] == [m.astimezone(UTC) for m in islice(local, 40)]


@pytest.mark.parametrize("cron", ["0 3 1 * *", "0 3 * 12 *", "0 3 */2 * *", "0 3 31 * *", "0 3 2 6 mon"])
def test_days_that_cannot_be_shifted_are_refused(cron: str) -> None:
    with pytest.raises(UsageError, match="another day in UTC"):
        emitted("github-actions", cron)


def begins(workflow: Any, line: str, at: datetime) -> bool:
    """Whether the first job's script lets a start go on; its `date` is one that says the offset of a moment."""
    job = workflow["jobs"]["zone"]["steps"][0]
    offset = at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%z")
    script = f"date() {{ echo {offset}; }}\n{job['run']}".replace('>> "$GITHUB_OUTPUT"', "")
    done = subprocess.run(
        ["sh", "-c", script], env={"LINE": line}, capture_output=True, text=True, check=True
    )  # fmt: skip
    return done.stdout == "begins=yes\n"


def test_a_workflow_follows_a_change_of_the_clocks() -> None:
    workflow = yaml.safe_load(emitted("github-actions", "0 10 * * *", schedule={"timezone": "Europe/Berlin"}))
    lines = [one["cron"] for one in workflow["on"]["schedule"]]
    assert sorted(lines) == ["0 8 * * *", "0 9 * * *"]
    assert workflow["jobs"]["prove"]["needs"] == "zone"
    began = []
    for line in lines:
        began += [m for m in islice(CronSim(line, NOW), 366) if begins(workflow, line, m)]
    local = islice(CronSim("0 10 * * *", NOW.astimezone(ZoneInfo("Europe/Berlin"))), 365)
    assert sorted(began)[:365] == [m.astimezone(UTC) for m in local]
    assert begins(workflow, "", NOW), "by hand"


def test_a_change_of_the_clocks_that_changes_no_line_needs_no_such_job() -> None:
    assert "zone" not in yaml.safe_load(
        emitted("github-actions", "0 * * * *", schedule={"timezone": "Europe/Berlin"})
    )["jobs"]  # fmt: skip
    assert in_utc("0 10 * * *", "UTC", NOW + timedelta(days=1)) == {"+0000": ["0 10 * * *"]}


# What is not kept ---------------------------------------------------------------------------------------------------------

NIGHT = {"daily_from": "01:00", "daily_until": "02:00"}


MISSED = "starts that were missed"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("cron", [MISSED]),
        ("systemd", []),
        (
            "github-actions",
            [MISSED, "abort conditions", "notifications", "roles", "one report of the whole day"],
        ),
    ],
)
def test_what_another_scheduler_cannot_keep_is_said(kind: str, more: list[str]) -> None:
    text = emitted(
        kind, schedule={"blackouts": [NIGHT], "budget": "a.b", "missed": "run-once"}, abort={"refuted": 1},
        notify=["json://${HOOK}/${TOKEN}"], roles={"scribe": "Chie"},
        steps=[{"run": "all"}, {"drill": {}}, {"ask": "Go on?"}],
    )  # fmt: skip
    comments = [line for line in text.splitlines() if line.startswith("#")]
    lost = ", ".join(["blackout windows", "the error budget", *more])
    assert f"# Not kept by {kind}: {lost}. gameday schedule run keeps them." in comments
    assert "# Left out, for nobody is there to be trained: drills." in comments
    assert any("Nobody is asked" in line for line in comments)
    assert any("HOOK, TOKEN from its environment" in line for line in comments) is (kind != "github-actions")


def test_what_is_kept_whole_has_no_such_comment() -> None:
    assert "Not kept" not in emitted("systemd")
    assert "Not kept" not in emitted("github-actions")


def test_a_plan_that_cannot_be_led_is_not_emitted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "title: t\nsteps: [{run: [FM-ZZ-99]}]\nschedule: {cron: '0 10 * * *'}\nnotify: ['json://${NOT_HERE}']\n"
    )
    code, out, err = called(capsys, "schedule", "emit", str(path), "--for", "cron")
    assert (code, out) == (2, "")
    assert "step 1: there is no scenario FM-ZZ-99" in err


@pytest.mark.parametrize(("flags", "titles"), [((), []), (("--notify",), ["t: begins", "t: done"])])
def test_an_unattended_day_tells_people_when_it_is_asked_to(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    titles: list[str],
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("title: t\nsteps: [{ask: '?'}]\nnotify: ['json://127.0.0.1:9/']\n")
    told: list[str] = []
    monkeypatch.setattr("harness.fronts.cli_day.notify", lambda _channels, title, _body: told.append(title) or [])
    assert called(capsys, "day", str(path), "--unattended", *flags, "--reports", str(tmp_path))[0] == 0
    assert told == titles
