"""A release of entitlement writes revoke events that nobody can decode.

Symptom   decoding fails, messages are terminated, notification_nats_dlq grows.
Response  roll the release back: what makes them comes first.
Recovery  the growth stops, good revokes arrive; grants were never affected.
Apart     one delivery each, terminated at once; it began with a deployment.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import BadRelease
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import scaled, setting
from scenarios.probes import notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

ACK_S = setting("notification.nats.ack-wait")


@step("Go back to entitlement's release before the newest deployment")
async def roll_back(operator: Operator) -> None:
    """A failure for good is ended where it is made."""
    await operator.rollback_release("entitlement")


SCENARIO = Scenario(
    id="FM-NATS-02",
    title="A payload cannot be decoded",
    sections=("5.7",),
    workload=(Grants(rate_hz=10),),
    fault=BadRelease("entitlement", "1.2.0"),
    symptom=eventually(
        notification.nats_dlq_rows.at_least(3),
        notification.decode_failed.at_least(2),
        notification.redelivered_messages.equals(0),
        within_s=12.0,
    ),
    hold_s=ACK_S * 2.0 + 1.0,
    response=(roll_back,),
    recovery=eventually(
        notification.nats_dlq_rows.stops_growing(window_s=1.5),
        notification.decode_failed.equals(0),
        notification.revokes_arrived.at_least(1),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(notification.grants_waiting_age_s.below(scaled(60))),
    placebo=restart_matchmaking,
    limits=(Limit("what was not acknowledged came again within the hold", ACK_S, HOLD),),
    variants=(Variant("missing-field", {"fault": BadRelease("entitlement", "1.3.0")}),),
)
