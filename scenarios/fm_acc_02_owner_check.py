"""Account judges wrongly who may act on whose account: administrators are refused, or everybody is one.

Symptom   403 for administrators alone; variant: a call at the boundary succeeds that must not.
Response  take back the newest change of how roles are read.
Recovery  every call at the boundary comes out as specified, the share of 403 is normal.
Apart     it is skewed to one role, and the user's id arrives.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import BadRelease, ChangedSetting
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import account, boundary, entitlement, gateway
from scenarios.steps import restart_matchmaking
from scenarios.workloads.admins import Admins
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


@step("Take back the newest change of account's settings: where it reads roles")
async def restore_mapping(operator: Operator) -> None:
    """The header that the gateway sends."""
    await operator.rollback_setting("account")


@step("Go back to account's release before the newest deployment")
async def roll_back(operator: Operator) -> None:
    """The one that knows who is an administrator."""
    await operator.rollback_release("account")


SCENARIO = Scenario(
    id="FM-ACC-02",
    title="The owner check is too strict or too lax",
    sections=("5.3",),
    workload=(People(rate_hz=8), Admins(rate_hz=4), Grants(rate_hz=3)),
    fault=ChangedSetting("account", "ACCOUNT_USER_ROLES_HEADER_NAME", "X-Roles"),
    symptom=eventually(
        account.admin_read_ratio.below(0.1),
        account.denied_owner.at_least(3),
        account.denied_user_missing.equals(0),
        gateway.users_ok_ratio.at_least(0.95),
        within_s=12.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_mapping,),
    recovery=eventually(
        boundary.violations.equals(0),
        account.admin_read_ratio.at_least(0.99),
        gateway.users_ok_ratio.at_least(0.99),
        within_s=12.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("people have tried again within the hold", ANSWER_S, HOLD),),
    variants=(
        Variant(
            "lax",
            {
                "fault": BadRelease("account", "1.2.0"),
                "symptom": eventually(boundary.violations.at_least(1), within_s=12.0),
                "response": (roll_back,),
                "breaks": ("I9",),
            },
        ),
    ),
)
