"""What the gateway tells the provider, or expects of it, is not what was agreed, so the callback fails.

Symptom   the provider's page comes, the callback fails, no session; the log says why.
Response  take the newest change of the gateway's OIDC settings back.
Recovery  the share of 302 on /login and the share of 401 on /v1/me are normal again.
Apart     Keycloak is healthy and reachable, and the newest revision of settings touched OIDC.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import entitlement, gateway
from scenarios.steps import restart_notification
from scenarios.workloads.grants import Grants
from scenarios.workloads.login import Logins

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")
KEYCLOAK = "http://{gateway-bff->keycloak.host}:{gateway-bff->keycloak.port}/realms/miniserversystem"


async def keys_are_nowhere(observer: Observer) -> bool:
    """The gateway was given the address of keys that the provider does not have."""
    return (observer.setting("gateway-bff", "OIDC_JWK_SET_URI") or "").endswith("/protocol/nowhere")


@step("Take back the newest change of the gateway's OIDC settings")
async def restore_settings(operator: Operator) -> None:
    """What was changed last is what broke it."""
    await operator.rollback_setting("gateway-bff")


SCENARIO = Scenario(
    id="FM-AUTH-02",
    title="The callback does not match",
    sections=("5.1",),
    workload=(Logins(rate_hz=4), Grants(rate_hz=3)),
    fault=ChangedSetting("gateway-bff", "OIDC_CLIENT_SECRET", "secret-of-yesterday"),
    symptom=eventually(
        gateway.login_errors.at_least(2),
        gateway.login_failed_lines.at_least(2),
        gateway.login_302_share.below(0.8),
        gateway.keycloak_reachable.equals(1),
        within_s=ANSWER_S + 8.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_settings,),
    recovery=eventually(
        gateway.login_302_share.at_least(0.99),
        gateway.me_401_share.at_most(0.01),
        gateway.login_completed_ratio.at_least(0.99),
        within_s=ANSWER_S + 8.0,
        hold_s=1.5,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99), gateway.keycloak_reachable.equals(1)),
    placebo=restart_notification,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
    variants=(
        Variant("issuer", {"fault": ChangedSetting("gateway-bff", "OIDC_ISSUER_URI", "http://127.0.0.1/realms/other")}),
        Variant(
            "jwk-set",
            {
                "fault": ChangedSetting(
                    "gateway-bff", "OIDC_JWK_SET_URI", f"{KEYCLOAK}/protocol/nowhere", keys_are_nowhere
                )
            },
        ),
        Variant(
            "redirect-uri",
            {
                # Refused by the provider already, which shows there: nobody even comes back to the gateway.
                "fault": ChangedSetting("gateway-bff", "OIDC_REDIRECT_URI", "http://127.0.0.1/login/elsewhere"),
                "symptom": eventually(
                    gateway.login_completed_ratio.at_most(0.05),
                    gateway.me_401_share.at_least(0.9),
                    gateway.keycloak_reachable.equals(1),
                    within_s=ANSWER_S + 8.0,
                ),
            },
        ),
    ),
)
