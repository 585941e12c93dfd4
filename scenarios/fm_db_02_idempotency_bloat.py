"""Retention is off, so old rows pile up in notification's idempotency table.

Symptom   old rows stay, and retention deletes none.
Response  put retention back; it runs at once. (Not in the runbook.)
Recovery  the old rows are gone, retention deletes again.
Apart     everything else works: nobody notices until the table is large.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, DataChange, Together
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

CLEANUP_S = setting("notification.retention.cleanup-interval")
OLD = 500


async def old_rows_are_there(observer: Observer) -> bool:
    """Rows far beyond their age."""
    rows = await observer.sql(
        "SELECT count(*) FROM notification.processed_events WHERE processed_at < now() - interval '31 days'"
    )
    return bool(rows[0][0] >= OLD)


PILE_UP = (
    "INSERT INTO notification.processed_events (event_id, processed_at)"
    f" SELECT 'old-' || n, now() - interval '40 days' FROM generate_series(1, {OLD}) n"
)


@step("Put retention back", in_runbook=False)
async def restore_retention(operator: Operator) -> None:
    """The newest change of notification's settings; retention runs when notification starts."""
    await operator.rollback_setting("notification")


SCENARIO = Scenario(
    id="FM-DB-02",
    title="The idempotency table bloats",
    sections=("5.9",),
    workload=(Grants(rate_hz=5),),
    fault=Together(
        (
            ChangedSetting("notification", "notification.retention.enabled", "false"),
            DataChange(
                "notification",
                (PILE_UP,),
                old_rows_are_there,
                "old rows pile up",
            ),
        )
    ),
    symptom=eventually(
        notification.old_processed_rows.at_least(OLD),
        notification.retention_deleted.equals(0),
        within_s=8.0,
    ),
    hold_s=CLEANUP_S * 2.0 + 1.0,
    response=(restore_retention,),
    recovery=eventually(
        notification.old_processed_rows.equals(0),
        notification.retention_deleted.at_least(OLD),
        notification.backlog_rows.at_most(10),
        within_s=CLEANUP_S * 2.0 + 8.0,
        hold_s=1.0,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("retention would have run within the hold", CLEANUP_S, HOLD),),
)
