"""The desk: what is asked wrongly is answered in one line, and nothing is done; its socket is the owner's alone."""

import asyncio
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.drivers import lines
from harness.drivers.lines import LONGEST, LineServer, answer
from harness.fronts.cli_ops import ops
from harness.fronts.desk.desk import Desk, Told
from harness.fronts.desk.extras import Extras
from harness.fronts.desk.served import ALL
from harness.fronts.desk.sight import OwnSight
from harness.model.errors import InfrastructureError
from harness.model.scenario import Catalogue
from tests.fakes.world import FakeEquipment, World


def desk(world: World) -> Desk:
    equipment = FakeEquipment(world)
    catalogue = Catalogue("x", {}, {})
    aliases = {"back": ("route", "front->store")}
    return Desk(equipment, catalogue, OwnSight(equipment, catalogue, None), ALL, Extras(aliases))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({}, "names what to do"),
        ({"do": ""}, "nothing was asked"),
        ({"do": "bogus"}, "no verb bogus"),
        ({"do": "restart"}, "it is: restart SERVICE"),
        ({"do": "restart nowhere"}, "no service nowhere"),
        ({"do": 'sql "x'}, "No closing quotation"),
        ({"do": "scale front many"}, "is a number"),
        ({"do": "scale front 99"}, "1 to 8"),
        ({"do": "restart", "args": "front"}, "list"),
        ({"do": "tool", "args": ["x"]}, "no tool x"),
        ({"do": "checks 9.9"}, "no section 9.9"),
        ({"do": "help", "args": ["x"] * 300}, "at most"),
        ({"do": "help bogus"}, "no verb bogus"),
    ],
)
async def test_a_wrong_request_is_answered_in_one_line(request_: Mapping[str, Any], says: str) -> None:
    world = World()
    told = await desk(world).handle(request_)
    assert (told["ok"], told["wrong_use"]) == (False, True)
    assert says in told["says"]
    assert "\n" not in told["says"]
    assert world.acts == []


async def test_help_tells_of_one_verb_what_it_takes_and_what_it_is_for() -> None:
    told = await desk(World()).handle({"do": "help restart"})
    assert told["says"].splitlines() == ["restart SERVICE", "restart it and wait until it is ready"]


async def test_an_alias_of_the_catalogue_is_the_verb_that_it_stands_for() -> None:
    world = World()
    assert (await desk(world).handle({"do": "back"}))["ok"]
    assert world.acts == ["restore front->store"]


async def test_lines_that_are_no_requests_are_answered() -> None:
    handle = desk(World()).handle
    for line in ("nonsense", "[1]", "17"):
        told = await answer(line, handle)
        assert (told["ok"], told["wrong_use"]) == (False, True)
    assert (await answer('{"id": 5, "do": "bogus"}', handle))["id"] == 5


async def test_the_socket_is_the_owners_alone_and_goes_with_its_keeper(tmp_path: Path) -> None:
    path = tmp_path / "d.sock"
    server = LineServer(path, desk(World()).handle)
    await server.begin()
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        told = await asyncio.to_thread(lines.ask, path, {"do": "help"})
        assert told["ok"] is True
        long = await asyncio.to_thread(lines.ask, path, {"do": "sql", "args": ["x" * LONGEST]})
        assert (long["ok"], long["wrong_use"]) == (False, True)
    finally:
        await server.end()
    assert not path.exists()


@pytest.mark.parametrize("error", [InfrastructureError("no room"), RuntimeError("nobody foresaw it")])
async def test_what_failed_is_no_wrong_use(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def fail(_desk: Desk, _words: Sequence[str]) -> Told:
        raise error

    made = desk(World())
    made.verbs = {"status": replace(ALL["status"], run=fail)}
    told = await made.handle({"do": "status"})
    assert told["ok"] is False
    assert "wrong_use" not in told


@pytest.mark.parametrize(
    ("answered", "code"), [({"ok": True}, 0), ({"ok": False, "wrong_use": True}, 2), ({"ok": False}, 3)]
)
def test_the_exit_code_tells_wrong_use_from_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answered: dict[str, bool], code: int
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE", str(tmp_path))
    (tmp_path / "desks").mkdir()
    (tmp_path / "desks" / "default.sock").touch()
    monkeypatch.setattr(lines, "ask", lambda _path, _request: {"says": "x", **answered})
    assert CliRunner().invoke(ops, ["bogus"], standalone_mode=False).return_value == code
