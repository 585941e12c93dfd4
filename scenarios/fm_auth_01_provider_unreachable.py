"""The provider of identities cannot be reached over the gateway's route, so logins fail at the callback.

Symptom   logins end at /login?error; the log says `oauth2 login failed`; the counter of failed logins rises.
Response  set the route to the provider back.
Recovery  the share of 302 on /login and the share of 401 on /v1/me are normal again.
Apart     Keycloak answers everybody else: browsers reach its login page all along.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import Cut
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import entitlement, gateway
from scenarios.workloads.grants import Grants
from scenarios.workloads.login import Logins

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


@step("Set the gateway's route to Keycloak back")
async def restore_route(operator: Operator) -> None:
    """The provider itself is healthy."""
    await operator.restore_route("gateway-bff->keycloak")


@step("Restart notification, which has nothing to do with it")
async def restart_notification(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("notification")


SCENARIO = Scenario(
    id="FM-AUTH-01",
    title="The provider of identities cannot be reached",
    sections=("5.1",),
    workload=(Logins(rate_hz=4), Grants(rate_hz=3)),
    fault=Cut("gateway-bff->keycloak"),
    symptom=eventually(
        gateway.login_errors.at_least(2),
        gateway.login_failed_lines.at_least(2),
        gateway.login_302_share.below(0.8),
        within_s=ANSWER_S + 6.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_route,),
    recovery=eventually(
        gateway.login_302_share.at_least(0.99),
        gateway.me_401_share.at_most(0.01),
        gateway.login_successes.at_least(2),
        within_s=ANSWER_S + 8.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_notification,
    limits=(Limit("the gateway has given up and tried again within the hold", ANSWER_S, HOLD),),
    variants=(Variant("black-hole", {"fault": Cut("gateway-bff->keycloak", black_hole=True)}),),
)
