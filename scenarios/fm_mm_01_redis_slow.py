"""Redis answers matchmaking late, or not at all.

Symptom   joins are slow or fail, dependency errors and time-to-match rise.
Response  relieve Redis first: set the route back; hold load back at the entry if joins do not come right;
          then publish again what was matched while nobody could be told.
Recovery  time-to-match p95 and the success of joins are normal, the cohort is matched.
Apart     the time to Redis and back, asked over matchmaking's own route.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import Cut, Slow
from harness.model.ports import Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, Variant, step
from harness.model.span import scaled, setting
from scenarios.probes import entitlement, matchmaking
from scenarios.workloads.grants import Grants
from scenarios.workloads.joins import Joins

COMMAND_S = setting("matchmaking.redis.timeout")
RECOVERY_S = 10.0


@step("Set matchmaking's route to Redis back")
async def restore_route(operator: Operator) -> None:
    """What keeps Redis from answering goes first."""
    await operator.restore_route("matchmaking->redis")


@step(
    "Hold load back at the entry if joins do not come right",
    unless=eventually(matchmaking.join_success_ratio.at_least(0.99), within_s=5.0),
)
async def hold_back(operator: Operator) -> None:
    """Few calls at a time until Redis keeps up again."""
    await operator.set_setting("gateway-bff", "gateway.matchmaking.max-concurrent-calls", "4")


@step("Publish again the matches that nobody was told of")
async def publish_again(operator: Operator) -> None:
    """Their event ids are the same, so a match that was told already has no second effect."""
    await operator.run_tool("republish-matches")


@step("Restart notification, which has nothing to do with it")
async def restart_notification(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("notification")


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
    response=(restore_route, hold_back, publish_again),
    recovery=eventually(
        matchmaking.join_success_ratio.at_least(0.99),
        matchmaking.time_to_match_p95_s.below(scaled(10)),
        matchmaking.cohort_unmatched.equals(0),
        matchmaking.redis_rtt_ms.below(100),
        within_s=RECOVERY_S,
        hold_s=1.0,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_notification,
    limits=(
        Limit("a command has timed out and was tried again within the hold", COMMAND_S, HOLD),
        Limit("no ticket expires before the response is done", UNTIL_RESPONDED, setting("matchmaking.ticket-ttl")),
    ),
    settings={("matchmaking", "matchmaking.ticket-ttl"): "60s"},
    variants=(Variant("cut", {"fault": Cut("matchmaking->redis")}),),
)
