"""A cron expression as other schedulers write it: systemd's calendar events, and lines in UTC."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from harness.model.errors import UsageError

# As systemd counts them: its week begins on Monday, and so do its ranges.
_WEEKDAYS = ("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MIN = 24 * 60
SURE_DAYS = range(1, 29)
"""Days that every month has."""


def plain(cron: str) -> str:
    """The expression, when every cron understands it; raises UsageError for last days and nth weekdays."""
    _, _, day, _, weekday = cron.lower().split()
    if re.search(r"[lw#]", f"{day} {re.sub('[a-z]{3}', '', weekday)}"):
        raise UsageError(f"'{cron}' cannot be said to another scheduler; write its days without L, W and #")
    return cron


def _read(cron: str) -> CronSim:
    """What the expression means: its fields as sets of numbers."""
    return CronSim(plain(cron), datetime(2026, 1, 1))  # noqa: DTZ001  (only its fields are looked at)


# systemd ------------------------------------------------------------------------------------------------------------------


def calendar_events(cron: str) -> list[str]:
    """The expression as systemd writes it; two when cron means either of two kinds of day."""
    asked = _read(cron)
    time = f"{_spans(asked.hours, 24)}:{_spans(asked.minutes, 60)}:00"
    months = _spans(asked.months, 12)
    days = f"*-{months}-{_spans(asked.days, 31)} {time}"
    weekdays = {n or 7 for n in _weekdays_of(cron)}
    if len(weekdays) == 7 and asked.day_and:
        return [days]
    named = ",".join("..".join(dict.fromkeys((_WEEKDAYS[a], _WEEKDAYS[b]))) for a, b in _runs(weekdays))
    return [f"{named} {days}"] if asked.day_and else [days, f"{named} *-{months}-* {time}"]


def _spans(numbers: Collection[int], count: int) -> str:
    if len(numbers) == count:
        return "*"
    return ",".join("..".join(dict.fromkeys((f"{a:02d}", f"{b:02d}"))) for a, b in _runs(numbers))


def _runs(numbers: Collection[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of every run of three or more that follow each other; each of the others alone."""
    run: list[int] = []
    for n in [*sorted(numbers), None]:
        if run and n != run[-1] + 1:
            yield from [(run[0], run[-1])] if len(run) > 2 else [(one, one) for one in run]
            run = []
        if n is not None:
            run.append(n)


# UTC ----------------------------------------------------------------------------------------------------------------------


def in_utc(cron: str, zone: str, now: datetime) -> dict[str, list[str]]:
    """The expression's lines in UTC by the zone's offset, `+0900`: several where clocks change in the coming year."""
    days = [(now.astimezone(UTC) + timedelta(days=n)).astimezone(ZoneInfo(zone)) for n in range(366)]
    offsets = {day.strftime("%z"): day.utcoffset() or timedelta() for day in days}
    found = {}
    for name, offset in sorted(offsets.items()):
        lines = _shifted(_sunday_is_0(cron), round(offset.total_seconds() / 60))
        if lines is None:
            raise UsageError(
                f"'{cron}' in {zone} is another day in UTC, which workflows keep, and its days cannot be shifted; "
                "write the plan's schedule in UTC"
            )
        found[name] = lines
    return found


def _sunday_is_0(cron: str) -> str:
    """Workflows know no weekday 7, and names in capitals."""
    minute, hour, day, month, weekday = plain(cron).upper().split()
    if "7" in weekday and "*" not in weekday:
        weekday = _listed(_weekdays_of(cron))
    return f"{minute} {hour} {day} {month} {weekday}"


def _weekdays_of(cron: str, shift: int = 0) -> set[int]:
    return {(n + shift) % 7 for n in _read(cron).weekdays if isinstance(n, int)}


def _shifted(cron: str, offset_min: int) -> list[str] | None:
    """The lines for clocks that are behind by so much; None where they would need days that no line can say."""
    if not offset_min:
        return [cron]
    asked = _read(cron)
    hours: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for minute in asked.minutes:
        for hour in asked.hours:
            shift, rest = divmod(hour * 60 + minute - offset_min, _DAY_MIN)
            days = _shifted_days(cron, asked, shift)
            if days is None:
                return None
            hours[days][rest // 60].add(rest % 60)
    lines = []
    for days, by_hour in hours.items():
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for hour, minutes in by_hour.items():
            alike[tuple(sorted(minutes))].append(hour)
        lines += [f"{_listed(minutes, 60)} {_listed(by, 24)} {days}" for minutes, by in alike.items()]
    return sorted(lines)


def _shifted_days(cron: str, asked: CronSim, shift: int) -> str | None:
    """The fields of days, so many days later; None where that is no longer the same days of every month."""
    _, _, day, month, weekday = cron.split()
    if not shift:
        return f"{day} {month} {weekday}"
    if "*/" in day + weekday or (month != "*" and (day == "*" or weekday != "*")):
        return None
    if day != "*":
        if not all(n in SURE_DAYS and n + shift in SURE_DAYS for n in asked.days):
            return None
        day = _listed({n + shift for n in asked.days})
    if weekday != "*":
        weekday = _listed(_weekdays_of(cron, shift))
    return f"{day} {month} {weekday}"


def _listed(numbers: Collection[int], count: int = 0) -> str:
    """The numbers, or a star for all there are; of days never a star, for it changes what the other field means."""
    return "*" if len(numbers) == count else ",".join(str(n) for n in sorted(numbers))
