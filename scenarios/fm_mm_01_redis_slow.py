"""Redis answers matchmaking late, or not at all.

Symptom   joins are slow or fail, dependency errors and time-to-match rise.
Response  relieve Redis first: its route or its clients; hold load back if joins do not come right; then publish again.
Recovery  time-to-match p95 and the success of joins are normal, the cohort is matched.
Apart     the time to Redis and back, asked over matchmaking's own route.
"""

from harness.model.criteria import Condition, Criterion, always, eventually
from harness.model.faults import Cut, RunawayJob, Slow
from harness.model.ports import Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, Variant, step
from harness.model.span import scaled, setting
from scenarios.probes import entitlement, matchmaking
from scenarios.steps import end_runaway, hold_back, publish_again_too, restart_notification
from scenarios.workloads.grants import Grants
from scenarios.workloads.joins import Joins

COMMAND_S = setting("matchmaking.redis.timeout")
MATCHED = matchmaking.cohort_unmatched.equals(0)
SOON = matchmaking.time_to_match_p95_s.below(scaled(10))
TRIED = Limit("a command has timed out and was tried again within the hold", COMMAND_S, HOLD)
BUSY_S = 0.3
"""So long does one script of the runaway client take: less than a command's timeout, so calls are slow, not refused."""
HURRIED = {("matchmaking", "matchmaking.ticket-ttl"): "3s", ("matchmaking", "matchmaking.batch"): "1"}
"""Tickets of the variant `expiry` live this long; one pair a round of 0.8 s is less than half of the six a second that join."""


@step("Set matchmaking's route to Redis back")
async def restore_route(operator: Operator) -> None:
    """What keeps Redis from answering goes first."""
    await operator.restore_route("matchmaking->redis")


def recovered(*own: Condition, within_s: float = 10.0) -> Criterion:
    """Joins succeed and Redis answers at once, and what else a variant asks for."""
    return eventually(
        matchmaking.join_success_ratio.at_least(0.99),
        matchmaking.redis_rtt_ms.below(100),
        *own,
        within_s=within_s,
        hold_s=1.0,
    )


SCENARIO = Scenario(
    id="FM-MM-01",
    title="Redis is slow or down",
    sections=("5.8",),
    workload=(Joins(rate_hz=8), Grants(rate_hz=3)),
    fault=Slow("matchmaking->redis", latency_ms=900, jitter_ms=300),
    symptom=eventually(
        matchmaking.join_success_ratio.below(0.9),
        matchmaking.dependency_errors.at_least(2),
        within_s=COMMAND_S * 2.0 + 6.0,
    ),
    hold_s=COMMAND_S * 2.0 + 1.0,
    response=(restore_route, hold_back, publish_again_too),
    recovery=recovered(SOON, MATCHED),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_notification,
    limits=(
        TRIED,
        Limit("no ticket expires before the response is done", UNTIL_RESPONDED, setting("matchmaking.ticket-ttl")),
    ),
    settings={("matchmaking", "matchmaking.ticket-ttl"): "60s"},
    variants=(
        Variant("cut", {"fault": Cut("matchmaking->redis")}),
        Variant(
            "runaway-client",
            {
                "fault": RunawayJob("queue-report", {"REPORT_SPENDS": f"{BUSY_S * 1000:g}ms", "JOB_RATE_HZ": "20"}),
                "symptom": eventually(
                    matchmaking.join_p95_s.above(BUSY_S * 0.75),
                    matchmaking.redis_rtt_ms.above(100),
                    within_s=COMMAND_S * 2.0 + 6.0,
                ),
                "response": (end_runaway, hold_back, publish_again_too),
                "recovery": recovered(matchmaking.join_p95_s.below(BUSY_S * 0.5), MATCHED),
            },
        ),
        Variant(
            "expiry",
            {
                "workload": (Joins(rate_hz=12), Grants(rate_hz=3)),
                "fault": Slow("matchmaking->redis", latency_ms=700, jitter_ms=100),
                "symptom": eventually(
                    matchmaking.expired_share.above(0.1),
                    matchmaking.redis_rtt_ms.above(300),
                    within_s=COMMAND_S * 2.0 + 11.0,
                ),
                "recovery": recovered(SOON, matchmaking.expired_share.equals(0), within_s=10.0 + matchmaking.JOINED_S),
                "limits": (TRIED,),
                "settings": HURRIED,
            },
        ),
    ),
)
