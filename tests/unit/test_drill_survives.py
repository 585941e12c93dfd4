"""A drill outlives whatever comes in at its desk: every request has its answer, and at the end there is a debrief."""

import asyncio
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.drivers.acts import Act, Changes
from harness.drivers.lines import LONGEST, LineServer, answer, ask, encoded
from harness.drivers.redis import ON_CALL, Store
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.desk import Desk, Told, Verb
from harness.fronts.desk.extras import Extras, extras_of
from harness.fronts.desk.served import ALL
from harness.fronts.desk.sight import OwnSight
from harness.fronts.drills import facilitator as leading
from harness.fronts.drills.facilitator import Facilitator, Options
from harness.fronts.drills.fronts import Program, Terminal
from harness.fronts.drills.sealed import SealedJournal
from harness.fronts.lock import only_one
from harness.fronts.messages import load_messages
from harness.model.drill import DrillRecord, Entry
from harness.model.errors import ActFailed, GamedayError, InfrastructureError, UsageError
from harness.model.events import Acted, RunFinished
from harness.model.scenario import Catalogue
from harness.model.values import Ability
from harness.report.history import History
from harness.report.journal import Journal
from tests.fakes.trainees import answer_to, record_of
from tests.fakes.world import FakeEquipment, World

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)
DEEP = "[" * 60_000
BROKEN: list[Exception] = [
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    RecursionError("too deep"),
    KeyError("a\nb"),
    ValueError("half a character: \udcff"),
]


def desk_that_raises(error: Exception, done: list[Any] | None = None) -> Desk:
    async def boom(_desk: Desk, _args: Sequence[str]) -> Told:
        raise error

    def note(verb: Verb, words: Sequence[str], told: Told | GamedayError) -> None:
        if done is not None:
            done.append((verb.name, words, told))

    equipment = FakeEquipment(World())
    catalogue = Catalogue("x", {}, {})
    verbs = {**ALL, "boom": Verb("boom", "changes", "", boom, changes=True)}
    sight = OwnSight(equipment, catalogue, None)
    return Desk(equipment, catalogue, sight, verbs, Extras(), on_done=note)


# One request ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", BROKEN, ids=lambda e: type(e).__name__)
async def test_whatever_an_act_raises_is_an_answer_of_one_line(error: Exception) -> None:
    done: list[Any] = []
    desk = desk_that_raises(error, done)
    told = await desk.handle({"do": "boom"})
    assert told["ok"] is False
    assert type(error).__name__ in told["says"]
    assert len(told["says"].splitlines()) == 1
    told["says"].encode()
    assert isinstance(done[0][2], GamedayError)
    assert (await desk.handle({"do": "help"}))["ok"] is True
    with pytest.raises(GamedayError):
        await desk.do(["boom"])


async def test_arguments_that_cannot_even_be_read_are_answered() -> None:
    deep: Any = []
    for _ in range(60_000):
        deep = [deep]
    told = await desk_that_raises(ValueError()).handle({"do": "help", "args": [deep]})
    assert told["ok"] is False


@pytest.mark.parametrize("line", [DEEP, DEEP.encode(), '{"id": 1, "do": ' + DEEP, b'\xff{"do": "help"}'])
async def test_a_line_that_is_no_json_however_deep_is_answered(line: str | bytes) -> None:
    told = await answer(line, desk_that_raises(ValueError()).handle)
    assert told["ok"] is False
    assert len(told["says"].splitlines()) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "euc-jp"])
def test_an_answer_can_be_written_whatever_came_with_the_request(encoding: str) -> None:
    given = {"id": "\ud800", "says": "訓練 ☎ \udcff"}
    line = encoded(given, encoding)
    assert json.loads(line.encode(encoding)) == given
    deep: Any = []
    for _ in range(60_000):
        deep = [deep]
    assert json.loads(encoded({"id": deep}))["ok"] is False


async def test_half_a_character_is_answered_over_the_socket_too(tmp_path: Path) -> None:
    server = LineServer(tmp_path / "d.sock", desk_that_raises(ValueError()).handle)
    await server.begin()
    try:
        told = await asyncio.to_thread(ask, server.path, {"id": "\ud800", "do": "\ud800"})
        assert told["ok"] is False
        assert "no verb" in told["says"]
        told["says"].encode()
    finally:
        await server.end()


# A conversation -------------------------------------------------------------------------------------------------------


