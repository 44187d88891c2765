-- Keys, connections and their credentials, streams and pages, integrations, backfills.

SELECT region.tenant_table('region.tenant', 'SELECT, INSERT, UPDATE, DELETE');

-- The data key of a workspace, wrapped by the region's key. Destroying it destroys every secret.
CREATE TABLE region.workspace_key (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    key_version int NOT NULL,
    wrapped bytea NOT NULL,
    region_key_id text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key_version)
);

CREATE TABLE region.connection (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    id uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('stripe', 'qonto', 'pennylane', 'melio')),
    roles text[] NOT NULL CHECK (roles <@ ARRAY['source', 'target'] AND cardinality(roles) > 0),
    method text NOT NULL CHECK (method IN ('oauth', 'api_key', 'mail')),
    label text,
    account text,
    account_name text,
    account_choices jsonb,                 -- while a person has to choose one
    livemode boolean NOT NULL DEFAULT true,
    state text NOT NULL DEFAULT 'to_configure' CONSTRAINT connection_state CHECK (state IN
        ('to_configure', 'processing', 'enabled', 'degraded', 'need_reconnect', 'suspended',
         'error', 'disconnected')),
    state_reason text,
    state_changed_at timestamptz NOT NULL,
    scopes text,
    capabilities jsonb,
    -- issuer, endpoints, resource and client id that the tokens belong to; no secret
    authorisation jsonb,
    access_expires_at timestamptz,
    consent_expires_at timestamptz,
    -- a refresh in flight: claimed by compare-and-swap, by the database's own clock
    refreshing_until timestamptz,
    refreshing_claim uuid,
    credential_generation bigint NOT NULL DEFAULT 0,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_failure_code text,
    replaced_by uuid,
    disconnected_at timestamptz,
    revocation jsonb,
    hook_token_hash bytea CHECK (octet_length(hook_token_hash) = 32),
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, replaced_by) REFERENCES region.connection (workspace_id, id)
);
-- A second connection to one account hands its credentials to the first and is replaced by it.
CREATE UNIQUE INDEX connection_account ON region.connection
    (workspace_id, provider, account, livemode)
    WHERE account IS NOT NULL AND replaced_by IS NULL AND state <> 'disconnected';
CREATE UNIQUE INDEX connection_hook ON region.connection (workspace_id, hook_token_hash)
    WHERE hook_token_hash IS NOT NULL;
SELECT region.machine_table('region.connection', 'connection');

CREATE TABLE region.credential (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    field text NOT NULL CHECK (field ~ '^[a-z_]{1,60}$'),
    key_version int NOT NULL,
    sealed bytea NOT NULL,
    -- kept after a disconnect only until the provider confirmed the revocation
    revocation_only boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, field),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, key_version)
        REFERENCES region.workspace_key (workspace_id, key_version)
);

-- An attempt to authorise, from the redirect to the callback. Its secrets are credentials of the
-- connection with the field "attempt_verifier" and the like.
CREATE TABLE region.authorisation_attempt (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    redirect_uri text NOT NULL,
    authorisation jsonb NOT NULL,
    sealed_verifier bytea,
    key_version int NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, key_version)
        REFERENCES region.workspace_key (workspace_id, key_version)
);
CREATE INDEX authorisation_attempt_connection
    ON region.authorisation_attempt (workspace_id, connection_id, id DESC);

CREATE TABLE region.stream (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    livemode boolean NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('collect', 'mirror')),
    name text NOT NULL,
    connection_id uuid NOT NULL,
    marker text,
    marker_at timestamptz,
    reach timestamptz NOT NULL,
    period_s int NOT NULL CHECK (period_s > 0),
    next_at timestamptz,
    last_pull_at timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_failure_code text,
    failures int NOT NULL DEFAULT 0,
    swept_at timestamptz,
    pages bigint NOT NULL DEFAULT 0,
    rows_received bigint NOT NULL DEFAULT 0,
    paused boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT stream_key UNIQUE (workspace_id, provider, account, livemode, purpose, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id)
);
CREATE INDEX stream_connection ON region.stream (workspace_id, connection_id);

