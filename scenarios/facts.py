"""The facts that invariants are judged on: what the system and the workloads have on record, and what boundaries answer.

Times in rows are seconds of the epoch, except those of the ledger: `*_s` are seconds since the run began.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.model.errors import Unreadable
from harness.model.invariants import Flight, Source, When
from harness.model.ports import Observer
from harness.model.values import Reply
from scenarios.probes.account import AUDIT_DIFFERS

Rows = list[tuple[Any, ...]]

STREAMS = {
    "entitlement-events": "notification-entitlement-consumer",
    "matchmaking-events": "notification-matchmaking-consumer",
}
ADVISORIES = {
    "notification-advisory-dlq": "notification-advisory-consumer",
    "notification-terminated-advisory-dlq": "notification-terminated-advisory-consumer",
}
ACCOUNT, GATEWAY = "account", "gateway-bff"


def _sql(name: str, columns: tuple[str, ...], query: str, when: When = When.END) -> Source:
    async def read(observer: Observer) -> Rows:
        return await observer.sql(query)

    return Source(name, columns, read, when)


def _ledger(name: str, columns: tuple[str, ...], row: Callable[[Any], tuple[Any, ...] | None]) -> Source:
    async def read(observer: Observer) -> Rows:
        return [found for sent in observer.ledger if (found := row(sent)) is not None]

    return Source(name, columns, read)


# Along the way of an event id --------------------------------------------------------------------------------------------

requests = _ledger(
    "requests",
    ("key", "op", "sent_s", "ended_s", "status", "code"),
    lambda s: (s.key, s.op, s.sent_s, s.ended_s, s.status, s.code or s.error) if s.op.startswith("grants.") else None,
)
commands = _sql(
    "commands",
    ("key", "aggregate", "result"),
    "SELECT idem_key, (response_body::json->>'user_id') || ':' || (response_body::json->>'stock_keeping_unit'),"
    " response_body::json->>'status' FROM entitlement.idempotency_keys WHERE response_code = 200",
)
audits = _sql(
    "audits",
    ("aggregate", "action", "count"),
    "SELECT user_id || ':' || stock_keeping_unit, action, count(*) FROM entitlement.entitlement_audit GROUP BY 1, 2",
)
outbox = _sql(
    "outbox",
    ("event_id", "type", "aggregate", "status", "attempts", "created", "published", "error"),
    "SELECT event_id::text, event_type, aggregate_key, status, attempt_count, extract(epoch FROM created_at)::float8,"
    " extract(epoch FROM published_at)::float8, left(last_error, 80) FROM entitlement.outbox_events ORDER BY created_at",
)


async def _messages(observer: Observer) -> Rows:
    return [
        (stream, seq, headers.get("Nats-Msg-Id") or first_text(payload))
        for stream in STREAMS
        for seq, headers, payload in await observer.messages(stream)
    ]


def first_text(payload: bytes) -> str | None:
    """The first field of a protobuf message when it is a short text: the event id of every event."""
    if len(payload) < 2 or payload[0] != 0x0A or payload[1] >= 0x80 or len(payload) < 2 + payload[1]:
        return None
    try:
        return payload[2 : 2 + payload[1]].decode() or None
    except UnicodeDecodeError:
        return None


messages = Source("messages", ("stream", "seq", "event_id"), _messages)
terminated = _sql("terminated", ("stream", "seq"), "SELECT stream, stream_seq FROM notification.notification_nats_dlq")
processed = _sql(
    "processed",
    ("event_id", "at"),
    "SELECT event_id, extract(epoch FROM processed_at)::float8 FROM notification.processed_events",
)
notifications = _sql(
    "notifications",
    ("notification_id", "event_id", "type", "status", "attempts", "created", "sent"),
    "SELECT notification_id::text, event_id, type, status, attempt_count, extract(epoch FROM created_at)::float8,"
    " extract(epoch FROM sent_at)::float8 FROM notification.notifications ORDER BY created_at",
)
dlq = _sql(
    "dlq",
    ("notification_id", "event_id", "error", "created"),
    "SELECT notification_id::text, event_id, left(error_message, 80), extract(epoch FROM created_at)::float8"
    " FROM notification.notification_dlq",
)


async def _deliveries(observer: Observer) -> Rows:
    reply = await observer.http("destination", "/records")
    found = reply.json() if reply.status == 200 else None
    if not isinstance(found, list):
        raise Unreadable(f"the destination's records: {reply.status or reply.error}")
    return [tuple(r.get(c) for c in deliveries.columns) for r in found]


deliveries = Source(
    "deliveries",
    ("notification_id", "event_id", "arrived_at", "ended_at", "status", "caller_there", "left_at"),
    _deliveries,
)


async def _hashes(observer: Observer, pattern: str) -> Mapping[str, Mapping[str, str]]:
    found = {}
    for key in await observer.redis("KEYS", pattern):
        try:
            flat = await observer.redis("HGETALL", key)
        except Unreadable:
            if await observer.redis("TYPE", key) in {"hash", "none"}:
                raise
            continue  # what is of another type is no record of the service's, and hides none of the others
        pairs = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
        found[str(key).rsplit(":", 1)[-1]] = pairs
    return found


async def _matches(observer: Observer) -> Rows:
    return [
        (match_id, str(uuid.uuid5(uuid.NAMESPACE_URL, f"match:{match_id}")), fields.get("mode"))
        for match_id, fields in (await _hashes(observer, "mm:match:*")).items()
    ]


async def _tickets(observer: Observer) -> Rows:
    return [
        (ticket, f.get("user_id"), f.get("mode"), f.get("status"), f.get("match_id"))
        for ticket, f in (await _hashes(observer, "mm:ticket:*")).items()
    ]


# Matches before tickets: both go at the same moment when they are too old, so a ticket that is there had its match then.
matches = Source("matches", ("match_id", "event_id", "mode"), _matches)
tickets = Source("tickets", ("ticket", "user", "mode", "status", "match_id"), _tickets)


async def in_flight(observer: Observer) -> Flight:
    """What is under way between the outbox, or a queue with a pair in it, and the end of its notification."""
    # In the order of the way: what moves on between two readings is then counted twice, never not at all.
    pairs = sum([int(await observer.redis("ZCARD", f"mm:queue:{mode}")) // 2 for mode in ("casual", "rank")])
    outbox = await observer.sql(
        "SELECT count(*), coalesce(sum(attempt_count), 0) FROM entitlement.outbox_events"
        " WHERE status IN ('PENDING', 'IN_FLIGHT')"
    )
    lag = 0
    for stream, durable in {**STREAMS, **ADVISORIES}.items():
        found = await observer.consumer(stream, durable)
        lag += found["pending"] + found["ack_pending"]
    waiting = await observer.sql(
        "SELECT count(*), coalesce(sum(attempt_count), 0) FROM notification.notifications"
        " WHERE status IN ('PENDING', 'PROCESSING')"
    )
    rows = (outbox[0], waiting[0])
    return Flight(pairs + lag + sum(int(count) for count, _ in rows), sum(int(tries) for _, tries in rows))


# Snapshots: what no moment may show -----------------------------------------------------------------------------------------

apart = _sql(
    "apart",
    ("notification_id", "status", "in_dlq"),
    "SELECT coalesce(n.notification_id, d.notification_id)::text, n.status, d.dlq_id IS NOT NULL"
    " FROM notification.notifications n FULL JOIN notification.notification_dlq d USING (notification_id)"
    " WHERE (n.status IS NOT DISTINCT FROM 'FAILED') IS DISTINCT FROM (d.dlq_id IS NOT NULL)",
    When.OFTEN,
)
torn = _sql(
    "torn",
    ("id", "table", "status", "says"),
    "SELECT notification_id::text, 'notifications', status, concat_ws(', ', 'locked by ' || locked_by,"
    " 'lease ' || lease_until, 'sent ' || sent_at, 'retry ' || next_retry_at) FROM notification.notifications"
    " WHERE (status = 'SENT' AND (locked_by IS NOT NULL OR next_retry_at IS NOT NULL OR sent_at IS NULL))"
    " OR (status <> 'SENT' AND sent_at IS NOT NULL) OR (status = 'PROCESSING') <> (locked_by IS NOT NULL)"
    " UNION ALL SELECT event_id::text, 'outbox_events', status, concat_ws(', ', 'locked by ' || locked_by,"
    " 'lease ' || lease_until, 'published ' || published_at, 'retry ' || next_retry_at) FROM entitlement.outbox_events"
    " WHERE (status = 'PUBLISHED') <> (published_at IS NOT NULL) OR (status = 'IN_FLIGHT') <> (locked_by IS NOT NULL)",
    When.OFTEN,
)
suspended = _sql(
    "suspended", ("user",), "SELECT user_id::text FROM account.users WHERE status = 'SUSPENDED'", When.OFTEN
)
misrecorded = _sql(
    "misrecorded", ("user", "status", "action"), f"SELECT u.user_id::text, u.status, last.action {AUDIT_DIFFERS}",
    When.OFTEN,
)  # fmt: skip
identities = _sql(
    "identities", ("provider", "subject", "user"), "SELECT provider, subject, user_id::text FROM account.identities",
    When.MOMENT,
)  # fmt: skip
asked_me = _ledger(
    "asked_me",
    ("user", "sent_s", "ended_s", "status"),
    lambda s: (
        (s.data.get("user") or s.key, s.sent_s, s.ended_s, s.data.get("status"))
        if s.op.endswith(".me") and s.accepted
        else None
    ),
)


# Boundaries: requests that must be refused, none of which would change anything if it were not ------------------------------


async def _entry(observer: Observer) -> Rows:
    return [_entry_row("/login", await observer.http(GATEWAY, "/login"), "")]


async def _provider(observer: Observer) -> Rows:
    path = "/oauth2/authorization/keycloak"
    given = observer.setting(GATEWAY, "OIDC_AUTHORIZATION_URI") or ""
    return [_entry_row(path, await observer.http(GATEWAY, path), urlsplit(given).netloc)]


def _entry_row(path: str, reply: Reply, wanted_host: str) -> tuple[Any, ...]:
    to = urlsplit(reply.headers.get("location", ""))
    return path, reply.status, to.path, to.netloc, wanted_host


LEADS = ("path", "status", "location", "host", "wanted_host")
"""Hosts are with their ports, and empty for the gateway's own; the wanted one is that of the setting at that time."""