class Talk:
    """The drill and the folder of a facilitator who has paged already; the conversation ends with its input."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leading, "socket_of", lambda name: tmp_path / f"{name}.sock")
        self.facilitator = Facilitator(Options(reports=tmp_path / "r", limit_s=60.0), TOPOLOGY, CATALOGUE, EXTRAS)
        over = asyncio.Event()
        self.drill: Any = SimpleNamespace(page="P", over=over, paged_s=0.0, outcome=SimpleNamespace(findings=[]))
        self.facilitator._drill = self.drill
        self.facilitator._notes.paged_s = 0.0

    async def lead(self, front: Any, desk: Desk) -> str:
        going: asyncio.Task[Any] = asyncio.create_task(self.drill.over.wait())
        await self.facilitator._paged(self.drill, desk, front, going)
        return self.facilitator._notes.ended


def answers(out: io.StringIO) -> list[Mapping[str, Any]]:
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    return [one for one in said if one["type"] == "answer"]


REQUESTS = [
    (DEEP, False),
    ('{"id": 1, "do": "\\ud800"}', False),
    ('{"id": "\\ud800", "do": "help"}', True),
    ('{"id": 2, "do": "boom"}', False),
    (f'{{"do": "sql", "args": ["{"x" * LONGEST} {{"do": "help"}}"]}}', False),
    (f'{{"do": "sql", "args": ["{"訓" * (LONGEST // 2)}"]}}', False),
    ('{"id": 3, "do": "help"}', True),
]


async def test_a_program_has_one_answer_to_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = io.StringIO("".join(f"{line}\n" for line, _ in REQUESTS)), io.StringIO()
    desk = desk_that_raises(BROKEN[0])
    assert await Talk(tmp_path, monkeypatch).lead(Program(source=source, out=out), desk) == "closed"
    assert [a["ok"] for a in answers(out)] == [ok for _, ok in REQUESTS]
    assert answers(out)[-1]["id"] == 3


async def test_a_person_has_one_answer_to_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ja = load_messages("scenarios", "ja")
    source, out = io.StringIO(f"boom\n{'x ' * LONGEST}help\nbogus\n"), io.StringIO()
    desk = desk_that_raises(BROKEN[1])
    desk.messages = ja
    assert await Talk(tmp_path, monkeypatch).lead(Terminal(ja, source, out), desk) == "closed"
    assert out.getvalue().count("! ") == 3
    assert "バイト" in out.getvalue()


async def test_a_byte_that_is_no_text_is_not_the_end_of_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = io.TextIOWrapper(io.BytesIO(b'{"do": "caf\xe9"}\n{"id": 7, "do": "help"}\n'), encoding="utf-8")
    out = io.StringIO()
    desk = desk_that_raises(BROKEN[0])
    assert await Talk(tmp_path, monkeypatch).lead(Program(source=source, out=out), desk) == "closed"
    assert [(a["ok"], a.get("id")) for a in answers(out)] == [(False, None), (True, 7)]


def test_a_terminal_without_a_character_shows_its_code() -> None:
    shown = io.BytesIO()
    out = io.TextIOWrapper(shown, encoding="ascii", errors="strict", write_through=True)
    Terminal(load_messages("scenarios", "ja"), io.StringIO(), out).tell("over", {"why": "closed \udce9"})
    assert b"\\u" in shown.getvalue()


class Lost:
    """A front that breaks where nobody expects it."""

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Nobody listens."""

    async def serve(self, desk: Any, ended: Any) -> None:
        raise LookupError("no seat")


async def test_a_front_that_breaks_does_not_leave_the_drill_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk(tmp_path, monkeypatch)
    async with asyncio.timeout(20):
        with pytest.raises(LookupError):
            await talk.lead(Lost(), desk_that_raises(BROKEN[0]))
    assert talk.drill.over.is_set()
    assert not (tmp_path / "drill.sock").exists()


# To the debrief -------------------------------------------------------------------------------------------------------


