"""The service level indicators of the reference system, their objectives, and the series that they and the alerts need.

Failures are 5xx and timeouts. A 4xx that the specification wants is left out, except where an indicator says otherwise.
Objectives of what happens behind a request's answer scale with the profile; those of request latency do not.
"""

from harness.model.ledger import Sent
from harness.model.slis import (
    P95,
    Counter,
    Delays,
    Highest,
    P95OfSamples,
    Quantile,
    Query,
    Ratio,
    RequestDelays,
    Requests,
    Series,
    Sli,
)
from harness.model.span import alert_minutes, scaled

GATEWAY, ACCOUNT, ENTITLEMENT = "gateway-bff", "account", "entitlement"
MATCHMAKING, NOTIFICATION = "matchmaking", "notification"
HTTP = "http_server_requests_seconds"
API = ("/v1/me", "/v1/users/{user_id}", "/v1/users/{user_id}/profile")
RESOLVE, USERS = "/identities:resolve", "/users/{user_id}"
ANSWERED = ("SUCCESS", "SERVER_ERROR")
"""The outcomes of requests that were valid and allowed."""

BACKLOG_ROWS = 10
"""A backlog of this many is still near none: what arrives in a second or two."""

LOOK_BACK_S = alert_minutes(2)
"""How far back the p95 looks that an alert follows from sample to sample."""


def _operation(sent: Sent) -> str:
    return sent.op.rpartition(".")[2]


def _api(sent: Sent) -> bool:
    """A request to the authenticated API, but for one without a session."""
    return _operation(sent) in {"me", "user", "profile"} and sent.status != 401


def _api_good(sent: Sent) -> bool:
    return _api(sent) and (_good(sent) or (sent.status == 403 and sent.code == "ACCOUNT_INACTIVE"))


def _profile(sent: Sent) -> bool:
    return _operation(sent) == "profile" and sent.code != "PROFILE_FORBIDDEN"


def _command(sent: Sent) -> bool:
    """A grant or revoke that was valid and had not been done already."""
    return sent.op in {"grants.grant", "grants.revoke"} and not _refused(sent)


def _join(sent: Sent) -> bool:
    return sent.op == "joins.join" and not _refused(sent)


def _good(sent: Sent) -> bool:
    return sent.status is not None and 200 <= sent.status < 300


def _refused(sent: Sent) -> bool:
    return sent.status is not None and 400 <= sent.status < 500


SERIES: dict[str, Series] = {
    "gateway.api_good": Requests(_api_good),
    "gateway.api_all": Requests(_api),
    "gateway.login_302": Counter(GATEWAY, f"{HTTP}_count", {"uri": "/login", "status": "302"}),
    "gateway.login_all": Counter(GATEWAY, f"{HTTP}_count", {"uri": "/login"}),
    "gateway.api_s": Delays(GATEWAY, HTTP, {"uri": API}),
    "gateway.profile_good": Requests(lambda sent: _profile(sent) and _good(sent)),
    "gateway.profile_all": Requests(_profile),
    "gateway.profile_s": RequestDelays(lambda sent: _profile(sent) and "ticket" not in sent.data),
    "gateway.profile_with_ticket_s": RequestDelays(lambda sent: _profile(sent) and "ticket" in sent.data),
    "gateway.logins_failed": Counter(GATEWAY, "gateway_login_total", {"result": "error"}),
    "gateway.logins_ended": Counter(GATEWAY, "gateway_login_total"),
    **{
        f"gateway.{code.lower()}": Counter(GATEWAY, "gateway_account_integration_error_total", {"code": code})
        for code in ("ACCOUNT_BAD_GATEWAY", "ACCOUNT_TIMEOUT")
    },
    **{
        f"gateway.{code.lower()}": Counter(
            GATEWAY, "gateway_profile_aggregate_dependency_error_total", {"dependency": "entitlement", "reason": code}
        )
        for code in ("ENTITLEMENT_BAD_GATEWAY", "ENTITLEMENT_TIMEOUT")
    },
    "account.resolve_good": Counter(ACCOUNT, f"{HTTP}_count", {"uri": RESOLVE, "outcome": "SUCCESS"}),
    "account.resolve_valid": Counter(ACCOUNT, f"{HTTP}_count", {"uri": RESOLVE, "outcome": ANSWERED}),
    "account.resolve_5xx": Counter(ACCOUNT, f"{HTTP}_count", {"uri": RESOLVE, "outcome": "SERVER_ERROR"}),
    "account.users_good": Counter(ACCOUNT, f"{HTTP}_count", {"uri": USERS, "outcome": "SUCCESS"}),
    "account.users_valid": Counter(ACCOUNT, f"{HTTP}_count", {"uri": USERS, "outcome": ANSWERED}),
    "account.api_s": Delays(ACCOUNT, HTTP, {"uri": (RESOLVE, USERS)}),
    "entitlement.commands_good": Requests(lambda sent: _command(sent) and _good(sent)),
    "entitlement.commands_valid": Requests(_command),
    "entitlement.grant_visible_s": RequestDelays(lambda sent: sent.op == "grants.grant" and _good(sent)),
    "entitlement.publish_delay_s": Delays(ENTITLEMENT, "entitlement_outbox_publish_delay_seconds"),
    "entitlement.publish_delay_p95_s": Quantile(ENTITLEMENT, "entitlement_outbox_publish_delay_seconds", LOOK_BACK_S),
    "entitlement.outbox_age_p95_s": Query(
        "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM clock_timestamp() - created_at))"
        " FROM entitlement.outbox_events WHERE status IN ('PENDING', 'IN_FLIGHT')"
    ),
    "entitlement.outbox_failed_rows": Query("SELECT count(*) FROM entitlement.outbox_events WHERE status = 'FAILED'"),
    "matchmaking.joins_good": Requests(lambda sent: _join(sent) and _good(sent)),
    "matchmaking.joins_valid": Requests(_join),
    "matchmaking.time_to_match_s": Delays(MATCHMAKING, "mm_time_to_match_seconds"),
    "matchmaking.time_to_match_p95_s": Quantile(MATCHMAKING, "mm_time_to_match_seconds", LOOK_BACK_S),
    "matchmaking.negative": Counter(MATCHMAKING, "mm_dependency_error_total", {"type": "time_to_match_negative"}),
    "notification.sent": Counter(NOTIFICATION, "notification_delivery_total", {"result": "sent"}),
    "notification.ended": Counter(NOTIFICATION, "notification_delivery_total", {"result": ("sent", "failed")}),
    "notification.e2e_s": Delays(NOTIFICATION, "notification_delivery_e2e_delay_seconds"),
    "notification.sent_before_occurred": Query(
        "SELECT count(*) FROM notification.notifications WHERE sent_at < occurred_at"
    ),
    "notification.backlog_rows": Query(
        "SELECT count(*) FROM notification.notifications"
        " WHERE status = 'PENDING' OR (status = 'PROCESSING' AND lease_until < now())"
    ),
    "notification.dlq_rows": Query("SELECT count(*) FROM notification.notification_dlq"),
}
"""A grant is visible once it is answered, for its transaction is over then; so that figure is one of request latency."""


