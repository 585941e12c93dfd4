"""The same schedule for somebody else's scheduler: a line for cron, units for systemd, a workflow for GitHub Actions."""

import os
import re
import shlex
import sys
from pathlib import Path

from harness.drivers import clock
from harness.fronts.gamedays.cron_text import calendar_events, plain
from harness.fronts.gamedays.plan_file import AskStep, DrillStep, Plan, Schedule
from harness.fronts.gamedays.workflow import led, workflow
from harness.model.errors import UsageError

SHARDS = 4
"""So many machines share a whole catalogue in the workflow, unless asked otherwise."""


def emit(kind: str, path: Path, plan: Plan, *, shards: int = SHARDS) -> str:
    """The text for `cron`, `systemd` or `github-actions`; raises UsageError for a plan that cannot be said so."""
    if plan.schedule is None:
        raise UsageError(f"the plan {path} has no schedule; give it one")
    if kind == "github-actions":
        text = workflow(path, plan, plan.schedule, shards, clock.now())
    else:
        text = {"cron": _cron, "systemd": _systemd}[kind](path, plan, plan.schedule)
    return "".join(f"# {line}\n" for line in _not_kept(kind, plan, plan.schedule)) + text


def _not_kept(kind: str, plan: Plan, schedule: Schedule) -> list[str]:
    """What the text does not do of the plan, in lines for its comments."""
    workflows = kind == "github-actions"
    limits = plan.abort.model_dump(exclude_none=True)
    schedulers_own = {
        "blackout windows": bool(schedule.blackouts),
        "the error budget": bool(schedule.budget),
        "starts that were missed": schedule.missed == "run-once" and kind != "systemd",
        "abort conditions": workflows and bool(limits),
        "notifications": workflows and bool(plan.notify),
        "roles": workflows and bool(plan.roles),
        "one report of the whole day": workflows and len(plan.steps) > 1,
    }
    lines = []
    if any(schedulers_own.values()):
        named = ", ".join(what for what, lost in schedulers_own.items() if lost)
        lines.append(f"Not kept by {kind}: {named}. gameday schedule run keeps them.")
    if any(isinstance(step, DrillStep) for step in plan.steps):
        lines.append("Left out, for nobody is there to be trained: drills.")
    if any(isinstance(step, AskStep) for step in plan.steps):
        lines.append("Nobody is asked: questions are answered as the plan says for when nobody is there.")
    if workflows and len(led(plan)) < len(plan.steps):
        question = plan.steps[len(led(plan))]
        asked = question.ask if isinstance(question, AskStep) else ""
        lines.append(f"Left out, for the answer is no-go: what comes after '{_one_line(asked)}'")
    if kind == "cron":
        lines.append("CRON_TZ is known to cronie alone: another cron takes the times for those of the machine's zone.")
    if not workflows and plan.variables():
        how = "set them above the line" if kind == "cron" else "add Environment= or EnvironmentFile= to the service"
        lines.append(f"Takes {', '.join(plan.variables())} from its environment: {how}.")
    return lines


def program() -> list[str]:
    """This program with its whole path, for schedulers that know no PATH."""
    beside = Path(sys.executable).absolute().with_name("gameday")
    if os.access(beside, os.X_OK):
        return [str(beside)]
    return [str(Path(sys.executable).absolute()), "-m", "harness.fronts.cli"]


def _command(path: Path) -> list[str]:
    return [*program(), "day", str(path), "--unattended", "--notify"]


def _cron(path: Path, plan: Plan, schedule: Schedule) -> str:
    # Percent signs end a command in a crontab.
    command = f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(_command(path))}".replace("%", "\\%")
    return f"# {_one_line(plan.title)}\nCRON_TZ={schedule.timezone}\n{plain(schedule.cron)} {command}\n"


def _systemd(path: Path, plan: Plan, schedule: Schedule) -> str:
    persistent = "true" if schedule.missed == "run-once" else "false"
    times = "\n".join(f"OnCalendar={c} {schedule.timezone}" for c in calendar_events(schedule.cron))
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)
    title = _one_line(plan.title).replace("%", "%%")
    folder = str(Path.cwd()).replace("%", "%%")
    return (
        f"# ~/.config/systemd/user/gameday-{name}.service\n[Unit]\nDescription={title}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={folder}\n"
        f"ExecStart={' '.join(_systemd_word(word) for word in _command(path))}\n\n"
        f"# ~/.config/systemd/user/gameday-{name}.timer\n[Unit]\nDescription={title}\n\n"
        f"[Timer]\n{times}\nPersistent={persistent}\n\n[Install]\nWantedBy=timers.target\n"
    )


def _systemd_word(word: str) -> str:
    """A word that systemd leaves as it is: its quotes are not quite a shell's."""
    word = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    return " ".join(text.split())
