"""A release of account answers in a form that the gateway does not know.

Symptom   ACCOUNT_INVALID_RESPONSE (502) on every authenticated call.
Response  go back to the release that is compatible.
Recovery  502 and 504 go and stay away, account's own 5xx and p95 are normal.
Apart     account answers 2xx; it began with a deployment.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import BadRelease
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import account, entitlement, gateway
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


@step("Go back to account's release before the newest deployment")
async def roll_back(operator: Operator) -> None:
    """The one that the gateway understands."""
    await operator.rollback_release("account")


SCENARIO = Scenario(
    id="FM-BFF-ACC-04",
    title="Account's answer is invalid",
    sections=("5.2",),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=BadRelease("account", "1.1.0"),
    symptom=eventually(
        gateway.account_invalid.at_least(5),
        gateway.api_5xx_share.above(0.5),
        account.share_5xx.at_most(0.01),
        within_s=10.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(roll_back,),
    recovery=eventually(
        gateway.account_invalid.equals(0),
        gateway.api_5xx_share.at_most(0.01),
        account.share_5xx.at_most(0.01),
        account.p95_s.below(0.25),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
    variants=(Variant("empty-body", {"fault": BadRelease("account", "1.3.0")}),),
)
