"""The journal: lines that survive whatever became of the run, and everything that is rendered of them."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fronts.wiring import telling
from harness.model import events as ev
from harness.model.errors import InfrastructureError
from harness.report import journal, record
from harness.report.junit import junit
from harness.report.run_json import run_json
from tests.fakes.world import World, play


async def events_of(world: World) -> list[ev.Event]:
    _, found = await play(world)
    return [
        ev.RunStarted(0.0, None, "r1", "2026-01-01T00:00:00+00:00", 1, "process", "ci", "timeline", ["FM-X-01"]),
        *found,
    ]


async def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    found = await events_of(World())
    written = journal.Journal(tmp_path / "run")
    for event in found:
        written.write(event)
    written.close()
    assert list(journal.read(written.path)) == found


async def test_a_journal_that_was_cut_off_or_holds_rubbish_can_be_read(tmp_path: Path) -> None:
    lines = [ev.to_line(e) for e in await events_of(World())]
    path = tmp_path / "journal.jsonl"
    path.write_bytes(
        ("\n".join(lines[:20]) + '\n"text"\n[1]\n{"kind":"new"}\n' + lines[20][:40]).encode() + b"\xff\x00"
    )
    assert len(list(journal.read(path))) == 20


def test_secrets_never_reach_the_disk(tmp_path: Path) -> None:
    written = journal.Journal(tmp_path, ["hunter2-long", "short"])
    written.write(ev.Noted(0.0, None, "dsn postgres://a:hunter2-long@x and short"))
    written.close()
    assert "hunter2" not in written.path.read_text()
    assert "short" in written.path.read_text()


def test_what_is_shown_and_kept_of_an_event_holds_no_secret_either(tmp_path: Path) -> None:
    """The recorder, and with it run.json, JUnit, the history and the terminal, get what the journal holds."""
    written = journal.Journal(tmp_path, ["of-the-topology"])
    reason = "the tool failed: postgres://a:hunter2@db refused, of-the-topology too"
    seen = written.write(ev.Claimed(1.0, "FM-X-01", "INCONCLUSIVE", ["UNKNOWN"], reason, None, None, None, None))
    plain = ev.Noted(2.0, None, "nothing to hide")
    assert written.write(plain) is plain
    written.close()
    assert isinstance(seen, ev.Claimed)
    for text in (seen.reason, written.path.read_text()):
        assert "hunter2" not in text
        assert "of-the-topology" not in text
        assert "refused" in text


def test_whoever_keeps_or_shows_a_run_is_told_what_the_journal_holds(tmp_path: Path) -> None:
    written, recorder, shown = journal.Journal(tmp_path, ["of-the-topology"]), record.Recorder(), list[ev.Event]()
    tell = telling(written, recorder, shown.append)
    tell(ev.ScenarioStarted(0.0, "FM-X-01", "A title", [], "timeline", 1, "a fault", "a symptom", "a recovery"))
    tell(ev.Found(1.0, "FM-X-01", "UNKNOWN", "steady", "password=hunter2 and of-the-topology"))
    written.close()
    kept = json.dumps(run_json(recorder.run)) + junit(recorder.run, "x").decode() + str(recorder.run) + str(shown)
    assert "hunter2" not in kept
    assert "of-the-topology" not in kept
    assert "password=***" in kept


def test_an_attempt_that_was_made_again_counts_no_more() -> None:
    def claimed(t: float, label: str, claim: str) -> ev.Claimed:
        return ev.Claimed(t, label, claim, [], "", None, None, None, None)

    told = [
        ev.Noted(0.0, None, "of the run"),
        claimed(1.0, "FM-X-01", "INCONCLUSIVE"),
        claimed(2.0, "FM-X-02", "PROVEN"),
        ev.RunAgain(3.0, "FM-X-01", 2),
        claimed(4.0, "FM-X-01", "PROVEN"),
    ]
    assert record.standing(told) == [told[0], told[2], told[3], told[4]]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        journal.Journal(tmp_path / "file" / "run")
    with pytest.raises(InfrastructureError, match="cannot be read"):
        list(journal.read(tmp_path / "nothing"))


async def test_run_json_has_what_programs_need() -> None:
    run = record.of(await events_of(World(response_works=False)))
    data = run_json(run)
    assert set(data) >= {"run_id", "started_at", "finished_at", "seed", "runtime", "profile", "versions", "claims"}
    assert data["finished_at"] is None
    assert data["interrupted"] is True
    (made,) = data["claims"]
    assert set(made) >= {
        "id", "variant", "title", "sections", "claim", "findings", "phases", "symptom_s", "ttd_s", "ttr_s",
        "response_to_recovery_s", "evidence",
    }  # fmt: skip
    assert (made["id"], made["claim"]) == ("FM-X-01", "REFUTED")
    assert made["findings"][0]["finding"] == "NOT_RECOVERED"
    assert [p["name"] for p in made["phases"]][:2] == ["steady", "inject"]
    json.dumps(data)


async def test_junit_is_xml_whatever_the_texts_hold() -> None:
    found = await events_of(World(response_works=False))
    found.append(ev.ScenarioStarted(1.0, "FM-<&>\x00-02", 'a "title" \x1b[31m', ["5.1"], "timeline", 1, "f", "s", "r"))
    found.append(ev.Claimed(1.0, "FM-SKIP", "SKIPPED", [], "no <ability>", None, None, None, None))
    root = ET.fromstring(junit(record.of(found), "reports/<r1>"))
    suite = root.find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "3",
        "1",
        "1",
        "1",
    )
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "NOT_RECOVERED"
    assert "reports/<r1>" in (failure.text or "")


@given(st.text(), st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.floats(allow_nan=False)), max_size=3))
def test_any_text_survives_the_journal(says: str, values: dict[str, float | None]) -> None:
    for event in (ev.Noted(1.0, None, says), ev.Swept(1.0, "x", values, 0.5)):
        line = ev.to_line(event)
        assert "\n" not in line
        assert next(ev.read_lines([line])) == event
