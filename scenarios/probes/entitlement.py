"""Entitlement: grants and revokes, and the outbox on its way to the stream."""

from harness.model.ports import Observer
from harness.model.probes import Cohort, Probe, cohort_probe
from scenarios.probes.common import increase_probe, ledger_ratio, log_probe, sql_probe

_OPEN = "FROM entitlement.outbox_events WHERE status IN ('PENDING', 'IN_FLIGHT')"

outbox_open_rows = sql_probe(
    "entitlement.outbox_open_rows", "outbox rows that are not published yet", f"SELECT count(*) {_OPEN}"
)
outbox_age_s = sql_probe(
    "entitlement.outbox_age_s",
    "age of the oldest outbox row that is not published",
    f"SELECT extract(epoch FROM clock_timestamp() - min(created_at)) {_OPEN}",
)
outbox_attempts_max = sql_probe(
    "entitlement.outbox_attempts_max",
    "most attempts of an outbox row that is not published",
    f"SELECT max(attempt_count) {_OPEN}",
)
outbox_failed_rows = sql_probe(
    "entitlement.outbox_failed_rows",
    "outbox rows that failed for good",
    "SELECT count(*) FROM entitlement.outbox_events WHERE status = 'FAILED'",
)
publish_delay_p95_s = sql_probe(
    "entitlement.publish_delay_p95_s",
    "publish delay p95 of the rows that were published in the last 2 s, and of the open ones as far as it goes",
    "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM coalesce(published_at, clock_timestamp())"
    " - created_at)) FROM entitlement.outbox_events WHERE published_at > clock_timestamp() - interval '2 seconds'"
    " OR status IN ('PENDING', 'IN_FLIGHT')",
    empty=None,
)
publish_retries = log_probe(
    "entitlement.publish_retries", "publishes put off in the last 2 s", "entitlement", "outbox publish retry scheduled"
)
lock_lost = increase_probe(
    "entitlement.lock_lost", "outbox locks lost in the last 2 s", "entitlement", "entitlement_outbox_lock_lost_total"
)
lock_lost_lines = log_probe(
    "entitlement.lock_lost_lines", "lost locks logged in the last 2 s", "entitlement", "outbox lock lost"
)
failed_event_types = sql_probe(
    "entitlement.failed_event_types",
    "how many kinds of events failed for good",
    "SELECT count(DISTINCT event_type) FROM entitlement.outbox_events WHERE status = 'FAILED'",
)
PUT_ASIDE = "put aside: "
"""How the error of a row begins that somebody has seen and put aside."""

failed_untouched_rows = sql_probe(
    "entitlement.failed_untouched_rows",
    "outbox rows that failed for good and that nobody has put aside",
    "SELECT count(*) FROM entitlement.outbox_events"
    f" WHERE status = 'FAILED' AND left(coalesce(last_error, ''), {len(PUT_ASIDE)}) <> '{PUT_ASIDE}'",
)
grants_open_age_s = sql_probe(
    "entitlement.grants_open_age_s",
    "age of the oldest grant that is not published",
    f"SELECT extract(epoch FROM clock_timestamp() - min(created_at)) {_OPEN} AND event_type = 'EntitlementGranted'",
)


async def _surplus(observer: Observer) -> float | None:
    # The stream first: what is published between the two readings is then too few, never too many. A row in hand, or
    # whose attempt had an unknown outcome, may be in the stream already.
    messages = (await observer.stream("entitlement-events"))["messages"]
    rows = await observer.sql(
        "SELECT count(*) FROM entitlement.outbox_events WHERE status IN ('PUBLISHED', 'IN_FLIGHT') OR attempt_count > 0"
    )
    return float(max(messages - rows[0][0], 0))


stream_surplus_messages = Probe(
    "entitlement.stream_surplus_messages", "messages in the stream beyond one for each event", _surplus
)
command_accepted_ratio = ledger_ratio(
    "entitlement.command_accepted_ratio",
    "share of grants and revokes that were accepted, over 2 s",
    ("grants.grant", "grants.revoke"),
    lambda sent: sent.accepted,
)


async def _open_rows(observer: Observer) -> Cohort:
    return tuple(str(row[0]) for row in await observer.sql(f"SELECT event_id {_OPEN}"))


async def _unpublished(observer: Observer, cohort: Cohort) -> float | None:
    rows = await observer.sql(
        "SELECT count(*) FROM entitlement.outbox_events WHERE event_id = ANY (%s::uuid[]) AND status = 'PUBLISHED'",
        (list(cohort),),
    )
    return float(len(cohort) - rows[0][0])


cohort_unpublished_rows = cohort_probe(
    "entitlement.cohort_unpublished_rows",
    "rows that were open when the response began and are not PUBLISHED",
    capture=_open_rows,
    left=_unpublished,
)