class Listener:
    """A front that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Mapping[str, Any]]] = []

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        self.said.append((kind, data))

    async def serve(self, desk: Any, ended: Any) -> None:
        """Nobody sits there."""


class FakeRuntime:
    abilities = frozenset(Ability)
    name = "process"
    versions: Mapping[str, str] = {}

    async def close(self) -> None:
        raise RuntimeError("it was closed already")


@pytest.fixture
def facilitator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Facilitator:
    monkeypatch.setattr(leading, "socket_of", lambda name: tmp_path / f"{name}.sock")
    monkeypatch.setattr(leading, "make_runtime", lambda *_args: (FakeRuntime(), ""))
    return Facilitator(Options(reports=tmp_path / "r", seed=1, trainee="caf\udce9"), TOPOLOGY, CATALOGUE, EXTRAS)


def a_record() -> DrillRecord:
    scenario = next(s for s in CATALOGUE.scenarios.values() if s.sections)
    made = record_of("perfect", asyncio.run(answer_to(scenario, CATALOGUE, TOPOLOGY)), TOPOLOGY, 1)
    return replace(made, trainee="mia", entries=(*made.entries, Entry(30.0, "detect", "caf\udce9")))


async def test_whatever_breaks_a_drill_there_is_a_debrief(
    facilitator: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_args: Any) -> None:
        facilitator._notes.note("detect", "half a character: \ud800")
        raise BROKEN[0]

    monkeypatch.setattr(facilitator, "_on", breaks)
    front = Listener()
    record = await facilitator.lead(front)
    assert [kind for kind, _ in front.said] == ["rules", "debrief"]
    assert not record.whole
    assert "UnicodeDecodeError" in record.ended
    assert load_messages("scenarios", "ja").sentence(record.ended) != record.ended
    made = json.loads((facilitator.folder / "debrief.json").read_text(encoding="utf-8"))
    assert made["drill"]["trainee"] == "caf\\udce9"
    assert RunFinished.kind in (facilitator.folder / "journal.jsonl").read_text()
    assert (facilitator.folder / "debrief.md").is_file()


@pytest.mark.parametrize("abilities", [frozenset(Ability), frozenset[Ability]()])
@pytest.mark.parametrize("seed", range(20))
async def test_a_nudge_names_only_sections_that_a_drill_may_be_about(
    facilitator: Facilitator, monkeypatch: pytest.MonkeyPatch, seed: int, abilities: frozenset[Ability]
) -> None:
    async def nothing(*_args: Any) -> None:
        return None

    monkeypatch.setattr(FakeRuntime, "abilities", abilities)
    monkeypatch.setattr(facilitator, "_on", nothing)
    facilitator._options = replace(facilitator._options, seed=seed)
    record = await facilitator.lead(Listener())
    able = [s for s in CATALOGUE.scenarios.values() if s.response and s.sections and s.needs <= abilities]
    named = facilitator._others()
    assert len(named) == 3
    assert record.answer.sections[0] in named
    assert set(named) <= {key for s in able for key in s.sections}


def test_a_debrief_with_half_a_character_is_kept_and_known_to_the_history(
    facilitator: Facilitator, tmp_path: Path
) -> None:
    record = a_record()
    facilitator._write(record, SealedJournal(facilitator.folder, ()), tmp_path / "hidden")
    assert "caf\\udce9" in (facilitator.folder / "debrief.md").read_text(encoding="utf-8")
    kept = json.loads((facilitator.folder / "debrief.json").read_text(encoding="utf-8"))
    assert kept["drill"]["entries"][-1]["says"] == "caf\udce9"
    with History(tmp_path / "r") as history:
        assert [d["who"] for d in history.drills()] == ["mia"]


def test_a_folder_that_was_taken_away_is_there_again(facilitator: Facilitator, tmp_path: Path) -> None:
    journal = SealedJournal(facilitator.folder, ())
    shutil.rmtree(facilitator.folder)
    facilitator._write(a_record(), journal, tmp_path / "hidden")
    assert {"debrief.md", "debrief.txt", "debrief.json"} <= {p.name for p in facilitator.folder.iterdir()}


async def test_a_debrief_that_cannot_be_written_is_told_and_then_said_to_be_lost(
    facilitator: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_args: Any) -> None:
        return None

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(facilitator, "_on", nothing)
    monkeypatch.setattr(facilitator, "_write", full)
    front = Listener()
    with pytest.raises(InfrastructureError, match="No space left"):
        await facilitator.lead(front)
    assert front.said[-1][0] == "debrief"


async def test_a_second_drill_learns_that_there_is_one_before_it_builds_anything(
    facilitator: Facilitator, tmp_path: Path
) -> None:
    server = LineServer(tmp_path / "drill.sock", desk_that_raises(BROKEN[0]).handle)
    await server.begin()
    front = Listener()
    try:
        with pytest.raises(UsageError, match="another drill keeps"):
            await facilitator.lead(front)
    finally:
        await server.end()
    assert front.said == []
    assert not facilitator.folder.exists()


async def test_a_drill_that_begins_in_the_same_moment_as_another_builds_nothing_either(
    facilitator: Facilitator, tmp_path: Path
) -> None:
    front = Listener()
    with only_one(tmp_path, leading.LOCK, "held"), pytest.raises(UsageError, match=r"another drill begins at .*pid"):
        await facilitator.lead(front)
    assert front.said == []
    assert not facilitator.folder.exists()


# What is written down -------------------------------------------------------------------------------------------------


def test_a_journal_takes_half_a_character(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(Acted(1.0, None, "operator", "sql", "oncall", {"statement": "select '\udcff'"}, 0.1))
    journal.close()
    assert json.loads(journal.path.read_text(encoding="utf-8"))["arguments"]["statement"] == "select '\udcff'"


async def test_an_act_that_broke_is_noted_as_one_that_failed() -> None:
    acts: list[Act] = []
    nothing: Any = None
    changes = Changes(nothing, nothing, "operator", acts.append)
    with pytest.raises(KeyError):
        async with changes.act("redis", "DUMP"):
            raise KeyError("x")
    assert [bool(a.failed) for a in acts] == [True]


@pytest.mark.parametrize("error", [BROKEN[0], UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")])
async def test_what_is_no_text_is_refused_by_redis_in_one_line(error: Exception) -> None:
    class Client:
        async def execute_command(self, *_command: str) -> Any:
            raise error

    cell: Any = SimpleNamespace(topology=TOPOLOGY)
    store = Store(cell)
    store._clients[ON_CALL] = Client()  # type: ignore[assignment]
    with pytest.raises(ActFailed, match="Redis refused DUMP"):
        await store.run("DUMP", "mm:x", user=ON_CALL)
