"""Matchmaking: tickets, queues, the worker, and Redis as matchmaking sees it."""

import asyncio

from harness.model.errors import Unreadable
from harness.model.ports import Observer
from harness.model.probes import Cohort, Probe, cohort_probe
from scenarios.probes.common import (
    MINIMUM,
    increase_probe,
    ledger_ratio,
    log_probe,
    metric_probe,
    quantile_probe,
    reach_probe,
    sql_probe,
)

MATCHMAKING = "matchmaking"

time_to_match_p95_s = quantile_probe(
    "matchmaking.time_to_match_p95_s", "time-to-match p95, over 2 s", MATCHMAKING, "mm_time_to_match_seconds", 0.95
)
queue_depth = metric_probe("matchmaking.queue_depth", "tickets waiting in all modes", MATCHMAKING, "mm_queue_depth")


async def _oldest(observer: Observer) -> float | None:
    ages = [observer.metric(MATCHMAKING, "mm_queue_oldest_age", {"mode": mode}) for mode in ("casual", "rank")]
    known = [age for age in ages if age is not None]
    return max(known) if known else None


oldest_age_s = Probe(
    "matchmaking.oldest_age_s", "age of the oldest waiting ticket", _oldest, ((MATCHMAKING, "mm_queue_oldest_age"),)
)
dependency_errors = increase_probe(
    "matchmaking.dependency_errors", "dependency errors in the last 2 s", MATCHMAKING, "mm_dependency_error_total"
)
worker_loop_errors = increase_probe(
    "matchmaking.worker_loop_errors",
    "rounds of the worker that failed in the last 2 s",
    MATCHMAKING,
    "mm_dependency_error_total",
    {"type": "worker_loop"},
)
publish_errors = increase_probe(
    "matchmaking.publish_errors",
    "matches that could not be told in the last 2 s",
    MATCHMAKING,
    "mm_dependency_error_total",
    {"type": "nats_publish"},
)
worker_failed_lines = log_probe(
    "matchmaking.worker_failed_lines",
    "log lines of failed rounds in the last 2 s",
    MATCHMAKING,
    "matchmaker worker loop failed",
)
join_success_ratio = ledger_ratio(
    "matchmaking.join_success_ratio", "share of joins that succeeded, over 2 s", ("joins.join",), lambda s: s.accepted
)


async def _join_p95(observer: Observer) -> float | None:
    sent = observer.ledger.since(observer.clock.now_s() - 2.0, "joins.join")
    if len(sent) < 4:
        return None
    took = sorted(s.latency_s for s in sent)
    return took[int(0.95 * (len(took) - 1) + 0.5)]


join_p95_s = Probe("matchmaking.join_p95_s", "latency p95 of joins, over 2 s", _join_p95)


async def _redis_rtt(observer: Observer) -> float | None:
    pong = await observer.reach("matchmaking->redis", timeout_s=0.9)
    return pong.rtt_ms if pong.answered else 900.0


redis_rtt_ms = Probe(
    "matchmaking.redis_rtt_ms",
    "time to Redis and back over matchmaking's route; 900 when it does not answer",
    _redis_rtt,
)
nats_reachable = reach_probe(
    "matchmaking.nats_reachable", "whether NATS answers over matchmaking's route", "matchmaking->nats"
)


async def _status(observer: Observer, ticket: str) -> str | None:
    found = await observer.redis("HGET", f"mm:ticket:{ticket}", "status")
    return None if found is None else str(found)


COHORT = 40
"""Joins of five seconds at 8 a second; all of them were promised a match, whether they have it by now or not."""


async def _promised(observer: Observer) -> Cohort:
    return tuple(s.key for s in observer.ledger.accepted("joins.join")[-COHORT:])


async def _unmatched(observer: Observer, cohort: Cohort) -> float | None:
    statuses = await asyncio.gather(*(_status(observer, t) for t in cohort))
    if all(s is None for s in statuses):
        raise Unreadable("no ticket of the cohort is known to Redis")
    return float(sum(s != "MATCHED" for s in statuses))


cohort_unmatched = cohort_probe(
    "matchmaking.cohort_unmatched_tickets",
    "of the last tickets accepted before the response began, those that are not MATCHED",
    capture=_promised,
    left=_unmatched,
)


def _gauge(name: str, says: str, metric: str, mode: str) -> Probe:
    return metric_probe(f"matchmaking.{name}", says, MATCHMAKING, metric, {"mode": mode})


casual_depth = _gauge("casual_depth", "tickets waiting in the mode casual", "mm_queue_depth", "casual")
rank_depth = _gauge("rank_depth", "tickets waiting in the mode rank", "mm_queue_depth", "rank")
casual_oldest_age_s = _gauge(
    "casual_oldest_age_s", "age of the oldest waiting ticket of the mode casual", "mm_queue_oldest_age", "casual"
)

JOINED_S = 5.0
"""How far back the tickets go whose end is looked at: longer than the shortest lifetime that a scenario gives them."""


async def _expired(observer: Observer) -> float | None:
    joined = [s.key for s in observer.ledger.since(observer.clock.now_s() - JOINED_S, "joins.join") if s.accepted]
    statuses = await asyncio.gather(*(_status(observer, t) for t in joined[-COHORT:]))
    ended = [s for s in statuses if s in {"MATCHED", "EXPIRED"}]
    return ended.count("EXPIRED") / len(ended) if len(ended) >= MINIMUM else None


expired_share = Probe(
    "matchmaking.expired_share", "share of EXPIRED among the tickets of the last 5 s that have ended", _expired
)

_MATCHES = "FROM notification.notifications WHERE type = 'MATCH_FOUND'"


async def _told(observer: Observer) -> set[str]:
    return {str(row[0]) for row in await observer.sql(f"SELECT payload_json::json ->> 'match_id' {_MATCHES}")}


async def _untold(observer: Observer) -> Cohort:
    # Redis first: a match that is told between the two readings then counts as told.
    keys = await observer.redis("KEYS", "mm:match:*")
    told = await _told(observer)
    return tuple(sorted({str(key).removeprefix("mm:match:") for key in keys} - told))


async def _untold_count(observer: Observer) -> float | None:
    return float(len(await _untold(observer)))


async def _still_untold(observer: Observer, cohort: Cohort) -> float | None:
    return float(len(set(cohort) - await _told(observer)))


untold_matches = Probe("matchmaking.untold_matches", "matches without a notification", _untold_count)
cohort_untold = cohort_probe(
    "matchmaking.cohort_untold_matches",
    "matches that had no notification when the response began and have none",
    capture=_untold,
    left=_still_untold,
)
notifications_per_match_max = sql_probe(
    "matchmaking.notifications_per_match_max",
    "most notifications of one match",
    f"SELECT max(n) FROM (SELECT count(*) n {_MATCHES} GROUP BY payload_json::json ->> 'match_id') counted",
)
