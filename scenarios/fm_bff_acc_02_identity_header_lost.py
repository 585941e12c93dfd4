"""The gateway sends the user's id under another name, so account does not know who calls.

Symptom   account answers 401 on users alone, ACCOUNT_UNAUTHORIZED at the gateway; /v1/me is fine.
Response  set the header's name right.
Recovery  the share of 401 and 403 on users is normal.
Apart     resolving identities works; account's log says that the header is missing.
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


@step("Set the name of the gateway's user id header right")
async def restore_header(operator: Operator) -> None:
    """The name that account reads."""
    await operator.set_setting("gateway-bff", "ACCOUNT_USER_ID_HEADER_NAME", "X-User-Id")


SCENARIO = Scenario(
    id="FM-BFF-ACC-02",
    title="The identity header is lost",
    sections=("5.3",),
    workload=(People(rate_hz=10), Grants(rate_hz=3)),
    fault=ChangedSetting("gateway-bff", "ACCOUNT_USER_ID_HEADER_NAME", "X-Account-User"),
    symptom=eventually(
        gateway.account_unauthorized.at_least(3),
        account.denied_user_missing.at_least(3),
        gateway.me_ok_ratio.at_least(0.9),
        within_s=12.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_header,),
    recovery=eventually(
        gateway.account_unauthorized.equals(0),
        account.denied_user_missing.equals(0),
        gateway.users_ok_ratio.at_least(0.99),
        within_s=12.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
)
