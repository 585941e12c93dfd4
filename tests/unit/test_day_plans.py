"""Plans as people write them: what YAML makes of unquoted words, and what is refused before anything begins."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.fronts.gamedays import calendar
from harness.fronts.gamedays.day import describe
from harness.fronts.gamedays.plan_file import Plan, RunStep, read
from harness.model.errors import UsageError

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
        (f"{RUN_ALL}date: 2026-02-30", "date: "),
        (blackout("from: 2026-11-01, until: 2026-11-31"), "until: day is out of range"),
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
    ],
)
def test_what_yaml_would_let_pass_is_one_line_that_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as error:
        read_of(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_blackout_of_one_day_is_that_day(tmp_path: Path) -> None:
    known = read_of(tmp_path, blackout("from: 2026-12-24, until: 2026-12-24")).schedule
    assert known is not None
    assert known.blackouts[0].covers(datetime(2026, 12, 24, 23, 59, tzinfo=UTC))
