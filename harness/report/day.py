"""One combined report of a game day: what was run, asked and drilled, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.model.events import WORST_FIRST

FORM = 1
"""The version of `day.json`'s form."""


@dataclass
class StepRecord:
    """One step of the day.

    Attributes:
        kind: `run`, `drill` or `ask`.
        outcome: PROVEN, REFUTED, INCONCLUSIVE or SKIPPED for a run (the worst of its claims), go or no-go for a
            question, done or skipped for a drill; interrupted when the day was.
        report: the run's or the drill's folder beside the day's, or empty.
        score: a drill's points; None when there is none.
        claims: `{label, claim, title, reason, ttd_s, ttr_s, response_to_recovery_s}` each.
    """

    kind: str
    what: str
    started_at: str
    ended_at: str = ""
    outcome: str = ""
    says: str = ""
    report: str = ""
    score: float | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)

    @property
    def page(self) -> str:
        """What to open of it, or empty."""
        return f"{self.report}/{'debrief.md' if self.kind == 'drill' else 'report.html'}" if self.report else ""


@dataclass
class DayRecord:
    """A game day as it went.

    Attributes:
        ended: why it ended early, or empty when every step was taken.
    """

    day_id: str
    title: str
    roles: dict[str, str]
    attended: bool
    started_at: str
    ended_at: str = ""
    ended: str = ""
    steps: list[StepRecord] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each claim, the worst first."""
        found = [c["claim"] for s in self.steps for c in s.claims]
        return {n: found.count(n) for n in WORST_FIRST if n in found}

    @property
    def result(self) -> str:
        """One line for people."""
        parts = [f"{n} {name}" for name, n in self.counts.items()]
        parts += [f"a drill with score {s.score:g}" for s in self.steps if s.score is not None]
        counted = ", ".join(parts) or "nothing was run"
        return f"{counted}; ended early: {self.ended}" if self.ended else counted


def to_json(day: DayRecord) -> str:
    """`day.json`."""
    return json.dumps({"form": FORM, **asdict(day)}, indent=1, ensure_ascii=False)


def from_mapping(data: Mapping[str, Any]) -> DayRecord:
    """The record of a `day.json`; raises ValueError for something else."""
    try:
        fields = {k: v for k, v in data.items() if k != "form"}
        return DayRecord(**{**fields, "steps": [StepRecord(**s) for s in fields["steps"]]})
    except (KeyError, TypeError) as error:
        raise ValueError(f"no record of a game day: {error}") from None


def write(day: DayRecord, folder: Path) -> None:
    """Write `day.json`, `day.md` and `day.html`; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = Environment(
        loader=PackageLoader("harness.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    texts = {
        "day.json": to_json(day),
        "day.md": _markdown(day),
        "day.html": pages.get_template("day.html.j2").render(day=day),
    }
    for name, text in texts.items():
        fresh = folder / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / name)


def _markdown(day: DayRecord) -> str:
    lines = [
        f"# {_plain(day.title)}",
        "",
        f"{_plain(day.result)}.",
        "",
        f"Began {day.started_at}, ended {day.ended_at}.",
    ]
    lines += [f"- {_plain(role)}: {_plain(who)}" for role, who in day.roles.items()]
    lines += ["", "| step | what | outcome | |", "| -- | -- | -- | -- |"]
    for n, s in enumerate(day.steps, start=1):
        link = f"[{'debrief' if s.kind == 'drill' else 'report'}]({s.page})" if s.page else ""
        lines.append(f"| {n} {s.kind} | {_plain(s.what)} | {_plain(s.outcome)} {_plain(s.says)} | {link} |")
    for s in day.steps:
        if s.claims:
            lines += ["", f"## {_plain(s.what)}", "", "| failure mode | claim | recovery | |", "| -- | -- | -- | -- |"]
            for c in s.claims:
                took = "" if c["response_to_recovery_s"] is None else f"{c['response_to_recovery_s']:.1f} s"
                lines.append(f"| {_plain(c['label'])} | {c['claim']} | {took} | {_plain(c['reason'] or c['title'])} |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A text that Markdown and tables leave as it is."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
    return "".join(f"\\{c}" if c in "*_`[]#" else c for c in escaped)
