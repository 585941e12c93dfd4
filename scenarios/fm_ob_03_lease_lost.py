"""A lease that is shorter than publishing over a slow link: two relays take each other's rows.

Symptom   marks find another owner: locks are lost, the log says so; the stream drops what comes twice.
Response  set the lease right, and take smaller batches. (Not in the runbook.)
Recovery  no new lost lock; each event is in the stream once.
Apart     rows are published all the same; the cost is double work.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, Scaled, Slow, Together
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Spare, step
from harness.model.span import setting
from scenarios.probes import entitlement
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

LEASE_S = setting("entitlement.outbox.lease")


@step("Take back the newest change of entitlement's settings: its lease", in_runbook=False)
async def restore_lease(operator: Operator) -> None:
    """Longer than any publish takes."""
    await operator.rollback_setting("entitlement")


@step("Let the relays take smaller batches", in_runbook=False, spare=Spare.SECOND_SAFETY)
async def smaller_batches(operator: Operator) -> None:
    """Less is claimed that has to wait."""
    await operator.set_setting("entitlement", "entitlement.outbox.batch-size", "10")


SCENARIO = Scenario(
    id="FM-OB-03",
    title="A lease is lost while publishing",
    sections=("5.10",),
    workload=(Grants(rate_hz=8),),
    fault=Together(
        (
            Slow("entitlement->nats", latency_ms=300, jitter_ms=30),
            Scaled("entitlement", 2),
            ChangedSetting("entitlement", "entitlement.outbox.lease", "150ms"),
        )
    ),
    symptom=eventually(
        entitlement.lock_lost.at_least(3),
        entitlement.lock_lost_lines.at_least(3),
        within_s=12.0,
    ),
    hold_s=LEASE_S + 1.0,
    response=(restore_lease, smaller_batches),
    recovery=eventually(
        entitlement.lock_lost.equals(0),
        entitlement.stream_surplus_messages.at_most(0),
        entitlement.outbox_failed_rows.equals(0),
        within_s=LEASE_S + 10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.95)),
    placebo=restart_matchmaking,
    limits=(Limit("a lease has ended and was taken again within the hold", LEASE_S, HOLD),),
    # Who looks more often than a publish takes finds the lease run out, in every profile.
    settings={("entitlement", "entitlement.outbox.poll-interval"): "100ms"},
)
