-- Windows, items, decisions with their candidates, reviews, links, and the counts of items.

CREATE TABLE region.window (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('live', 'poll', 'backfill')),
    state text NOT NULL DEFAULT 'collecting' CONSTRAINT window_state CHECK (state IN
        ('collecting', 'scoring', 'delivering', 'done', 'failed')),
    settings_version int NOT NULL,
    backfill_id uuid,
    opened_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    closed_at timestamptz,
    done_at timestamptz,
    items int NOT NULL DEFAULT 0,
    counts jsonb,                          -- per outcome, once decided
    failure_code text,
    row_version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, integration_id, settings_version)
        REFERENCES region.integration_settings (workspace_id, integration_id, version),
    FOREIGN KEY (workspace_id, backfill_id) REFERENCES region.backfill (workspace_id, id)
);
CREATE UNIQUE INDEX window_collecting ON region.window (workspace_id, integration_id, kind)
    WHERE state = 'collecting';
CREATE INDEX window_list ON region.window (workspace_id, integration_id, id DESC);
CREATE INDEX window_open ON region.window (workspace_id, closes_at)
    WHERE state IN ('collecting', 'scoring', 'delivering', 'failed');
SELECT region.machine_table('region.window', 'window');

CREATE TABLE region.item (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    record_id uuid NOT NULL,
    version int NOT NULL,
    window_id uuid,
    backfill_id uuid,
    state text NOT NULL DEFAULT 'waiting' CONSTRAINT item_state CHECK (state IN
        ('waiting', 'scoring', 'queued', 'delivered', 'linked', 'held', 'stopped', 'ignored',
         'enriched', 'rejected', 'superseded', 'problem', 'dismissed')),
    state_reason text,
    state_changed_at timestamptz NOT NULL,
    -- copies of the version's, for filters and order
    kind text NOT NULL,
    amount_minor bigint,
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    date date,
    counterparty_name text,
    decision_id uuid,
    p_micro bigint,                        -- of the current decision, in millionths
    flags text[] NOT NULL DEFAULT '{}',    -- correction, suspected_duplicate, provenance, …
    corrects_item_id uuid,
    assignee uuid,
    due_at timestamptz,
    snoozed_until timestamptz,
    overrides jsonb,                       -- fields that a person corrected
    collected_at timestamptz NOT NULL,     -- of its page: the time that conservation counts by
    row_version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT item_record UNIQUE (workspace_id, integration_id, record_id, version),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id),
    FOREIGN KEY (workspace_id, record_id, version)
        REFERENCES region.record_version (workspace_id, record_id, version),
    FOREIGN KEY (workspace_id, window_id) REFERENCES region.window (workspace_id, id),
    FOREIGN KEY (workspace_id, backfill_id) REFERENCES region.backfill (workspace_id, id),
    FOREIGN KEY (workspace_id, corrects_item_id) REFERENCES region.item (workspace_id, id)
) WITH (fillfactor = 80);
CREATE INDEX item_list ON region.item (workspace_id, integration_id, state, id DESC);
CREATE INDEX item_record_of ON region.item (workspace_id, record_id, version);
CREATE INDEX item_window ON region.item (workspace_id, window_id, id) WHERE window_id IS NOT NULL;
CREATE INDEX item_review ON region.item (workspace_id, p_micro DESC, id)
    WHERE state IN ('held', 'stopped');
CREATE INDEX item_period ON region.item (workspace_id, integration_id, collected_at, state);
CREATE INDEX item_assignee ON region.item (workspace_id, assignee, id)
    WHERE assignee IS NOT NULL AND state IN ('held', 'stopped');
SELECT region.machine_table('region.item', 'item');

CREATE TABLE region.decision (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    item_id uuid NOT NULL,
    seq int NOT NULL CHECK (seq > 0),
    outcome text NOT NULL CHECK (outcome IN ('flow', 'hold', 'stop')),
    action text NOT NULL CHECK (action IN ('create', 'link', 'none')),
    entry_id uuid,                         -- of the action link
    settlement_entry_id uuid,
    p_micro bigint,                        -- a person's decision has no probabilities
    match_p_micro bigint,
    match_calibrated boolean NOT NULL DEFAULT false,
    gate_p_micro bigint,
    gate_calibrated boolean NOT NULL DEFAULT false,
    settlement_p_micro bigint,
    no_entry_p_micro bigint,               -- that no entry for it exists at the target
    unseen_p_micro bigint,                 -- that one exists which the mirror does not show
    axes jsonb,                            -- field completeness, counterparty strength, policy fit
    contributions jsonb,                   -- of the gate: log-odds in millionths, reason codes
    features text,                         -- what replay starts from, byte for byte
    model_version text,
    norm_version text,
    policy_version text,
    settings_version int NOT NULL,
    counterparty_id uuid,
    ledger_kind text CHECK (ledger_kind IN ('mirrored', 'imported', 'none')),
    ledger_as_of timestamptz,
    ledger_stale boolean NOT NULL DEFAULT false,
    window_id uuid,
    taken_by text NOT NULL CHECK (taken_by IN ('machine', 'person')),
    actor uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CHECK (taken_by = 'person' OR (p_micro IS NOT NULL AND features IS NOT NULL)),
    CONSTRAINT decision_seq UNIQUE (workspace_id, item_id, seq),
    FOREIGN KEY (workspace_id, item_id) REFERENCES region.item (workspace_id, id),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id),
    FOREIGN KEY (workspace_id, settlement_entry_id)
        REFERENCES region.ledger_entry (workspace_id, id)
);
ALTER TABLE region.item ADD FOREIGN KEY (workspace_id, decision_id)
    REFERENCES region.decision (workspace_id, id);

