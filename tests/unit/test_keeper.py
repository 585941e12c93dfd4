"""The scheduler over weeks that pass in milliseconds: clocks that jump, starts that overlap, channels that fail."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from harness.drivers.notify import Failure
from harness.fronts.gamedays.keeper import Keeper

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
