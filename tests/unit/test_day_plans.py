"""Plans as people write them: what YAML makes of unquoted words, and what is refused before anything begins."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from harness.fronts.gamedays import calendar
from harness.fronts.gamedays.day import describe
from harness.fronts.gamedays.emit import emit
from harness.fronts.gamedays.plan_file import Abort, AskStep, Blackout, DrillSpec, Plan, RunStep, Schedule, read
from harness.model.errors import UsageError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "game-day.md"
EXAMPLE = ROOT / "docs" / "examples" / "game-day.yaml"
RUN_ALL = "title: x\nsteps: [{run: all}]\n"


def read_of(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return read(path)


def blackout(text: str) -> str:
    return f"{RUN_ALL}schedule: {{cron: '0 23 * * *', timezone: Asia/Tokyo, blackouts: [{{{text}}}]}}"


def test_run_all_is_the_whole_catalogue_and_one_id_is_an_id(tmp_path: Path) -> None:
    all_, one = read_of(tmp_path, "title: x\nsteps: [{run: all}, {run: FM-A-01}]").steps
    assert isinstance(all_, RunStep)
    assert isinstance(one, RunStep)
    assert (all_.run, one.run) == ("all", ("FM-A-01",))
    assert describe(all_) == "the whole catalogue"


@pytest.mark.parametrize("times", ["daily_from: 22:00, daily_until: 7:30", "daily_from: '22:00', daily_until: '07:30'"])
def test_a_time_of_day_is_one_with_quotes_and_without(tmp_path: Path, times: str) -> None:
    known = read_of(tmp_path, blackout(times)).schedule
    assert known is not None
    assert calendar.next_start(known, datetime(2026, 3, 2, tzinfo=UTC)) is None
    assert not known.blackouts[0].covers(datetime(2026, 3, 2, 7, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{RUN_ALL}date: 2026-02-30", ": date is a day like 2026-12-04, not 2026-02-30"),
        (blackout("from: 2026-11-01, until: 2026-11-31"), "schedule: blackout 1: until: day is out of range"),
        (blackout("from: 2026-12-24, until: 2026-12-01"), "before it begins"),
        (blackout("from: 2026-12-24 12:00:00, until: 2026-12-24 11:00:00"), "before it begins"),
        (blackout("from: 2026-12-24, until: 2026-12-30, days: [sat]"), "days are of a daily blackout"),
        (blackout("from: 2026-12-24, until: 2026-12-30, daily_from: 10:00"), "either"),
        (blackout("from: 2026-12-24, daily_from: 10:00, daily_until: 11:00"), "either"),
        (blackout("daily_from: 10:00, daily_until: 10:00"), "has a length"),
        (blackout("daily_from: 22, daily_until: 7"), "no time of day"),
        (blackout("daily_from: 25:00, daily_until: 7:00"), "hour must be in"),
        ("title: x\nsteps: [{run: []}]", "names nothing"),
        ("title: x\nsteps: [{}]", "run: all"),
        ("title: x\nsteps: [{section: 5.10}]", "in quotes"),
        (f"title: x\nsteps: {'[' * 3000}{']' * 3000}", "nested too deeply"),
        (f"{RUN_ALL}seed: {'7' * 5000}", "no YAML"),
        (f"{RUN_ALL}steps: [{{ask: well}}]", "no YAML: steps stands twice, again in line "),
        ("title: x\nsteps: [{run: all, run: [FM-OB-01]}]", "no YAML: run stands twice, again in line 2"),
    ],
)
def test_what_yaml_would_let_pass_is_one_line_that_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as error:
        read_of(tmp_path, text)
    assert "\n" not in str(error.value)


STEP = "title: x\nsteps: [{{ask: go}}, {{{}}}]"
SCHEDULE = "title: x\nsteps: [{{run: all}}]\nschedule: {{cron: '0 0 * * *', {}}}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            STEP.format("runn: all"),
            "step 2: runn is no word of a step; there are run, section, variant, arm, ask, unatt",
        ),
        (
            STEP.format("run: all, unattended: go"),
            "step 2: unattended is no word of a step with run; there are run, section",
        ),
        (STEP.format("ask: x, run: all"), "step 2: run is no word of a step with ask; there are ask, unattended"),
        (STEP.format("drill: {}, run: all"), "step 2: run is no word of a step with drill; there is drill"),
        (
            STEP.format("drill: {levl: 1}"),
            "step 2: levl is no word of a drill; there are section, level, trainee, time_limit",
        ),
        (STEP.format("drill: {time_limit: 600}"), "step 2: time_limit is a text like 10m, not 600"),
        (STEP.format("drill: {level: 9}"), "step 2: level is at most 3, not 9"),
        (STEP.format("drill: {level: hard}"), "step 2: level is a whole number, not hard"),
        (STEP.format("drill: 5"), "step 2: drill is a mapping like {level: 1}, not 5"),
        (STEP.format("section: 5.10"), "step 2: section: 5.1 is no text to YAML; write it in quotes"),
        (STEP.format("section: [5.10]"), "step 2: section: 5.1 is no text to YAML; write it in quotes"),
        (STEP.format("run: [[a]]"), "step 2: run: ['a'] in it is no text"),
        (STEP.format("run: {a: b}"), "step 2: run: {'a': 'b'} is no list of texts"),
        (STEP.format("ask: x, unattended: maybe"), "step 2: unattended is go or no-go, not maybe"),
        ("title: x\nsteps: [{unattended: go}]", "step 1: ask is missing"),
        ("title: x\nsteps: [all]", "step 1: a step is a mapping like {run: all}, not all"),
        ("title: x\nsteps: []", "steps names nothing"),
        ("title: x", "steps is missing"),
        (f"{RUN_ALL}titel: y", "titel is no word of a plan; there are title, date, roles"),
        ("title: 5\nsteps: [{run: all}]", "title is a text, not 5"),
        (f"{RUN_ALL}roles: {{scribe: 5}}", "roles: scribe is a text, not 5"),
        (f"{RUN_ALL}abort: {{refuted: x}}", "abort: refuted is a whole number, not x"),
        (f"{RUN_ALL}abort: {{minutes: 0}}", "abort: minutes is more than 0, not 0"),
        (
            f"{RUN_ALL}abort: {{minute: 1}}",
            "abort: minute is no word of the abort; there are refuted, inconclusive, minutes",
        ),
        (f"{RUN_ALL}abort:", "abort is a mapping like {refuted: 2}, not nothing"),
        (SCHEDULE.format("missed: x"), "schedule: missed is skip or run-once, not x"),
        (SCHEDULE.format("blackouts: [{from: 5}]"), "schedule: blackout 1: from: '5' is no day or moment"),
        (
            SCHEDULE.format("blackouts: [{frm: 5}]"),
            "schedule: blackout 1: frm is no word of a blackout; there are from, until",
        ),
        (
            SCHEDULE.format("blackouts: [{days: [friday]}]"),
            "schedule: blackout 1: days is mon, tue, wed, thu, fri, sat or sun",
        ),
    ],
)
def test_every_mistake_is_told_in_the_words_of_the_plan(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        read_of(tmp_path, text)
    assert str(error.value).startswith(f"the plan {tmp_path / 'plan.yaml'}: {says}")


def test_the_page_has_every_field_of_a_plan_with_its_default() -> None:
    _, _, page = PAGE.read_text(encoding="utf-8").partition("## Every field")
    tables = [
        re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\|", block, re.MULTILINE) for block in page.split("| -- | -- | -- |")[1:]
    ]
    models = (Plan, RunStep, AskStep, DrillSpec, Abort, Schedule, Blackout)
    for told, model in zip(tables, models, strict=True):
        assert told == [(known.alias or name, default_of(known)) for name, known in model.model_fields.items()]


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    shown = {(): "[]", "": '""', None: "none"}.get(value, str(value)) if not isinstance(value, dict | Abort) else "{}"
    return shown if shown == "none" else f"`{shown}`"


@pytest.mark.parametrize("kind", ["cron", "systemd", "github-actions"])
def test_the_page_says_what_to_do_with_what_is_emitted(kind: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    path = EXAMPLE.with_name("weekly.yaml")
    said = emit(kind, path, read(EXAMPLE))
    units = re.findall(r"^# ~/.config/systemd/user/(\S+\.timer)", said, re.MULTILINE)
    named = {"cron": ["crontab -e"], "github-actions": [".github/workflows"]}.get(kind) or [
        f"systemctl --user daemon-reload && systemctl --user enable --now {units[0]}", "loginctl enable-linger"
    ]  # fmt: skip
    assert [command for command in named if command not in page.partition("What to do with it:")[2]] == []


def test_a_blackout_of_one_day_is_that_day(tmp_path: Path) -> None:
    known = read_of(tmp_path, blackout("from: 2026-12-24, until: 2026-12-24")).schedule
    assert known is not None
    assert known.blackouts[0].covers(datetime(2026, 12, 24, 23, 59, tzinfo=UTC))
