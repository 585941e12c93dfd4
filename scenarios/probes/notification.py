"""Notification: from the stream to the destination."""

from harness.model.ports import Observer
from harness.model.probes import Cohort, Probe, cohort_probe
from scenarios.probes.common import increase_probe, metric_probe, reach_probe, sql_probe

ENTITLEMENT = ("entitlement-events", "notification-entitlement-consumer")
MATCHMAKING = ("matchmaking-events", "notification-matchmaking-consumer")
TERMINATED = ("notification-terminated-advisory-dlq", "notification-terminated-advisory-consumer")


def _lag(name: str, stream: str, durable: str) -> Probe:
    async def read(observer: Observer) -> float | None:
        # The stream first: a message that comes between the two readings then counts as no lag, never as a negative one.
        last = (await observer.stream(stream))["last_seq"]
        floor = (await observer.consumer(stream, durable))["ack_floor"]
        return float(max(last - floor, 0))

    return Probe(name, f"messages of {stream} that are not acknowledged", read)


entitlement_lag = _lag("notification.entitlement_lag_messages", *ENTITLEMENT)
matchmaking_lag = _lag("notification.matchmaking_lag_messages", *MATCHMAKING)

backlog_rows = sql_probe(
    "notification.backlog_rows",
    "notifications that wait, or whose claim is over",
    "SELECT count(*) FROM notification.notifications"
    " WHERE status = 'PENDING' OR (status = 'PROCESSING' AND lease_until < now())",
)
pending_rows = sql_probe(
    "notification.pending_rows",
    "notifications that nobody has taken in hand",
    "SELECT count(*) FROM notification.notifications WHERE status = 'PENDING'",
)
processing_rows = sql_probe(
    "notification.processing_rows",
    "notifications in hand",
    "SELECT count(*) FROM notification.notifications WHERE status = 'PROCESSING'",
)
failed_rows = sql_probe(
    "notification.failed_rows",
    "notifications that failed for good",
    "SELECT count(*) FROM notification.notifications WHERE status = 'FAILED'",
)
dlq_rows = sql_probe("notification.dlq_rows", "rows of the DLQ", "SELECT count(*) FROM notification.notification_dlq")
e2e_delay_p95_s = sql_probe(
    "notification.e2e_delay_p95_s",
    "end-to-end delay p95 of what was sent in the last 2 s",
    "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - occurred_at))"
    " FROM notification.notifications WHERE sent_at > clock_timestamp() - interval '2 seconds'",
    empty=None,
)
retries = increase_probe(
    "notification.retries",
    "sends put off in the last 2 s",
    "notification",
    "notification_delivery_total",
    {"result": "retry_scheduled"},
)
dlq_failed_differences = sql_probe(
    "notification.dlq_failed_differences",
    "DLQ rows whose notification is not FAILED, and FAILED notifications without a DLQ row",
    "SELECT count(*) FROM notification.notifications n FULL JOIN notification.notification_dlq d USING (notification_id)"
    " WHERE (n.status = 'FAILED') IS DISTINCT FROM (d.dlq_id IS NOT NULL)",
)
failed_error_kinds = sql_probe(
    "notification.failed_error_kinds",
    "how many different errors the DLQ holds",
    "SELECT count(DISTINCT error_message) FROM notification.notification_dlq",
)
failed_share = sql_probe(
    "notification.failed_share",
    "share of FAILED among what ended in the last 2 s",
    "SELECT avg((status = 'FAILED')::int) FROM notification.notifications n"
    " LEFT JOIN notification.notification_dlq d USING (notification_id)"
    " WHERE coalesce(n.sent_at, d.created_at) > clock_timestamp() - interval '2 seconds'",
    empty=None,
)

AGREED = 20
"""How many failed notifications are re-driven at once, oldest first: a set that was agreed on before."""


async def _failed_oldest(observer: Observer) -> Cohort:
    rows = await observer.sql(
        "SELECT n.notification_id FROM notification.notifications n JOIN notification.notification_dlq d"
        " USING (notification_id) WHERE n.status = 'FAILED' ORDER BY d.created_at LIMIT %s",
        (AGREED,),
    )
    return tuple(str(row[0]) for row in rows)


async def unsent(observer: Observer, cohort: Cohort) -> float | None:
    """How many notifications of a cohort are not SENT; those that failed or are gone count."""
    rows = await observer.sql(
        "SELECT count(*) FROM notification.notifications WHERE notification_id = ANY (%s::uuid[]) AND status = 'SENT'",
        (list(cohort),),
    )
    return float(len(cohort) - rows[0][0])


