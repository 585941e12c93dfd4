"""A drill within a game day: the terminal is handed over to a process of its own, and its debrief comes into the day."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.drivers.clock import pause_sync
from harness.fronts.gamedays import signals
from harness.fronts.gamedays.day import Interrupted
from harness.fronts.gamedays.ourselves import begin
from harness.fronts.gamedays.plan_file import DrillStep, Plan
from harness.fronts.gamedays.steps import drill_words
from harness.report.day import StepRecord

SEED = "GAMEDAY_DRILL_SEED"
CLOSED = 130
"""The exit code of a drill that somebody closed before its end; it has a debrief all the same."""

LOOK_EVERY_S = 0.1
TIMES = {"detect_s": "detected", "diagnose_s": "diagnosed", "recover_s": "recovered"}


def lead_drill(plan: Plan, step: DrillStep, reports: Path, record: StepRecord) -> None:
    """Lead a drill to its debrief and enter it; raises Interrupted when the day itself was told to end meanwhile."""
    before = _drills(reports)
    # Who is trained can read a command line, and not the environment of a process of somebody else.
    seed = {} if step.drill.seed is None else {SEED: str(step.drill.seed)}
    code, told = _to_its_end(["drill", *drill_words(plan, step, reports)], seed)
    found = sorted(_drills(reports) - before)
    says = _enter(record, reports / found[-1]) if found else ""
    record.says = "; ".join(s for s in ("closed before its end" if code == CLOSED else "", says) if s)
    if told:
        record.outcome = "interrupted"
        raise Interrupted
    record.outcome = "done"
    if code not in {0, CLOSED}:
        record.outcome, record.says = "INCONCLUSIVE", record.says or f"the drill ended with {code}"


def _drills(reports: Path) -> set[str]:
    return {found.name for found in reports.glob("drill-*") if found.is_dir()}


def _to_its_end(words: list[str], environment: Mapping[str, str]) -> tuple[int, bool]:
    """Wait for a command, whatever is told to this process; gives its exit code, and whether the day is to end.

    A drill that is told to end debriefs first, so it is never left alone and never killed.
    """
    told: list[int] = []
    with signals.heard(told.append):
        child, passed_on = begin(words, environment=environment), 0
        while child.poll() is None:
            # Ctrl-C has reached everybody at the terminal already; what was said to the day alone is passed on.
            if any(number != signal.SIGINT or not os.isatty(0) for number in told[passed_on:]):
                child.send_signal(signal.SIGTERM)
            passed_on = len(told)
            pause_sync(LOOK_EVERY_S)
    return child.returncode, bool(told)


def _enter(record: StepRecord, folder: Path) -> str:
    """Let the record lead to a drill's debrief; gives what came of it, in a few words."""
    try:
        debrief: Mapping[str, Any] = json.loads((folder / "debrief.json").read_text(encoding="utf-8"))
        drill, times = debrief["drill"], debrief["times"]
        record.report = f"../{folder.name}"
        if not drill["whole"]:
            return str(drill["ended"])
        record.score = float(debrief["score"])
        after = [f"{word} after {times[name]:.0f} s" for name, word in TIMES.items() if times.get(name) is not None]
        return "; ".join([f"score {record.score:g}", *after])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{folder.name} holds no debrief"
