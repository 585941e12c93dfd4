"""Plans, calendars and game days: pure decisions, and one led with hands of paper."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from harness.fronts.gamedays import calendar, day, keeper
from harness.fronts.gamedays.budget import spent_share
from harness.fronts.gamedays.limits import Watch
from harness.fronts.gamedays.plan_file import AskStep, DrillStep, Plan, RunStep, Schedule, read
from harness.fronts.merging import merged
from harness.model import events as ev
from harness.model.errors import UsageError
from harness.report import journal
from harness.report.day import StepRecord, from_mapping
from harness.report.record import of
from harness.report.run_json import run_json

SLI = "notification.delivery_success"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "game-day.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return path


def plan(steps: list[object], **more: object) -> Plan:
    return Plan.model_validate({"title": "t", "steps": steps, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Plans --------------------------------------------------------------------------------------------------------------------


def test_the_example_can_be_read() -> None:
    known = read(EXAMPLE)
    assert [type(s) for s in known.steps] == [AskStep, RunStep, AskStep, RunStep, DrillStep]
    assert known.schedule is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("title: [", "no YAML"),
        ("title: x", "steps"),
        ("title: x\nsteps: []", "steps"),
        ("title: x\nsteps: [{run: all, arm: legs}]", "there is no arm legs"),
        ("title: x\nsteps: [{rum: all}]", "rum"),
        ("title: x\nsteps: [{drill: {level: 9}}]", "level"),
        ("title: x\nsteps: [{run: all}]\nschedule: {cron: whenever}", "no cron expression"),
        ("title: x\nsteps: [{run: all}]\nschedule: {cron: '0 0 * * *', timezone: Mars/Base}", "no time zone Mars/Base"),
        ("title: x\nsteps: [{run: all}]\nschedule: {cron: '0 0 * * *', blackouts: [{from: 2026-01-01}]}", "either"),
    ],
)
def test_a_broken_plan_is_one_line_that_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as error:
        read(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_plan_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.yaml")
    (tmp_path / "plan.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no YAML"):
        read(tmp_path / "plan.yaml")


def test_channels_take_secrets_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plan([{"ask": "?"}], notify=["json://${HOOK}/x"])
    with pytest.raises(UsageError, match="HOOK"):
        known.channels()
    monkeypatch.setenv("HOOK", "127.0.0.1")
    assert known.channels() == ["json://127.0.0.1/x"]


# The calendar ---------------------------------------------------------------------------------------------------------------


def schedule(**more: object) -> Schedule:
    return Schedule.model_validate({"cron": "0 10 * * *", **more})


def test_a_start_is_due_once_and_on_time() -> None:
    found = calendar.due(schedule(), at("2026-03-02T09:59:50"), at("2026-03-02T10:00:10"))
    assert found == calendar.Due(at("2026-03-02T10:00:00"), ())
    assert calendar.due(schedule(), at("2026-03-02T10:00:10"), at("2026-03-02T10:00:30")) == calendar.Due()


@pytest.mark.parametrize(("missed", "begins"), [("skip", False), ("run-once", True)])
def test_missed_starts_are_caught_up_once_or_skipped(missed: str, begins: bool) -> None:
    found = calendar.due(schedule(missed=missed), at("2026-03-02T11:00:00"), at("2026-03-05T12:00:00"))
    assert (found.start == at("2026-03-05T10:00:00")) is begins
    assert len(found.skipped) == (2 if begins else 3)


def test_a_clock_that_goes_back_starts_nothing_twice() -> None:
    assert calendar.due(schedule(), at("2026-03-02T10:00:10"), at("2026-03-02T09:00:00")) == calendar.Due()


def test_nothing_begins_in_a_blackout() -> None:
    rules = schedule(blackouts=[{"from": "2026-03-02", "until": "2026-03-03"}])
    found = calendar.due(rules, at("2026-03-02T09:59:50"), at("2026-03-02T10:00:10"))
    assert found.start is None
    assert "blackout" in found.skipped[0][1]
    assert calendar.next_start(rules, at("2026-03-01T12:00:00")) == at("2026-03-04T10:00:00")


def test_a_nightly_blackout_belongs_to_the_day_it_begins_on() -> None:
    rules = schedule(cron="0 6 * * *", blackouts=[{"daily_from": "22:00", "daily_until": "07:00", "days": ["sat"]}])
    # 2026-03-07 is a Saturday: its night ends on Sunday morning.
    assert calendar.next_start(rules, at("2026-03-07T12:00:00")) == at("2026-03-09T06:00:00")
    assert calendar.next_start(rules, at("2026-03-06T12:00:00")) == at("2026-03-07T06:00:00")


def test_starts_follow_the_plans_time_zone_over_a_change_of_the_clocks() -> None:
    berlin = schedule(timezone="Europe/Berlin")
    first = calendar.next_start(berlin, at("2026-03-28T00:00:00"))
    second = calendar.next_start(berlin, at("2026-03-29T00:00:00"))
    assert first is not None
    assert second is not None
    assert (first.astimezone(UTC).hour, second.astimezone(UTC).hour) == (9, 8)


# The scheduler --------------------------------------------------------------------------------------------------------------


class Now:
    def __init__(self, text: str) -> None:
        self.value = at(text)

    def __call__(self) -> datetime:
        return self.value

    def go(self, seconds: float) -> None:
        self.value += timedelta(seconds=seconds)


def kept(tmp_path: Path, now: Now, started: list[Path], said: list[str], **more: object) -> keeper.Keeper:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"title": "t", "steps": [{"ask": "?"}], **more}))

    def start(plan_: Path) -> tuple[int, str]:
        started.append(plan_)
        return 0, "fine"

    return keeper.Keeper([path], tmp_path, now=now, start=start, say=said.append, tell=lambda *_: [])


def test_the_scheduler_starts_what_is_due_and_remembers_it(tmp_path: Path) -> None:
    now, started, said = Now("2026-03-02T09:59:50"), list[Path](), list[str]()
    made = kept(tmp_path, now, started, said, schedule={"cron": "0 10 * * *"})
    assert made.look() == pytest.approx(10, abs=0.1)
    now.go(12)
    made.look()
    assert started == [tmp_path / "plan.yaml"]
    # Restarted at the same moment, it does not begin again.
    kept(tmp_path, now, started, said, schedule={"cron": "0 10 * * *"}).look()
    assert len(started) == 1


def test_what_was_missed_while_it_was_down_is_caught_up(tmp_path: Path) -> None:
    now, started, said = Now("2026-03-02T09:00:00"), list[Path](), list[str]()
    rules = {"cron": "0 10 * * *", "missed": "run-once"}
    kept(tmp_path, now, started, said, schedule=rules).look()
    now.go(86400 * 2)
    kept(tmp_path, now, started, said, schedule=rules).look()
    assert len(started) == 1


def run_file(tmp_path: Path, minutes: float) -> None:
    sli = {"name": SLI, "objective": 0.999, "budget_minutes": minutes}
    (tmp_path / "r1").mkdir()
    run = {"started_at": "2026-03-01T00:00:00+00:00", "claims": [{"slis": [sli]}, {}]}
    (tmp_path / "r1" / "run.json").write_text(json.dumps(run))


@pytest.mark.parametrize(("minutes", "begins"), [(1.0, True), (41.0, False)])
def test_a_spent_budget_refuses_a_start(tmp_path: Path, minutes: float, begins: bool) -> None:
    run_file(tmp_path, minutes)
    now, started, said = Now("2026-03-02T09:59:50"), list[Path](), list[str]()
    made = kept(tmp_path, now, started, said, schedule={"cron": "0 10 * * *", "budget": SLI})
    now.go(12)
    made.look()
    assert bool(started) is begins
    assert begins or any("is spent" in line for line in said)


def test_a_budget_that_nothing_measured_is_not_known(tmp_path: Path) -> None:
    run_file(tmp_path, 1.0)
    assert spent_share(tmp_path, SLI, 28, at("2026-03-02T00:00:00")) == pytest.approx(1.0 / 40.32)
    assert spent_share(tmp_path, "a.c", 28, at("2026-03-02T00:00:00")) is None
    assert spent_share(tmp_path, SLI, 28, at("2026-05-02T00:00:00")) is None


def shard_file(folder: Path, label: str, at_: str, minutes: float) -> Path:
    folder.mkdir()
    measured = ev.SliMeasured(
        9.0, label, SLI, "", "ratio", "share", 0.999, "treated", 1.0, 9.0, 0.9, "broken", 9.0, 10.0, minutes
    )
    run: list[ev.Event] = [
        ev.RunStarted(0.0, None, folder.name, at_, 1, "process", "ci", "timeline", [label]),
        ev.ScenarioStarted(0.0, label, "t", ["5.6"], "timeline", 1, "f", "s", "r"),
        measured,
        ev.Claimed(9.0, label, "PROVEN", [], "", None, None, None, None),
        ev.RunFinished(9.0, None, at_),
    ]
    (folder / journal.JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in run))
    (folder / "run.json").write_text(json.dumps(run_json(of(run))))
    return folder


def test_a_shard_and_its_merge_in_one_folder_count_once(tmp_path: Path) -> None:
    now, share = at("2026-03-02T00:00:00"), 1 / 40.32
    first = shard_file(tmp_path / "b1", "FM-X-01", "2026-03-01T00:00:00+00:00", 1.0)
    second = shard_file(tmp_path / "a2", "FM-X-02:slow", "2026-03-01T00:00:01+00:00", 2.0)
    assert spent_share(tmp_path, SLI, 28, now) == pytest.approx(3 * share)
    merged([first, second], tmp_path)
    assert spent_share(tmp_path, SLI, 28, now) == pytest.approx(3 * share)
    shutil.rmtree(second)
    assert spent_share(tmp_path, SLI, 28, now) == pytest.approx(3 * share)
    # Another run of the same scenario is another one.
    shard_file(tmp_path / "c3", "FM-X-01", "2026-03-01T01:00:00+00:00", 4.0)
    assert spent_share(tmp_path, SLI, 28, now) == pytest.approx(7 * share)


def test_two_schedulers_on_one_folder_are_refused(tmp_path: Path) -> None:
    with keeper.only_one(tmp_path), pytest.raises(UsageError, match="another scheduler"), keeper.only_one(tmp_path):
        pass
    with day.only_one(tmp_path), pytest.raises(UsageError, match="another game day"), day.only_one(tmp_path):
        pass


# The day --------------------------------------------------------------------------------------------------------------------


def hands(claims: list[str], go: bool = True, took_s: float = 1.0) -> day.Hands:
    left = list(claims)
    ticks = iter(range(1000))

    def run(_step: RunStep, record: StepRecord, _watch: Watch) -> None:
        claim = left.pop(0)
        if claim == "interrupt":
            raise day.Interrupted
        record.claims.append(
            {"label": "A", "claim": claim, "title": "<b>t", "reason": "", "response_to_recovery_s": None}
        )
        record.outcome = claim

    return day.Hands(run, lambda _s, r: setattr(r, "outcome", "done"), lambda _s, _r: go, lambda: next(ticks) * took_s)


@pytest.mark.parametrize(
    ("claims", "more", "ended", "code"),
    [
        (["PROVEN", "PROVEN"], {}, "", 0),
        (["REFUTED", "PROVEN"], {}, "", 1),
        (["REFUTED"], {"abort": {"refuted": 1}}, "1 refuted, the plan aborts at 1", 1),
        (["INCONCLUSIVE"], {"abort": {"inconclusive": 1}}, "1 inconclusive, the plan aborts at 1", 3),
        (["PROVEN", "interrupt"], {}, "interrupted", 130),
        (["PROVEN"], {"abort": {"minutes": 0.001}}, "0.001 minutes are over", 3),
    ],
)
def test_a_day_ends_as_its_claims_and_conditions_say(
    tmp_path: Path, claims: list[str], more: dict[str, object], ended: str, code: int
) -> None:
    found = day.lead(plan([{"run": "all"}, {"run": "all"}], **more), tmp_path / "d", hands(claims), attended=True)
    assert (found.ended, day.exit_code(found)) == (ended, code)
    kept_ = from_mapping(json.loads((tmp_path / "d" / "day.json").read_text()))
    assert kept_ == found
    assert "<b>t" not in (tmp_path / "d" / "day.html").read_text()
    assert "<b>t" not in (tmp_path / "d" / "day.md").read_text()


@pytest.mark.parametrize(("go", "steps"), [(True, 2), (False, 1)])
def test_a_no_go_ends_the_day(tmp_path: Path, go: bool, steps: int) -> None:
    found = day.lead(plan([{"ask": "Go on?"}, {"run": "all"}]), tmp_path / "d", hands(["PROVEN"], go), attended=True)
    assert len(found.steps) == steps
    assert found.ended == ("" if go else "no-go: Go on?")
