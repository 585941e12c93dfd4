"""5.11: events come twice, or dead letters are not recorded."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import notification

SECTION = Section(
    "5.11",
    "Events come twice, or dead letters are not recorded",
    (Check("5.11/check/2", "Events that came again and were skipped", (notification.duplicates,)),),
    bullets=(
        measured("5.11/check/1", "notification.unrecorded_advisories"),
        measured("5.11/check/3", "notification.lock_lost", "notification.sent_twice"),
        done("5.11/response/1", "FM-NATS-03:restart_subscriber"),
        done("5.11/response/2", "FM-NOTI-01:stop_replay"),
        done("5.11/response/3", "FM-NOTI-02:restore_lease", "FM-NOTI-02:one_worker"),
        measured("5.11/recovery/1", "notification.cohort_unrecorded_advisories"),
        measured("5.11/recovery/2", notification.duplicates, "notification.notifications_per_event_max"),
        measured("5.11/recovery/3", "notification.lock_lost", "notification.sent_twice"),
    ),
)
