"""When a plan begins: pure decisions on moments, so that clocks that jump and long absences can be tested."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from harness.fronts.gamedays.plan_file import Schedule

ON_TIME = timedelta(seconds=90)
"""A start seen within this time is on time; later it was missed. The scheduler looks at least every 20 s."""

MOST_MISSED = 1000
"""So many missed starts are counted at most; after a long absence the number means nothing more."""


@dataclass(frozen=True)
class Due:
    """What has come due since the scheduler last looked.

    Attributes:
        start: the start to make now, or None.
        skipped: starts that are not made, each with its reason.
    """

    start: datetime | None = None
    skipped: tuple[tuple[datetime, str], ...] = ()


def starts(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The starts after a moment, in the plan's time zone, blackouts or not."""
    try:
        yield from CronSim(schedule.cron, after.astimezone(ZoneInfo(schedule.timezone)))
    except (CronSimError, StopIteration):
        return


def next_start(schedule: Schedule, after: datetime) -> datetime | None:
    """The next start outside every blackout; None when there is none within the next thousand."""
    for n, moment in enumerate(starts(schedule, after)):
        if n >= MOST_MISSED:
            return None
        if not _black(schedule, moment):
            return moment
    return None


def due(
    schedule: Schedule,
    seen: datetime,
    now: datetime,
    *,
    made: Collection[datetime] = (),
    busy: Sequence[tuple[datetime, datetime]] = (),
) -> Due:
    """What came due in (seen, now]; when the clock went back, nothing does until it is past `seen` again.

    `made` are starts that were made already, before the clock was put back; `busy` are the stretches in which a game day
    was on.
    """
    passed: list[datetime] = []
    for moment in starts(schedule, seen):
        if moment > now or len(passed) >= MOST_MISSED:
            break
        if moment not in made:
            passed.append(moment)
    skipped: list[tuple[datetime, str]] = []
    open_: list[datetime] = []
    for moment in passed:
        if _black(schedule, moment):
            skipped.append((moment, "it lies in a blackout window"))
        else:
            open_.append(moment)
    if not open_:
        return Due(None, tuple(skipped))
    last = open_[-1]
    earlier = "a later start came due as well; starts are caught up once"
    skipped += [(moment, earlier) for moment in open_[:-1]]
    if now - last <= ON_TIME:
        return Due(last, tuple(skipped))
    if schedule.missed == "run-once" and not _black(schedule, now.astimezone(ZoneInfo(schedule.timezone))):
        return Due(last, tuple(skipped))
    why = "another game day was on" if any(a <= last <= b for a, b in busy) else "nobody was there to start it"
    if schedule.missed == "run-once":
        why = f"{why}, and now a blackout window is on"
    return Due(None, (*skipped, (last, why)))


def _black(schedule: Schedule, moment: datetime) -> bool:
    return any(b.covers(moment) for b in schedule.blackouts)


def utc(text: str) -> datetime:
    """A moment as it is kept; raises ValueError for something else."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
