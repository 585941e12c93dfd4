"""The whole catalogue at once, cells side by side as `gameday run` does it; each claim is then a test of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.drivers import machine
from harness.drivers.clock import SystemClock
from harness.engine import plan
from harness.engine.session import Session
from harness.fronts.wiring import equip
from harness.model.arms import TIMELINE
from harness.model.criteria import Verdict
from harness.model.events import RuleJudged
from harness.model.runtime import Runtime
from harness.model.scenario import Scenario
from harness.report.record import Recorder, RunRecord
from tests.catalogue.real_run import CATALOGUE

CELLS = machine.bears_cells()
"""Looked at before anything of ours is started: a provider of identities that begins takes both cores for seconds."""


async def run_all(runtime: Runtime, scenarios: Sequence[Scenario], logs: Path, seed: int = 11) -> RunRecord:
    """Run the scenarios on as many cells as the machine bears."""
    machine.spare_long_collections()
    clock = SystemClock()
    recorder = Recorder(keep_sweeps=False)
    session = Session(
        runtime,
        CATALOGUE,
        lambda cell, act: equip(cell, act, clock),
        recorder.add,
        profile="ci",
        logs=logs,
        clock_s=clock.now_s,
        cells="whole",
    )
    await session.run(plan.items(scenarios, TIMELINE, seed), CELLS, adapt=True)
    return recorder.run


BREACHES: dict[tuple[str, str], str] = {}
"""The rules over acts that a scenario's response may break, by label and key, each with its reason. None may now."""


def shortfall(run: RunRecord, label: str) -> str:
    """Why it is not proven, empty when it is. A machine too busy for a verdict says nothing about the scenario, but a
    run on it proves nothing either."""
    record = run.of(label)
    if record is None:
        return f"{label} was not run: {run.notes}"
    if record.claim_name == "PROVEN":
        return ""
    if record.findings and all(f.finding == "TOO_BUSY" for f in record.findings):
        return f"{label} has no verdict, the machine was too busy for it: {record.reason}; run it on a quieter one"
    return f"{label} is {record.claim_name}: {record.reason}"


def breaches(
    rules: Sequence[RuleJudged], label: str, *, allowed: Mapping[tuple[str, str], str] = BREACHES
) -> list[str]:
    """What its response did against the rules of 3.1 and 3.2, and which of them were not judged."""
    wanted = {rule.key for rule in CATALOGUE.conduct.rules} if CATALOGUE.conduct else set()
    judged = {rule.key: rule for rule in rules}
    found = [f"{key} was not judged" for key in sorted(wanted - judged.keys())]
    return found + [
        f"{rule.key} {rule.title}: {rule.says}"
        for rule in judged.values()
        if rule.verdict != Verdict.HELD.value and (label, rule.key) not in allowed
    ]


def broken_rules(run: RunRecord, label: str) -> list[str]:
    """As `breaches`, of a scenario of a run."""
    record = run.of(label)
    return [f"{label} was not run: {run.notes}"] if record is None else breaches(record.rules, label)
