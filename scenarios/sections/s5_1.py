"""5.1: people cannot log in."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import gateway

SECTION = Section(
    "5.1",
    "Cannot log in",
    (
        Check("5.1/check/1", "Failed logins in the gateway's log", (gateway.login_failed_lines, gateway.login_errors)),
        Check("5.1/check/2", "Keycloak's health, and the way to it", (gateway.keycloak_reachable,)),
        Check("5.1/check/3", "The OIDC settings, against what a login needs", (gateway.oidc_changes,)),
        Check("5.1/check/4", "Whether the session cookie comes back", (gateway.me_401_share, gateway.login_successes)),
    ),
    bullets=(
        done("5.1/response/1", "FM-AUTH-01:restore_route"),
        done("5.1/response/2", "FM-AUTH-02:restore_settings"),
        done("5.1/response/3", "FM-AUTH-03:act"),
        measured("5.1/recovery/1", gateway.login_302_share),
        measured("5.1/recovery/2", gateway.me_401_share),
    ),
)
