"""A release of entitlement keeps writing outbox rows of one kind that can never be published.

Symptom   the same kind of event fails for good, FAILED grows.
Response  roll the release back; put the failed rows aside. (Not in the runbook.)
Recovery  FAILED stops growing; everything else was published all along.
Apart     it began with a deployment, and only revokes fail.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import BadRelease
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import scaled, setting
from scenarios.probes import entitlement
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

POLL_S = setting("entitlement.outbox.poll-interval")


@step("Go back to entitlement's release before the newest deployment", in_runbook=False)
async def roll_back(operator: Operator) -> None:
    """What goes on writing them comes first."""
    await operator.rollback_release("entitlement")


@step("Put the rows that can never be published aside", in_runbook=False)
async def quarantine(operator: Operator) -> None:
    """They keep their state; the mark says that somebody has seen them."""
    mark = entitlement.PUT_ASIDE
    await operator.sql(
        f"UPDATE entitlement.outbox_events SET last_error = '{mark}' || coalesce(last_error, '')"
        f" WHERE status = 'FAILED' AND left(coalesce(last_error, ''), {len(mark)}) <> '{mark}'"
    )


SCENARIO = Scenario(
    id="FM-OB-02",
    title="A payload that is broken for good",
    sections=("5.10",),
    workload=(Grants(rate_hz=10),),
    fault=BadRelease("entitlement", "1.1.0"),
    symptom=eventually(
        entitlement.outbox_failed_rows.at_least(3),
        entitlement.failed_event_types.equals(1),
        within_s=scaled(20) + 8.0,
    ),
    hold_s=POLL_S * 5.0 + 1.5,
    response=(roll_back, quarantine),
    recovery=eventually(
        entitlement.outbox_failed_rows.stops_growing(window_s=1.5),
        entitlement.failed_untouched_rows.equals(0),
        entitlement.publish_delay_p95_s.below(scaled(5)),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.grants_open_age_s.below(scaled(30))),
    placebo=restart_matchmaking,
    limits=(Limit("the relay has come round within the hold", POLL_S, HOLD),),
)
