"""The database does not let account work: locks are held, or there is no connection left.

Symptom   account times out and fails; sessions wait for locks, or no connection is free.
Response  end the sessions that block; when it is load, let the reports run fewer at once, and hold calls back if need be.
Recovery  no lock waits, free connections, 502 and 504 go, account's p95 and that of resolve are normal.
Apart     lock waits, connections and slow queries in PostgreSQL, and no unique violations.
"""

from harness.model.criteria import Condition, Criterion, always, eventually
from harness.model.faults import HeldLocks, RunawayJob
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, Variant, step
from harness.model.span import setting
from scenarios.probes import account, database, entitlement, gateway
from scenarios.steps import end_blockers, end_idle, fewer_calls, restart_matchmaking
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

STATEMENT_S = setting("account.database.statement-timeout")
REPORT = {"JOB_RATE_HZ": "30", "REPORT_WORKERS": "60", "REPORT_PAUSE": "1500ms"}
RENEWED = {
    ("account", "account.database.max-lifetime"): "250ms",
    ("entitlement", "entitlement.database.max-lifetime"): "30m",
}
"""Account renews its connections all the time, so that it meets a database without any; entitlement keeps its own."""


@step("Let the reports begin one after another, not many at once")
async def slow_reports(operator: Operator) -> None:
    """They go on."""
    await operator.slow_job("account-report", 0.5)


def symptom(*seen: Condition) -> Criterion:
    """Account fails, and the database shows why; nothing collides."""
    return eventually(
        gateway.account_unreachable.at_least(4),
        *seen,
        account.conflicts.at_most(2),
        within_s=STATEMENT_S + 12.0,
    )


def recovery(*seen: Condition) -> Criterion:
    """The criteria of both sections, and what the database shows."""
    return eventually(
        *seen,
        database.lock_waits.equals(0),
        gateway.api_5xx_share.at_most(0.01),
        account.share_5xx.at_most(0.01),
        account.p95_s.below(0.25),
        account.resolve_p95_s.below(0.25),
        account.resolve_5xx.equals(0),
        within_s=STATEMENT_S + 12.0,
        hold_s=1.5,
    )


SCENARIO = Scenario(
    id="FM-DB-01",
    title="Locks, connections or slow queries",
    sections=("5.2", "5.5"),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=HeldLocks("account", ("LOCK TABLE account.users IN ACCESS EXCLUSIVE MODE",), database.users_are_locked),
    symptom=symptom(database.lock_waits.at_least(1)),
    hold_s=STATEMENT_S + 1.5,
    response=(end_blockers,),
    recovery=recovery(),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(Limit("statements that wait are given up within the hold", STATEMENT_S, HOLD),),
    variants=(
        Variant(
            "idle-sessions",
            {
                "fault": HeldLocks("account", ("SELECT 1",), database.idle_sessions_are_many, sessions=60),
                "symptom": symptom(database.free_connections.at_most(0), database.lock_waits.equals(0)),
                "response": (end_idle,),
                "recovery": recovery(database.free_connections.at_least(10)),
                "settings": RENEWED,
            },
        ),
        Variant(
            "load",
            {
                "fault": RunawayJob("account-report", REPORT, database.reports_are_many),
                "symptom": symptom(database.free_connections.at_most(0), database.longest_query_s.above(2.0)),
                "response": (slow_reports, fewer_calls),
                "recovery": recovery(database.free_connections.at_least(10), database.reports.at_least(1)),
                "settings": RENEWED,
            },
        ),
    ),
)
