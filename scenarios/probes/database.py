"""PostgreSQL as a whole: what people look at when several services are slow at once."""

from harness.model.ports import Observer
from scenarios.probes.common import sql_probe

lock_waits = sql_probe(
    "database.lock_waits",
    "sessions that wait for a lock",
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'",
)
free_connections = sql_probe(
    "database.free_connections",
    "connections that services can still open",
    "SELECT current_setting('max_connections')::int - current_setting('reserved_connections')::int"
    " - current_setting('superuser_reserved_connections')::int - count(*)"
    " FROM pg_stat_activity WHERE backend_type = 'client backend'",
)
longest_query_s = sql_probe(
    "database.longest_query_s",
    "age of the longest running statement",
    "SELECT max(extract(epoch FROM clock_timestamp() - query_start)) FROM pg_stat_activity"
    " WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
)
reports = sql_probe(
    "database.reports",
    "reports on accounts that are under way",
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'account-report' AND state = 'active'",
)


async def users_are_locked(observer: Observer) -> bool:
    """A lock on account's users is held by a session that does nothing."""
    rows = await observer.sql(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.mode = 'AccessExclusiveLock'"
        " AND l.granted AND l.relation = 'account.users'::regclass AND a.state = 'idle in transaction'"
    )
    return bool(rows[0][0] > 0)


async def idle_sessions_are_many(observer: Observer) -> bool:
    """Most connections belong to sessions that sit in a transaction and do nothing."""
    rows = await observer.sql(
        "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
        " WHERE state = 'idle in transaction' AND application_name = 'psql'"
    )
    return bool(rows[0][0] > rows[0][1] * 0.6)


async def reports_are_many(observer: Observer) -> bool:
    """Most connections belong to reports."""
    rows = await observer.sql(
        "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
        " WHERE application_name = 'account-report' AND state = 'active'"
    )
    return bool(rows[0][0] > rows[0][1] * 0.6)
