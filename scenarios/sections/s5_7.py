"""5.7: the DLQ and FAILED grow."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import destination, notification

SECTION = Section(
    "5.7",
    "The DLQ and FAILED grow",
    (
        Check(
            "5.7/check/1",
            "Failures for good or for now: are they all the same",
            (notification.failed_error_kinds, notification.failed_rows, notification.retries),
        ),
        Check(
            "5.7/check/2", "Whether DLQ and FAILED agree", (notification.dlq_rows, notification.dlq_failed_differences)
        ),
        Check("5.7/check/3", "Whether the same event comes again", (notification.duplicates, destination.sent_twice)),
    ),
    bullets=(
        done("5.7/response/1", "FM-NOTI-04:restore_credential", "FM-NATS-02:roll_back"),
        done("5.7/response/2", "FM-NOTI-04:more_attempts"),
        done(
            "5.7/response/3",
            "FM-NOTI-04:redrive",
            "FM-NOTI-04:redrive_any",
            "FM-NOTI-05:add_missing",
            "FM-NOTI-05:remove_surplus",
        ),
        measured("5.7/recovery/1", notification.dlq_rows, notification.nats_dlq_rows),
        measured("5.7/recovery/2", notification.failed_share, notification.cohort_unsent_rows),
    ),
)