entry = Source("entry", LEADS, _entry, When.OFTEN)
provider = Source("provider", LEADS, _provider, When.MOMENT)

NOBODY = ("00000000-0000-3000-8000-000000000001", "00000000-0000-3000-8000-000000000002")
TOKEN, OWNER = "token", "owner"
REFUSED, ALLOWED = "refused", "allowed"


async def _boundaries(observer: Observer) -> Rows:
    rows = await observer.sql("SELECT user_id::text FROM account.users ORDER BY created_at LIMIT 2")
    mine, others = (rows[0][0], rows[1][0]) if len(rows) > 1 else NOBODY

    def name(setting: str, default: str) -> str:
        return observer.setting(ACCOUNT, setting) or default

    token_name = name("ACCOUNT_INTERNAL_API_HEADER_NAME", "X-Internal-Token")
    who, roles = (
        name("ACCOUNT_USER_ID_HEADER_NAME", "X-User-Id"),
        name("ACCOUNT_USER_ROLES_HEADER_NAME", "X-User-Roles"),
    )
    token = observer.setting(ACCOUNT, "ACCOUNT_INTERNAL_API_TOKEN") or ""
    admin = {who: mine, roles: "ADMIN", "X-Actor-User-Id": mine}
    user = {token_name: token, who: mine, roles: "USER", "X-Actor-User-Id": mine}
    asked: Sequence[tuple[str, str, str, str, dict[str, str], Any]] = (
        (TOKEN, "read a user without a token", "GET", f"/users/{mine}", admin, None),
        (TOKEN, "read a user with an empty token", "GET", f"/users/{mine}", {**admin, token_name: ""}, None),
        (TOKEN, "read a user with a wrong token", "GET", f"/users/{mine}", {**admin, token_name: f"{token}x"}, None),
        (TOKEN, "resolve without a token", "POST", "/identities:resolve", {}, {}),
        (TOKEN, "suspend nobody without a token", "POST", f"/admin/users/{NOBODY[0]}:suspend", admin, None),
        (OWNER, "read another's account", "GET", f"/users/{others}", user, None),
        (OWNER, "change nothing of another's account", "PATCH", f"/users/{others}", user, {}),
        (OWNER, "suspend nobody as a user", "POST", f"/admin/users/{NOBODY[0]}:suspend", user, None),
        (OWNER, "read one's own account", "GET", f"/users/{mine}", user, None),
    )
    found: Rows = []
    for kind, says, method, path, headers, body in asked:
        reply = await observer.http(ACCOUNT, path, method=method, headers=headers, body=body)
        expected = ALLOWED if says == "read one's own account" else REFUSED
        found.append((kind, says, expected, reply.status, reply.code or reply.error))
        if reply.status is None:
            break  # it does not answer at all: the others would only take their time
    return found


boundaries = Source(
    "boundaries", ("kind", "says", "expected", "status", "code"), _boundaries, When.MOMENT, ("hold", "end")
)

consistency = _sql(
    "consistency",
    ("key", "count"),
    "SELECT '6.3/sql/1', count(*) FROM notification.notifications"
    " WHERE status = 'SENT' AND (locked_by IS NOT NULL OR next_retry_at IS NOT NULL)"
    " UNION ALL SELECT '6.3/sql/2', count(*) FROM account.identities i"
    " LEFT JOIN account.users u ON u.user_id = i.user_id WHERE u.user_id IS NULL",
)

SOURCES = (
    requests, commands, audits, outbox, messages, terminated, processed, notifications, dlq, deliveries, matches, tickets,
    apart, torn, suspended, misrecorded, identities, asked_me, entry, provider, boundaries, consistency,
)  # fmt: skip


def text(row: Mapping[str, Any], *columns: str) -> str:
    """Some columns of a row in one line; what is None is left out."""
    said = ((c, row.get(c)) for c in columns)
    return ", ".join(f"{c} {v if isinstance(v, str) else json.dumps(v)}" for c, v in said if v is not None)
