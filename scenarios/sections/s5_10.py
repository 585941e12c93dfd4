"""5.10: the outbox keeps rows for good, or publishes twice."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import entitlement

SECTION = Section(
    "5.10",
    "The outbox keeps rows for good, or publishes twice",
    (
        Check("5.10/check/1", "FAILED rows of the outbox", (entitlement.outbox_failed_rows,)),
        Check("5.10/check/2", "Locks that the relay lost", (entitlement.lock_lost,)),
    ),
    bullets=(
        done("5.10/response/1", "FM-OB-02:roll_back", "FM-OB-02:quarantine"),
        done("5.10/response/2", "FM-OB-03:restore_lease", "FM-OB-03:smaller_batches"),
        measured("5.10/recovery/1", entitlement.outbox_failed_rows, entitlement.publish_delay_p95_s),
        measured("5.10/recovery/2", entitlement.lock_lost, "entitlement.stream_surplus_messages"),
    ),
)