cohort_unsent_rows = cohort_probe(
    "notification.cohort_unsent_rows",
    "of the oldest failed notifications when the response began, those that are not SENT",
    capture=_failed_oldest,
    left=unsent,
)


async def _unacknowledged(observer: Observer) -> Cohort:
    last = (await observer.stream(ENTITLEMENT[0]))["last_seq"]
    floor = (await observer.consumer(*ENTITLEMENT))["ack_floor"]
    return tuple(str(seq) for seq in range(floor + 1, last + 1))


async def _not_consumed(observer: Observer, cohort: Cohort) -> float | None:
    floor = (await observer.consumer(*ENTITLEMENT))["ack_floor"]
    return float(sum(int(seq) > floor for seq in cohort))


cohort_unconsumed_messages = cohort_probe(
    "notification.cohort_unconsumed_messages",
    "messages that waited in the stream when the response began and are not acknowledged",
    capture=_unacknowledged,
    left=_not_consumed,
)
nats_reachable = reach_probe(
    "notification.nats_reachable", "whether NATS answers over notification's route", "notification->nats"
)
duplicates = increase_probe(
    "notification.duplicates",
    "events that were known already, in the last 2 s",
    "notification",
    "notification_duplicate_suppressed_total",
)
lock_lost = increase_probe(
    "notification.lock_lost", "claims lost in the last 2 s", "notification", "notification_lock_lost_total"
)
decode_failed = increase_probe(
    "notification.decode_failed",
    "payloads that could not be decoded, in the last 2 s",
    "notification",
    "notification_decode_failed_total",
)
nats_dlq_rows = sql_probe(
    "notification.nats_dlq_rows",
    "messages that were given up and recorded",
    "SELECT count(*) FROM notification.notification_nats_dlq",
)
revokes_arrived = sql_probe(
    "notification.revokes_arrived",
    "notifications of revokes made in the last 2 s",
    "SELECT count(*) FROM notification.notifications WHERE type = 'ENTITLEMENT_REVOKED'"
    " AND created_at > clock_timestamp() - interval '2 seconds'",
)
grants_waiting_age_s = sql_probe(
    "notification.grants_waiting_age_s",
    "age of the oldest notification of a grant that has not ended",
    "SELECT extract(epoch FROM clock_timestamp() - min(occurred_at)) FROM notification.notifications"
    " WHERE type = 'ENTITLEMENT_GRANTED' AND status IN ('PENDING', 'PROCESSING')",
)
notifications_per_event_max = sql_probe(
    "notification.notifications_per_event_max",
    "most notifications of one event",
    "SELECT max(n) FROM (SELECT count(*) n FROM notification.notifications GROUP BY event_id) counted",
    empty=None,
)


async def _redelivered(observer: Observer) -> float | None:
    return float((await observer.consumer(*ENTITLEMENT))["redelivered"])


redelivered_messages = Probe(
    "notification.redelivered_messages", "messages that were delivered more than once and still wait", _redelivered
)

old_processed_rows = sql_probe(
    "notification.old_processed_rows",
    "rows of the idempotency table beyond their age",
    "SELECT count(*) FROM notification.processed_events WHERE processed_at < now() - interval '30 days'",
)
retention_deleted = metric_probe(
    "notification.retention_deleted",
    "rows that retention has deleted since notification started",
    "notification",
    "notification_retention_deleted_total",
)


async def _recorded(observer: Observer) -> int:
    return int((await observer.sql("SELECT count(*) FROM notification.notification_nats_dlq"))[0][0])


async def _unrecorded(observer: Observer) -> float | None:
    return float(max((await observer.stream(TERMINATED[0]))["messages"] - await _recorded(observer), 0))


unrecorded_advisories = Probe(
    "notification.unrecorded_advisories", "terminated messages that are not recorded", _unrecorded
)


async def _advisories(observer: Observer) -> Cohort:
    state = await observer.stream(TERMINATED[0])
    return tuple(str(seq) for seq in range(state["first_seq"], state["last_seq"] + 1))


async def _not_recorded(observer: Observer, cohort: Cohort) -> float | None:
    # Advisories are recorded in the order in which they came, so the first of them are the cohort.
    return float(max(len(cohort) - await _recorded(observer), 0))


cohort_unrecorded_advisories = cohort_probe(
    "notification.cohort_unrecorded_advisories",
    "messages that were terminated when the response began and are not recorded",
    capture=_advisories,
    left=_not_recorded,
)
