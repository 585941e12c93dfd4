"""The scheduler: keeps plans, starts each when it is due, never two at once, and survives being ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.drivers.clock import pause_sync
from harness.drivers.notify import Failure, notify
from harness.fronts.gamedays import calendar, lock, steps
from harness.fronts.gamedays.budget import spent_share
from harness.fronts.gamedays.plan_file import Plan, read
from harness.model.errors import InfrastructureError, UsageError

LOOK_EVERY_S = 20.0
"""The longest wait between two looks at the clock, so that one that jumps is noticed."""

STATE = "schedule.json"
LOCK = ".schedule.lock"


@dataclass
class Kept:
    """A plan with what is remembered of it.

    Attributes:
        seen: up to when its starts have been dealt with.
    """

    path: Path
    plan: Plan
    seen: datetime
    log: list[str] = field(default_factory=list)


Start = Callable[[Path], tuple[int, str]]
"""Leads through a plan and gives its exit code with one line for people."""


class Keeper:
    """Keeps plans on their schedules.

    `now` gives the time of day, `start` leads through one plan, `say` tells people on the terminal.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        reports: Path,
        *,
        now: Callable[[], datetime],
        start: Start,
        say: Callable[[str], None],
        tell: Callable[[Sequence[str], str, str], list[Failure]] = notify,
    ) -> None:
        self._reports = reports
        self._now = now
        self._start = start
        self._say = say
        self._tell = tell
        remembered = self._remembered()
        self.kept = [self._take(path, remembered) for path in paths]
        self._failed_notices: list[tuple[list[Failure], str, str]] = []

    def _take(self, path: Path, remembered: Mapping[str, Any]) -> Kept:
        plan = read(path)
        if plan.schedule is None:
            raise UsageError(
                f"the plan {path} has no schedule; give it one, or lead through it with gameday day {path}"
            )
        steps.check(plan, path, self._reports)
        noted = remembered.get(str(path.resolve()), {})
        kept = Kept(path, plan, self._now())
        with contextlib.suppress(KeyError, ValueError, TypeError):
            kept.seen = calendar.utc(noted["seen"])
        if "running" in noted:
            kept.log.append(f"{noted['running']}: it was being led when the scheduler was ended")
            self._say(f"{path.name}: the start of {noted['running']} was cut off when the scheduler was ended")
        return kept

    def _remembered(self) -> Mapping[str, Any]:
        try:
            found = json.loads((self._reports / STATE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self._say(f"{self._reports / STATE} cannot be read ({error}); starts are counted from now on")
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self, running: Kept | None = None, since: datetime | None = None) -> None:
        known = dict(self._remembered())
        for kept in self.kept:
            noted: dict[str, Any] = {"seen": kept.seen.astimezone(UTC).isoformat(), "log": kept.log[-50:]}
            if kept is running and since is not None:
                noted["running"] = since.isoformat()
            known[str(kept.path.resolve())] = noted
        fresh = self._reports / f".{STATE}.new"
        try:
            fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
            fresh.replace(self._reports / STATE)
        except OSError as error:
            raise InfrastructureError(f"{self._reports / STATE} cannot be written: {error.strerror}") from None

    def look(self) -> float:
        """Deal with everything that is due now; gives how long to wait, in seconds."""
        self._notify_again()
        for kept in self.kept:
            schedule = kept.plan.schedule
            assert schedule is not None  # noqa: S101  (taken only with one)
            now = self._now()
            if now <= kept.seen:
                continue  # the clock went back, or no time has passed
            found = calendar.due(schedule, kept.seen, now)
            kept.seen = now
            for moment, why in found.skipped:
                self._note(kept, f"the start of {moment.isoformat()} is skipped: {why}")
            if found.start is not None:
                self._begin(kept, found.start)
        self._remember()
        return self._wait_s()

    def _begin(self, kept: Kept, moment: datetime) -> None:
        plan, schedule = kept.plan, kept.plan.schedule
        assert schedule is not None  # noqa: S101  (taken only with one)
        if schedule.budget:
            share = spent_share(self._reports, schedule.budget, schedule.budget_days, self._now())
            if share is not None and share >= 1:
                says = f"the error budget of {schedule.budget} is spent ({share:.0%} of it)"
                self._note(kept, f"the start of {moment.isoformat()} is refused: {says}")
                self._notify(plan, f"{plan.title}: refused", says)
                return
        self._remember(kept, moment)
        self._say(f"{kept.path.name}: begins, due {moment.isoformat()}")
        self._notify(plan, f"{plan.title}: begins", f"Due {moment.isoformat()}; roles: {plan.roles or 'none'}")
        code, says = self._start(kept.path)
        word = {0: "done", 1: "refuted", 3: "inconclusive or ended early", 130: "interrupted"}.get(
            code, f"failed ({code})"
        )
        self._note(kept, f"the start of {moment.isoformat()} is {word}: {says}")
        self._notify(plan, f"{plan.title}: {word}", says)

    def _notify(self, plan: Plan, title: str, body: str) -> None:
        self._notify_again()
        channels = plan.channels()
        failed = self._tell(channels, title, body) if channels else []
        for failure in failed:
            self._say(f"notification failed: {failure.says}")
        if failed:
            self._failed_notices.append((failed, title, body))

    def _notify_again(self) -> None:
        """Once more, to the channels that did not take a message, and to no other."""
        waiting, self._failed_notices = self._failed_notices, []
        for failed, title, body in waiting:
            # What it was called among all the plan's channels is what people know it by.
            says = {failure.address: failure.says for failure in failed}
            for failure in self._tell(list(says), title, body):
                self._say(f"notification failed again: {says.get(failure.address, failure.says)}")

    def _note(self, kept: Kept, says: str) -> None:
        kept.log.append(says)
        self._say(f"{kept.path.name}: {says}")

    def _wait_s(self) -> float:
        now = self._now()
        nexts = [n for k in self.kept if k.plan.schedule and (n := calendar.next_start(k.plan.schedule, k.seen))]
        until_s = min(((n - now).total_seconds() for n in nexts), default=LOOK_EVERY_S)
        return max(0.05, min(until_s, LOOK_EVERY_S))

    def upcoming(self) -> list[str]:
        """One line for each plan: when it begins next."""
        lines = []
        for kept in self.kept:
            assert kept.plan.schedule is not None  # noqa: S101  (taken only with one)
            following = calendar.next_start(kept.plan.schedule, self._now())
            when = following.isoformat() if following else "never: its starts all lie in blackout windows"
            lines.append(f"{kept.path.name}: {kept.plan.title}; next {when}")
        return lines


def only_one(reports: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the folder's schedule; raises UsageError when another scheduler keeps it."""
    return lock.only_one(
        reports, LOCK, f"another scheduler keeps {reports}; end it, or name another folder with --reports"
    )


def by_process(reports: Path, ended: Callable[[], bool]) -> Start:
    """Leads through a plan in a process of its own, which a scheduler that is told to end interrupts and awaits."""

    def start(path: Path) -> tuple[int, str]:
        command = [
            sys.executable,
            "-m",
            "harness.fronts.cli",
            "day",
            str(path),
            "--unattended",
            "--reports",
            str(reports),
        ]
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            child = subprocess.Popen(  # noqa: S603  (ourselves)
                command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}, start_new_session=True,
            )  # fmt: skip
            told = False
            while child.poll() is None:
                if ended() and not told:
                    child.send_signal(signal.SIGINT)
                    told = True
                pause_sync(0.2)
            output.seek(0)
            lines = [line for line in output.read().splitlines() if line.strip()]
        return child.returncode, (lines or ["it said nothing"])[-1].strip()

    return start


def keep_on(keeper: Keeper, ended: Callable[[], bool]) -> None:
    """Look and wait until told to end."""
    while not ended():
        waits_s = keeper.look()
        while waits_s > 0 and not ended():
            pause_sync(min(waits_s, 0.2))
            waits_s -= 0.2
