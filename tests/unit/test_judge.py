"""A recorded run is judged again without the system; a journal of any kind gives a report, never a traceback."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.fronts import judging_again
from harness.fronts.cli_judge import judge
from harness.model.errors import UsageError
from harness.model.events import (
    Acted,
    Claimed,
    Event,
    FactsRecorded,
    Found,
    InvariantJudged,
    Judged,
    PhaseEnded,
    PhaseStarted,
    RunFinished,
    RunStarted,
    ScenarioStarted,
    Swept,
    to_line,
)
from harness.model.invariants import Facts, packed
from tests.unit.test_invariants import OVER, world

LABEL = "FM-OB-01"
BAD = {
    "entitlement.outbox_age_s": 9.0,
    "entitlement.outbox_attempts_max": 5.0,
    "entitlement.cohort_unpublished_rows": 9.0,
}
GOOD = {
    "entitlement.outbox_age_s": 0.0,
    "entitlement.outbox_attempts_max": 0.0,
    "entitlement.cohort_unpublished_rows": 0.0,
    "entitlement.outbox_failed_rows": 0.0,
    "entitlement.publish_delay_p95_s": 0.1,
}


def run_of(*, recovers: bool = True, claimed: str = "PROVEN") -> list[Event]:
    """A journal of one scenario: broken from 5 to 10 s, well after that or not."""
    after = GOOD if recovers else BAD
    return [
        RunStarted(0.0, None, "r1", "2025-01-01T00:00:00.000Z", 1, "process", "ci", "timeline", [LABEL]),
        ScenarioStarted(1.0, LABEL, "title", ["5.6"], "timeline", 1, "fault", "symptom", "recovery"),
        *(Swept(t / 5, LABEL, dict(BAD if t < 50 else after), 1.0) for t in range(25, 150)),
        Judged(9.0, LABEL, "symptom", "held", 5.0, 5.0, "text", []),
        PhaseStarted(10.0, LABEL, "respond"),
        Acted(10.0, LABEL, "operator", "restore_route", "entitlement->nats", {}, 0.1),
        Judged(30.0, LABEL, "recovery", "held", 10.0, 11.0, "text", []),
        Found(30.0, LABEL, "AS_EXPECTED", "restore", "as the runbook says"),
        PhaseEnded(30.0, LABEL, "recover", 11.0, "held"),
        Claimed(31.0, LABEL, claimed, [], "", 0.1, None, None, 1.0),
        RunFinished(32.0, None, "2025-01-01T00:01:00.000Z"),
    ]


def write(folder: Path, events: list[Event]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "journal.jsonl").write_text("".join(f"{to_line(e)}\n" for e in events))
    return folder


def test_a_run_that_comes_out_as_claimed(tmp_path: Path) -> None:
    result = judging_again.judge(write(tmp_path, run_of()), "scenarios", None)
    assert [(s.label, s.claimed, s.now) for s in result.scenarios] == [(LABEL, "PROVEN", "PROVEN")]
    assert result.exit_code == 0
    assert not result.notes


def test_a_run_whose_claim_does_not_follow_from_its_sweeps(tmp_path: Path) -> None:
    result = judging_again.judge(write(tmp_path, run_of(recovers=False)), "scenarios", None)
    assert [s.now for s in result.scenarios] == ["REFUTED"]
    assert result.exit_code == 1
    assert any("recovery: held then, broken now" in line for line in judging_again.text(result))


def test_an_invariant_that_was_told_otherwise_differs() -> None:
    told = InvariantJudged(1.0, LABEL, "I5", "once", "held", "all")
    line = judging_again.Line("I5", told.verdict, "broken")
    assert line.differs
    assert not judging_again.Line("I5", None, "broken").differs


def test_an_invariant_that_the_catalogue_did_not_have_then_is_not_judged_and_changes_no_claim(tmp_path: Path) -> None:
    then = {name: rows for name, rows in world().items() if name != "misrecorded"}
    facts = FactsRecorded(29.0, LABEL, **packed(Facts(then, {}, OVER)))
    told = [InvariantJudged(29.0, LABEL, f"I{n}", "title", "held", "all") for n in range(1, 10)]
    events = run_of()
    result = judging_again.judge(write(tmp_path, [*events[:-3], facts, *told, *events[-3:]]), "scenarios", None)
    assert [s.now for s in result.scenarios] == ["PROVEN"]
    assert [(line.then, line.now) for line in result.scenarios[0].lines if line.what == "I10"] == [(None, None)]
    assert result.exit_code == 0
    # One that was judged then and whose facts are gone is another matter.
    told.append(InvariantJudged(29.0, LABEL, "I10", "title", "held", "all"))
    result = judging_again.judge(write(tmp_path, [*events[:-3], facts, *told, *events[-3:]]), "scenarios", None)
    assert [s.now for s in result.scenarios] == ["INCONCLUSIVE"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x00\xff\x7fELF\x01\x02\n\x00", "no journal"),
        (b"a text\nof two lines\n", "no journal"),
        (b"[1, 2]\n", "no journal"),
        (b'{"v": 99, "kind": "run_started", "t": 0}\n', "version 99"),
        (b'{"v": 1, "kind": "sweep", "t": 0, "scenario": "x", "values": {}, "cost_ms": 1}\n', "no beginning"),
        (b"[" * 100_000, "no journal"),
    ],
)
def test_what_is_no_journal_is_said_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        judging_again.judge(file, "scenarios", None)


def test_a_folder_without_a_journal_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        judging_again.judge(tmp_path, "scenarios", None)


def test_a_journal_cut_off_in_a_line_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    folder = write(tmp_path, run_of())
    file = folder / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-40])
    result = judging_again.judge(folder, "scenarios", None)
    assert [s.now for s in result.scenarios] == ["PROVEN"]
    assert any("cut off" in note for note in result.notes)
    assert any("ended from outside" in note for note in result.notes)
    assert result.exit_code == 3


def test_a_killed_run_has_scenarios_that_cannot_be_judged(tmp_path: Path) -> None:
    result = judging_again.judge(write(tmp_path, run_of()[:20]), "scenarios", None)
    assert [s.reason for s in result.scenarios] == ["the run was ended before the claim"]
    assert result.exit_code == 3


def test_lines_that_are_no_events_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, run_of())
    file = folder / "journal.jsonl"
    file.write_bytes(b"noise\n" + file.read_bytes() + b'{"v": 1, "kind": "claim", "t": 1}\n')
    result = judging_again.judge(folder, "scenarios", None)
    assert any("2 lines are no events" in note and "line 1" in note for note in result.notes)


def test_a_scenario_that_the_catalogue_has_no_more(tmp_path: Path) -> None:
    folder = write(tmp_path, run_of())
    file = folder / "journal.jsonl"
    file.write_text(file.read_text().replace(LABEL, "FM-GONE-01"))
    result = judging_again.judge(folder, "scenarios", None)
    assert "not in the catalogue now" in result.scenarios[0].reason
    assert result.exit_code == 3


def test_the_command_says_it_in_lines_and_as_json(tmp_path: Path) -> None:
    folder = write(tmp_path, run_of())
    said = CliRunner().invoke(judge, [str(folder)], standalone_mode=False)
    assert said.return_value == 0
    assert f"{LABEL}  PROVEN, the same now" in said.output
    told = json.loads(CliRunner().invoke(judge, [str(folder), "--json"], standalone_mode=False).output)
    assert told["scenarios"][0]["now"] == "PROVEN"
