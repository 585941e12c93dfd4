"""The consumer of advisories is gone while messages keep being terminated, so nobody records them.

Symptom   advisories wait in their stream, notification_nats_dlq does not grow.
Response  restart the subscriber, which makes its consumers when it starts. (Not in the runbook.)
Recovery  every terminated message is recorded.
Apart     decoding fails and messages are terminated as in FM-NATS-02, but the record stands still.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import BadRelease, DeletedConsumer, Together
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import notification
from scenarios.probes.notification import TERMINATED
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

ACK_S = setting("notification.nats.ack-wait")


@step("Restart the subscriber", in_runbook=False)
async def restart_subscriber(operator: Operator) -> None:
    """It makes the consumers that it lacks."""
    await operator.restart("notification")


SCENARIO = Scenario(
    id="FM-NATS-03",
    title="The intake of advisories stalls",
    sections=("5.11",),
    workload=(Grants(rate_hz=10),),
    fault=Together((DeletedConsumer(*TERMINATED), BadRelease("entitlement", "1.2.0"))),
    symptom=eventually(
        notification.unrecorded_advisories.at_least(4),
        notification.nats_dlq_rows.stops_growing(window_s=1.0),
        within_s=14.0,
    ),
    hold_s=ACK_S * 2.0 + 1.0,
    response=(restart_subscriber,),
    recovery=eventually(
        notification.cohort_unrecorded_advisories.equals(0),
        notification.unrecorded_advisories.at_most(3),
        within_s=10.0,
        hold_s=1.0,
    ),
    unaffected=always(notification.dlq_rows.equals(0)),
    placebo=restart_matchmaking,
    limits=(Limit("what was not acknowledged came again within the hold", ACK_S, HOLD),),
)
