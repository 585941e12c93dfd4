"""A day's abort conditions are asked while a step runs: by every claim, and by the clock when nothing happens."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.clock import VirtualClock, turn
from harness.fronts import wiring
from harness.fronts.gamedays.limits import SETTLED_S, Watch
from harness.fronts.gamedays.plan_file import Abort
from harness.model.events import Claimed, Event, PhaseStarted, RunAgain, ScenarioStarted
from harness.report.record import Recorder
from tests.unit.test_cli import called

LABELS = [f"FM-X-{n:02}" for n in range(1, 30)]


def claimed(label: str, claim: str, t: float = 1.0, *findings: str) -> Claimed:
    return Claimed(t, label, claim, list(findings), "", None, None, None, None)


async def watched(limits: dict[str, Any], events: list[Event], before: dict[str, int] | None = None) -> Watch:
    clock, interrupted = VirtualClock(), asyncio.Event()
    watch = Watch(Abort(**limits), before or {}, clock.now_s, clock.sleep)
    beside = asyncio.create_task(watch.beside(interrupted))
    await turn()
    for event in events:
        watch.take(event)
    assert interrupted.is_set() is bool(watch.met)
    beside.cancel()
    return watch


@pytest.mark.parametrize(
    ("limits", "events", "before", "met"),
    [
        ({"refuted": 2}, [claimed("A", "REFUTED")], {}, ""),
        ({"refuted": 2}, [claimed("A", "REFUTED"), claimed("B", "REFUTED")], {}, "2 refuted, the plan aborts at 2"),
        ({"refuted": 2}, [claimed("A", "REFUTED")], {"REFUTED": 1}, "2 refuted, the plan aborts at 2"),
        ({"refuted": 1}, [claimed("A", "PROVEN"), claimed("B", "INCONCLUSIVE")], {}, ""),
        ({"inconclusive": 1}, [claimed("A", "INCONCLUSIVE")], {}, "1 inconclusive, the plan aborts at 1"),
        ({}, [claimed("A", "REFUTED"), claimed("B", "INCONCLUSIVE")], {"REFUTED": 9}, ""),
    ],
)
async def test_claims_count_as_they_are_made(
    limits: dict[str, Any], events: list[Event], before: dict[str, int], met: str
) -> None:
    assert (await watched(limits, events, before)).met == met


async def test_a_claim_counts_only_when_it_does_not_run_again() -> None:
    busy = claimed("A", "INCONCLUSIVE", 5.0, "TOO_BUSY")
    later: list[Event] = [PhaseStarted(5.1, "B", "hold"), PhaseStarted(5.0 + SETTLED_S, "B", "respond")]
    again = RunAgain(5.0, "A", 2)
    assert (await watched({"inconclusive": 1}, [busy, later[0]])).met == ""
    assert (await watched({"inconclusive": 1}, [busy, *later])).met == "1 inconclusive, the plan aborts at 1"
    assert (await watched({"inconclusive": 1}, [busy, again, *later])).met == ""


async def test_the_time_is_watched_when_nothing_happens() -> None:
    clock, interrupted = VirtualClock(), asyncio.Event()
    watch = Watch(Abort(minutes=2), {}, lambda: clock.now_s() + 30.0, clock.sleep)
    await watch.beside(interrupted)
    assert (clock.now_s(), interrupted.is_set(), watch.met) == (90.0, True, "2 minutes are over")


async def test_what_somebody_interrupted_keeps_its_own_reason() -> None:
    clock, interrupted = VirtualClock(), asyncio.Event()
    watch = Watch(Abort(refuted=1), {}, clock.now_s, clock.sleep)
    await watch.beside(interrupted)
    interrupted.set()
    watch.take(claimed("A", "REFUTED"))
    assert watch.met == ""


async def refuted_each(recorder: Recorder, tell: Callable[[Event], None], interrupted: asyncio.Event) -> None:
    for n, label in enumerate(LABELS):
        tell(ScenarioStarted(float(n), label, "t", ["5.6"], "timeline", 1, "f", "s", "r"))
        await turn()
        if interrupted.is_set():
            return
        tell(claimed(label, "REFUTED", float(n)))


async def nothing_happens(recorder: Recorder, tell: Callable[[Event], None], interrupted: asyncio.Event) -> None:
    await interrupted.wait()


@pytest.mark.parametrize(
    ("abort", "goes_on", "ended", "code", "claims"),
    [
        ("{refuted: 2}", refuted_each, "2 refuted, the plan aborts at 2", 1, ["REFUTED", "REFUTED", "INCONCLUSIVE"]),
        ("{minutes: 0.0001}", nothing_happens, "0.0001 minutes are over", 3, []),
    ],
)
def test_a_step_is_interrupted_in_its_midst_and_the_record_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    abort: str, goes_on: Any, ended: str, code: int, claims: list[str],
) -> None:  # fmt: skip
    async def run(ready: wiring.Plan, on_event: wiring.OnEvent, *, interrupted: asyncio.Event) -> wiring.Result:
        recorder = Recorder()

        def tell(event: Event) -> None:
            recorder.add(event)
            on_event(event)

        await goes_on(recorder, tell, interrupted)
        return wiring.Result(130 if interrupted.is_set() else 1, recorder, ready.folder)

    monkeypatch.setattr(wiring, "run", run)
    path = tmp_path / "plan.yaml"
    path.write_text(f"title: t\nabort: {abort}\nsteps: [{{run: all}}, {{run: all}}]\n")
    found, out, _ = called(capsys, "day", str(path), "--unattended", "--reports", str(tmp_path / "reports"))
    assert found == code
    assert f"ended early: {ended}. Report:" in out
    (file,) = (tmp_path / "reports").glob("day-*/day.json")
    kept = json.loads(file.read_text())
    (step,) = kept["steps"]
    assert [c["claim"] for c in step["claims"]] == claims
    assert (kept["ended"], step["says"]) == (ended, f"interrupted: {ended}")
