"""A plan as a workflow of GitHub Actions: a matrix of shards that prove its scenarios, and a job that joins their reports."""

import shlex
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from harness.fronts.gamedays.cron_text import in_utc
from harness.fronts.gamedays.day import describe
from harness.fronts.gamedays.plan_file import AskStep, Plan, RunStep, Schedule, Step
from harness.fronts.gamedays.steps import run_words
from harness.model.errors import UsageError

GAMEDAY = ".venv/bin/gameday"
GOES_ON = "${{ !cancelled() }}"
"""A step of a job that is taken whatever became of those before it."""

SETUP = [
    {"uses": "actions/checkout@v4"},
    {"uses": "actions/setup-python@v5", "with": {"python-version": "3.11"}},
    {"run": "make setup"},
]


class _Plain(yaml.SafeDumper):
    """Without anchors, which not every reader of workflows knows."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def led(plan: Plan) -> list[Step]:
    """The plan's steps up to the first question that nobody answers with go."""
    return list(takewhile(lambda s: not (isinstance(s, AskStep) and s.unattended == "no-go"), plan.steps))


def workflow(path: Path, plan: Plan, schedule: Schedule, shards: int, now: datetime) -> str:
    """The workflow's text; raises UsageError for a plan that runs nothing."""
    steps = [s for s in led(plan) if isinstance(s, RunStep)]
    if not steps:
        raise UsageError(f"the plan {path} runs no scenarios; a workflow can neither ask nor train anybody")
    lines = in_utc(schedule.cron, schedule.timezone, now)
    crons = sorted({line for of_offset in lines.values() for line in of_offset})
    jobs = {"prove": _prove(plan, steps, shards), "merge": _merge(steps)}
    if any(sorted(of_offset) != crons for of_offset in lines.values()):
        # Clocks change: of the lines for summer and for winter those begin that are of the offset of the day.
        jobs["prove"] = {"needs": "zone", "if": "needs.zone.outputs.begins == 'yes'", **jobs["prove"]}
        jobs = {"zone": _zone(schedule.timezone, lines), **jobs}
    text = {
        "name": plan.title,
        "on": {"schedule": [{"cron": cron} for cron in crons], "workflow_dispatch": {}},
        "concurrency": {"group": "gameday", "cancel-in-progress": False},
        "jobs": jobs,
    }
    zone = "" if schedule.timezone == "UTC" else f"# Workflows keep UTC; {schedule.cron} of {schedule.timezone} is:\n"
    return zone + yaml.dump(text, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)


def _zone(zone: str, lines: dict[str, list[str]]) -> dict[str, Any]:
    wanted = [shlex.quote(f"{offset} {cron}") for offset, crons in lines.items() for cron in crons]
    # By hand there is no line, and it begins at once.
    patterns = " | ".join([*wanted, "*' '"])
    run = (
        f'case "$(TZ={zone} date +%z) $LINE" in\n  {patterns}) echo begins=yes >> "$GITHUB_OUTPUT" ;;\nesac\n'
    )  # fmt: skip
    return {
        "runs-on": "ubuntu-latest",
        "outputs": {"begins": "${{ steps.zone.outputs.begins }}"},
        "steps": [{"id": "zone", "env": {"LINE": "${{ github.event.schedule }}"}, "run": run}],
    }


def _prove(plan: Plan, steps: list[RunStep], shards: int) -> dict[str, Any]:
    seed = str(plan.seed) if plan.seed is not None else "${{ github.run_number }}"
    more = f"--seed {seed} --shard ${{{{ matrix.shard }}}}/{shards}"
    proving: list[dict[str, Any]] = [
        {"name": describe(step), "run": f"{GAMEDAY} {shlex.join(run_words(plan, step))} {more} --reports shard/{n}"}
        for n, step in enumerate(steps, start=1)
    ]
    return {
        "runs-on": "ubuntu-latest",
        "strategy": {"fail-fast": False, "matrix": {"shard": list(range(1, shards + 1))}},
        "steps": [
            *SETUP,
            proving[0],
            *({"if": GOES_ON, **step} for step in proving[1:]),
            {
                "if": "always()",
                "uses": "actions/upload-artifact@v4",
                "with": {"name": "shard-${{ matrix.shard }}", "path": "shard/*/2*"},
            },
        ],
    }


def _merge(steps: list[RunStep]) -> dict[str, Any]:
    return {
        "needs": "prove",
        "if": "${{ !cancelled() && needs.prove.result != 'skipped' }}",
        "runs-on": "ubuntu-latest",
        "steps": [
            *SETUP,
            {"uses": "actions/download-artifact@v4", "with": {"path": "shards"}},
            *(
                {"if": GOES_ON, "name": describe(step), "run": f"{GAMEDAY} merge shards/*/{n}/2* --reports reports/{n}"}
                for n, step in enumerate(steps, start=1)
            ),
            {
                "if": "always()",
                "uses": "actions/upload-artifact@v4",
                "with": {"name": "report", "path": "reports/"},
            },
        ],
    }
