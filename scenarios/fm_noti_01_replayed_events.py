"""A replay job publishes old events again and again.

Symptom   suppressed duplicates rise; there is still one notification an event.
Response  find the job and stop it. (Not in the runbook.)
Recovery  no new duplicates, one notification an event.
Apart     the stream grows faster than grants and revokes come.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import RunawayJob
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

ACK_S = setting("notification.nats.ack-wait")


@step("Stop the replay job", in_runbook=False)
async def stop_replay(operator: Operator) -> None:
    """The jobs that run are listed."""
    if "event-replay" in await operator.jobs():
        await operator.stop_job("event-replay")


SCENARIO = Scenario(
    id="FM-NOTI-01",
    title="The same event many times",
    sections=("5.11",),
    workload=(Grants(rate_hz=6),),
    fault=RunawayJob("event-replay", {"JOB_RATE_HZ": "20"}),
    symptom=eventually(
        notification.duplicates.at_least(10),
        notification.notifications_per_event_max.equals(1),
        within_s=12.0,
    ),
    hold_s=ACK_S * 2.0 + 1.0,
    response=(stop_replay,),
    recovery=eventually(
        notification.duplicates.equals(0),
        notification.notifications_per_event_max.equals(1),
        within_s=8.0,
        hold_s=1.5,
    ),
    unaffected=always(
        entitlement.command_accepted_ratio.at_least(0.99), notification.notifications_per_event_max.at_most(1)
    ),
    placebo=restart_matchmaking,
    limits=(Limit("what was not acknowledged came again within the hold", ACK_S, HOLD),),
)
