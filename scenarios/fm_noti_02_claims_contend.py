"""Two delivery workers with a lease shorter than a slow send take each other's rows.

Symptom   marks find another owner, attempts are abnormal, the destination sees ids twice.
Response  set the lease right, run one worker. (Not in the runbook.)
Recovery  no new lost lock, no id is sent twice.
Apart     the destination is slow, not refusing, and nothing waits.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, Scaled, Together
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Spare, step
from harness.model.span import setting
from scenarios.probes import destination, entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

LEASE_S = setting("notification.delivery.lease")


@step("Take back the newest change of notification's settings: its lease", in_runbook=False)
async def restore_lease(operator: Operator) -> None:
    """Longer than any send takes."""
    await operator.rollback_setting("notification")


@step("Run one worker", in_runbook=False, spare=Spare.SECOND_SAFETY)
async def one_worker(operator: Operator) -> None:
    """Nobody is left to contend with."""
    await operator.scale("notification", 1)


SCENARIO = Scenario(
    id="FM-NOTI-02",
    title="Claims contend",
    sections=("5.11",),
    workload=(Grants(rate_hz=4),),
    fault=Together(
        (
            Scaled("notification", 2),
            ChangedSetting("notification", "notification.delivery.lease", "200ms"),
        )
    ),
    symptom=eventually(
        notification.lock_lost.at_least(3),
        destination.sent_twice.at_least(2),
        within_s=14.0,
    ),
    hold_s=LEASE_S + 1.0,
    response=(restore_lease, one_worker),
    recovery=eventually(
        notification.lock_lost.equals(0),
        destination.sent_twice.equals(0),
        notification.dlq_rows.equals(0),
        within_s=LEASE_S + 10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    breaks=("I5", "I8"),
    placebo=restart_matchmaking,
    limits=(Limit("a lease has ended and was taken again within the hold", LEASE_S, HOLD),),
    settings={
        # A slow provider that is not short of servers: only the lease makes its slowness a fault.
        ("destination", "destination.service-time"): "400ms",
        ("destination", "destination.servers"): "60",
        ("notification", "notification.destination.timeout"): "1s",
        # Who looks once in a send's time or less finds the lease run out before the send has ended.
        ("notification", "notification.delivery.poll-interval"): "100ms",
        # Rows that are never done are sent over and over: a few at a time show it, more only load the machine.
        ("notification", "notification.delivery.parallelism"): "6",
    },
)
