"""How much of an SLI's error budget the kept runs have spent."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harness.fronts.gamedays.calendar import utc
from harness.fronts.merging import MERGED
from harness.model.errors import InfrastructureError
from harness.model.events import Claimed, ScenarioStarted, ShardJoined
from harness.report import journal
from harness.report.record import of
from harness.slo.budget import budget_minutes

Key = tuple[str, str, str]
"""What tells a scenario's run from every other: the run that it was in, its id and its variant."""


def spent_share(reports: Path, sli: str, days: float, now: datetime) -> float | None:
    """The share of the budget of `days` that runs of the last `days` spent, 1 being all; None when nothing measured it.

    Every `run.json` in the folder counts whose run began in that time: what its stretches under a fault spent, in
    minutes, against the minutes that the objective allows. What lies there twice, in a shard and in the run that it was
    merged into, counts once.
    """
    minutes, allowed, counted = 0.0, None, set[Key]()
    for file in sorted(reports.glob("*/run.json")):
        if file.parent.is_symlink():
            continue
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            if now - utc(run["started_at"]) > timedelta(days=days):
                continue
            run_id = str(run.get("run_id") or file.parent.name)
            shards, found = _shards(file.parent, run_id), set[Key]()
            for claim in run["claims"]:
                key = _key(run_id, claim, shards)
                found.add(key)
                for measured in claim.get("slis", ()) if key not in counted else ():
                    if measured["name"] == sli and measured["budget_minutes"] is not None:
                        minutes += measured["budget_minutes"]
                        allowed = budget_minutes(measured["objective"], days)
            counted |= found
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a run that was cut off, or of a version without indicators, has measured nothing
    return minutes / allowed if allowed else None


def _shards(folder: Path, run_id: str) -> Mapping[str, str]:
    """Of a merged run the shard that each scenario was in, by its label; only the journal tells it."""
    if not run_id.endswith(MERGED):
        return {}
    try:
        told = of(journal.read(folder / journal.JOURNAL, (ShardJoined, ScenarioStarted, Claimed)))
    except InfrastructureError:
        return {}
    return {s.label: s.shard.run_id for s in told.scenarios if s.shard is not None}


def _key(run_id: str, claim: Mapping[str, Any], shards: Mapping[str, str]) -> Key:
    id_, variant = str(claim.get("id", "")), str(claim.get("variant", ""))
    return shards.get(f"{id_}:{variant}" if variant else id_, run_id), id_, variant
