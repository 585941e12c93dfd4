"""The same schedule for somebody else's scheduler: a line for cron, units for systemd, a workflow for GitHub Actions."""

import re
import shlex
from pathlib import Path

import yaml

from harness.fronts.gamedays.plan_file import Plan, RunStep, Schedule
from harness.model.errors import UsageError

SHARDS = 4
"""So many machines share a whole catalogue in the workflow, unless asked otherwise."""

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def emit(kind: str, path: Path, plan: Plan, *, shards: int = SHARDS) -> str:
    """The text for `cron`, `systemd` or `github-actions`; raises UsageError for a plan that cannot be said so."""
    if plan.schedule is None:
        raise UsageError(f"the plan {path} has no schedule; give it one")
    text = {"cron": _cron, "systemd": _systemd, "github-actions": _actions}[kind](path, plan, plan.schedule, shards)
    left_out = [
        what
        for what, there in (("blackout windows", plan.schedule.blackouts), ("the error budget", plan.schedule.budget))
        if there
    ]
    if left_out:
        return f"# Not kept by {kind}: {' and '.join(left_out)}. gameday schedule run keeps them.\n{text}"
    return text


def _command(path: Path) -> str:
    return f"gameday day {shlex.quote(str(path))} --unattended"


def _cron(path: Path, plan: Plan, schedule: Schedule, _shards: int) -> str:
    # Percent signs end a command in a crontab.
    command = f"cd {shlex.quote(str(Path.cwd()))} && {_command(path)}".replace("%", "\\%")
    return f"# {_one_line(plan.title)}\nCRON_TZ={schedule.timezone}\n{schedule.cron} {command}\n"


def _systemd(path: Path, plan: Plan, schedule: Schedule, _shards: int) -> str:
    persistent = "true" if schedule.missed == "run-once" else "false"
    times = "\n".join(f"OnCalendar={c} {schedule.timezone}" for c in _calendar_events(schedule.cron))
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)
    return (
        f"# ~/.config/systemd/user/gameday-{name}.service\n[Unit]\nDescription={_one_line(plan.title)}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={Path.cwd()}\nExecStart=/usr/bin/env {_command(path)}\n"
        "SuccessExitStatus=0\n\n"
        f"# ~/.config/systemd/user/gameday-{name}.timer\n[Unit]\nDescription={_one_line(plan.title)}\n\n"
        f"[Timer]\n{times}\nPersistent={persistent}\n\n[Install]\nWantedBy=timers.target\n"
    )


def _calendar_events(cron: str) -> list[str]:
    """The cron expression as systemd writes it; two when cron means either of two kinds of day."""
    minute, hour, day, month, weekday = cron.split()
    time = f"{_field(hour, 24)}:{_field(minute, 60)}:00"
    months = _field(_words(month, _MONTHS), 12, first=1)
    by_day = f"*-{months}-{_field(day, 31, first=1)} {time}"
    if weekday == "*":
        return [by_day]
    by_weekday = f"{_weekdays(weekday)} *-{months}-* {time}"
    return [by_weekday] if day == "*" else [by_day, by_weekday]


def _field(text: str, count: int, first: int = 0) -> str:
    parts = []
    for part in text.split(","):
        span, _, every = part.partition("/")
        if not re.fullmatch(r"\*|\d+(-\d+)?", span) or (every and not every.isdecimal()):
            raise UsageError(f"'{text}' of the cron expression cannot be said to systemd; write it with numbers")
        if every:
            low, _, high = (str(first) if span == "*" else span).partition("-")
            last = int(high) if high else first + count - 1
            parts += [f"{n:02d}" for n in range(int(low), last + 1, int(every))]
        elif span == "*":
            return "*"
        else:
            parts.append("..".join(f"{int(n):02d}" for n in span.split("-")))
    return ",".join(parts)


def _words(text: str, names: tuple[str, ...]) -> str:
    return re.sub(r"[A-Za-z]{3}", lambda m: str(names.index(m[0].lower())) if m[0].lower() in names else m[0], text)


def _weekdays(text: str) -> str:
    numbered = _words(text, tuple(n.lower() for n in _WEEKDAYS))
    parts = []
    for part in numbered.split(","):
        if not re.fullmatch(r"[0-7](-[0-7])?", part):
            raise UsageError(
                f"the weekday '{text}' of the cron expression cannot be said to systemd; write days or ranges"
            )
        parts.append("..".join(_WEEKDAYS[int(n)] for n in part.split("-")))
    return ",".join(parts)


def _actions(path: Path, plan: Plan, schedule: Schedule, shards: int) -> str:
    """A matrix of shards that prove the plan's scenarios, and a job that joins their reports."""
    steps = [s for s in plan.steps if isinstance(s, RunStep)]
    if not steps:
        raise UsageError(f"the plan {path} runs no scenarios; a workflow can neither ask nor train anybody")
    ids = [] if any(s.run == "all" and not s.section for s in steps) else _asked(steps)
    command = ["gameday", "run", *ids, "--runtime", plan.runtime, "--profile", plan.profile]
    setup = [
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.11"}},
        {"run": "make setup"},
    ]
    seed = str(plan.seed) if plan.seed is not None else "${{ github.run_number }}"
    proving = f".venv/bin/{shlex.join(command)} --seed {seed} --shard ${{{{ matrix.shard }}}}/{shards} --reports shard"
    workflow = {
        "name": plan.title,
        "on": {"schedule": [{"cron": schedule.cron}], "workflow_dispatch": {}},
        "concurrency": {"group": "gameday", "cancel-in-progress": False},
        "jobs": {
            "prove": {
                "runs-on": "ubuntu-latest",
                "strategy": {"fail-fast": False, "matrix": {"shard": list(range(1, shards + 1))}},
                "steps": [
                    *setup,
                    {"run": proving},
                    {
                        "if": "always()",
                        "uses": "actions/upload-artifact@v4",
                        "with": {"name": "shard-${{ matrix.shard }}", "path": "shard/2*"},
                    },
                ],
            },
            "merge": {
                "needs": "prove",
                "if": "always()",
                "runs-on": "ubuntu-latest",
                "steps": [
                    *setup,
                    {"uses": "actions/download-artifact@v4", "with": {"path": "shards"}},
                    {"run": ".venv/bin/gameday merge shards/*/2* --reports reports"},
                    {
                        "if": "always()",
                        "uses": "actions/upload-artifact@v4",
                        "with": {"name": "report", "path": "reports/"},
                    },
                ],
            },
        },
    }
    zone = "" if schedule.timezone == "UTC" else f"# Workflows keep UTC; the plan says {schedule.timezone}.\n"
    return zone + yaml.safe_dump(workflow, sort_keys=False, allow_unicode=True, width=120)


def _asked(steps: list[RunStep]) -> list[str]:
    ids = [name for s in steps if s.run != "all" for name in s.run]
    sections = [word for s in steps for key in s.section for word in ("--section", key)]
    return [*dict.fromkeys(ids), *sections]


def _one_line(text: str) -> str:
    return " ".join(text.split())
