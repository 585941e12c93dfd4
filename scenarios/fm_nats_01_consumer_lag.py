"""Notification does not get at the stream, so messages wait in it.

Symptom   the lag grows: messages beyond what the consumer has acknowledged.
Response  set the route back; restart the subscriber if the lag does not fall.
Recovery  every message of the cohort consumed, end-to-end delay within its objective.
Apart     the outbox is empty, the lag is high, no notifications are PENDING.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import Cut, Freeze, Stop
from harness.model.ports import Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, Variant, step
from harness.model.span import scaled, setting
from scenarios.probes import entitlement, notification
from scenarios.workloads.grants import Grants

NATS = "notification.nats"
NOTICED_S = setting(f"{NATS}.ping-interval") * 3.0 + setting(f"{NATS}.reconnect-wait") + 1.0
"""Two pings without an answer, then a new connection, which is given up after a second."""


@step("Set notification's route to NATS back")
async def restore_route(operator: Operator) -> None:
    """The way to the stream first."""
    await operator.restore_route("notification->nats")


@step(
    "Restart the subscriber if the lag does not fall",
    unless=eventually(notification.cohort_unconsumed_messages.falls(window_s=1.0), within_s=NOTICED_S + 1.0),
)
async def restart_if_needed(operator: Operator) -> None:
    """The subscriber lives in notification."""
    await operator.restart("notification")


@step("Restart the subscriber")
async def restart_subscriber(operator: Operator) -> None:
    """It does nothing, or is not there."""
    await operator.restart("notification")


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("matchmaking")


SCENARIO = Scenario(
    id="FM-NATS-01",
    title="The consumer lags behind the stream",
    sections=("5.6",),
    workload=(Grants(rate_hz=6),),
    fault=Cut("notification->nats", black_hole=True),
    symptom=eventually(
        notification.entitlement_lag.at_least(8),
        entitlement.outbox_open_rows.at_most(5),
        notification.pending_rows.at_most(3),
        within_s=10.0,
    ),
    hold_s=NOTICED_S + 0.5,
    response=(restore_route, restart_if_needed),
    recovery=eventually(
        notification.cohort_unconsumed_messages.equals(0),
        notification.e2e_delay_p95_s.below(scaled(30)),
        notification.failed_rows.equals(0),
        within_s=NOTICED_S + 8.0,
        hold_s=1.0,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(
        Limit("a lost connection is noticed and tried again within the hold", NOTICED_S, HOLD),
        Limit("no message is delivered for the last time", UNTIL_RESPONDED, setting(f"{NATS}.ack-wait") * 60.0),
    ),
    settings={("notification", f"{NATS}.max-deliver"): "60"},
    variants=(
        Variant("frozen", {"fault": Freeze("notification"), "response": (restart_subscriber,)}),
        Variant("stopped", {"fault": Stop("notification"), "response": (restart_subscriber,)}),
    ),
)
