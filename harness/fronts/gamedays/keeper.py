"""The scheduler: keeps plans, starts each when it is due, never two at once, and survives being ended."""

import contextlib
import json
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.drivers.clock import pause_sync
from harness.drivers.notify import Failure, notify
from harness.fronts import lock
from harness.fronts.gamedays import calendar, steps
from harness.fronts.gamedays.budget import spent_share
from harness.fronts.gamedays.ourselves import begin
from harness.fronts.gamedays.plan_file import Plan, read
from harness.model.errors import InfrastructureError, UsageError

LOOK_EVERY_S = 20.0
"""The longest wait between two looks at the clock, so that one that jumps is noticed."""

PUT_BACK = timedelta(minutes=5)
"""A clock that goes back further than this was put right; starts are counted from there. Less is waited for."""

MOST_MADE, MOST_LINES = 100, 50
"""So many starts and lines of each plan are remembered."""

STATE = "schedule.json"
LOCK = ".schedule.lock"


@dataclass
class Kept:
    """A plan with what is remembered of it.

    Attributes:
        seen: up to when its starts have been dealt with.
        made: the last starts that were made, so that a clock that is put back starts nothing twice.
        cut_off: the start that was being led when the scheduler before this one was ended, or empty.
    """

    path: Path
    plan: Plan
    seen: datetime
    log: list[str] = field(default_factory=list)
    made: list[datetime] = field(default_factory=list)
    cut_off: str = ""


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
        _each_once(paths)
        remembered = self._remembered()
        self.kept = [self._take(path, remembered) for path in paths]
        self._busy: list[tuple[datetime, datetime]] = []
        self._failed_notices: list[tuple[list[Failure], str, str]] = []
        self._tell_of_cut_offs()

    def _take(self, path: Path, remembered: Mapping[str, Any]) -> Kept:
        plan = read(path)
        if plan.schedule is None:
            raise UsageError(
                f"the plan {path} has no schedule; give it one, or lead through it with gameday day {path}"
            )
        steps.check(plan, path, self._reports)
        noted = remembered.get(str(path.resolve()))
        noted = noted if isinstance(noted, dict) else {}
        kept = Kept(path, plan, self._now())
        with contextlib.suppress(KeyError, ValueError, TypeError):
            kept.seen = calendar.utc(noted["seen"])
            kept.made = [calendar.utc(moment) for moment in noted.get("made", ())]
            kept.log = [str(line) for line in noted.get("log", ())]
        kept.cut_off = str(noted.get("running", ""))
        return kept

    def _tell_of_cut_offs(self) -> None:
        """Once every plan is taken: a broken one beside it must not have people told again and again."""
        cut_off = [kept for kept in self.kept if kept.cut_off]
        for kept in cut_off:
            says = f"the start of {kept.cut_off} was cut off when the scheduler was ended"
            self._note(kept, says)
            self._notify(kept.plan, f"{kept.plan.title}: aborted", says)
        if cut_off:
            self._remember()

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
            noted: dict[str, Any] = {
                "seen": kept.seen.astimezone(UTC).isoformat(),
                "made": [moment.astimezone(UTC).isoformat() for moment in kept.made[-MOST_MADE:]],
                "log": kept.log[-MOST_LINES:],
            }
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
                if kept.seen - now > PUT_BACK:
                    was, is_ = (m.astimezone(UTC).isoformat(timespec="seconds") for m in (kept.seen, now))
                    self._note(kept, f"the clock was put back from {was} to {is_}; starts are counted from there")
                    kept.seen = now
                continue
            found = calendar.due(schedule, kept.seen, now, made=kept.made, busy=self._busy)
            kept.seen = now
            for moment, why in found.skipped:
                self._note(kept, f"the start of {moment.isoformat()} is skipped: {why}")
            if found.start is not None:
                # What came due shortly before would have been on time, had this day not begun.
                since = self._now() - calendar.ON_TIME
                self._begin(kept, found.start)
                self._busy.append((since, self._now()))
        oldest = min((kept.seen for kept in self.kept), default=self._now())
        self._busy = [stretch for stretch in self._busy if stretch[1] > oldest]
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
        kept.made.append(moment)
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


def _each_once(paths: Sequence[Path]) -> None:
    """Raise UsageError for a plan that is named twice, however it is spelt: it would start twice."""
    named: dict[Path, Path] = {}
    for path in paths:
        before = named.get(path.resolve())
        named[path.resolve()] = path
        if before is not None:
            spelt = "" if str(before) == str(path) else f", also as {before}"
            raise UsageError(f"the plan {path} is named twice{spelt}; name each plan once")


def only_one(reports: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the folder's schedule; raises UsageError when another scheduler keeps it."""
    return lock.only_one(
        reports, LOCK, f"another scheduler keeps {reports}; end it, or name another folder with --reports"
    )


def by_process(reports: Path, ended: Callable[[], bool]) -> Start:
    """Leads through a plan in a process of its own, which a scheduler that is told to end interrupts and awaits."""

    def start(path: Path) -> tuple[int, str]:
        words = ["day", str(path), "--unattended", "--reports", str(reports)]
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            child = begin(
                words, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
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
