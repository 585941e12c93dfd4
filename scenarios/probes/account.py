"""Account: identities and users, as account itself counts them."""

import asyncio

from harness.model.errors import Unreadable
from harness.model.ports import Observer
from harness.model.probes import Probe
from harness.model.values import fingerprint
from scenarios.probes.common import (
    MINIMUM,
    WINDOW_S,
    increase_probe,
    ledger_ratio,
    log_probe,
    quantile_probe,
    sql_probe,
)

_REQUESTS = "http_server_requests_seconds_count"
_HISTOGRAM = "http_server_requests_seconds"
ACCOUNT = "account"
_USERS = ("/users/{user_id}", "/identities:resolve")


async def _share_5xx(observer: Observer) -> float | None:
    every = observer.increase(ACCOUNT, _REQUESTS, WINDOW_S, {"uri": _USERS})
    if every is None or every < MINIMUM:
        return None
    bad = observer.increase(ACCOUNT, _REQUESTS, WINDOW_S, {"uri": _USERS, "outcome": "SERVER_ERROR"})
    return (bad or 0.0) / every


share_5xx = Probe(
    "account.share_5xx", "share of 5xx of resolve and users, over 2 s", _share_5xx, ((ACCOUNT, _HISTOGRAM),)
)
p95_s = quantile_probe(
    "account.p95_s", "p95 of resolve and users, over 2 s", ACCOUNT, _HISTOGRAM, 0.95, {"uri": _USERS}
)
resolve_p95_s = quantile_probe(
    "account.resolve_p95_s", "p95 of resolve, over 2 s", ACCOUNT, _HISTOGRAM, 0.95, {"uri": "/identities:resolve"}
)
conflicts = increase_probe(
    "account.conflicts", "unique violations in the last 2 s", ACCOUNT, "account_identity_conflict_total"
)


async def _answers(observer: Observer) -> float | None:
    reply = await observer.http(ACCOUNT, "/actuator/health/liveness")
    return float(reply.status == 200)


answers = Probe("account.answers", "whether account answers at all, asked past every route", _answers)
resolve_5xx = increase_probe(
    "account.resolve_5xx",
    "5xx of resolve in the last 2 s",
    ACCOUNT,
    _REQUESTS,
    {"uri": "/identities:resolve", "outcome": "SERVER_ERROR"},
)
denied_token = increase_probe(
    "account.denied_token",
    "calls without a valid token in the last 2 s",
    ACCOUNT,
    "account_authorization_denied_total",
    {"reason": "token"},
)
denied_user_missing = increase_probe(
    "account.denied_user_missing",
    "calls without a user in the last 2 s",
    ACCOUNT,
    "account_authorization_denied_total",
    {"reason": "user_missing"},
)
denied_owner = increase_probe(
    "account.denied_owner",
    "calls for somebody else's account in the last 2 s",
    ACCOUNT,
    "account_authorization_denied_total",
    {"reason": ("not_owner", "not_admin")},
)
denied_lines = log_probe(
    "account.denied_lines", "refusals in account's log in the last 2 s", ACCOUNT, "access denied reason="
)

undefined_column_lines = log_probe(
    "account.undefined_column_lines", "undefined columns in account's log in the last 2 s", ACCOUNT, "UndefinedColumn"
)
admin_read_ratio = ledger_ratio(
    "account.admin_read_ratio",
    "share of an administrator's reads that were answered, over 2 s",
    ("admins.read",),
    lambda sent: sent.accepted,
)
suspension_ratio = ledger_ratio(
    "account.suspension_ratio",
    "share of suspensions that were accepted, over 2 s",
    ("suspensions.suspend",),
    lambda sent: sent.accepted,
)


async def _token(observer: Observer, service: str) -> str:
    """The fingerprint of the internal token that a service says it has; empty without one."""
    told = await observer.told(service)
    if told is None:
        raise Unreadable(f"{service} does not tell its settings")
    found = told.settings.get("ACCOUNT_INTERNAL_API_TOKEN", "")
    return "" if found == fingerprint("") else found


async def _tokens_match(observer: Observer) -> float | None:
    """Both sides' tokens, as they say themselves: equal and not empty."""
    ours, theirs = await asyncio.gather(_token(observer, "gateway-bff"), _token(observer, ACCOUNT))
    return float(bool(ours) and ours == theirs)


async def _token_is_set(observer: Observer) -> float | None:
    return float(bool(await _token(observer, ACCOUNT)))


token_is_set = Probe("account.token_is_set", "whether account was given an internal token", _token_is_set)
tokens_match = Probe("account.tokens_match", "whether the gateway's token is account's, and set", _tokens_match)
suspended_rows = sql_probe(
    "account.suspended_rows",
    "users that are suspended",
    "SELECT count(*) FROM account.users WHERE status = 'SUSPENDED'",
)
suspend_records = sql_probe(
    "account.suspend_records",
    "suspensions on record in the last ten minutes",
    "SELECT count(*) FROM account.audit_logs WHERE action = 'SUSPEND' AND created_at > now() - interval '10 minutes'",
)
RIGHTLY = "fraud"
"""The reason of suspensions that are right and must outlive every repair."""

wrongly_suspended_rows = sql_probe(
    "account.wrongly_suspended_rows",
    "users that are suspended and never were for a good reason",
    "SELECT count(*) FROM account.users u WHERE u.status = 'SUSPENDED' AND NOT EXISTS (SELECT FROM account.audit_logs a"
    " WHERE a.target_user_id = u.user_id AND a.action = 'SUSPEND'"
    f" AND a.metadata_json::jsonb->>'reason' IN ('{RIGHTLY}', 'abuse'))",
)

rightly_suspended_rows = sql_probe(
    "account.rightly_suspended_rows",
    "rightly suspended users that are suspended",
    "SELECT count(DISTINCT u.user_id) FROM account.users u JOIN account.audit_logs a ON a.target_user_id = u.user_id"
    f" WHERE u.status = 'SUSPENDED' AND a.metadata_json::jsonb->>'reason' = '{RIGHTLY}'",
)
AUDIT_DIFFERS = (
    "FROM account.users u LEFT JOIN LATERAL (SELECT action FROM account.audit_logs a"
    " WHERE a.target_user_id = u.user_id ORDER BY id DESC LIMIT 1) last ON true"
    " WHERE (u.status = 'SUSPENDED') IS DISTINCT FROM (coalesce(last.action, '') = 'SUSPEND')"
)
"""The users whose status is not what their last audit record says; in one statement, so no suspension is seen by half."""

audit_differences = sql_probe(
    "account.audit_differences",
    "users whose status is not what their last audit record says",
    f"SELECT count(*) {AUDIT_DIFFERS}",
)
imported_users = sql_probe(
    "account.imported_users",
    "users that the import made in the last 2 s",
    "SELECT count(*) FROM account.identities WHERE provider = 'import' AND created_at > clock_timestamp() - interval '2 s'",
)
identities_with_several_users = sql_probe(
    "account.identities_with_several_users",
    "identities that belong to more than one user, and users without an identity",
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM account.identities GROUP BY provider, subject"
    " HAVING count(DISTINCT user_id) > 1) x) + (SELECT count(*) FROM account.users u"
    " WHERE NOT EXISTS (SELECT 1 FROM account.identities i WHERE i.user_id = u.user_id))",
)