CREATE TABLE region.page (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    stream_id uuid NOT NULL,
    backfill_id uuid,
    rows_received int NOT NULL CHECK (rows_received >= 0),
    records_new int NOT NULL DEFAULT 0,
    records_changed int NOT NULL DEFAULT 0,
    records_unchanged int NOT NULL DEFAULT 0,
    records_quarantined int NOT NULL DEFAULT 0,
    marker text,
    more boolean NOT NULL,
    committed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, stream_id) REFERENCES region.stream (workspace_id, id)
);
CREATE INDEX page_stream ON region.page (workspace_id, stream_id, id DESC);
CREATE INDEX page_time ON region.page (workspace_id, committed_at);

CREATE TABLE region.integration (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    source_connection_id uuid NOT NULL,
    target_connection_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'active' CONSTRAINT integration_state CHECK (state IN
        ('active', 'paused', 'archived')),
    settings_version int NOT NULL DEFAULT 1,
    starts_at timestamptz NOT NULL,
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, source_connection_id)
        REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, target_connection_id)
        REFERENCES region.connection (workspace_id, id)
);
CREATE INDEX integration_source ON region.integration (workspace_id, source_connection_id);
CREATE INDEX integration_target ON region.integration (workspace_id, target_connection_id);
SELECT region.machine_table('region.integration', 'integration');

CREATE TABLE region.integration_settings (
    workspace_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    version int NOT NULL CHECK (version > 0),
    settings jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid,
    PRIMARY KEY (workspace_id, integration_id, version),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id)
);

CREATE TABLE region.page_count (
    workspace_id uuid NOT NULL,
    page_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    items int NOT NULL,
    unchanged int NOT NULL,
    quarantined int NOT NULL,
    PRIMARY KEY (workspace_id, page_id, integration_id),
    FOREIGN KEY (workspace_id, page_id) REFERENCES region.page (workspace_id, id),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id)
);
CREATE INDEX page_count_integration ON region.page_count (workspace_id, integration_id, page_id);

CREATE TABLE region.backfill (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    from_date date NOT NULL,
    to_date date NOT NULL,
    requested_by uuid,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    canceled_at timestamptz,
    PRIMARY KEY (workspace_id, id),
    CHECK (from_date <= to_date),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id)
);
CREATE INDEX backfill_integration ON region.backfill (workspace_id, integration_id, id DESC);
ALTER TABLE region.page ADD FOREIGN KEY (workspace_id, backfill_id)
    REFERENCES region.backfill (workspace_id, id);

CREATE TABLE region.backfill_part (
    workspace_id uuid NOT NULL,
    backfill_id uuid NOT NULL,
    month date NOT NULL,
    state text NOT NULL DEFAULT 'planned' CONSTRAINT backfill_part_state CHECK (state IN
        ('planned', 'running', 'done', 'failed')),
    marker text,
    rows_received bigint NOT NULL DEFAULT 0,
    items bigint NOT NULL DEFAULT 0,
    failure_code text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, backfill_id, month),
    FOREIGN KEY (workspace_id, backfill_id) REFERENCES region.backfill (workspace_id, id)
);
SELECT region.machine_table('region.backfill_part', 'backfill_part');

-- Clients that we registered ourselves (RFC 7591), one per authorisation server and redirect URI,
-- for the whole region: not tenant data, hence sealed by the region's key.
CREATE TABLE region.registered_client (
    issuer text NOT NULL,
    redirect_uri text NOT NULL,
    client_id text NOT NULL,
    region_key_id text NOT NULL,
    sealed_secret bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, redirect_uri)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON region.registered_client TO sluice_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['workspace_key', 'connection', 'credential',
        'authorisation_attempt', 'stream', 'page', 'integration', 'page_count', 'backfill',
        'backfill_part']
    LOOP
        PERFORM region.tenant_table(format('region.%I', name)::regclass,
                                    'SELECT, INSERT, UPDATE, DELETE');
    END LOOP;
END $$;
-- Settings are immutable per version.
SELECT region.tenant_table('region.integration_settings', 'SELECT, INSERT');
