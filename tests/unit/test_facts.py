"""The facts of invariants: how they are read, whatever else lies about."""

from typing import Any

import pytest

from harness.model.errors import Unreadable
from harness.model.invariants import When
from harness.model.values import Reply
from scenarios.facts import SOURCES, first_text


class Redis:
    """An observer whose Redis holds two tickets and a key of another type between them; the last ticket may be gone."""

    def __init__(self, *, broken: bool = False) -> None:
        self._broken = broken

    async def redis(self, command: str, key: str) -> Any:
        if command == "KEYS":
            return ["mm:ticket:t1", "mm:ticket:odd", "mm:ticket:t2"]
        if command == "TYPE":
            return "string" if key.endswith("odd") else "hash"
        if key.endswith("odd") or self._broken:
            raise Unreadable("Redis: ResponseError WRONGTYPE" if key.endswith("odd") else "Redis: TimeoutError")
        return {"user_id": "u", "mode": "casual", "status": "QUEUED", "match_id": ""}


async def test_a_key_of_another_type_hides_no_ticket() -> None:
    tickets = next(s for s in SOURCES if s.name == "tickets")
    assert [row[0] for row in await tickets.read(Redis())] == ["t1", "t2"]  # type: ignore[arg-type]
    with pytest.raises(Unreadable, match="TimeoutError"):
        await tickets.read(Redis(broken=True))  # type: ignore[arg-type]


class Gateway:
    """An observer whose gateway leads to some address, as it was told to."""

    def __init__(self, to: str) -> None:
        self._to = to

    async def http(self, _service: str, _path: str) -> Reply:
        return Reply(302, b"", {"location": self._to}, None, 0.0)

    def setting(self, _service: str, _name: str) -> str:
        return self._to


async def test_where_the_gateway_leads_to_is_recorded_with_its_host() -> None:
    at = Gateway("http://idp:8180/realms/r/protocol/openid-connect/auth?state=s")
    entry, provider = (next(s for s in SOURCES if s.name == name) for name in ("entry", "provider"))
    path = "/realms/r/protocol/openid-connect/auth"
    assert [row[2:] for row in await provider.read(at)] == [(path, "idp:8180", "idp:8180")]  # type: ignore[arg-type]
    assert [row[2:] for row in await entry.read(at)] == [(path, "idp:8180", "")]  # type: ignore[arg-type]


def test_the_event_id_of_a_payload() -> None:
    assert first_text(b"\x0a\x03abc\x10\x01") == "abc"
    for broken in (b"", b"\x0a", b"\x0a\x09abc", b"not an event", b"\x0a\x02\xff\xfe"):
        assert first_text(broken) is None


def test_facts_are_read_at_the_moments_that_are_named() -> None:
    assert {s.when for s in SOURCES} == set(When)
