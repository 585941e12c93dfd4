"""Account answers nobody in time, or the gateway cannot reach it.

Symptom   ACCOUNT_TIMEOUT (504) or ACCOUNT_BAD_GATEWAY (502) rise on /v1/me and /v1/users.
Response  make account's process healthy: restart it; when only the way to it is broken, set the route back.
Recovery  502 and 504 go and stay away, account's own 5xx and p95 are normal.
Apart     frozen, account answers nobody and the database is quick; cut off, it answers everybody else.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import Cut, Freeze, Slow
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import account, entitlement, gateway
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")
"""The longest that one call of the gateway to account takes."""


@step("Restart account")
async def restart_account(operator: Operator) -> None:
    """The process first: it answers nobody."""
    await operator.restart("account")


@step("Set the gateway's route to account back")
async def restore_route(operator: Operator) -> None:
    """Account answers others: the way to it."""
    await operator.restore_route("gateway-bff->account")


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("matchmaking")


SCENARIO = Scenario(
    id="FM-BFF-ACC-03",
    title="Account times out or cannot be reached",
    sections=("5.2",),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=Freeze("account"),
    symptom=eventually(
        gateway.account_unreachable.at_least(5),
        gateway.api_5xx_share.above(0.3),
        within_s=ANSWER_S + 6.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restart_account,),
    recovery=eventually(
        gateway.api_5xx_share.at_most(0.01),
        account.share_5xx.at_most(0.01),
        account.p95_s.below(0.25),
        gateway.account_reachable.equals(1),
        within_s=ANSWER_S + 8.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has given up and tried again within the hold", ANSWER_S, HOLD),),
    variants=(
        Variant("cut", {"fault": Cut("gateway-bff->account"), "response": (restore_route,)}),
        Variant(
            "slow-route",
            {"fault": Slow("gateway-bff->account", latency_ms=2500, jitter_ms=200), "response": (restore_route,)},
        ),
    ),
)
