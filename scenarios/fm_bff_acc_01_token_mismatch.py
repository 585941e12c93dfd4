"""The gateway's internal token is not account's, so account refuses every call.

Symptom   403 on every call to account, ACCOUNT_FORBIDDEN at the gateway.
Response  set the token right: take the newest change of the gateway's settings back.
Recovery  the share of 401 and 403 is normal.
Apart     the two tokens differ, and both are set; logins themselves succeed.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import account, entitlement, gateway
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


@step("Take back the newest change of the gateway's settings: its token for account")
async def restore_token(operator: Operator) -> None:
    """The value that account knows."""
    await operator.rollback_setting("gateway-bff")


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("matchmaking")


SCENARIO = Scenario(
    id="FM-BFF-ACC-01",
    title="The gateway's token is not account's",
    sections=("5.3",),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=ChangedSetting("gateway-bff", "ACCOUNT_INTERNAL_API_TOKEN", "internal-of-yesterday"),
    symptom=eventually(
        gateway.account_forbidden.at_least(5),
        gateway.api_401_403_share.above(0.5),
        account.tokens_match.equals(0),
        within_s=10.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_token,),
    recovery=eventually(
        gateway.api_401_403_share.at_most(0.01),
        gateway.account_forbidden.equals(0),
        account.tokens_match.equals(1),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
)
