-- Deliveries and attempts, problems, notifications, repeated calls, the audit log.

CREATE TABLE region.delivery (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    item_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    connection_id uuid NOT NULL,           -- the target's
    window_id uuid,
    operation text NOT NULL CHECK (operation IN
        ('create', 'attach', 'mark_paid', 'mail', 'reverse')),
    generation int NOT NULL CHECK (generation > 0),
    idempotency_key uuid NOT NULL,
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    document_sha256 bytea,
    recipe jsonb,                          -- of the MIME wrapper, with the serializer's version
    message_id text,
    file_name text NOT NULL,
    content_type text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CONSTRAINT delivery_state CHECK (state IN
        ('queued', 'sending', 'done', 'retrying', 'uncertain', 'rejected', 'blocked', 'canceled',
         'accepted', 'confirmed', 'bounced', 'unconfirmed')),
    state_reason text,
    state_changed_at timestamptz NOT NULL,
    rank int NOT NULL DEFAULT 0,           -- best first, within its window
    attempts int NOT NULL DEFAULT 0,
    not_before timestamptz,                -- the end of a grace period
    next_at timestamptz,
    retry_until timestamptz NOT NULL,
    look_after timestamptz,                -- by the database's clock
    first_sent_at timestamptz,
    done_at timestamptz,
    verified boolean NOT NULL DEFAULT false,
    external_id text,
    entry_id uuid,
    failure_code text,
    failure_field text,
    failure_detail text,
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT delivery_idempotency_key UNIQUE (workspace_id, idempotency_key),
    CONSTRAINT delivery_generation UNIQUE (workspace_id, item_id, operation, generation),
    FOREIGN KEY (workspace_id, item_id) REFERENCES region.item (workspace_id, id),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, window_id) REFERENCES region.window (workspace_id, id),
    FOREIGN KEY (workspace_id, document_sha256) REFERENCES region.document (workspace_id, sha256),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id)
) WITH (fillfactor = 80);
CREATE INDEX delivery_list ON region.delivery (workspace_id, id DESC);
CREATE INDEX delivery_integration ON region.delivery (workspace_id, integration_id, state, id DESC);
CREATE INDEX delivery_window ON region.delivery (workspace_id, window_id, rank)
    WHERE window_id IS NOT NULL;
CREATE INDEX delivery_parked ON region.delivery (workspace_id, connection_id, id)
    WHERE state IN ('queued', 'retrying', 'blocked', 'uncertain', 'sending');
CREATE INDEX delivery_file ON region.delivery (workspace_id, file_name);
CREATE INDEX delivery_external ON region.delivery (workspace_id, connection_id, external_id)
    WHERE external_id IS NOT NULL;
SELECT region.machine_table('region.delivery', 'delivery');
ALTER TABLE region.ledger_entry ADD FOREIGN KEY (workspace_id, delivery_id)
    REFERENCES region.delivery (workspace_id, id);

-- Cut by the delivery's id, which is a UUIDv7 too: the attempts of one delivery lie together.
CREATE TABLE region.attempt (
    workspace_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    n int NOT NULL CHECK (n > 0),
    kind text NOT NULL CHECK (kind IN ('send', 'look')),
    started_at timestamptz NOT NULL,
    look_after timestamptz,                -- by the database's clock
    ended_at timestamptz,
    outcome text,
    status int,
    failure_code text,
    failure_detail text,
    excerpt text CHECK (length(excerpt) <= 4096),
    worker_id bigint,
    PRIMARY KEY (workspace_id, delivery_id, n),
    FOREIGN KEY (workspace_id, delivery_id) REFERENCES region.delivery (workspace_id, id)
) PARTITION BY RANGE (delivery_id);
SELECT region.partitioned_table('region.attempt', 'delivery_id');

CREATE TABLE region.problem (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    id uuid NOT NULL,
    code text NOT NULL CHECK (code ~ '^[a-z0-9_]{1,60}$'),
    state text NOT NULL DEFAULT 'open' CONSTRAINT problem_state CHECK (state IN
        ('open', 'retrying', 'resolved', 'dismissed')),
    state_changed_at timestamptz NOT NULL,
    severity text NOT NULL CHECK (severity IN ('warning', 'error')),
    action text NOT NULL CHECK (action IN
        ('retry', 'reconnect', 'choose_account', 'resolve_delivery', 'none')),
    subject text NOT NULL,                 -- at most one open problem of a code about one subject
    integration_id uuid,
    connection_id uuid,
    stream_id uuid,
    record_id uuid,
    item_id uuid,
    delivery_id uuid,
    title text NOT NULL,                   -- what is wrong, in one sentence
    detail text,                           -- what the provider said, redacted
    fields jsonb,                          -- what may be corrected with a retry
    occurrences int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    resolved_at timestamptz,
    dismissed_reason text,
    actor uuid,
    row_version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, stream_id) REFERENCES region.stream (workspace_id, id),
    FOREIGN KEY (workspace_id, record_id) REFERENCES region.record (workspace_id, id),
    FOREIGN KEY (workspace_id, item_id) REFERENCES region.item (workspace_id, id),
    FOREIGN KEY (workspace_id, delivery_id) REFERENCES region.delivery (workspace_id, id)
);
CREATE UNIQUE INDEX problem_open ON region.problem (workspace_id, code, subject)
    WHERE state IN ('open', 'retrying');
