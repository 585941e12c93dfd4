"""A journal with a line that another program made: whatever a field holds, it is read, and never ends in a traceback."""

import json
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.fronts import recorded
from harness.fronts.cli_judge import judge
from harness.fronts.cli_postmortem import postmortem
from harness.fronts.cli_report import report
from harness.model import events as ev
from harness.model.errors import GamedayError
from harness.report import journal
from harness.report.index import Index
from tests.unit.test_judge import LABEL, run_of

RUN = [json.loads(ev.to_line(e)) for e in run_of()]
INSTEAD: list[Any] = [None, 7, -0.5, "x", [], [1], ["x"], {"x": 1}, [[1]], True]


def example(said: Any) -> Any:
    """A value of an annotation, with something in it."""
    if isinstance(said, UnionType):
        return example(get_args(said)[0])
    plain: dict[Any, Any] = {str: "x", int: 1, float: 1.5, bool: True, Any: "x"}
    if said in plain:
        return plain[said]
    inner = example(get_args(said)[-1])
    return [inner] if get_origin(said) is list else {"x": inner}


def whole(cls: type[ev.Event]) -> dict[str, Any]:
    """An event of a kind as JSON has it."""
    made = cls(**{f.name: example(f.type) for f in fields(cls)} | {"scenario": LABEL})
    found: dict[str, Any] = json.loads(ev.to_line(made))
    return found


PLACES = [(kind, name) for kind, cls in ev.KINDS.items() for name in whole(cls)]


def written(folder: Path, broken: dict[str, Any]) -> Path:
    """A run's folder, a line of whose journal is broken."""
    folder.mkdir(exist_ok=True)
    (folder / journal.JOURNAL).write_text("".join(json.dumps(d) + "\n" for d in [*RUN[:-1], broken, RUN[-1]]))
    return folder


@pytest.mark.parametrize("kind", ev.KINDS)
def test_every_kind_holds_what_its_fields_say_also_when_they_may_hold_nothing(kind: str) -> None:
    cls = ev.KINDS[kind]
    data = whole(cls)
    assert ev.from_mapping(data) is not None
    for field in fields(cls):
        if isinstance(field.type, UnionType):
            assert ev.from_mapping(data | {field.name: None}) is not None


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("sweep", {"values": None}),
        ("sweep", {"values": {"a.b": "1"}}),
        ("sweep", {"t": "1"}),
        ("sweep", {"cost_ms": None}),
        ("act", {"arguments": []}),
        ("act", {"scenario": 7}),
        ("run_started", {"planned": [1]}),
        ("run_finished", {"interrupted": "no"}),
        ("judged", {"conditions": ["x"]}),
        ("query", {"rows": [[1]]}),
        ("claim", {"findings": {}}),
    ],
)
def test_a_value_of_another_basic_type_makes_a_broken_event(kind: str, broken: dict[str, Any]) -> None:
    data = whole(ev.KINDS[kind]) | broken
    with pytest.raises(ValueError, match=f"a broken {kind} event: its {next(iter(broken))} "):
        ev.from_mapping(data)
    assert list(ev.read_lines([json.dumps(data)])) == []


@given(place=st.sampled_from(PLACES), instead=st.sampled_from(INSTEAD))
@settings(max_examples=150)
def test_whatever_a_field_holds_the_journal_is_read(place: tuple[str, str], instead: Any) -> None:
    kind, name = place
    with TemporaryDirectory() as tmp:
        path = written(Path(tmp) / "r1", whole(ev.KINDS[kind]) | {name: instead}) / journal.JOURNAL
        assert len(list(journal.read(path))) >= len(RUN)
        assert len(recorded.read(path)[0]) >= len(RUN)
        # A whole one may say that the scenario runs again, and then there is none.
        assert len(list(Index(path).scenarios())) <= 2


@given(place=st.sampled_from(PLACES), instead=st.sampled_from(INSTEAD))
@settings(max_examples=30)
def test_what_is_made_of_it_is_no_traceback_either(place: tuple[str, str], instead: Any) -> None:
    kind, name = place
    with TemporaryDirectory() as tmp:
        folder = written(Path(tmp) / "r1", whole(ev.KINDS[kind]) | {name: instead})
        for command, words in (
            (judge, [str(folder)]),
            (postmortem, [str(folder), LABEL, "--reports", tmp]),
            (report, [str(folder), "--reports", tmp, "--output", f"{tmp}/again"]),
        ):
            error = CliRunner().invoke(command, words).exception
            assert error is None or isinstance(error, SystemExit | GamedayError), (command.name, place, instead)


def test_a_line_of_no_version_that_can_be_is_told_like_any_other(tmp_path: Path) -> None:
    path = written(tmp_path, RUN[1] | {"v": [1]}) / journal.JOURNAL
    assert recorded.read(path)[1] == ["lines of other versions were passed over: [1]"]
    deep = "[" * 100_000
    path.write_text(f"{deep}\n{path.read_text()}")
    assert len(list(journal.read(path))) == len(RUN)
    assert Index(path).lost == 1
