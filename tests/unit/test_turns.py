"""Turns: one at a time, and nobody waits for ever."""

import threading
from pathlib import Path

import pytest

from harness.drivers import turns


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE", str(tmp_path / "not there yet"))


def test_who_comes_second_waits_until_the_first_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    waits = threading.Event()
    monkeypatch.setattr(turns, "pause_sync", lambda _s: waits.set())

    def second() -> None:
        with turns.my_turn("this"):
            order.append("second")

    thread = threading.Thread(target=second)
    with turns.my_turn("this"):
        thread.start()
        assert waits.wait(30), "it did not look twice"
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_who_hangs_stops_the_others_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with turns.my_turn("this"):
        monkeypatch.setattr(turns, "TURN_S", 0.05)
        with turns.my_turn("this"):
            pass


def test_what_is_something_else_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "pause_sync", lambda _s: pytest.fail("it waits"))
    with turns.my_turn("this"), turns.my_turn("that"):
        pass