CREATE INDEX problem_list ON region.problem (workspace_id, state, id DESC);
CREATE INDEX problem_integration ON region.problem (workspace_id, integration_id, id DESC)
    WHERE integration_id IS NOT NULL;
CREATE INDEX problem_item ON region.problem (workspace_id, item_id) WHERE item_id IS NOT NULL;
CREATE INDEX problem_connection ON region.problem (workspace_id, connection_id)
    WHERE connection_id IS NOT NULL;
SELECT region.machine_table('region.problem', 'problem');

CREATE TABLE region.notification (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    event text NOT NULL CHECK (event ~ '^[a-z0-9_.]{1,60}$'),
    text text NOT NULL,
    user_id uuid,                          -- NULL: every owner and admin
    integration_id uuid,
    connection_id uuid,
    item_id uuid,
    problem_id uuid,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    mailed_at timestamptz,
    PRIMARY KEY (workspace_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX notification_unmailed ON region.notification (workspace_id, id)
    WHERE mailed_at IS NULL;
SELECT region.partitioned_table('region.notification', 'id');

CREATE TABLE region.webhook_endpoint (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    id uuid NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    key_version int NOT NULL,
    sealed_secret bytea NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text,
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, key_version)
        REFERENCES region.workspace_key (workspace_id, key_version)
);

CREATE TABLE region.webhook_delivery (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event text NOT NULL,
    body text NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz,
    done_at timestamptz,
    gave_up_at timestamptz,
    last_status int,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES region.webhook_endpoint (workspace_id, id)
);
CREATE INDEX webhook_delivery_endpoint
    ON region.webhook_delivery (workspace_id, endpoint_id, id DESC);

CREATE TABLE region.idempotency (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    claim uuid NOT NULL,
    locked_until timestamptz NOT NULL,     -- by the database's clock
    finished boolean NOT NULL DEFAULT false,
    status int,
    headers text,
    answer text,
    secret boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, principal, route, key)
);
CREATE INDEX idempotency_expiry ON region.idempotency (expires_at);

CREATE TABLE region.audit (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN
        ('system', 'user', 'api_key', 'job', 'operator')),
    actor uuid,
    request_id text,
    action text NOT NULL CHECK (action ~ '^[a-z0-9_.]{1,60}$'),
    subject_kind text NOT NULL,
    subject_id uuid,
    detail jsonb NOT NULL,
    PRIMARY KEY (workspace_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX audit_subject ON region.audit (workspace_id, subject_id, id DESC)
    WHERE subject_id IS NOT NULL;
SELECT region.partitioned_table('region.audit', 'id');

-- The chain over the committed rows, in the order in which the sealer saw them. No foreign key: a
-- row that vanished is what the chain is there to show.
CREATE TABLE region.audit_seal (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    seq bigint NOT NULL CHECK (seq > 0),
    audit_id uuid NOT NULL,
    row_hash bytea NOT NULL CHECK (octet_length(row_hash) = 32),
    chain_hash bytea NOT NULL CHECK (octet_length(chain_hash) = 32),
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, seq),
    CONSTRAINT audit_seal_once UNIQUE (workspace_id, audit_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['delivery', 'problem', 'webhook_endpoint', 'webhook_delivery',
        'idempotency']
    LOOP
        PERFORM region.tenant_table(format('region.%I', name)::regclass,
                                    'SELECT, INSERT, UPDATE, DELETE');
    END LOOP;
    -- The keeper deletes what has expired, for all tenants, and sees of it that it has expired.
    CREATE POLICY expired ON region.idempotency TO sluice_queue
        USING (expires_at <= clock_timestamp()
               + (SELECT offset_us FROM region.clock_offset) * interval '1 microsecond');
    GRANT SELECT (expires_at), DELETE ON region.idempotency TO sluice_queue;
    -- Histories: the application appends, and marks; it cannot rewrite them.
    PERFORM region.tenant_table('region.attempt', 'SELECT, INSERT');
    GRANT UPDATE (ended_at, outcome, status, failure_code, failure_detail, excerpt)
        ON region.attempt TO sluice_app;
    PERFORM region.tenant_table('region.notification', 'SELECT, INSERT');
    GRANT UPDATE (read_at, mailed_at) ON region.notification TO sluice_app;
    PERFORM region.tenant_table('region.audit', 'SELECT, INSERT');
    PERFORM region.tenant_table('region.audit_seal', 'SELECT, INSERT');
END $$;
