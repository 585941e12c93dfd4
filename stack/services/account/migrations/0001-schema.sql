CREATE TABLE users (
    user_id uuid PRIMARY KEY,
    display_name text NOT NULL,
    locale text NOT NULL DEFAULT 'en',
    status text NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_created ON users (created_at);

CREATE TABLE identities (
    provider text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    email text NOT NULL,
    email_verified boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, subject)
);

CREATE TABLE account_roles (
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role)
);

CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor_user_id text NOT NULL,
    action text NOT NULL,
    target_user_id uuid NOT NULL,
    metadata_json text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_target ON audit_logs (target_user_id, id);
