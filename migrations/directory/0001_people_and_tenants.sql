-- The directory: who may come in, and in which region a workspace lives. Nothing else leaves a
-- region. Tokens and keys are stored as SHA-256 hashes only. The directory has no row-level
-- security: its rows are found by hashes and memberships, before a tenant is known.

CREATE TABLE directory.region (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9-]{1,30}$'),
    name text NOT NULL,
    hosted_in text NOT NULL,
    accepts_workspaces boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL
);

CREATE TABLE directory.workspace (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    region text NOT NULL REFERENCES directory.region,
    time_zone text NOT NULL,
    language text NOT NULL CHECK (language IN ('en', 'fr')),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'deleting')),
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE directory.app_user (
    id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT app_user_email UNIQUE CHECK (email = lower(email)),
    name text NOT NULL,
    password_hash text,
    operator boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    failed_logins int NOT NULL DEFAULT 0,
    locked_until timestamptz,
    last_login_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL
);

CREATE TABLE directory.member (
    workspace_id uuid NOT NULL REFERENCES directory.workspace ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES directory.app_user ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'reviewer', 'viewer')),
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX member_user ON directory.member (user_id, workspace_id);

CREATE TABLE directory.session (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES directory.app_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_reason text CHECK (ended_reason IN ('logout', 'reuse', 'revoked', 'password'))
);
CREATE INDEX session_of_user ON directory.session (user_id, created_at DESC);

-- One row per refresh token that a session ever had: a second use of a replaced one is theft, and
-- ends the session.
CREATE TABLE directory.refresh_token (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES directory.session ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE INDEX refresh_token_session ON directory.refresh_token (session_id);

CREATE TABLE directory.api_key (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES directory.workspace ON DELETE CASCADE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'reviewer', 'viewer')),
    prefix text NOT NULL,
    key_hash bytea NOT NULL CONSTRAINT api_key_hash UNIQUE CHECK (octet_length(key_hash) = 32),
    created_by uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_key_workspace ON directory.api_key (workspace_id, id DESC);

CREATE TABLE directory.invitation (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES directory.workspace ON DELETE CASCADE,
    email text NOT NULL CHECK (email = lower(email)),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'reviewer', 'viewer')),
    token_hash bytea NOT NULL CONSTRAINT invitation_token UNIQUE
        CHECK (octet_length(token_hash) = 32),
    invited_by uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid REFERENCES directory.app_user,
    revoked_at timestamptz
);
CREATE INDEX invitation_workspace ON directory.invitation (workspace_id, id DESC);
CREATE UNIQUE INDEX invitation_open ON directory.invitation (workspace_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- Clients of the Formance-compatible surface.
CREATE TABLE directory.oauth_client (
    client_id text PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES directory.workspace ON DELETE CASCADE,
    name text NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- A redirect to a provider that has not come back: single use, for one browser, one workspace and
-- one attempt. What the attempt needs (verifier, endpoints) stays sealed in the region.
CREATE TABLE directory.oauth_state (
    state_hash bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    workspace_id uuid NOT NULL REFERENCES directory.workspace ON DELETE CASCADE,
    region text NOT NULL REFERENCES directory.region,
    provider text NOT NULL,
    connection_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    return_to text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX oauth_state_expiry ON directory.oauth_state (expires_at);

-- Repeated calls that have no workspace yet (creating one); those of a workspace are in its region.
CREATE TABLE directory.idempotency (
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    claim uuid NOT NULL,
    locked_until timestamptz NOT NULL,
    finished boolean NOT NULL DEFAULT false,
    status int,
    headers text,
    answer text,
    secret boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_expiry ON directory.idempotency (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA directory TO sluice_app;
REVOKE INSERT, UPDATE, DELETE ON directory.migration FROM sluice_app;
