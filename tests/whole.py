"""The whole catalogue by `gameday run` itself, as people run it; each claim is then a test of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.model.criteria import Verdict
from harness.model.events import RuleJudged
from harness.report import journal, record
from harness.report.record import RunRecord
from tests.catalogue.real_run import CATALOGUE


async def run_all(runtime: str, reports: Path, seed: int = 11) -> RunRecord:
    """Run every scenario once, on as many cells as the machine bears; gives what the journal says."""
    arguments = ("run", "--runtime", runtime, "--seed", str(seed), "--reports", str(reports))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "harness.fronts.cli", *arguments),
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()
    return _recorded(reports, output.decode(errors="replace"))


def _recorded(reports: Path, output: str) -> RunRecord:
    latest = reports / "latest" / journal.JOURNAL
    assert latest.exists(), output[-2000:]
    found = record.of(journal.read(latest), keep_sweeps=False)
    assert found.scenarios, f"no scenario was run:\n{output[-2000:]}"
    return found


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
