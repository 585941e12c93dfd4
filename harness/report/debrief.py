"""The debrief of a drill: text for a terminal of 80 columns, Markdown, and what JSON has."""

import textwrap
from typing import Any

from harness.model.drill import DrillRecord, Entry
from harness.model.scoring import Score, broken_rules, judged_acts, score

WIDTH = 79
VERSION = 1


def times(record: DrillRecord) -> dict[str, float | None]:
    """Seconds from the injection to the declared detection and diagnosis, and to the recovery; None when there is none."""
    zero_s = record.injected_s

    def after(at_s: float | None) -> float | None:
        return None if at_s is None or zero_s is None else round(at_s - zero_s, 1)

    first = {kind: next((e.t for e in record.of(kind)), None) for kind in ("detect", "diagnose")}
    return {
        "page_s": after(record.paged_s),
        "detect_s": after(first["detect"]),
        "diagnose_s": after(first["diagnose"]),
        "recover_s": after(record.recovered_s),
    }


def plain(record: DrillRecord) -> dict[str, Any]:
    """As JSON has it."""
    made: Score = score(record)
    return {
        "v": VERSION,
        "score": made.total,
        "points": [{"what": p.what, "points": p.points, "most": p.most, "why": p.why} for p in made.points],
        "times": times(record),
        "acts": [
            {"t": j.entry.t, "act": j.entry.says, "verdict": j.verdict, "why": j.why} for j in judged_acts(record)
        ],
        "rules": [{"key": r.key, "title": r.title, "says": r.says} for r in broken_rules(record)],
        "drill": record.plain(),
    }


def text(record: DrillRecord) -> str:
    """For a terminal."""
    made, answer = score(record), record.answer
    lines = ["", "DEBRIEF", "=" * WIDTH]
    if not record.whole:
        lines += _wrapped("", f"This drill is no measure of anybody: {record.ended}.")
    lines += _wrapped("broken     ", f"{answer.label}: {answer.title}")
    lines += _wrapped("           ", f"{answer.fault} (runbook {', '.join(answer.sections)})")
    lines += [f"{'decoy' if n == 0 else '':<11}{says}" for n, says in enumerate(answer.decoys)]
    lines += _wrapped("ended      ", _ended(record))
    t = times(record)
    lines.append(
        f"{'times':<11}to detect {_s(t['detect_s'])}, to diagnose {_s(t['diagnose_s'])}, to recover {_s(t['recover_s'])}"
    )
    if record.budget_minutes is not None:
        lines.append(f"{'budget':<11}{record.budget_minutes:.2f} minutes of error budget spent")
    lines += ["", "The runbook says"]
    for n, step in enumerate(answer.steps, start=1):
        lines += _wrapped(f"  {n}. ", step.title)
    lines += ["", "What was done (seconds from the page)"]
    verdicts = {id(j.entry): j.verdict for j in judged_acts(record)}
    for e in shown(record):
        verdict = f" [{verdicts[id(e)]}]" if id(e) in verdicts else ""
        lines += _wrapped(f"  {e.t - (record.paged_s or 0.0):6.1f}  ", f"{e.kind}: {e.says}{verdict}")
    if rules := broken_rules(record):
        lines += ["", "Rules for changes that were broken"]
        for r in rules:
            lines += _wrapped("  ", f"{r.key} {r.title}: {r.says}")
    lines += ["", "Score"]
    for p in made.points:
        most = f"of {p.most:g}" if p.most else ""
        lines += _wrapped(f"  {p.points:+6.1f} {most:<6} ", f"{p.what}: {p.why}")
    lines += ["-" * WIDTH, f"  {made.total:6.1f} of 100", ""]
    return "\n".join(lines)


def shown(record: DrillRecord) -> list[Entry]:
    """The trainee's timeline, with the checks of one look taken together."""
    found: list[Entry] = []
    for e in record.entries:
        if e.kind == "check" and found and found[-1].kind == "check" and abs(found[-1].t - e.t) < 1e-6:
            continue
        found.append(e)
    return found


def markdown(record: DrillRecord) -> str:
    """For the run's folder."""
    made, answer, t = score(record), record.answer, times(record)
    verdicts = {id(j.entry): f"{j.verdict}: {j.why}" for j in judged_acts(record)}
    who = f" for {_cell(record.trainee)}" if record.trainee else ""
    lines = [f"# Debrief of drill {record.drill_id}", ""]
    if not record.whole:
        lines += [f"**This drill is no measure of anybody: {_cell(record.ended)}.**", ""]
    lines += [
        f"**{made.total:g} of 100**{who}, level {record.level}, seed {record.seed}. {_ended(record)}",
        "",
        "| what | |",
        "|---|---|",
        f"| broken | {answer.label}: {_cell(answer.title)}; {_cell(answer.fault)} |",
        f"| runbook | {', '.join(answer.sections)} |",
        f"| page | {_cell(record.page) or 'none'} |",
        f"| to detect | {_s(t['detect_s'])} |",
        f"| to diagnose | {_s(t['diagnose_s'])} |",
        f"| to recover | {_s(t['recover_s'])} |",
        f"| error budget spent | {_budget(record)} |",
        *(f"| decoy | {_cell(says)} |" for says in answer.decoys),
        "",
        "## Timeline",
        "",
        "| seconds from the page | the trainee | |",
        "|---:|---|---|",
    ]
    lines += [
        f"| {e.t - (record.paged_s or 0.0):.1f} | {e.kind}: {_cell(e.says)} | {_cell(verdicts.get(id(e), ''))} |"
        for e in shown(record)
    ]
    lines += ["", "## The runbook's steps", ""]
    lines += [f"{n}. {step.title}" for n, step in enumerate(answer.steps, start=1)]
    if rules := broken_rules(record):
        lines += ["", "## Rules for changes that were broken", ""]
        lines += [f"- {r.key} {r.title}: {_cell(r.says)}" for r in rules]
    lines += ["", "## Score", "", "| points | of | for | why |", "|---:|---:|---|---|"]
    lines += [f"| {p.points:+g} | {p.most:g} | {p.what} | {_cell(p.why)} |" for p in made.points]
    lines += [f"| **{made.total:g}** | **100** | | |", ""]
    return "\n".join(lines)


def _ended(record: DrillRecord) -> str:
    took_s = record.ended_s - record.paged_s if record.paged_s is not None else 0.0
    return f"Ended after {took_s:.0f} s of {record.limit_s:.0f} s: {record.ended}."


def _budget(record: DrillRecord) -> str:
    return "unknown" if record.budget_minutes is None else f"{record.budget_minutes:.2f} minutes"


def _s(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _cell(value: str) -> str:
    return " ".join(value.replace("|", "\\|").split())


def _wrapped(head: str, says: str) -> list[str]:
    return textwrap.wrap(says, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or [head.rstrip()]
