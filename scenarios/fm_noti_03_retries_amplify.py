"""A short slowdown pushes the destination over its capacity, and retries keep it there.

Symptom   retries rise, notifications wait with a next attempt ahead, the backlog grows.
Response  lower the delivery worker's parallelism.
Recovery  every waiting notification SENT, none FAILED, retries stop.
Apart     no lag; the destination is busy with requests that nobody waits for any more.

One server of 40 ms bears 25 sends a second. Twenty in flight that give up after 500 ms make 40 attempts a second, and
each that is given up still costs its 40 ms: all time out, for ever. With four in flight none waits that long.
"""

from math import ceil

from harness.model.criteria import always, eventually
from harness.model.faults import BriefSlowdown
from harness.model.ports import Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, step
from harness.model.span import Settings, Span, retries_last, setting
from scenarios.probes import destination, entitlement, notification
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants

TIMEOUT_S = setting("notification.destination.timeout")
DELIVERY = "notification.delivery"
BACKOFF_S = setting(f"{DELIVERY}.backoff-max") * 1.5
SLOWDOWN_S = 8.0
SYMPTOM_S = SLOWDOWN_S + 10.0
HOLD_S = BACKOFF_S + TIMEOUT_S + 2.0
RATE_HZ = 10
FEW = 4
"""So many sends in flight wait 160 ms at most for one server of 40 ms."""


def drained(s: Settings) -> float:
    """How long what has piled up by the end of the hold takes, in whole seconds, when the symptom came as late as it may.

    First the queue of what was given up, to which the few sends add until it is gone; then what waits for its next
    attempt; then the backlog, beside what comes in.
    """
    jammed_s, timeout_s = SYMPTOM_S + HOLD_S.of(s), TIMEOUT_S.of(s)
    served_hz = s["destination.servers"] / s["destination.service-time"]
    given_up = (s[f"{DELIVERY}.parallelism"] / timeout_s - served_hz) * jammed_s
    queue_s, backlog_s = given_up / (served_hz - FEW / timeout_s), RATE_HZ * jammed_s / (served_hz - RATE_HZ)
    return float(ceil(queue_s + BACKOFF_S.of(s) + backlog_s))


DRAIN_S = Span("the queue of what was given up, a retry and the backlog at the destination's capacity", drained) + 5.0
"""With 5 s to spare: 41 s in the ci profile, where 12 s were seen, for the symptom comes sooner."""


@step("Lower the delivery worker's parallelism")
async def fewer_sends(operator: Operator) -> None:
    """No more in flight than the destination answers in time."""
    await operator.set_setting("notification", f"{DELIVERY}.parallelism", str(FEW))


SCENARIO = Scenario(
    id="FM-NOTI-03",
    title="Retries keep the destination down",
    sections=("5.6",),
    workload=(Grants(rate_hz=RATE_HZ),),
    fault=BriefSlowdown("notification->destination", latency_ms=900, duration_s=SLOWDOWN_S, seen=destination.is_jammed),
    symptom=eventually(
        notification.retries.at_least(20),
        destination.waiting.at_least(15),
        notification.entitlement_lag.at_most(20),
        notification.backlog_rows.grows(window_s=2.0, by=5),
        within_s=SYMPTOM_S,
    ),
    hold_s=HOLD_S,
    response=(fewer_sends,),
    recovery=eventually(
        destination.cohort_unfinished_rows.equals(0),
        notification.failed_rows.equals(0),
        notification.retries.equals(0),
        within_s=DRAIN_S,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(
        Limit("every retry has come round within the hold", BACKOFF_S, HOLD),
        Limit("no row is FAILED before the response is done", UNTIL_RESPONDED, retries_last(DELIVERY, jitter=0.5)),
    ),
    settings={
        ("notification", f"{DELIVERY}.max-attempts"): "100",
        # Retries that come back soon, in every profile: after a minute's wait there is no storm.
        ("notification", f"{DELIVERY}.poll-interval"): "100ms",
        ("notification", f"{DELIVERY}.backoff-base"): "100ms",
        ("notification", f"{DELIVERY}.backoff-max"): "1s",
        ("notification", "notification.destination.timeout"): "500ms",
        ("destination", "destination.servers"): "1",
        ("destination", "destination.service-time"): "40ms",
    },
)
