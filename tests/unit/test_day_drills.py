"""Drills within a game day: what they are given, what is told to end, and where the day's report leads to."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from harness.fronts.gamedays import day, drilling, signals
from harness.fronts.gamedays.plan_file import AskStep, DrillStep, Plan
from harness.report.day import StepRecord, from_mapping
from tests.unit.test_cli import called

STUB = """#!{python}
import json, os, pathlib, signal, sys
seen = []
for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(sig, lambda number, _: seen.append(number))
folder = pathlib.Path("reports/drill-20260302-100000-ab12")
folder.mkdir(parents=True)
os.kill(os.getppid(), {sent}) if {sent} else seen.append(0)
while not seen:
    signal.pause()
(folder / "asked.json").write_text(json.dumps([sys.argv[1:], os.environ.get("GAMEDAY_DRILL_SEED")]))
if {debriefs}:
    drill = {{"whole": {whole}, "ended": "recovered"}}
    times = {{"page_s": 1.0, "detect_s": 12.4, "diagnose_s": None, "recover_s": 90.0}}
    (folder / "debrief.json").write_text(json.dumps({{"score": 83.0, "times": times, "drill": drill}}))
sys.exit({code})
"""
"""Stands for the program: a drill that ends at once, or tells the day to end and debriefs after that."""

FOLDER = Path("reports") / "drill-20260302-100000-ab12"


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def make(*, sent: int = 0, code: int = 0, debriefs: bool = True, whole: bool = True) -> None:
        path = tmp_path / "stub"
        path.write_text(
            STUB.format(python=sys.executable, sent=int(sent), code=code, debriefs=debriefs, whole=whole)
        )  # fmt: skip
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    return make


def plan(**drill: Any) -> Plan:
    steps = [{"drill": drill}, {"ask": "And now?"}]
    return Plan.model_validate({"title": "t", "steps": steps, "runtime": "process", "profile": "realistic"})


def led(known: Plan) -> Any:
    def drill(step: DrillStep, record: StepRecord) -> None:
        drilling.lead_drill(known, step, Path("reports"), record)

    def ask(_step: AskStep, _record: StepRecord) -> bool:
        return True

    hands = day.Hands(lambda *_: None, drill, ask, lambda: 0.0)
    day.lead(known, Path("reports/day-1"), hands, attended=True)
    return from_mapping(json.loads(Path("reports/day-1/day.json").read_text()))


def test_the_day_leads_to_the_debrief_and_has_the_score(stub: Callable[..., None]) -> None:
    stub()
    found = led(plan(section="5.6", seed=72))
    first = found.steps[0]
    assert (first.outcome, first.score) == ("done", 83.0)
    assert first.says == "score 83; detected after 12 s; recovered after 90 s"
    assert first.page == "../drill-20260302-100000-ab12/debrief.md"
    for page in ("day.html", "day.md"):
        assert first.page in (Path("reports/day-1") / page).read_text()
    assert found.result == "a drill with score 83"


def test_a_drill_is_of_the_plan_and_its_seed_is_on_no_command_line(
    stub: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(drilling.SEED, "5")
    stub()
    led(plan(seed=72))
    words, seed = json.loads((FOLDER / "asked.json").read_text())
    assert seed == "72"
    assert "72" not in words
    assert words[:3] == ["-m", "harness.fronts.cli", "drill"]
    assert {"process", "realistic"} < set(words)


@pytest.mark.parametrize("sent", signals.ENDING)
def test_a_day_that_is_told_to_end_awaits_the_debrief_of_its_drill(stub: Callable[..., None], sent: int) -> None:
    stub(sent=sent, code=130)
    before = [signal.getsignal(s) for s in signals.ENDING]
    with pytest.MonkeyPatch.context() as context:
        context.setattr(os, "isatty", lambda _fd: False)
        found = led(plan())
    assert (found.ended, len(found.steps), day.exit_code(found)) == ("interrupted", 1, 130)
    assert found.steps[0].outcome == "interrupted"
    assert found.steps[0].says == "closed before its end; score 83; detected after 12 s; recovered after 90 s"
    assert found.steps[0].ended_at
    assert [signal.getsignal(s) for s in signals.ENDING] == before


@pytest.mark.parametrize(
    ("stubbed", "outcome", "says"),
    [
        ({"code": 130}, "done", "closed before its end; score 83"),
        ({"code": 3, "whole": False}, "INCONCLUSIVE", "recovered"),
        ({"code": 3, "debriefs": False}, "INCONCLUSIVE", "holds no debrief"),
    ],
)
def test_a_drill_that_ends_by_itself_does_not_end_the_day(
    stub: Callable[..., None], stubbed: dict[str, Any], outcome: str, says: str
) -> None:
    stub(**stubbed)
    found = led(plan())
    assert (found.ended, len(found.steps), found.steps[0].outcome) == ("", 2, outcome)
    assert says in found.steps[0].says
    assert bool(found.steps[0].page) is ("debriefs" not in stubbed)


def test_ctrl_c_between_two_lines_of_a_step_is_an_interruption(tmp_path: Path) -> None:
    def run(*_: object) -> None:
        raise KeyboardInterrupt

    known = Plan.model_validate({"title": "t", "steps": [{"run": "all"}]})
    hands = day.Hands(run, lambda *_: None, lambda *_: True, lambda: 0.0)
    day.lead(known, tmp_path / "d", hands, attended=True)
    kept = from_mapping(json.loads((tmp_path / "d" / "day.json").read_text()))
    assert (kept.ended, kept.steps[0].outcome) == ("interrupted", "interrupted")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_a_day_that_is_told_to_end_at_a_question_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sig: int
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("title: t\nsteps: [{ask: '?'}]\nnotify: ['json://127.0.0.1:9/']\n")
    told: list[str] = []
    monkeypatch.setattr("harness.fronts.cli_day.notify", lambda _channels, title, _body: told.append(title) or [])
    monkeypatch.setattr("click.confirm", lambda *_, **__: signal.raise_signal(sig))
    code, out, _ = called(capsys, "day", str(path), "--reports", str(tmp_path))
    assert code == 130
    assert told == ["t: begins", "t: aborted"]
    assert "ended early: interrupted" in out


def test_a_closed_terminal_reaches_a_run_as_its_own_signal() -> None:
    async def main() -> None:
        heard = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heard.set)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(heard.wait(), 10)

    with (
        signals.heard(signals.interrupt, (signal.SIGTERM, signal.SIGHUP)),
        signals.put_back(),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(main())
