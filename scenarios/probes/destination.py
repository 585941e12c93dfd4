"""The destination, as notification fills it: what waits there, what it was sent twice, what is left to send."""

from harness.model.errors import Unreadable
from harness.model.ports import Observer
from harness.model.probes import Cohort, Probe, cohort_probe
from scenarios.probes.common import WINDOW_S, metric_probe
from scenarios.probes.notification import unsent

DESTINATION = "destination"
JAMMED = 15
"""So many requests at once are more than one server of 40 ms answers within 500 ms."""

waiting = metric_probe(
    "notification.destination_waiting",
    "requests that wait at the destination or are in service",
    DESTINATION,
    "destination_requests_current",
)


async def is_jammed(observer: Observer) -> bool | None:
    """More waits at the destination than it answers in time."""
    found = observer.metric(DESTINATION, "destination_requests_current")
    return None if found is None else found >= JAMMED


async def _sent_twice(observer: Observer) -> float | None:
    reply = await observer.http(DESTINATION, "/records")
    records = reply.json() if reply.status == 200 else None
    if not isinstance(records, list):
        raise Unreadable("the destination does not give its records")
    now_s = max((float(r["arrived_at"]) for r in records), default=0.0)
    seen: set[str] = set()
    again: set[str] = set()
    for record in records:
        if record["notification_id"] in seen and record["arrived_at"] > now_s - WINDOW_S:
            again.add(record["notification_id"])
        seen.add(record["notification_id"])
    return float(len(again))


sent_twice = Probe(
    "notification.sent_twice",
    "notifications that came to the destination again, in the last 2 s before its newest request",
    _sent_twice,
)


async def _unfinished(observer: Observer) -> Cohort:
    rows = await observer.sql(
        "SELECT notification_id FROM notification.notifications WHERE status IN ('PENDING', 'PROCESSING')"
    )
    return tuple(str(row[0]) for row in rows)


cohort_unfinished_rows = cohort_probe(
    "notification.cohort_unfinished_rows",
    "notifications that had not ended when the response began and are not SENT",
    capture=_unfinished,
    left=unsent,
)
