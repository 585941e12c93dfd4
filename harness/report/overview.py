"""A run at a glance: its headline, what failed first, and what people have to know before they believe the rest."""

from dataclasses import dataclass, field
from datetime import datetime

from harness.model.events import Claim
from harness.report.figures import secs
from harness.report.index import Index
from harness.report.lang import text
from harness.report.record import RunRecord, ScenarioRecord

MARKS = {"PROVEN": "✓", "REFUTED": "✗", "INCONCLUSIVE": "?", "SKIPPED": "–"}  # noqa: RUF001  (a dash, not a minus)

NAMED = 40
"""Scenarios named one by one where a list of labels could be hundreds long."""


def mark(claim: str) -> str:
    """A claim in one character."""
    return MARKS.get(claim, "?")


@dataclass
class Overview:
    """What stands on top of a report.

    Attributes:
        counts: how many scenarios there are of each claim that occurs.
        meta: what was run, as names and texts.
        warnings: one line each.
        first: the scenario that failed first: refuted before inconclusive, and of those the first in time; or None.
        first_number: its number among the scenarios, from 1 on.
    """

    run_id: str
    headline: str
    counts: list[tuple[str, int]]
    meta: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    first: ScenarioRecord | None = None
    first_number: int = 0


def of(index: Index, lang: str) -> Overview:
    """The overview of a run."""
    run = index.run
    claims = [s.claim_name for s in run.scenarios]
    counts: list[tuple[str, int]] = [(c.value, claims.count(c.value)) for c in Claim if c.value in claims]
    first = _first(run)
    number = next((n for n, s in enumerate(run.scenarios, start=1) if s is first), 0)
    run_id = run.started.run_id if run.started else index.path.parent.name
    return Overview(
        run_id, _headline(claims, lang), counts, _meta(run, run_id, lang), _warnings(index, lang), first, number
    )


def _headline(claims: list[str], lang: str) -> str:
    proven, refuted, asked = (claims.count("PROVEN"), claims.count("REFUTED"), len(claims))
    if not asked:
        return text("report.head_none", lang)
    if proven == asked:
        return text("report.head_one" if asked == 1 else "report.head_all", lang, n=proven)
    key, n = ("report.head_refuted", refuted) if refuted else ("report.head_some", proven)
    return text(key, lang, n=n, all=asked)


def _first(run: RunRecord) -> ScenarioRecord | None:
    """The first refuted scenario in time, else the first inconclusive one, else None."""

    def when(s: ScenarioRecord) -> float:
        return min([f.t for f in s.findings] or [s.started_s if s.ended_s is None else s.ended_s])

    for claim in (Claim.REFUTED.value, Claim.INCONCLUSIVE.value):
        failed = [s for s in run.scenarios if s.claim_name == claim]
        if failed:
            return min(failed, key=when)
    return None


def _meta(run: RunRecord, run_id: str, lang: str) -> list[tuple[str, str]]:
    started = run.started
    rows = [("run", run_id)]
    if started is not None:
        rows += [
            ("started", started.at),
            ("took", _took(run, lang)),
            ("runtime", started.runtime),
            ("profile", started.profile),
        ]
        rows += [("arm", started.arm), ("seed", str(started.seed))]
        rows.append(("versions", ", ".join(f"{name} {version}" for name, version in started.versions.items())))
    return [(text(f"meta.{name}", lang), value) for name, value in rows if value]


def _took(run: RunRecord, lang: str) -> str:
    """How long the run took, where both its ends are known."""
    if run.started is None or run.finished is None:
        return ""
    try:
        took = datetime.fromisoformat(run.finished.at) - datetime.fromisoformat(run.started.at)
    except (ValueError, TypeError):
        return ""
    minutes, seconds = divmod(took.total_seconds(), 60)
    if minutes:
        return text("report.minutes", lang, minutes=int(minutes), seconds=f"{seconds:.0f}")
    return secs(seconds)


def _warnings(index: Index, lang: str) -> list[str]:
    run = index.run
    lines = []
    if index.left_out:
        shown = len(run.scenarios)
        lines.append(text("report.excerpt", lang, n=shown, all=shown + index.left_out))
    if run.started is None:
        lines.append(text("report.no_start", lang))
    if run.finished is None:
        lines.append(text("report.killed", lang))
    elif run.finished.interrupted:
        lines.append(text("report.interrupted", lang))
    if index.lost:
        lines.append(text("report.lost", lang, n=index.lost))
    seen = {s.label for s in run.scenarios}
    planned = run.started.planned if run.started and not index.left_out else []
    left = [label for label in planned if label not in seen]
    if left:
        more = f" (+{len(left) - NAMED})" if len(left) > NAMED else ""
        lines.append(text("report.not_reached", lang, labels=", ".join(left[:NAMED]) + more))
    return lines
