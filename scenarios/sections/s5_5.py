"""5.5: resolving identities is slow or fails."""

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
)
