"""Leading through a game day, step by step; whatever happens, what was done so far is on disk."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.drivers.clock import pause, wall
from harness.fronts import lock
from harness.fronts.gamedays.limits import Watch, over, reached
from harness.fronts.gamedays.plan_file import AskStep, DrillStep, Plan, RunStep
from harness.model.errors import GamedayError, InfrastructureError, UsageError
from harness.model.events import WORST_FIRST
from harness.report.day import DayRecord, StepRecord, write

LOCK = ".day.lock"


class Interrupted(Exception):  # noqa: N818  (no error: somebody said that it is enough)
    """The day was interrupted inside a step."""


@dataclass(frozen=True)
class Hands:
    """Who carries the steps out; each fills in the record it is given.

    Attributes:
        run: lets the watch take in what happens, and interrupts itself when the watch says so.
        ask: gives whether to go on.
        now_s: seconds, for the abort condition.
        sleep: waits in the same seconds.
    """

    run: Callable[[RunStep, StepRecord, Watch], None]
    drill: Callable[[DrillStep, StepRecord], None]
    ask: Callable[[AskStep, StepRecord], bool]
    now_s: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = pause


def only_one(reports: Path) -> AbstractContextManager[None]:
    """Hold the folder's game day; raises UsageError when another one is on."""
    return lock.only_one(reports, LOCK, f"another game day runs in {reports}; wait for its end")


def lead(plan: Plan, folder: Path, hands: Hands, *, attended: bool) -> DayRecord:
    """Take every step until the end, a no-go, an abort condition, trouble with the machine or an interruption."""
    day = DayRecord(folder.name, plan.title, dict(plan.roles), attended, wall())
    began_s = hands.now_s()

    def took_s() -> float:
        return hands.now_s() - began_s

    try:
        for step in plan.steps:
            record = StepRecord(_kind(step), describe(step), wall())
            day.steps.append(record)
            go, trouble, watch = True, "", Watch(plan.abort, day.counts, took_s, hands.sleep)
            try:
                match step:
                    case RunStep():
                        hands.run(step, record, watch)
                    case DrillStep():
                        hands.drill(step, record)
                    case AskStep():
                        go = hands.ask(step, record)
                        record.outcome = "go" if go else "no-go"
            except GamedayError as error:
                record.outcome, record.says = "INCONCLUSIVE", str(error)
                # One step that cannot be done as written does not cost the rest of the day; a machine in trouble does.
                trouble = "" if isinstance(error, UsageError) else str(error)
            record.ended_at = wall()
            _keep(day, folder)
            day.ended = trouble if go else f"no-go: {step.ask}" if isinstance(step, AskStep) else ""
            day.ended = day.ended or watch.met or _abort(plan, day, took_s())
            if day.ended:
                break
    except (Interrupted, KeyboardInterrupt):
        day.ended = "interrupted"
        if day.steps and not day.steps[-1].ended_at:
            day.steps[-1].outcome = day.steps[-1].outcome or "interrupted"
            day.steps[-1].ended_at = wall()
    finally:
        day.ended_at = wall()
        _keep(day, folder)
    return day


def exit_code(day: DayRecord) -> int:
    """1 with anything refuted; else 130 when interrupted, 3 when inconclusive or ended early; else 0."""
    outcomes = {s.outcome for s in day.steps} | set(day.counts)
    if "REFUTED" in outcomes:
        return 1
    if day.ended == "interrupted":
        return 130
    return 3 if day.ended or "INCONCLUSIVE" in outcomes else 0


def worst(claims: list[str]) -> str:
    """The worst of some claims; INCONCLUSIVE when there is none."""
    return next((name for name in WORST_FIRST if name in claims), "INCONCLUSIVE")


def _keep(day: DayRecord, folder: Path) -> None:
    try:
        write(day, folder)
    except OSError as error:
        raise InfrastructureError(f"{folder} cannot be written: {error.strerror}; free some space") from None


def _abort(plan: Plan, day: DayRecord, took_s: float) -> str:
    minutes = plan.abort.minutes
    late = minutes is not None and took_s > minutes * 60 and len(day.steps) < len(plan.steps)
    return reached(plan.abort, day.counts) or (over(minutes) if late and minutes is not None else "")


def _kind(step: RunStep | DrillStep | AskStep) -> str:
    return {RunStep: "run", DrillStep: "drill", AskStep: "ask"}[type(step)]


def describe(step: RunStep | DrillStep | AskStep) -> str:
    """A step in a few words."""
    match step:
        case RunStep():
            named = "the whole catalogue" if step.run == "all" else ", ".join(step.run)
            if step.section:
                sections = f"section {', '.join(step.section)}"
                named = sections if step.run == "all" else f"{named} of {sections}"
            return f"{named}{f', {step.variant}' if step.variant else ''}" + (
                f", {step.arm} arm" if step.arm != "timeline" else ""
            )
        case DrillStep():
            section = f"section {step.drill.section}" if step.drill.section else "any section"
            return f"{section}, level {step.drill.level}" + (f", {step.drill.trainee}" if step.drill.trainee else "")
        case AskStep():
            return step.ask