CREATE TABLE region.candidate (
    workspace_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('document', 'settlement')),
    rank int NOT NULL CHECK (rank >= 0),
    entry_id uuid,                         -- NULL: "no entry exists, create it"
    members uuid[],                        -- of a composite candidate
    p_micro bigint NOT NULL,
    score_micro bigint NOT NULL,
    features text NOT NULL,
    contributions jsonb NOT NULL,
    PRIMARY KEY (workspace_id, decision_id, role, rank),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES region.decision (workspace_id, id),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id)
);
CREATE INDEX candidate_entry ON region.candidate (workspace_id, entry_id)
    WHERE entry_id IS NOT NULL;

CREATE TABLE region.decision_policy (
    workspace_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    code text NOT NULL CHECK (code ~ '^[a-z0-9_]{1,60}$'),
    effect text NOT NULL CHECK (effect IN ('hold', 'stop', 'note')),
    detail jsonb,
    PRIMARY KEY (workspace_id, decision_id, code),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES region.decision (workspace_id, id)
);

-- An item and the entry that it stands for in the books. An exclusive one consumes the entry for
-- its role; a partial payment does not.
CREATE TABLE region.link (
    workspace_id uuid NOT NULL,
    item_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('document', 'settlement')),
    exclusive boolean NOT NULL DEFAULT true,
    origin text NOT NULL CHECK (origin IN ('matched', 'pinned', 'delivered')),
    decision_id uuid,
    amount_minor bigint,
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, item_id, entry_id),
    FOREIGN KEY (workspace_id, item_id) REFERENCES region.item (workspace_id, id),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES region.decision (workspace_id, id)
);
CREATE UNIQUE INDEX link_exclusive ON region.link (workspace_id, entry_id, role) WHERE exclusive;
CREATE INDEX link_entry ON region.link (workspace_id, entry_id);

CREATE TABLE region.match_refusal (
    workspace_id uuid NOT NULL,
    record_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    actor uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, record_id, entry_id),
    FOREIGN KEY (workspace_id, record_id) REFERENCES region.record (workspace_id, id),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id)
);

CREATE TABLE region.review_action (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    item_id uuid NOT NULL,
    decision_id uuid,                      -- what was looked at
    action text NOT NULL CHECK (action IN
        ('approve', 'pin', 'reject', 'unlink', 'assign', 'snooze', 'comment', 'undo', 'correct')),
    from_state text NOT NULL,
    to_state text NOT NULL,
    entry_id uuid,
    detail jsonb,
    reason text,
    actor_kind text NOT NULL,
    actor uuid,
    created_at timestamptz NOT NULL,
    effective_at timestamptz,              -- the end of the grace period
    undone_by uuid,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, item_id) REFERENCES region.item (workspace_id, id),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES region.decision (workspace_id, id),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id),
    FOREIGN KEY (workspace_id, undone_by) REFERENCES region.review_action (workspace_id, id)
);
CREATE INDEX review_action_item ON region.review_action (workspace_id, item_id, id DESC);

-- Items per integration, day of collection and state. Changes are appended by a trigger, without a
-- row that two transactions could contend for, and folded in batches: the count is the sum of both.
CREATE TABLE region.item_count (
    workspace_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    day date NOT NULL,
    state text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, day, state),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id)
);

CREATE TABLE region.item_count_change (
    workspace_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    integration_id uuid NOT NULL,
    day date NOT NULL,
    state text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE FUNCTION region.item_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO region.item_count_change (workspace_id, integration_id, day, state, n)
    SELECT workspace_id, integration_id, (collected_at AT TIME ZONE 'UTC')::date, state, count(*)
    FROM now_there GROUP BY 1, 2, 3, 4;
    INSERT INTO region.dirty_workspace (workspace_id, what)
    SELECT DISTINCT workspace_id, 'item_count' FROM now_there;
    RETURN NULL;
END $$;

CREATE FUNCTION region.item_count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO region.item_count_change (workspace_id, integration_id, day, state, n)
    SELECT workspace_id, integration_id, (collected_at AT TIME ZONE 'UTC')::date, state, sum(n)
    FROM (SELECT workspace_id, integration_id, collected_at, state, -1 AS n FROM was_there
          UNION ALL
          SELECT workspace_id, integration_id, collected_at, state, 1 FROM now_there) AS change
    GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    IF FOUND THEN
        INSERT INTO region.dirty_workspace (workspace_id, what)
        SELECT DISTINCT workspace_id, 'item_count' FROM now_there;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER item_count_inserted AFTER INSERT ON region.item
    REFERENCING NEW TABLE AS now_there
    FOR EACH STATEMENT EXECUTE FUNCTION region.item_count_inserted();
CREATE TRIGGER item_count_moved AFTER UPDATE ON region.item
    REFERENCING OLD TABLE AS was_there NEW TABLE AS now_there
    FOR EACH STATEMENT EXECUTE FUNCTION region.item_count_moved();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['window', 'item', 'link', 'match_refusal', 'item_count',
        'item_count_change']
    LOOP
        PERFORM region.tenant_table(format('region.%I', name)::regclass,
                                    'SELECT, INSERT, UPDATE, DELETE');
    END LOOP;
    -- What was decided and who reviewed it is never changed afterwards; an undo is noted.
    FOREACH name IN ARRAY ARRAY['decision', 'candidate', 'decision_policy'] LOOP
        PERFORM region.tenant_table(format('region.%I', name)::regclass, 'SELECT, INSERT');
    END LOOP;
    PERFORM region.tenant_table('region.review_action', 'SELECT, INSERT');
    GRANT UPDATE (undone_by) ON region.review_action TO sluice_app;
END $$;
