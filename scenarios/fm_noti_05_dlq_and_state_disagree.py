"""The DLQ and the state of notifications disagree: data was put wrong.

Symptom   the reconciliation query finds differences.
Response  reconcile just those.
Recovery  none is left.
Apart     there are differences, but no new failures.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import DataChange
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

LEASE_S = setting("notification.delivery.lease")


async def they_disagree(observer: Observer) -> bool:
    """Both kinds of difference are there."""
    rows = await observer.sql(
        "SELECT count(*) FILTER (WHERE n.status = 'FAILED' AND d.dlq_id IS NULL),"
        " count(*) FILTER (WHERE n.status <> 'FAILED' AND d.dlq_id IS NOT NULL)"
        " FROM notification.notifications n LEFT JOIN notification.notification_dlq d USING (notification_id)"
    )
    return bool(rows[0][0] > 0 and rows[0][1] > 0)


FAIL_WITHOUT_ROW = (
    "UPDATE notification.notifications SET status = 'FAILED', sent_at = NULL WHERE notification_id IN"
    " (SELECT notification_id FROM notification.notifications WHERE status = 'SENT' ORDER BY created_at LIMIT 3)"
)
ROW_WITHOUT_FAILURE = (
    "INSERT INTO notification.notification_dlq (dlq_id, notification_id, event_id, payload_json, error_message)"
    " SELECT gen_random_uuid(), notification_id, event_id, payload_json, 'misplaced'"
    " FROM notification.notifications WHERE status = 'SENT' ORDER BY created_at DESC LIMIT 2"
)


@step("Write the DLQ rows that FAILED notifications lack")
async def add_missing(operator: Operator) -> None:
    """A notification that failed is to be found in the DLQ."""
    await operator.sql(
        "INSERT INTO notification.notification_dlq (dlq_id, notification_id, event_id, payload_json, error_message)"
        " SELECT gen_random_uuid(), n.notification_id, n.event_id, n.payload_json, 'reconciled'"
        " FROM notification.notifications n LEFT JOIN notification.notification_dlq d USING (notification_id)"
        " WHERE n.status = 'FAILED' AND d.dlq_id IS NULL"
    )


@step("Remove the DLQ rows of notifications that did not fail")
async def remove_surplus(operator: Operator) -> None:
    """Only those whose notification says otherwise."""
    await operator.sql(
        "DELETE FROM notification.notification_dlq d USING notification.notifications n"
        " WHERE n.notification_id = d.notification_id AND n.status <> 'FAILED'"
    )


SCENARIO = Scenario(
    id="FM-NOTI-05",
    title="The DLQ and the state disagree",
    sections=("5.7",),
    workload=(Grants(rate_hz=6),),
    fault=DataChange(
        "notification",
        (FAIL_WITHOUT_ROW, ROW_WITHOUT_FAILURE),
        they_disagree,
        "DLQ rows and states are put wrong",
    ),
    symptom=eventually(
        notification.dlq_failed_differences.at_least(5),
        notification.failed_rows.stops_growing(window_s=1.0),
        within_s=8.0,
    ),
    hold_s=LEASE_S + 0.5,
    response=(add_missing, remove_surplus),
    recovery=eventually(
        notification.dlq_failed_differences.equals(0),
        notification.dlq_rows.equals(3),
        within_s=6.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    breaks=("I7",),
    placebo=restart_matchmaking,
    limits=(Limit("a lease has ended within the hold", LEASE_S, HOLD),),
)
