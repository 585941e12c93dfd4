"""Coverage as people and programs read it: a table of 80 columns, Markdown, JSON."""

import json
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.fronts.asked import DEFAULT, run_into
from harness.model.words import counted
from harness.runbook.coverage import GAPS, Coverage, Gap, LastClaim, QueryState, Row

WIDTH = 80


def table(result: Coverage, baseline: Sequence[str] | None, reports: Path = DEFAULT) -> str:
    """For a terminal; the last line tells what has no proof in the folder of reports, for that is no gap."""
    lines = [place(result), ""]
    lines.append(
        f"{'failure mode':<14}{'section':<8}{'checks':>7}{'resp.':>6}{'recov.':>7}{'SLIs':>5}{'scenario':>9}  last claim, age"
    )
    lines += [
        f"{row.id:<14}{','.join(row.sections) or 'none':<8}{_count(row.checks):>7}{_count(row.response):>6}"
        f"{_count(row.recovery):>7}{_slis(row):>5}{_scenario(row):>9}  {_last(row)}".rstrip()
        for row in result.rows
    ]
    lines += ["", *_wrapped(_counts(result)), ""]
    if result.queries:
        lines.append("queries")
        lines += [f"  {q.key:<14} {_query(q)}"[:WIDTH] for q in result.queries]
        lines.append("")
    new = {g.name for g in result.new(baseline)} if baseline is not None else None
    for kind, gaps in _by_kind(result.gaps):
        lines.append(f"{GAPS[kind]} ({len(gaps)})")
        for gap in gaps:
            mark = "" if new is None or gap.name not in new else "NEW "
            lines += _wrapped(f"{mark}{gap.says}", "  ", "    ")
    last = _wrapped(f"{_verdict(result, baseline)}{_unproven(result, reports)}")
    lines += ["", *last] if result.gaps else last
    return "\n".join(lines)


def markdown(result: Coverage, baseline: Sequence[str] | None) -> str:
    """For a page."""
    lines = [f"# Coverage of {place(result)}", "", *[_counts(result)], ""]
    lines += [
        "| failure mode | section | title | checks | response | recovery | SLIs missed | scenario | last claim |",
        "| -- | -- | -- | -- | -- | -- | -- | -- | -- |",
    ]
    for r in result.rows:
        slis = "not measured" if r.slis is None else ", ".join(r.slis) or "none"
        cells = [
            r.id, ", ".join(r.sections) or "none", r.symptom or "none", _count(r.checks), _count(r.response),
            _count(r.recovery), slis, r.scenario or "none", _last(r) or "none",
        ]  # fmt: skip
        lines.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    if result.queries:
        lines += ["", "## Queries", "", "| query | state |", "| -- | -- |"]
        lines += [f"| {q.key} | {_cell(_query(q))} |" for q in result.queries]
    lines += ["", "## Gaps", ""]
    new = {g.name for g in result.new(baseline)} if baseline is not None else set()
    for kind, gaps in _by_kind(result.gaps):
        lines += [f"### {GAPS[kind][0].upper()}{GAPS[kind][1:]} ({len(gaps)})", ""]
        lines += [f"- {'**new** ' if g.name in new else ''}{_cell(g.says)}" for g in gaps]
        lines.append("")
    lines += ["## Bullets", "", "| key | text | claimed by |", "| -- | -- | -- |"]
    for bullet in result.bullets:
        by = ", ".join(f"`{name}`" for name in bullet.by) or "nothing"
        state = "" if bullet.accepted or not bullet.by else " (text changed)"
        lines.append(f"| {bullet.item.key} | {_cell(bullet.item.text)} | {by}{state} |")
    return "\n".join([*lines, "", _verdict(result, baseline)])


