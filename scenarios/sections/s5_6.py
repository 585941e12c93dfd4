"""5.6: notifications are late or have stopped."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import database, destination, entitlement, notification

SECTION = Section(
    "5.6",
    "Notifications are late or have stopped",
    (
        Check(
            "5.6/check/1",
            "The outbox's backlog and its publish delay",
            (
                entitlement.outbox_open_rows,
                entitlement.outbox_age_s,
                entitlement.outbox_attempts_max,
                entitlement.publish_delay_p95_s,
            ),
        ),
        Check("5.6/check/2", "The consumer's lag", (notification.entitlement_lag,)),
        Check(
            "5.6/check/3",
            "Notification's backlog",
            (notification.backlog_rows, notification.processing_rows, notification.retries),
        ),
        Check("5.6/check/4", "Lock waits and free connections", (database.lock_waits, database.free_connections)),
    ),
    bullets=(
        done(
            "5.6/response/1", "FM-OB-01:restart_relay", "FM-NATS-01:restart_if_needed", "FM-NATS-01:restart_subscriber"
        ),
        done("5.6/response/2", "FM-NOTI-03:fewer_sends"),
        done("5.6/response/3", "FM-OB-01:restore_route", "FM-OB-01:restore_credentials", "FM-NATS-01:restore_route"),
        measured(
            "5.6/recovery/1",
            entitlement.cohort_unpublished_rows,
            notification.cohort_unconsumed_messages,
            entitlement.outbox_failed_rows,
            notification.failed_rows,
            destination.cohort_unfinished_rows,
        ),
        measured("5.6/recovery/2", entitlement.publish_delay_p95_s, notification.e2e_delay_p95_s),
    ),
)
