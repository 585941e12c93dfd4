"""Account: identities and users, as account itself counts them."""

from harness.model.ports import Observer
from harness.model.probes import Probe
from scenarios.probes.common import MINIMUM, WINDOW_S, increase_probe, quantile_probe

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
