"""Matches are made, and nobody is told of them.

Symptom   tickets are MATCHED, no notification comes, publishes fail.
Response  set the route (variant: the subject) right; find the matches without notification and publish them again.
Recovery  every match has its notification, once.
Apart     the queues drain as always; only what follows is missing.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, Cut
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import matchmaking
from scenarios.steps import publish_again, restart_notification
from scenarios.workloads.joins import Joins

PUBLISH_S = setting("matchmaking.nats.publish-timeout")


@step("Set matchmaking's route to NATS back")
async def restore_route(operator: Operator) -> None:
    """New matches are told again from here on."""
    await operator.restore_route("matchmaking->nats")


@step("Set the subject that matches are published to right")
async def restore_subject(operator: Operator) -> None:
    """The one that the stream takes."""
    await operator.set_setting("matchmaking", "matchmaking.nats.subject", "matchmaking.events")


SCENARIO = Scenario(
    id="FM-MM-03",
    title="A match is told to nobody",
    sections=("5.8",),
    workload=(Joins(rate_hz=8),),
    fault=Cut("matchmaking->nats"),
    symptom=eventually(
        matchmaking.publish_errors.at_least(3),
        matchmaking.untold_matches.at_least(3),
        matchmaking.queue_depth.at_most(6),
        within_s=PUBLISH_S + 8.0,
    ),
    hold_s=PUBLISH_S * 2.0 + 1.5,
    response=(restore_route, publish_again),
    recovery=eventually(
        matchmaking.cohort_untold.equals(0),
        matchmaking.notifications_per_match_max.at_most(1),
        matchmaking.publish_errors.equals(0),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(matchmaking.join_success_ratio.at_least(0.9)),
    placebo=restart_notification,
    limits=(Limit("a publish was given up and another tried within the hold", PUBLISH_S, HOLD),),
    settings={("matchmaking", "matchmaking.ticket-ttl"): "60s"},
    variants=(
        Variant(
            "subject",
            {
                "fault": ChangedSetting("matchmaking", "matchmaking.nats.subject", "matchmaking.evens"),
                "response": (restore_subject, publish_again),
            },
        ),
    ),
)
