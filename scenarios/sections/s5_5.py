"""5.5: resolving identities is slow or fails."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import account, database

SECTION = Section(
    "5.5",
    "Resolving identities is slow or fails",
    (
        Check("5.5/check/1", "Resolve's p95 and 5xx", (account.resolve_p95_s, account.resolve_5xx)),
        Check("5.5/check/2", "Unique violations", (account.conflicts,)),
        Check("5.5/check/3", "Lock waits and free connections", (database.lock_waits, database.free_connections)),
    ),
    bullets=(
        done("5.5/response/1", "FM-ACC-01:slow_import"),
        done("5.5/response/2", "FM-DB-01:end_blockers", "FM-DB-01:end_idle", "FM-DB-01:slow_reports"),
        measured("5.5/recovery/1", account.resolve_p95_s),
        measured("5.5/recovery/2", account.resolve_5xx),
    ),
)
