"""What real drills show of the harness is compared by this; a planted leak must be seen in it, and chance must not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.surface import surface

WAITS = "import sys; sys.stdin.read()"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    (tmp_path / "drill-20261126-061806-ba0b").mkdir()
    return tmp_path


def running(*words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WAITS, *words], stdin=subprocess.PIPE)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[None]:
    """A process as every drill has them, with a place and a number of its own."""
    process = running("/tmp/gameday-1234-abcdef/cell-1/redis.conf", "23901")
    yield
    process.communicate()


@pytest.mark.usefixtures("other")
def test_what_differs_in_every_drill_is_no_difference(reports: Path) -> None:
    before = surface(reports, 0)
    (reports / "drill-20261126-061806-ba0b").rename(reports / "drill-20261127-101010-12ab")
    again = running("/tmp/gameday-99-zzz/cell-1/redis.conf", "24000")
    try:
        assert surface(reports, 0) == before
    finally:
        again.communicate()


@pytest.mark.parametrize("leak", ["FM-OB-01", "outbox"])
def test_a_word_in_a_process_or_a_folder_is_seen(reports: Path, leak: str) -> None:
    before = surface(reports, 0)
    process = running(f"--label={leak}")
    try:
        assert any(leak[:2] in word for word in surface(reports, 0) ^ before)
    finally:
        process.communicate()
    (reports / f"of-{leak}").mkdir()
    assert surface(reports, 0) != before


def test_one_port_more_than_there_are_instances_is_seen(reports: Path) -> None:
    assert surface(reports, 0) != surface(reports, 1)
