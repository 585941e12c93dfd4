"""A drill's folder after the debrief: everything is there, and the history knows the result."""

import asyncio
import json
from pathlib import Path

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.extras import extras_of
from harness.fronts.drills.facilitator import Facilitator, Options
from harness.fronts.drills.sealed import SealedJournal
from harness.report.history import History
from tests.fakes.trainees import answer_to, record_of

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)


def test_the_debrief_and_the_result_are_kept(tmp_path: Path) -> None:
    facilitator = Facilitator(Options(reports=tmp_path), TOPOLOGY, CATALOGUE, extras_of("scenarios", TOPOLOGY))
    scenario = next(s for s in CATALOGUE.scenarios.values() if s.sections)
    record = record_of("perfect", asyncio.run(answer_to(scenario, CATALOGUE, TOPOLOGY)), TOPOLOGY, 1)
    facilitator._write(record, SealedJournal(facilitator.folder, ()), tmp_path / "hidden")
    names = {p.name for p in facilitator.folder.iterdir()}
    assert {"debrief.md", "debrief.txt", "debrief.json", "journal.jsonl"} <= names
    assert json.loads((facilitator.folder / "debrief.json").read_text())["score"] == 100
    with History(tmp_path) as history:
        assert [(d["who"], d["result"]["score"]) for d in history.drills()] == [("somebody", 100)]
