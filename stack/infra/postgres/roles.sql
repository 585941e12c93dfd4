-- The roles of the reference stack. {account-db} and so on are replaced by the passwords of the topology.
-- None is a superuser; each service owns its schema. The database is new and empty.

CREATE ROLE account LOGIN PASSWORD '{account-db}';
CREATE ROLE entitlement LOGIN PASSWORD '{entitlement-db}';
CREATE ROLE notification LOGIN PASSWORD '{notification-db}';

-- On call: reads everything, ends sessions, and may change only what the runbook's repairs change.
CREATE ROLE oncall LOGIN PASSWORD '{oncall-db}' IN ROLE pg_read_all_data, pg_monitor, pg_signal_backend, pg_use_reserved_connections;
-- The harness: only reads.
CREATE ROLE gameday LOGIN PASSWORD '{gameday-db}' IN ROLE pg_read_all_data, pg_monitor, pg_use_reserved_connections;
ALTER ROLE gameday SET default_transaction_read_only = on;
ALTER ROLE gameday SET statement_timeout = '2s';
ALTER ROLE oncall SET statement_timeout = '10s';
ALTER ROLE oncall SET lock_timeout = '5s';

CREATE SCHEMA account AUTHORIZATION account;
CREATE SCHEMA entitlement AUTHORIZATION entitlement;
CREATE SCHEMA notification AUTHORIZATION notification;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA account, entitlement, notification TO oncall;

-- Tables come later, with each service's migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE account IN SCHEMA account GRANT INSERT, UPDATE ON TABLES TO oncall;
ALTER DEFAULT PRIVILEGES FOR ROLE entitlement IN SCHEMA entitlement GRANT UPDATE ON TABLES TO oncall;
ALTER DEFAULT PRIVILEGES FOR ROLE notification IN SCHEMA notification GRANT INSERT, UPDATE, DELETE ON TABLES TO oncall;