def _share(name: str, says: str, objective: float, good: str, total: str) -> Sli:
    return Sli(name, says, objective, "ratio", "share", Ratio(good, total))


SLIS: tuple[Sli, ...] = (
    _share(
        "gateway.api_success",
        "authenticated API: 2xx and ACCOUNT_INACTIVE, of all but 401",
        0.999, "gateway.api_good", "gateway.api_all",
    ),
    _share("gateway.login_availability", "GET /login: 302 of all", 0.9995, "gateway.login_302", "gateway.login_all"),
    Sli("gateway.api_p95", "authenticated API, server time", 0.4, "p95_s", "s", P95("gateway.api_s")),
    _share(
        "gateway.profile_success",
        "profiles: 2xx of all but PROFILE_FORBIDDEN",
        0.999, "gateway.profile_good", "gateway.profile_all",
    ),
    Sli("gateway.profile_p95", "profiles without a ticket", 0.45, "p95_s", "s", P95("gateway.profile_s")),
    Sli(
        "gateway.profile_with_ticket_p95",
        "profiles with a ticket",
        0.7, "p95_s", "s", P95("gateway.profile_with_ticket_s"),
    ),
    _share(
        "account.resolve_success",
        "resolve: 2xx of valid requests",
        0.9995, "account.resolve_good", "account.resolve_valid",
    ),
    _share(
        "account.users_success", "users API: 2xx of allowed requests", 0.999, "account.users_good", "account.users_valid"
    ),
    Sli("account.api_p95", "resolve and users, server time", 0.25, "p95_s", "s", P95("account.api_s")),
    _share(
        "entitlement.command_success",
        "grants and revokes: 2xx of valid ones",
        0.9995, "entitlement.commands_good", "entitlement.commands_valid",
    ),
    Sli("entitlement.grant_visible_p95", "grant to visible", 1.0, "p95_s", "s", P95("entitlement.grant_visible_s")),
    Sli(
        "entitlement.publish_delay_p95",
        "outbox: created to published",
        scaled(5), "p95_s", "s", P95("entitlement.publish_delay_s"),
    ),
    Sli(
        "entitlement.outbox_age_p95",
        "outbox: age of what is not published",
        scaled(10), "p95_s", "s", P95OfSamples("entitlement.outbox_age_p95_s"),
    ),
    Sli(
        "entitlement.outbox_failed", "outbox rows that failed for good", 0, "count", "rows",
        Highest("entitlement.outbox_failed_rows"),
    ),
    _share(
        "matchmaking.join_success", "joins: 2xx of valid ones", 0.999, "matchmaking.joins_good", "matchmaking.joins_valid"
    ),
    Sli(
        "matchmaking.time_to_match_p95",
        "joined to matched",
        scaled(10), "p95_s", "s", P95("matchmaking.time_to_match_s", skewed="matchmaking.negative"),
    ),
    _share(
        "notification.delivery_success", "SENT of SENT and FAILED", 0.999, "notification.sent", "notification.ended"
    ),
    Sli(
        "notification.e2e_p95",
        "occurred to sent",
        scaled(30), "p95_s", "s", P95("notification.e2e_s", skewed="notification.sent_before_occurred"),
    ),
    Sli(
        "notification.backlog", "notifications that wait or whose claim is over", BACKLOG_ROWS, "count", "rows",
        Highest("notification.backlog_rows"),
    ),
    Sli("notification.dlq", "rows of the DLQ", 0, "count", "rows", Highest("notification.dlq_rows")),
)  # fmt: skip
