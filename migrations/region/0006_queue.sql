-- The queue: who works, what is due, how fast. Untenanted: these tables hold ids only, and no
-- tenant data. Their own ids are bigints; workspace and connection ids in them are UUIDs (the nil
-- UUID where there is none). Only unfinished jobs live here. A database is one region, so no row
-- names it.
--
-- run_at, next_at and sort_at are business time and come as parameters; leases and hard deadlines
-- are the database's own clock.

CREATE TABLE region.worker (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- never used again: it fences
    host text NOT NULL,
    process_id int NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL                    -- not indexed: a heartbeat stays HOT
) WITH (fillfactor = 50);

CREATE TABLE region.lane (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    max_running int NOT NULL CHECK (max_running > 0),
    running int NOT NULL DEFAULT 0,
    rate_per_s real CHECK (rate_per_s > 0),
    burst real CHECK (burst >= 1),
    tokens real NOT NULL DEFAULT 0,
    refilled_at timestamptz,
    next_at timestamptz NOT NULL DEFAULT 'infinity',    -- gate: empty, throttled, Retry-After
    parked boolean NOT NULL DEFAULT false,              -- credentials gone: nothing runs
    vtime bigint NOT NULL DEFAULT 0,                    -- work served: the fair order
    CHECK ((rate_per_s IS NULL) = (burst IS NULL)),
    CONSTRAINT lane_key UNIQUE (workspace_id, connection_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX lane_due ON region.lane (next_at) WHERE next_at < 'infinity' AND NOT parked;

CREATE TABLE region.job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id int NOT NULL REFERENCES region.lane,
    state smallint NOT NULL CHECK (state BETWEEN 0 AND 2), -- 0 ready, 1 leased, 2 scheduled
    sort_at timestamptz NOT NULL,                       -- run_at + priority * 30 s: ages by itself
    run_at timestamptz NOT NULL,
    priority smallint NOT NULL DEFAULT 0,
    attempt smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL CHECK (max_attempts > 0),
    worker_id bigint,
    hard_deadline timestamptz,
    max_run_s int NOT NULL CHECK (max_run_s > 0),
    kind smallint NOT NULL,
    subject_id uuid,
    rerun_at timestamptz,                               -- asked for again while it runs
    dedupe_key text CHECK (length(dedupe_key) <= 200),
    payload text CHECK (length(payload) <= 1000),       -- ids only
    request_id text CHECK (length(request_id) <= 100),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 1) = (worker_id IS NOT NULL))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 50000);
CREATE INDEX job_ready ON region.job (lane_id, sort_at, id) WHERE state = 0;
CREATE INDEX job_scheduled ON region.job (run_at, id) WHERE state = 2;
CREATE INDEX job_leased ON region.job (worker_id) WHERE state = 1;
CREATE INDEX job_deadline ON region.job (hard_deadline) WHERE state = 1;
CREATE UNIQUE INDEX job_dedupe ON region.job (lane_id, dedupe_key) WHERE dedupe_key IS NOT NULL;

-- Jobs that ran out of attempts or had a poisonous payload: kept for a person to see.
CREATE TABLE region.job_failed (
    id bigint PRIMARY KEY,
    kind smallint NOT NULL,
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    subject_id uuid,
    payload text,
    attempts smallint NOT NULL,
    reason text NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX job_failed_workspace ON region.job_failed (workspace_id, id DESC);

-- What comes round by itself (sealing, sweeping, partitions): one job per tick.
CREATE TABLE region.schedule (
    name text PRIMARY KEY,
    kind smallint NOT NULL,
    every_s int NOT NULL CHECK (every_s > 0),
    next_at timestamptz NOT NULL
);

-- A provider's limit, shared by every tenant behind one egress address: a token bucket of which
-- worker processes lease slices. At most burst + rate_per_s * t requests leave in any t seconds
-- plus the life of a slice.
CREATE TABLE region.rate_bucket (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL,
    egress text NOT NULL,
    name text NOT NULL,
    rate_per_s double precision NOT NULL CHECK (rate_per_s > 0),
    burst double precision NOT NULL CHECK (burst >= 1),
    tokens double precision NOT NULL,
    refilled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_until timestamptz,                           -- the provider said Retry-After
    CONSTRAINT rate_bucket_key UNIQUE (provider, egress, name)
) WITH (fillfactor = 50);

CREATE TABLE region.bucket_lease (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket_id int NOT NULL REFERENCES region.rate_bucket,
    worker_id bigint NOT NULL,
    tokens int NOT NULL CHECK (tokens > 0),
    leased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL                     -- unused tokens of it are gone then
);
CREATE INDEX bucket_lease_worker ON region.bucket_lease (worker_id);
CREATE INDEX bucket_lease_expiry ON region.bucket_lease (expires_at);

-- What somebody has to look after across tenants: rows are only added and taken away, so that
-- writers never wait for each other.
CREATE TABLE region.dirty_workspace (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('audit', 'item_count')),
    subject_id uuid
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX dirty_workspace_what ON region.dirty_workspace (what, workspace_id, id);

-- An audit row is to be sealed once its transaction has committed.
CREATE FUNCTION region.audit_appended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO region.dirty_workspace (workspace_id, what, subject_id)
    VALUES (NEW.workspace_id, 'audit', NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_appended AFTER INSERT ON region.audit
    FOR EACH ROW EXECUTE FUNCTION region.audit_appended();

GRANT SELECT, INSERT, UPDATE, DELETE ON region.worker, region.lane, region.job, region.job_failed,
    region.schedule, region.rate_bucket, region.bucket_lease, region.dirty_workspace
    TO sluice_queue;
-- The application puts jobs in and takes finished ones out, in the transaction of their outcome.
GRANT SELECT, INSERT, UPDATE, DELETE ON region.job TO sluice_app;
GRANT SELECT, INSERT, UPDATE ON region.lane TO sluice_app;
GRANT SELECT, INSERT ON region.job_failed TO sluice_app;
GRANT SELECT, INSERT, DELETE ON region.dirty_workspace TO sluice_app;
GRANT SELECT ON region.worker, region.schedule, region.rate_bucket, region.bucket_lease
    TO sluice_app;
