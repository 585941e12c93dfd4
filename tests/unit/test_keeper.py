"""The scheduler over weeks that pass in milliseconds: clocks that jump, starts that overlap, channels that fail."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.drivers.notify import Failure
from harness.fronts.gamedays.keeper import Keeper
from harness.model.errors import UsageError

DAILY = {"cron": "0 10 * * *"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Scene:
    """A scheduler's surroundings: a clock that can be put anywhere, days that take as long as one says."""

    def __init__(self, folder: Path, now: str) -> None:
        self.folder = folder
        self.now = at(now)
        self.started: list[tuple[datetime, str]] = []
        self.said: list[str] = []
        self.told: list[tuple[tuple[str, ...], str]] = []
        self.failing: set[str] = set()
        self.takes = timedelta()

    def written(self, name: str, **more: Any) -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"title": name, "steps": [{"ask": "?"}], "schedule": DAILY, **more}))
        return path

    def keeper(self, *paths: Path) -> Keeper:
        return Keeper(
            paths, self.folder, now=lambda: self.now, start=self.start, say=self.said.append, tell=self.tell
        )  # fmt: skip

    def start(self, path: Path) -> tuple[int, str]:
        self.started.append((self.now, path.stem))
        self.now += self.takes
        return 0, "fine"

    def tell(self, channels: Sequence[str], title: str, body: str) -> list[Failure]:
        self.told.append((tuple(channels), title))
        return [Failure(c, f"channel {n} failed") for n, c in enumerate(channels, start=1) if c in self.failing]

    def pass_(self, keeper: Keeper, until: str, every: timedelta = timedelta(minutes=1)) -> None:
        while self.now < at(until):
            self.now += every
            keeper.look()


def test_a_plan_that_is_named_twice_is_refused_however_it_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:50")
    path, other = scene.written("a"), scene.written("b")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.yaml").symlink_to(path)
    with pytest.raises(UsageError, match=f"^the plan {path} is named twice; name each plan once$"):
        scene.keeper(path, other, path)
    for spelt in (Path("a.yaml"), tmp_path / ".." / tmp_path.name / "a.yaml", tmp_path / "link.yaml"):
        with pytest.raises(UsageError, match=f"^the plan {spelt} is named twice, also as {path}; name each plan once$"):
            scene.keeper(path, spelt)
    assert (scene.started, scene.said) == ([], [])
    scene.keeper(path, other)


def test_only_channels_that_failed_are_told_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:50")
    good, bad = "json://good.example", "json://bad.example"
    keeper = scene.keeper(scene.written("a", notify=[good, bad]))
    scene.failing = {bad}
    scene.pass_(keeper, "2026-03-02T10:02:00")
    assert scene.told == [
        ((good, bad), "a: begins"),
        ((bad,), "a: begins"),
        ((good, bad), "a: done"),
        ((bad,), "a: done"),
    ]
    assert [line for line in scene.said if "notification" in line] == [
        "notification failed: channel 2 failed",
        "notification failed again: channel 2 failed",
    ] * 2


def test_a_clock_that_was_ahead_for_a_while_does_not_silence_the_scheduler(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:00:00")
    keeper = scene.keeper(scene.written("a"))
    keeper.look()
    scene.now = at("2027-03-02T09:00:00")
    keeper.look()
    scene.now = at("2026-03-02T09:01:00")
    scene.pass_(keeper, "2026-03-05T09:00:00")
    assert [moment.day for moment, _ in scene.started] == [2, 3, 4]
    assert "a.yaml: the clock was put back from 2027-03-02T09:00:00+00:00 to 2026-03-02T09:02:00+00:00" in str(
        scene.said
    )


def test_a_scheduler_that_was_ended_while_the_clock_was_ahead_begins_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2027-03-02T09:00:00")
    path = scene.written("a")
    scene.keeper(path).look()
    scene.now = at("2026-03-02T09:01:00")
    scene.pass_(scene.keeper(path), "2026-03-03T09:00:00")
    assert len(scene.started) == 1


def test_a_clock_that_is_put_back_starts_nothing_twice(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:00:00")
    path = scene.written("a", schedule={"cron": "0 * * * *"})
    scene.pass_(scene.keeper(path), "2026-03-02T12:01:00")
    scene.now = at("2026-03-02T09:30:00")
    scene.pass_(scene.keeper(path), "2026-03-02T14:01:00")
    assert [moment.hour for moment, _ in scene.started] == [10, 11, 12, 13, 14]


def test_a_clock_that_goes_back_a_little_is_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T10:02:00")
    keeper = scene.keeper(scene.written("a"))
    keeper.look()
    scene.now = at("2026-03-02T09:59:30")
    scene.pass_(keeper, "2026-03-02T10:05:00")
    assert (scene.started, scene.said) == ([], [])


def test_a_start_that_overlaps_another_day_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:30")
    late = {"cron": "10 10 * * *"}
    paths = [scene.written("a"), scene.written("b"), scene.written("c", schedule=late)]
    keeper = scene.keeper(*paths, scene.written("d", schedule={**late, "missed": "run-once"}))
    scene.takes = timedelta(minutes=30)
    scene.pass_(keeper, "2026-03-02T10:00:30", timedelta(seconds=20))
    assert [name for _, name in scene.started] == ["a", "d"]
    assert "b.yaml: the start of 2026-03-02T10:00:00+00:00 is skipped: another game day was on" in scene.said
    assert "c.yaml: the start of 2026-03-02T10:10:00+00:00 is skipped: another game day was on" in scene.said


def test_a_start_at_which_nobody_was_there_says_that(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:00:00")
    keeper = scene.keeper(scene.written("a"))
    scene.pass_(keeper, "2026-03-02T11:00:00", timedelta(hours=2))
    assert "nobody was there to start it" in scene.said[-1]


def test_what_was_done_is_remembered_over_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:00")
    path = scene.written("a")
    scene.pass_(scene.keeper(path), "2026-03-02T10:01:00")
    scene.keeper(path).look()
    remembered = json.loads((tmp_path / "schedule.json").read_text())[str(path)]
    assert remembered["log"] == ["the start of 2026-03-02T10:00:00+00:00 is done: fine"]


def test_people_are_told_once_of_a_start_that_was_cut_off(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:30")
    path = scene.written("a", notify=["json://good.example"])
    keeper = scene.keeper(path)

    def killed(_: Path) -> tuple[int, str]:
        raise SystemExit

    keeper._start = killed
    with pytest.raises(SystemExit):
        scene.pass_(keeper, "2026-03-02T10:01:00")
    scene.told.clear()
    for _ in range(2):
        scene.keeper(path)
    assert scene.told == [(("json://good.example",), "a: aborted")]
    assert sum("was cut off" in line for line in scene.said) == 1
    assert "was cut off" in (tmp_path / "schedule.json").read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"PATH": []}', '{"PATH": {"seen": 7, "made": 7}}'])
def test_a_memory_that_makes_no_sense_is_begun_anew(tmp_path: Path, text: str) -> None:
    scene = Scene(tmp_path, "2026-03-02T09:59:00")
    path = scene.written("a")
    (tmp_path / "schedule.json").write_text(text.replace("PATH", str(path)))
    scene.pass_(scene.keeper(path), "2026-03-02T10:01:00")
    assert len(scene.started) == 1
