"""Account started with an empty token, so its internal interface refuses everybody.

Symptom   all internal calls are refused from the start on: empty never matches, not even empty.
Response  take back the change that emptied the secret, and restart account.
Recovery  the share of 401 and 403 is normal.
Apart     account's token is empty, the gateway's is not.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import account, entitlement, gateway
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


@step("Take back the newest change of account's settings: its secret")
async def restore_secret(operator: Operator) -> None:
    """Account is restarted with it."""
    await operator.rollback_setting("account")


SCENARIO = Scenario(
    id="FM-ACC-04",
    title="Account's internal interface lets nobody in",
    sections=("5.3",),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=ChangedSetting("account", "ACCOUNT_INTERNAL_API_TOKEN", ""),
    symptom=eventually(
        gateway.account_forbidden.at_least(5),
        account.denied_token.at_least(5),
        account.token_is_set.equals(0),
        within_s=10.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_secret,),
    recovery=eventually(
        gateway.api_401_403_share.at_most(0.01),
        account.denied_token.equals(0),
        account.tokens_match.equals(1),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
)
