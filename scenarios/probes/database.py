"""PostgreSQL as a whole: what people look at when several services are slow at once."""

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
