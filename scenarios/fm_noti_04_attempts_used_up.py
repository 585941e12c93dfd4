"""The destination refuses notification's credential, so attempts are used up for good.

Symptom   FAILED and the DLQ grow together.
Response  set the credential right first, then re-drive a limited set that was agreed on.
Recovery  the DLQ stops growing, the share of FAILED settles, the re-driven set is SENT.
Apart     every failure is the same, and each has made every attempt it may.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, Slow
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import retries_last, scaled, setting
from scenarios.probes import entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

DELIVERY = "notification.delivery"
USED_UP_S = retries_last(DELIVERY, jitter=1.5)


@step("Take back the newest change of notification's settings: its credential for the destination")
async def restore_credential(operator: Operator) -> None:
    """A failure that stays is ended where it comes from, before anything is sent again."""
    await operator.rollback_setting("notification")


@step("Re-drive the oldest failed notifications, as many as agreed")
async def redrive(operator: Operator) -> None:
    """Only those that failed for this reason."""
    await operator.run_tool("redrive-notifications", "--limit", str(notification.AGREED), "--error", "HTTP 401")


@step("Let the delivery worker try more often, with its waits, than failures that pass last")
async def more_attempts(operator: Operator) -> None:
    """Half of all sends succeed: so many do not fail one after another."""
    await operator.set_setting("notification", f"{DELIVERY}.max-attempts", "60")


@step("Re-drive the oldest failed notifications, as many as agreed, whatever they failed of")
async def redrive_any(operator: Operator) -> None:
    """A destination that is slow fails in more than one way."""
    await operator.run_tool("redrive-notifications", "--limit", str(notification.AGREED))


SCENARIO = Scenario(
    id="FM-NOTI-04",
    title="Delivery attempts are used up",
    sections=("5.7",),
    workload=(Grants(rate_hz=6),),
    fault=ChangedSetting("notification", "destination.credential", "credential-of-yesterday"),
    symptom=eventually(
        notification.failed_rows.at_least(4),
        notification.dlq_failed_differences.equals(0),
        notification.failed_error_kinds.equals(1),
        within_s=USED_UP_S + scaled(20) + 4.0,
    ),
    hold_s=USED_UP_S + 0.5,
    response=(restore_credential, redrive),
    recovery=eventually(
        notification.dlq_rows.stops_growing(window_s=1.5),
        notification.failed_share.at_most(0.01),
        notification.cohort_unsent_rows.equals(0),
        notification.dlq_failed_differences.equals(0),
        within_s=setting(f"{DELIVERY}.backoff-max") * 1.5 + 8.0,
        hold_s=1.0,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("attempts are used up within the hold", USED_UP_S, HOLD),),
    settings={("notification", f"{DELIVERY}.max-attempts"): "4"},
    variants=(
        Variant(
            "transient",
            {
                "workload": (Grants(rate_hz=9),),
                "fault": Slow("notification->destination", latency_ms=450, jitter_ms=200),
                "symptom": eventually(
                    notification.failed_rows.at_least(4),
                    notification.dlq_failed_differences.equals(0),
                    notification.retries.at_least(4),
                    within_s=USED_UP_S + scaled(20) + 12.0,
                ),
                "settings": {("notification", f"{DELIVERY}.max-attempts"): "2"},
                "response": (more_attempts, redrive_any),
                "recovery": eventually(
                    notification.dlq_rows.stops_growing(window_s=1.5),
                    notification.failed_share.at_most(0.01),
                    notification.cohort_unsent_rows.equals(0),
                    notification.dlq_failed_differences.equals(0),
                    within_s=setting(f"{DELIVERY}.backoff-max") * 1.5 * 8.0 + 8.0,
                    hold_s=1.0,
                ),
            },
        ),
    ),
)
