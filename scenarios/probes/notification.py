"""Notification: from the stream to the destination."""

from harness.model.ports import Observer
from harness.model.probes import Probe
from scenarios.probes.common import increase_probe, sql_probe

ENTITLEMENT = ("entitlement-events", "notification-entitlement-consumer")
MATCHMAKING = ("matchmaking-events", "notification-matchmaking-consumer")


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
)
retries = increase_probe(
    "notification.retries",
    "sends put off in the last 2 s",
    "notification",
    "notification_delivery_total",
    {"result": "retry_scheduled"},
)
