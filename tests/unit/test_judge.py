"""A recorded run is judged again without the system; a journal of any kind gives a report, never a traceback."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.fronts import judging_again
from harness.fronts.cli_judge import judge
from harness.model.errors import UsageError
from harness.model.events import (
    Acted,
    AlertFired,
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
    SamplesTaken,
    ScenarioStarted,
    SliMeasured,
    Swept,
    to_line,
)
from harness.model.invariants import Facts, packed
from harness.model.samples import packed as packed_samples
from harness.model.samples import unpacked as samples_of
from harness.model.slis import Delays, RequestDelays, Sample
from scenarios.slis import SERIES
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


@pytest.mark.parametrize(("in_place_s", "now"), [(104.0, "PROVEN"), (5.1, "REFUTED")])
def test_the_symptoms_time_counts_from_when_the_fault_was_in_place(tmp_path: Path, in_place_s: float, now: str) -> None:
    """It came 100 s after the injection began."""
    events = [replace(e, t=e.t + 100.0) if isinstance(e, Swept) else e for e in run_of()]
    events = [
        replace(e, t=e.t + 100.0, since_s=e.since_s + (0.0 if e.what == "symptom" else 100.0))
        if isinstance(e, Judged)
        else e
        for e in events
    ]
    before = [Swept(t / 5, LABEL, dict(GOOD), 1.0) for t in range(25, 525)]
    injected = [PhaseStarted(4.9, LABEL, "inject"), PhaseEnded(in_place_s, LABEL, "inject", 4.9, "injected")]
    place = next(i for i, e in enumerate(events) if isinstance(e, Swept))
    result = judging_again.judge(
        write(tmp_path, [*events[:place], *injected, *before, *events[place:]]), "scenarios", None
    )
    assert [s.now for s in result.scenarios] == [now]


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


@pytest.mark.parametrize(("then", "now"), [("held", "PROVEN"), ("unknown", "INCONCLUSIVE")])
def test_what_an_invariant_asks_for_since_then_and_could_not_be_read_then_changes_no_claim(
    tmp_path: Path, then: str, now: str
) -> None:
    tables = {name: rows for name, rows in world().items() if name != "tickets"}
    facts = FactsRecorded(29.0, LABEL, **packed(Facts(tables, {"tickets": "Redis: gone"}, OVER)))
    told = [InvariantJudged(29.0, LABEL, f"I{n}", "title", then if n == 6 else "held", "all") for n in range(1, 11)]
    events = run_of()
    result = judging_again.judge(write(tmp_path, [*events[:-3], facts, *told, *events[-3:]]), "scenarios", None)
    assert [s.now for s in result.scenarios] == [now]
    line = next(line for line in result.scenarios[0].lines if line.what == "I6")
    assert not line.differs
    if then == "held":
        assert (line.now, line.says) == (None, "tickets could not be read: Redis: gone")
        assert result.exit_code == 0


DLQ_ROWS, DLQ_ALERT = "notification.dlq_rows", "notification DLQ"
ALERT = f"alert {DLQ_ALERT}"


def sampled(*, row_at_s: float | None, ttd_s: float | None, fired_s: float | None = None) -> list[Event]:
    """The run, whose samples show a new DLQ row from some moment on, and what was told of it."""
    samples = [
        Sample(t / 2, dict.fromkeys(SERIES, 0.0) | {DLQ_ROWS: float(row_at_s is not None and t / 2 >= row_at_s)},
               {n: {} for n, one in SERIES.items() if isinstance(one, Delays | RequestDelays)})
        for t in range(4, 60)
    ]  # fmt: skip
    events = run_of()
    told: list[Event] = [SamplesTaken(30.0, LABEL, packed_samples(samples), 2.0, 5.0, 10.0, 11.0)]
    if fired_s is not None:
        told.append(AlertFired(fired_s, LABEL, DLQ_ALERT, "page", late=False))
    claim = replace(events[-2], ttd_s=ttd_s, ttr_s=None if ttd_s is None else 6.0 - ttd_s)  # type: ignore[call-arg]
    return [*events[:-2], *told, claim, events[-1]]


def lines(result: judging_again.Result) -> dict[str, tuple[str | None, str | None]]:
    return {line.what: (line.then, line.now) for line in result.scenarios[0].lines}


def test_alerts_and_times_that_follow_from_the_samples_are_as_claimed(tmp_path: Path) -> None:
    result = judging_again.judge(write(tmp_path, sampled(row_at_s=7.0, ttd_s=2.0, fired_s=7.0)), "scenarios", None)
    found = lines(result)
    assert found[ALERT] == ("fired", "fired")
    assert (found["ttd_s"], found["ttr_s"]) == (("2.000", "2.000"), ("4.000", "4.000"))
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("journal", "differs"),
    [
        # An alert was told that the samples do not bear out.
        ({"row_at_s": None, "ttd_s": 2.0, "fired_s": 7.0}, {ALERT: ("fired", "quiet"), "ttd_s": ("2.000", "none")}),
        # One fires on the samples that nobody told.
        ({"row_at_s": 7.0, "ttd_s": None}, {ALERT: ("quiet", "fired"), "ttd_s": ("none", "2.000")}),
        # It was told of another moment; one after the response began would have been late.
        ({"row_at_s": 8.0, "ttd_s": 2.0, "fired_s": 7.0}, {"ttd_s": ("2.000", "3.000"), "ttr_s": ("4.000", "3.000")}),
        ({"row_at_s": 12.0, "ttd_s": 2.0, "fired_s": 7.0}, {ALERT: ("fired", "late"), "ttd_s": ("2.000", "none")}),
    ],
)  # fmt: skip
def test_what_was_told_of_alerts_and_does_not_follow_from_the_samples_differs(
    tmp_path: Path, journal: dict[str, float | None], differs: dict[str, tuple[str, str]]
) -> None:
    result = judging_again.judge(write(tmp_path, sampled(**journal)), "scenarios", None)  # type: ignore[arg-type]
    assert differs.items() <= lines(result).items()
    assert result.exit_code == 1
    said = "\n".join(judging_again.text(result))
    for what, (then, now) in differs.items():
        assert f"{what}: {then} then, {now} now" in said


def test_an_indicator_that_comes_out_otherwise_differs(tmp_path: Path) -> None:
    events = sampled(row_at_s=None, ttd_s=None)
    name = "entitlement.outbox_failed"
    wrong = SliMeasured(30.0, LABEL, name, "s", "count", "rows", 0, "untreated", 5.0, 10.0, 3.0, "broken")
    result = judging_again.judge(write(tmp_path, [*events[:-2], wrong, *events[-2:]]), "scenarios", None)
    assert lines(result)[f"{name}, untreated"] == ("broken", "held")
    assert result.exit_code == 1


def test_alerts_whose_samples_are_missing_or_broken_are_not_judged(tmp_path: Path) -> None:
    without = judging_again.judge(write(tmp_path, run_of()), "scenarios", None)
    assert lines(without)["alerts"] == (None, None)
    events = sampled(row_at_s=7.0, ttd_s=2.0, fired_s=7.0)
    place = next(i for i, e in enumerate(events) if isinstance(e, SamplesTaken))
    taken = events[place]
    assert isinstance(taken, SamplesTaken)
    events[place] = replace(taken, samples={"at_s": [1.0], "values": 5, "delays": {}})
    assert lines(judging_again.judge(write(tmp_path, events), "scenarios", None))["alerts"] == (None, None)
    # A series of today that nobody sampled then: its alert is not judged, the others are.
    values = {n: v for n, v in taken.samples["values"].items() if n != "account.resolve_5xx"}
    events[place] = replace(taken, samples=taken.samples | {"values": values})
    found = lines(judging_again.judge(write(tmp_path, events), "scenarios", None))
    assert found["alert resolve 5xx jumping"] == (None, None)
    assert found[ALERT] == ("fired", "fired")


def refuted(reason: str, phase: str) -> list[Event]:
    """The run, with one finding that refutes the document."""
    found = Found(30.0, LABEL, reason, phase, "told then")
    claim = next(e for e in run_of(claimed="REFUTED") if isinstance(e, Claimed))
    return [
        replace(e) if not isinstance(e, Found | Claimed) else found if isinstance(e, Found) else claim for e in run_of()
    ]


@pytest.mark.parametrize(
    ("reason", "phase", "gone"),
    [
        ("NOT_RECOVERED", "recover", "recovery"),
        ("NOT_REPRODUCED", "symptom", "symptom"),
        ("INVARIANT_BROKEN", "invariants", ""),
        ("COLLATERAL", "recover", ""),
    ],
)
def test_a_finding_whose_evidence_is_gone_stays(tmp_path: Path, reason: str, phase: str, gone: str) -> None:
    events = [e for e in refuted(reason, phase) if not (isinstance(e, Judged) and e.what == gone)]
    result = judging_again.judge(write(tmp_path, events), "scenarios", None)
    assert [(s.claimed, s.now) for s in result.scenarios] == [("REFUTED", "REFUTED")]


def test_measurements_that_are_on_record_no_more_are_told_and_the_claim_stays(tmp_path: Path) -> None:
    events = [
        replace(e, values={n: v for n, v in e.values.items() if n != "entitlement.outbox_failed_rows"})
        if isinstance(e, Swept)
        else e
        for e in refuted("NOT_RECOVERED", "recover")
    ]
    result = judging_again.judge(write(tmp_path, events), "scenarios", None)
    assert [s.now for s in result.scenarios] == ["REFUTED"]
    assert result.exit_code == 3
    assert "  recovery: not judged; not on record: entitlement.outbox_failed_rows" in judging_again.text(result)


def test_a_run_of_which_nothing_can_be_judged_again_is_not_the_same(tmp_path: Path) -> None:
    events = [e for e in run_of() if not isinstance(e, Judged)]
    result = judging_again.judge(write(tmp_path, events), "scenarios", None)
    assert [(s.now, s.reason) for s in result.scenarios] == [("", "nothing that it was judged by is on record")]
    assert result.exit_code == 3


@pytest.mark.parametrize("value", [{"a": 1}, [1], "1", True])
def test_samples_that_are_no_numbers_are_told(value: object) -> None:
    whole = packed_samples([Sample(1.0, {"a": 1.0}, {"b": {1.0: 2.0}})])
    assert samples_of(whole)[0].values == {"a": 1}
    for broken in (
        whole | {"values": {"a": [[0, value]]}},
        whole | {"delays": {"b": {"bounds": [1.0], "rows": [[0, [value]]]}}},
    ):
        with pytest.raises(ValueError, match="broken samples"):
            samples_of(broken)


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


def test_a_finding_that_is_not_known_here_leaves_its_scenario_alone_unjudged(tmp_path: Path) -> None:
    other = "FM-OB-02"
    strange = [replace(e, scenario=other) for e in run_of()[1:-1]]
    strange = [replace(e, finding="NEW_WORD") if isinstance(e, Found) else e for e in strange]
    result = judging_again.judge(write(tmp_path, [*run_of()[:-1], *strange, run_of()[-1]]), "scenarios", None)
    assert [(s.label, s.now) for s in result.scenarios] == [(LABEL, "PROVEN"), (other, "")]
    assert result.scenarios[1].reason == "this gameday does not know its finding NEW_WORD"
    assert result.exit_code == 3


def test_the_command_says_it_in_lines_and_as_json(tmp_path: Path) -> None:
    folder = write(tmp_path, run_of())
    said = CliRunner().invoke(judge, [str(folder)], standalone_mode=False)
    assert said.return_value == 0
    assert f"{LABEL}  PROVEN, the same now" in said.output
    told = json.loads(CliRunner().invoke(judge, [str(folder), "--json"], standalone_mode=False).output)
    assert told["scenarios"][0]["now"] == "PROVEN"


@pytest.mark.parametrize("asked", ["r1", "latest", "reports/r1", "reports/r1/journal.jsonl"])
def test_a_run_is_named_by_its_id_its_folder_latest_or_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    (tmp_path / "reports").mkdir()
    write(tmp_path / "reports" / "r1", run_of())
    (tmp_path / "reports" / "latest").symlink_to("r1")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(judge, [asked], standalone_mode=False).return_value == 0
    monkeypatch.chdir("/")
    if "/" not in asked:
        named = [asked, "--reports", str(tmp_path / "reports")]
        assert CliRunner().invoke(judge, named, standalone_mode=False).return_value == 0


def test_a_run_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    write(tmp_path / "r1", run_of())
    told = CliRunner().invoke(judge, ["r2", "--reports", str(tmp_path)], standalone_mode=False)
    assert isinstance(told.exception, UsageError)
    assert str(told.exception).startswith("there is no run r2; name its id")
