"""The gateway: logins, sessions, and what the services behind it look like from outside."""

from harness.model.ports import Observer
from harness.model.probes import Probe
from scenarios.probes.common import (
    increase_probe,
    ledger_ratio,
    ledger_share,
    log_probe,
    quantile_probe,
    reach_probe,
    share_probe,
)

_REQUESTS = "http_server_requests_seconds_count"
_HISTOGRAM = "http_server_requests_seconds"
_API = ("/v1/me", "/v1/users/{user_id}", "/v1/users/{user_id}/profile")
GATEWAY = "gateway-bff"

login_302_share = share_probe(
    "gateway.login_302_share",
    "share of 302 on /login, over 2 s",
    GATEWAY,
    _REQUESTS,
    {"status": "302"},
    {"uri": "/login"},
)
login_errors = increase_probe(
    "gateway.login_errors", "failed logins in the last 2 s", GATEWAY, "gateway_login_total", {"result": "error"}
)
login_successes = increase_probe(
    "gateway.login_successes", "logins in the last 2 s", GATEWAY, "gateway_login_total", {"result": "success"}
)
login_failed_lines = log_probe(
    "gateway.login_failed_lines", "log lines of failed logins in the last 2 s", GATEWAY, "oauth2 login failed"
)
me_401_share = share_probe(
    "gateway.me_401_share", "share of 401 on /v1/me, over 2 s", GATEWAY, _REQUESTS, {"status": "401"}, {"uri": "/v1/me"}
)
api_5xx_share = share_probe(
    "gateway.api_5xx_share",
    "share of 502 and 504 on /v1/me and /v1/users, over 2 s",
    GATEWAY,
    _REQUESTS,
    {"status": ("502", "504")},
    {"uri": _API},
)
api_p95_s = quantile_probe(
    "gateway.api_p95_s", "p95 of /v1/me and /v1/users, over 2 s", GATEWAY, _HISTOGRAM, 0.95, {"uri": _API}
)
account_timeouts = increase_probe(
    "gateway.account_timeouts",
    "ACCOUNT_TIMEOUT in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": "ACCOUNT_TIMEOUT"},
)
account_bad_gateways = increase_probe(
    "gateway.account_bad_gateways",
    "ACCOUNT_BAD_GATEWAY in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": "ACCOUNT_BAD_GATEWAY"},
)
account_unreachable = increase_probe(
    "gateway.account_unreachable",
    "ACCOUNT_TIMEOUT and ACCOUNT_BAD_GATEWAY in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": ("ACCOUNT_TIMEOUT", "ACCOUNT_BAD_GATEWAY")},
)
account_invalid = increase_probe(
    "gateway.account_invalid",
    "ACCOUNT_INVALID_RESPONSE in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": "ACCOUNT_INVALID_RESPONSE"},
)
login_completed_ratio = ledger_ratio(
    "gateway.login_completed_ratio",
    "share of logins that were completed, over 2 s",
    ("logins.login",),
    lambda sent: sent.accepted,
)
keycloak_reachable = reach_probe(
    "gateway.keycloak_reachable", "whether Keycloak answers over the gateway's route", "gateway-bff->keycloak"
)
account_reachable = reach_probe(
    "gateway.account_reachable", "whether account answers over the gateway's route", "gateway-bff->account"
)
api_401_403_share = share_probe(
    "gateway.api_401_403_share",
    "share of 401 and 403 on /v1/me and /v1/users, over 2 s",
    GATEWAY,
    _REQUESTS,
    {"status": ("401", "403")},
    {"uri": _API},
)
account_forbidden = increase_probe(
    "gateway.account_forbidden",
    "ACCOUNT_FORBIDDEN in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": "ACCOUNT_FORBIDDEN"},
)
account_unauthorized = increase_probe(
    "gateway.account_unauthorized",
    "ACCOUNT_UNAUTHORIZED in the last 2 s",
    GATEWAY,
    "gateway_account_integration_error_total",
    {"code": "ACCOUNT_UNAUTHORIZED"},
)
inactive_share = ledger_share(
    "gateway.inactive_share",
    "share of ACCOUNT_INACTIVE among people's requests, over 2 s",
    ("people.me", "people.user", "people.profile"),
    lambda sent: sent.code == "ACCOUNT_INACTIVE",
)
me_ok_ratio = ledger_ratio(
    "gateway.me_ok_ratio",
    "share of people's /v1/me that were answered well, over 2 s",
    ("people.me",),
    lambda sent: sent.accepted,
)
users_ok_ratio = ledger_ratio(
    "gateway.users_ok_ratio",
    "share of people's own accounts and profiles that were answered well, over 2 s",
    ("people.user", "people.profile"),
    lambda sent: sent.accepted,
)


async def _oidc_changes(observer: Observer) -> float:
    """Set back is as before: what counts is what was there before the first change against what is there now."""
    first: dict[str, str | None] = {}
    now: dict[str, str | None] = {}
    for change in observer.changes():
        if change.kind == "setting" and change.target == GATEWAY and change.what.startswith("OIDC_"):
            first.setdefault(change.what, change.old)
            now[change.what] = change.new
    return float(sum(now[name] != first[name] for name in now))


oidc_changes = Probe(
    "gateway.oidc_changes", "OIDC settings of the gateway that a change has left another value", _oidc_changes
)
