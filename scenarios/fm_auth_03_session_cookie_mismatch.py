"""The session cookie is set so that browsers do not send it back.

Symptom   logins succeed, the next /v1/me is 401.
Response  put the cookie's attribute right.
Recovery  the share of 302 on /login and the share of 401 on /v1/me are normal.
Apart     logins succeed as always, but no JSESSIONID comes with what follows.
"""

from harness.model.criteria import Criterion, always, eventually
from harness.model.faults import ChangedSetting
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Step, Variant, step
from harness.model.span import setting
from scenarios.probes import entitlement, gateway
from scenarios.steps import restart_notification
from scenarios.workloads.grants import Grants
from scenarios.workloads.login import Logins

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")
COOKIE = "server.servlet.session.cookie"


def put_right(attribute: str, value: str) -> Step:
    """The step that sets one attribute as it should be."""

    @step(f"Set the session cookie's {attribute} right")
    async def act(operator: Operator) -> None:
        await operator.set_setting("gateway-bff", f"{COOKIE}.{attribute}", value)

    return act


def fails_at_the_callback() -> Criterion:
    """What variants show whose cookie does not even come back with the callback."""
    return eventually(
        gateway.login_errors.at_least(2),
        gateway.login_302_share.below(0.8),
        gateway.keycloak_reachable.equals(1),
        within_s=ANSWER_S + 8.0,
    )


SCENARIO = Scenario(
    id="FM-AUTH-03",
    title="The session cookie does not come back",
    sections=("5.1",),
    workload=(Logins(rate_hz=4), Grants(rate_hz=3)),
    fault=ChangedSetting("gateway-bff", f"{COOKIE}.path", "/login"),
    symptom=eventually(
        gateway.me_401_share.at_least(0.9),
        gateway.login_completed_ratio.at_least(0.9),
        gateway.login_302_share.at_least(0.95),
        within_s=ANSWER_S + 8.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(put_right("path", "/"),),
    recovery=eventually(
        gateway.me_401_share.at_most(0.01),
        gateway.login_302_share.at_least(0.99),
        gateway.login_completed_ratio.at_least(0.99),
        within_s=ANSWER_S + 8.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_notification,
    limits=(Limit("people have tried again within the hold", ANSWER_S, HOLD),),
    variants=(
        Variant(
            "secure",
            {
                "fault": ChangedSetting("gateway-bff", f"{COOKIE}.secure", "true"),
                "symptom": fails_at_the_callback(),
                "response": (put_right("secure", "false"),),
            },
        ),
        Variant(
            "domain",
            {
                "fault": ChangedSetting("gateway-bff", f"{COOKIE}.domain", "example.org"),
                "symptom": fails_at_the_callback(),
                "response": (put_right("domain", ""),),
            },
        ),
    ),
)