def as_json(result: Coverage, baseline: Sequence[str] | None) -> str:
    """For programs."""
    new = None if baseline is None else [g.name for g in result.new(baseline)]
    data: dict[str, Any] = {
        "form": 1,
        "runbook": result.runbook.path,
        "encoding": result.runbook.encoding,
        "failure_modes": [asdict(row) for row in result.rows],
        "bullets": [
            {
                "key": b.item.key,
                "line": b.item.line,
                "digest": b.item.digest,
                "claimed_by": list(b.by),
                "accepted": b.accepted,
            }
            for b in result.bullets
        ],
        "queries": [asdict(q) for q in result.queries],
        "gaps": [{"name": g.name, "kind": g.kind, "subject": g.subject, "says": g.says} for g in result.gaps],
        "new_gaps": new,
    }
    return json.dumps(data, indent=1, ensure_ascii=False)


def place(result: Coverage) -> str:
    """The document's path, from where the reader stands when it is below."""
    path = Path(result.runbook.path).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else result.runbook.path


def _count(pair: tuple[int, int] | None) -> str:
    if pair is None:
        return "-"
    return f"{pair[0]}/{pair[1]}" if pair[1] else "none"


def _slis(row: Row) -> str:
    return "-" if row.slis is None else str(len(row.slis))


def _scenario(row: Row) -> str:
    """Whether there is one, and how many variants more."""
    if not row.scenario:
        return "none"
    return f"yes+{row.variants}" if row.variants else "yes"


def _last(row: Row) -> str:
    if row.last is None:
        return "never run" if row.scenario else ""
    return f"{row.last.claim} {age(row.last)}"


def age(last: LastClaim) -> str:
    """How long ago, in the largest fitting unit."""
    if last.age_s is None:
        return "age unknown"
    for unit_s, word in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if last.age_s >= unit_s:
            return f"{last.age_s / unit_s:.0f} {word}"
    return f"{last.age_s:.0f} s"


def _query(state: QueryState) -> str:
    if state.failed:
        return state.failed
    if not state.samples:
        return "never run"
    if state.moved is None:
        return "runs; not yet known to move"
    if not state.moved:
        return "runs; never moved" if state.must_move else "runs; the same rows every time"
    return "moves under a fault" + (", once its intervals are scaled" if state.scaled_only else "")


def _counts(result: Coverage) -> str:
    rows = result.rows
    inside = sum(bool(r.sections) for r in rows)
    claimed = sum(bool(b.by) for b in result.bullets)
    proven = sum(_proven(r) for r in rows)
    return (
        f"{counted(len(rows), 'failure mode')} known: {inside} in the runbook, {sum(bool(r.scenario) for r in rows)} with a "
        f"scenario, {proven} last PROVEN. {claimed} of {counted(len(result.bullets), 'bullet')} claimed. "
        f"{sum(q.samples > 0 for q in result.queries)} of {counted(len(result.queries), 'query', 'queries')} run."
    )


def _verdict(result: Coverage, baseline: Sequence[str] | None) -> str:
    if not result.gaps:
        return "No gaps."
    if baseline is None:
        return f"{counted(len(result.gaps), 'gap')}."
    return f"{counted(len(result.gaps), 'gap')}, {len(result.new(baseline))} of them new."


def _proven(row: Row) -> bool:
    return row.last is not None and row.last.claim == "PROVEN"


def _unproven(result: Coverage, reports: Path) -> str:
    """How many failure modes could be proven and are not; one without a scenario is a gap already."""
    n = sum(bool(row.scenario) and not _proven(row) for row in result.rows)
    return (
        f" {counted(n, 'failure mode has', 'failure modes have')} no proof in {reports}: {run_into(reports)}"
        if n
        else ""
    )


def _by_kind(gaps: Sequence[Gap]) -> list[tuple[str, list[Gap]]]:
    return [(kind, found) for kind in GAPS if (found := [g for g in gaps if g.kind == kind])]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def _wrapped(text: str, first: str = "", then: str = "") -> list[str]:
    """Lines of at most `WIDTH` columns; wide characters take two and may be parted anywhere."""
    if not any(unicodedata.east_asian_width(c) in "WF" for c in text):
        return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=then)
    lines, line, width = [], first, len(first)
    for char in " ".join(text.split()):
        columns = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if width + columns > WIDTH:
            lines.append(line)
            line, width = then, len(then)
            if char == " ":
                continue
        line += char
        width += columns
    return [*lines, line]
