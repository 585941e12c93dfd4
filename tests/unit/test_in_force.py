"""A setting or a release bites when the service itself says so: what we wrote down ourselves proves nothing."""

from dataclasses import dataclass, field

import pytest

from harness.model import values
from harness.model.errors import Unreadable
from harness.model.faults import BadRelease, ChangedSetting
from harness.model.values import PartState, PartStatus, Running, fingerprint
from stack.services.common.settings import Settings

NAME, VARIABLE = "front.timeout", "FRONT_TIMEOUT"


@dataclass
class Told:
    """An Observer of one service that was given something, and says something of its own.

    Attributes:
        says: what it runs with; None when the stack's services do not tell, an error when it does not answer.
    """

    given: str | None = "5s"
    release: str = "2"
    says: Running | Unreadable | None = None
    identity: str = "1@1"
    asked: list[str] = field(default_factory=list)

    async def states(self, _name: str | None = None) -> list[PartState]:
        return [PartState("front", PartStatus.RUNNING, self.identity, self.release, {})]

    def setting(self, _service: str, _name: str) -> str | None:
        return self.given

    async def told(self, service: str) -> Running | None:
        self.asked.append(service)
        if isinstance(self.says, Unreadable):
            raise self.says
        return self.says


async def bites(fault: ChangedSetting | BadRelease, observer: Told) -> bool | None:
    witness = fault.witness()
    await witness.prepare(observer)  # type: ignore[arg-type]
    observer.identity = "2@2"
    return (await witness.look(observer)).bites  # type: ignore[arg-type]


def running(value: str | None, release: str | None = "2") -> Running:
    return Running(release, {} if value is None else {VARIABLE: fingerprint(value)})


@pytest.mark.parametrize(
    ("value", "says", "expected"),
    [
        ("5s", running("5s"), True),
        ("5s", None, True),
        ("5s", running("1s"), False),
        ("5s", running(None), False),
        ("5s", Unreadable("no answer"), None),
        (None, running(None), True),
        (None, running("1s"), False),
    ],
)
async def test_a_setting_bites_when_the_service_says_that_it_has_it(
    value: str | None, says: Running | Unreadable | None, expected: bool | None
) -> None:
    assert await bites(ChangedSetting("front", NAME, value), Told(given=value, says=says)) is expected


@pytest.mark.parametrize(
    ("says", "expected"),
    [(running(None, "2"), True), (running(None, "1"), False), (running(None, None), False), (None, True)],
)
async def test_a_release_bites_when_the_service_says_that_it_is_it(says: Running | None, expected: bool) -> None:
    assert await bites(BadRelease("front", "2"), Told(says=says)) is expected


async def test_one_that_was_not_restarted_is_not_even_asked() -> None:
    observer = Told(says=running("5s"))
    witness = ChangedSetting("front", NAME, "5s").witness()
    await witness.prepare(observer)  # type: ignore[arg-type]
    assert (await witness.look(observer)).bites is False  # type: ignore[arg-type]
    assert observer.asked == []


def test_services_and_harness_make_the_same_fingerprints_of_what_was_read() -> None:
    settings = Settings({VARIABLE: "5s", "OTHER": "x"})
    assert settings.in_effect() == {}
    settings.text(NAME)
    settings.text("not.there", "default")
    assert settings.in_effect() == {VARIABLE: values.fingerprint("5s")}
