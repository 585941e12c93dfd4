CREATE TABLE processed_events (
    event_id text PRIMARY KEY,
    processed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX processed_events_age ON processed_events (processed_at);

CREATE TABLE notifications (
    notification_id uuid PRIMARY KEY,
    event_id text NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload_json text NOT NULL,
    status text NOT NULL CHECK (status IN ('PENDING', 'PROCESSING', 'SENT', 'FAILED')),
    locked_by text,
    locked_at timestamptz,
    lease_until timestamptz,
    attempt_count integer NOT NULL DEFAULT 0,
    next_retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz
);
CREATE INDEX notifications_open ON notifications (created_at) WHERE status IN ('PENDING', 'PROCESSING');
CREATE INDEX notifications_event ON notifications (event_id);
CREATE INDEX notifications_user ON notifications (user_id, created_at);

CREATE TABLE notification_dlq (
    dlq_id uuid PRIMARY KEY,
    notification_id uuid NOT NULL UNIQUE REFERENCES notifications,
    event_id text NOT NULL,
    payload_json text NOT NULL,
    error_message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notification_nats_dlq (
    stream text NOT NULL,
    stream_seq bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, stream_seq)
);
