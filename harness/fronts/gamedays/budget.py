"""How much of an SLI's error budget the kept runs have spent."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from harness.fronts.gamedays.calendar import utc
from harness.slo.budget import budget_minutes


def spent_share(reports: Path, sli: str, days: float, now: datetime) -> float | None:
    """The share of the budget of `days` that runs of the last `days` spent, 1 being all; None when nothing measured it.

    Every `run.json` in the folder counts whose run began in that time: what its stretches under a fault spent, in
    minutes, against the minutes that the objective allows.
    """
    minutes, allowed = 0.0, None
    for file in sorted(reports.glob("*/run.json")):
        if file.parent.is_symlink():
            continue
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            if now - utc(run["started_at"]) > timedelta(days=days):
                continue
            for claim in run["claims"]:
                for measured in claim.get("slis", ()):
                    if measured["name"] == sli and measured["budget_minutes"] is not None:
                        minutes += measured["budget_minutes"]
                        allowed = budget_minutes(measured["objective"], days)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a run that was cut off, or of a version without indicators, has measured nothing
    return minutes / allowed if allowed else None
