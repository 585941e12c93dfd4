"""What the services share, without a cell: events on the wire, retries, settings, sessions."""

import pytest

from stack.services.common.backoff import Backoff
from stack.services.common.events import EntitlementEvent, MatchmakingEvent, UndecodableError, match_event_id
from stack.services.common.settings import SettingError, Settings


def test_events_keep_their_wire_form() -> None:
    made = EntitlementEvent("e", 1, "t", "u", "s", "src", "id", 3, "tr")
    assert EntitlementEvent.decode(made.encode()) == made
    # Fields by number, so that another language's service reads the same.
    assert made.encode()[:3] == b"\x0a\x01e"
    with pytest.raises(UndecodableError):
        EntitlementEvent.decode(b"\x08")
    with pytest.raises(UndecodableError):
        MatchmakingEvent.decode(MatchmakingEvent("e", 0, "t", "", "m").encode())


def test_a_match_has_one_event_id() -> None:
    assert match_event_id("m1") == match_event_id("m1") != match_event_id("m2")


def test_waits_double_up_to_their_cap_within_their_jitter() -> None:
    backoff = Backoff(0.1, 1.0, 2.0, 0.5, 1.5, 10)
    for attempt, nominal in ((1, 0.1), (2, 0.2), (4, 0.8), (5, 1.0), (500, 1.0)):
        for _ in range(50):
            assert 0.5 * nominal <= backoff.wait_s(attempt) <= 1.5 * nominal


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("3 s", "duration_s"),
        ("", "duration_s"),
        ("-1s", "duration_s"),
        ("x", "integer"),
        ("1.5", "integer"),
        ("maybe", "flag"),
    ],
)
def test_a_bad_setting_is_one_line(value: str, read: str) -> None:
    settings = Settings({"A_B": value})
    with pytest.raises(SettingError, match="A_B is"):
        getattr(settings, read)("a.b", "1s" if read == "duration_s" else 1)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingError, match="ACCOUNT_BASE_URL is not set"):
        Settings({}).text("ACCOUNT_BASE_URL")
    assert Settings({"A_BC": "200ms"}).duration_s("a.b-c", "1s") == 0.2
