"""What a person sees while a run goes on, and at its end: live on a terminal, plain lines elsewhere."""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.model import events as ev
from harness.model.words import counted
from harness.report.record import RunRecord, ScenarioRecord

STYLE = {"PROVEN": "bold green", "REFUTED": "bold red", "INCONCLUSIVE": "bold yellow", "SKIPPED": "dim"}
MARK = {"PROVEN": "✓", "REFUTED": "✗", "INCONCLUSIVE": "?", "SKIPPED": "-"}


class Screen(Console):
    """A console whose reader may go away: what is run goes on, and its exit code stays that of its claims."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(highlight=False, stderr=stderr)

    def on_broken_pipe(self) -> None:
        """Say nothing from now on; Python would complain again when it flushes."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def display(console: Console) -> "Live_ | Plain":
    """The display that fits where the output goes."""
    return Live_(console) if console.is_terminal else Plain(console)


class Plain:
    """One line for each thing that people wait for."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""

    def _say(self, t: float, label: str, text: str) -> None:
        self._console.print(Text(f"{t:7.1f} s  {label:<22} {text}"), soft_wrap=True)

    def __call__(self, event: ev.Event) -> None:
        """Show one event."""
        match event:
            case ev.RunStarted():
                what = counted(len(event.planned), "scenario")
                self._say(event.t, event.run_id, f"{what}, {event.runtime}, {event.profile}, seed {event.seed}")
            case ev.PhaseEnded():
                took = f"{event.t - event.started_s:.1f} s"
                self._say(event.t, event.scenario or "", f"{event.phase:<9} {event.verdict} ({took})")
            case ev.Claimed():
                reason = f": {event.reason}" if event.reason else ""
                self._say(event.t, event.scenario or "", f"{event.claim}{reason}")
            case ev.RunAgain():
                where = f"beside {counted(event.cells - 1, 'other cell')}" if event.cells > 1 else "alone"
                self._say(event.t, event.scenario or "", f"too busy {where}; runs again")
            case ev.Noted():
                self._say(event.t, event.scenario or "", event.says)


class Live_:  # noqa: N801  (Live is rich's own)
    """A table that is drawn again as things change: a line for each scenario that runs or has run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, tuple[str, str, float]] = {}
        self._planned: list[str] = []
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=5, transient=True)
        self._t = 0.0

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: ev.Event) -> None:
        """Take one event in."""
        self._t = max(self._t, event.t)
        label = event.scenario or ""
        match event:
            case ev.RunStarted():
                self._planned = list(event.planned)
                self._console.print(
                    Text(f"{event.run_id}: {event.runtime} runtime, {event.profile} profile, seed {event.seed}", "dim")
                )
            case ev.ScenarioStarted():
                self._rows[label] = ("", event.title, event.t)
            case ev.PhaseStarted() if label in self._rows:
                self._rows[label] = (event.phase, *self._rows[label][1:])
            case ev.Claimed():
                title = self._rows.pop(label, ("", "", event.t))[1]
                line = Text.assemble(
                    (f" {MARK[event.claim]} ", STYLE[event.claim]), f"{label:<22} ", (f"{event.claim:<13}", STYLE[event.claim]),
                    (title or event.reason, ""),
                )  # fmt: skip
                line.truncate(self._console.width - 1, overflow="ellipsis")
                self._console.print(line)
                self._planned = [p for p in self._planned if p != label]

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for label, (phase, title, since_s) in self._rows.items():
            table.add_row(
                " ●", f"{label:<20}", Text(f"{phase:<9}", "cyan"), f"{self._t - since_s:4.0f} s", Text(title, "dim")
            )
        waiting = len([p for p in self._planned if p not in self._rows])
        if waiting:
            table.add_row("", Text(f"{waiting} more", "dim"))
        return table


def summary(run: RunRecord, console: Console) -> None:
    """The table at the end: what may be claimed of each failure mode, and what fell short."""
    wide = max([len("failure mode"), *(len(s.label) for s in run.scenarios)])
    console.print(
        Text(f"  {'failure mode':<{wide}}  {'claim':<12} {'symptom':>8} {'alert':>7} {'recovery':>9}  what", "dim")
    )
    for s in run.scenarios:
        made = s.claim
        line = Text.assemble(
            (MARK[s.claim_name], STYLE[s.claim_name]),
            f" {s.label:<{wide}}  ",
            (f"{s.claim_name:<12}", STYLE[s.claim_name]),
            f" {_seconds(made.symptom_s if made else None):>8} {_alert(s):>7}"
            f" {_seconds(made.response_to_recovery_s if made else None):>9}",
            f"  {s.title}",
        )
        line.truncate(console.width - 1, overflow="ellipsis")
        console.print(line)
    for s in run.scenarios:
        if s.claim_name != "PROVEN":
            findings = ", ".join(f.finding for f in s.findings)
            head = Text(f"{s.label} {findings or s.claim_name}", STYLE[s.claim_name])
            console.print(Text.assemble(head, f": {s.reason}"), soft_wrap=False)
            _where(s, console.print)


def _where(s: ScenarioRecord, say: Callable[[Text], None]) -> None:
    for note in s.notes:
        say(Text(f"  {note}", "dim"))


def _alert(s: ScenarioRecord) -> str:
    """When the first alert fired after the injection; `late` after the response began, `none` when none ever did."""
    if s.claim is None or not s.slis or all(p.name != "inject" for p in s.phases):
        return ""
    if s.claim.ttd_s is not None:
        return _seconds(s.claim.ttd_s)
    return "late" if any(a.late for a in s.alerts) else "none"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def counts(run: RunRecord) -> str:
    """`4 PROVEN`, with every other claim that occurs."""
    found = [s.claim_name for s in run.scenarios]
    return ", ".join(f"{found.count(name)} {name}" for name in STYLE if name in found) or "nothing was run"


KINDS = {
    "cell": "set-up of cells",
    "workload": "preparing the workload",
    "steady": "waiting for the steady state",
    "inject": "injecting",
    "witness": "witnesses",
    "symptom": "waiting for symptoms",
    "hold": "holds",
    "respond": "responding",
    "recover": "waiting for recoveries",
    "reset": "reset",
    "engine": "the engine itself",
}


def timing(run: RunRecord, console: Console) -> None:
    """Where the time of all scenarios went, summed up; cells side by side add up to more than the run took."""
    spent = dict.fromkeys(KINDS, 0.0)
    for s in run.scenarios:
        phases_s = {p.name: (p.ended_s or p.started_s) - p.started_s for p in s.phases}
        timed_s = {t.what: t.took_s for t in s.timed}
        for name, took_s in {**phases_s, **timed_s}.items():
            if name in spent:
                spent[name] += took_s
        spent["engine"] += s.engine_s or 0.0
    total_s = sum(spent.values()) or 1.0
    console.print(Text("\n  where the time went", "dim"))
    for name, what in KINDS.items():
        console.print(Text(f"  {what:<30} {spent[name]:8.1f} s  {spent[name] / total_s:5.0%}"))
    cost_ms = [sweep for s in run.scenarios for sweep in s.sweep_costs_ms]
    if cost_ms:
        console.print(Text(f"  {'one round of all probes':<30} {sorted(cost_ms)[len(cost_ms) // 2]:8.1f} ms (median)"))
