"""5.2: the API answers 502 and 504."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import account, database, gateway

SECTION = Section(
    "5.2",
    "/v1/me and /v1/users answer 502 or 504",
    (
        Check(
            "5.2/check/1",
            "Timeouts and bad gateways towards account",
            (gateway.account_timeouts, gateway.account_bad_gateways, gateway.api_5xx_share),
        ),
        Check(
            "5.2/check/2",
            "Account's own 5xx, and the database's delay",
            (account.share_5xx, account.p95_s, database.lock_waits, database.longest_query_s),
        ),
        Check("5.2/check/3", "The way to account", (gateway.account_reachable, account.answers)),
        Check("5.2/check/4", "After a deployment: answers that break the contract", (gateway.account_invalid,)),
    ),
    bullets=(
        done("5.2/response/1", "FM-BFF-ACC-03:restart_account", "FM-BFF-ACC-03:restore_route"),
        done("5.2/response/2", "FM-DB-01:end_blockers", "FM-DB-01:end_idle", "FM-DB-01:slow_reports"),
        done("5.2/response/3", "FM-BFF-ACC-04:roll_back"),
        measured("5.2/recovery/1", gateway.api_5xx_share),
        measured("5.2/recovery/2", account.share_5xx, account.p95_s),
    ),
)
