CREATE TABLE entitlements (
    user_id text NOT NULL,
    stock_keeping_unit text NOT NULL,
    status text NOT NULL CHECK (status IN ('ACTIVE', 'REVOKED')),
    granted_at timestamptz,
    revoked_at timestamptz,
    source text NOT NULL,
    source_id text NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, stock_keeping_unit)
);

CREATE TABLE idempotency_keys (
    idem_key text PRIMARY KEY,
    request_hash text NOT NULL,
    response_code integer NOT NULL,
    response_body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE TABLE outbox_events (
    event_id uuid PRIMARY KEY,
    event_type text NOT NULL CHECK (event_type IN ('EntitlementGranted', 'EntitlementRevoked')),
    aggregate_key text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL CHECK (status IN ('PENDING', 'IN_FLIGHT', 'PUBLISHED', 'FAILED')),
    attempt_count integer NOT NULL DEFAULT 0,
    next_retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    locked_by text,
    locked_at timestamptz,
    lease_until timestamptz,
    last_error text
);
CREATE INDEX outbox_open ON outbox_events (created_at) WHERE status IN ('PENDING', 'IN_FLIGHT');
CREATE INDEX outbox_failed ON outbox_events (created_at) WHERE status = 'FAILED';

CREATE TABLE entitlement_audit (
    audit_id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    user_id text NOT NULL,
    stock_keeping_unit text NOT NULL,
    action text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    request_id text NOT NULL,
    detail text NOT NULL
);
