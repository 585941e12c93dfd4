"""A ticket of the wrong type sits in one mode's queue, so every round of its worker fails.

Symptom   that mode's depth and oldest age grow; failed rounds are counted and logged.
Response  restart the worker; take smaller steps for a while; then, for it is data, remove the poison.
Recovery  the cohort is matched, the oldest age falls.
Apart     joins succeed; the other mode matches as always.
"""

from harness.model.criteria import always, eventually
from harness.model.errors import ActFailed
from harness.model.faults import RedisChange
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, Spare, step
from harness.model.span import scaled, setting
from scenarios.probes import matchmaking
from scenarios.steps import restart_notification
from scenarios.workloads.joins import Joins

POLL_S = setting("matchmaking.worker-poll-interval")
POISON = "not-a-ticket"


async def poison_is_queued(observer: Observer) -> bool:
    """It stands in the queue, and is of another type than tickets are."""
    kind = await observer.redis("TYPE", f"mm:ticket:{POISON}")
    return kind == "string" and await observer.redis("ZSCORE", "mm:queue:casual", POISON) is not None


@step("Restart the worker", spare=Spare.SECOND_SAFETY)
async def restart_worker(operator: Operator) -> None:
    """The easiest to take back, so it comes first; the poison outlives it."""
    await operator.restart("matchmaking")


@step("Remove what is no ticket from the queues")
async def remove_poison(operator: Operator) -> None:
    """Whatever stands in a queue and is of another type."""
    for mode in ("casual", "rank"):
        for ticket in await operator.redis("ZRANGE", f"mm:queue:{mode}", "0", "-1"):
            if await operator.redis("TYPE", f"mm:ticket:{ticket}") not in {"hash", "none"}:
                removed = await operator.redis("ZREM", f"mm:queue:{mode}", ticket)
                if not int(removed):
                    raise ActFailed(f"{ticket} could not be removed from mm:queue:{mode}")


@step("Let the worker take smaller batches for a while", spare=Spare.SECOND_SAFETY)
async def smaller_batches(operator: Operator) -> None:
    """Conservative until it is known where the poison came from."""
    await operator.set_setting("matchmaking", "matchmaking.batch", "20")


SCENARIO = Scenario(
    id="FM-MM-02",
    title="The matchmaking worker stalls",
    sections=("5.8",),
    workload=(Joins(rate_hz=8),),
    fault=RedisChange(
        (("SET", f"mm:ticket:{POISON}", "x"), ("ZADD", "mm:queue:casual", "1", POISON)),
        poison_is_queued,
        "a ticket of the wrong type is queued",
    ),
    symptom=eventually(
        matchmaking.worker_loop_errors.at_least(5),
        matchmaking.casual_depth.at_least(8),
        matchmaking.rank_depth.at_most(4),
        matchmaking.join_success_ratio.at_least(0.99),
        within_s=scaled(20) + 8.0,
    ),
    hold_s=POLL_S * 10.0 + 1.0,
    response=(restart_worker, smaller_batches, remove_poison),
    recovery=eventually(
        matchmaking.cohort_unmatched.equals(0),
        matchmaking.casual_oldest_age_s.below(scaled(20)),
        matchmaking.worker_loop_errors.equals(0),
        within_s=10.0,
        hold_s=1.0,
    ),
    unaffected=always(matchmaking.rank_depth.at_most(6)),
    placebo=restart_notification,
    limits=(
        Limit("the worker has come round within the hold", POLL_S, HOLD),
        Limit("no ticket expires before the response is done", UNTIL_RESPONDED, setting("matchmaking.ticket-ttl")),
    ),
    settings={
        ("matchmaking", "matchmaking.ticket-ttl"): "120s",
        # The worker goes round as often in every profile: its failed rounds are counted.
        ("matchmaking", "matchmaking.worker-poll-interval"): "100ms",
    },
)
