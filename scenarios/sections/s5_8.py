"""5.8: matching takes longer."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import matchmaking, notification

SECTION = Section(
    "5.8",
    "Time-to-match gets worse",
    (
        Check(
            "5.8/check/1",
            "Time-to-match, queue depth and the oldest ticket",
            (matchmaking.time_to_match_p95_s, matchmaking.queue_depth, matchmaking.oldest_age_s),
        ),
        Check(
            "5.8/check/2",
            "Dependency errors by kind",
            (matchmaking.dependency_errors, matchmaking.worker_loop_errors, matchmaking.publish_errors),
        ),
        Check("5.8/check/3", "The worker's log by mode, and failed publishes", (matchmaking.worker_failed_lines,)),
        Check(
            "5.8/check/4",
            "The way to Redis and its delay; NATS and its stream",
            (matchmaking.redis_rtt_ms, matchmaking.nats_reachable, notification.matchmaking_lag),
        ),
    ),
    bullets=(
        done("5.8/response/1", "FM-MM-02:restart_worker", "FM-MM-02:remove_poison", "FM-MM-02:smaller_batches"),
        done("5.8/response/2", "FM-MM-01:restore_route", "FM-MM-01:end_runaway", "FM-MM-01:hold_back"),
        done(
            "5.8/response/3",
            "FM-MM-03:restore_route",
            "FM-MM-03:restore_subject",
            "FM-MM-03:publish_again",
            "FM-MM-01:publish_again",
        ),
        measured("5.8/recovery/1", matchmaking.time_to_match_p95_s),
        measured("5.8/recovery/2", matchmaking.cohort_unmatched, matchmaking.casual_oldest_age_s),
    ),
)
