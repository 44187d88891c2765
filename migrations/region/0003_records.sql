-- Records and their versions, documents, counterparties, the mirrored ledger.

-- A document's bytes, stored once per workspace, in chunks.
CREATE TABLE region.document (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    chunks int NOT NULL CHECK (chunks >= 0),
    content_type text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, sha256)
);

CREATE TABLE region.document_chunk (
    workspace_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    n int NOT NULL CHECK (n >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (workspace_id, sha256, n),
    FOREIGN KEY (workspace_id, sha256) REFERENCES region.document (workspace_id, sha256)
);
ALTER TABLE region.document_chunk ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE region.counterparty (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    id uuid NOT NULL,
    name text NOT NULL,
    core_name text NOT NULL,
    norm_version text NOT NULL,
    country text CHECK (country ~ '^[A-Z]{2}$'),
    company boolean NOT NULL,
    email text,
    confirmed boolean NOT NULL DEFAULT false, -- a person stands behind it
    merged_into uuid,
    row_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, merged_into) REFERENCES region.counterparty (workspace_id, id)
);
CREATE INDEX counterparty_name ON region.counterparty
    USING gist (workspace_id, core_name public.gist_trgm_ops (siglen = 64));

-- One IBAN under two names is possible, and a policy code: hence the counterparty in the key.
CREATE TABLE region.counterparty_identifier (
    workspace_id uuid NOT NULL,
    scheme text NOT NULL CHECK (scheme ~ '^[a-z0-9_]{1,40}$'),
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 200),
    counterparty_id uuid NOT NULL,
    confirmed boolean NOT NULL DEFAULT false,
    record_id uuid,
    taught_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, scheme, value, counterparty_id),
    FOREIGN KEY (workspace_id, counterparty_id) REFERENCES region.counterparty (workspace_id, id)
);
CREATE INDEX counterparty_identifier_of ON region.counterparty_identifier
    (workspace_id, counterparty_id);

CREATE TABLE region.counterparty_alias (
    workspace_id uuid NOT NULL,
    name_norm text NOT NULL,
    counterparty_id uuid NOT NULL,
    name text NOT NULL,
    core_name text NOT NULL,
    norm_version text NOT NULL,
    confirmed boolean NOT NULL DEFAULT false,
    taught_by uuid,
    decision_id uuid,
    uses bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (workspace_id, name_norm, counterparty_id),
    FOREIGN KEY (workspace_id, counterparty_id) REFERENCES region.counterparty (workspace_id, id)
);
CREATE INDEX counterparty_alias_of ON region.counterparty_alias (workspace_id, counterparty_id);
CREATE INDEX counterparty_alias_name ON region.counterparty_alias
    USING gist (workspace_id, core_name public.gist_trgm_ops (siglen = 64));

CREATE TABLE region.record (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    id uuid NOT NULL,
    stream_id uuid NOT NULL,
    source_id text NOT NULL CHECK (length(source_id) BETWEEN 1 AND 400),
    kind text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    posting text NOT NULL CHECK (posting IN ('post', 'wait', 'ignore', 'correct')),
    posting_reason text,
    counterparty_id uuid,
    counterparty_how text,                 -- identifier, alias, name, new: how it was resolved
    parent_source_id text,
    quarantine text,                       -- why the row could not be mapped
    delivered_by uuid,                     -- the delivery of ours that made it at the source
    search_text text,
    first_seen_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT record_source UNIQUE (workspace_id, stream_id, source_id),
    FOREIGN KEY (workspace_id, stream_id) REFERENCES region.stream (workspace_id, id),
    FOREIGN KEY (workspace_id, counterparty_id) REFERENCES region.counterparty (workspace_id, id)
);
CREATE INDEX record_parent ON region.record (workspace_id, parent_source_id)
    WHERE parent_source_id IS NOT NULL;
CREATE INDEX record_counterparty ON region.record (workspace_id, counterparty_id)
    WHERE counterparty_id IS NOT NULL;
CREATE INDEX record_text ON region.record
    USING gist (workspace_id, search_text public.gist_trgm_ops (siglen = 64));

CREATE TABLE region.record_version (
    workspace_id uuid NOT NULL,
    record_id uuid NOT NULL,
    version int NOT NULL CHECK (version > 0),
    material_hash text NOT NULL,
    raw text NOT NULL,                     -- verbatim; not always JSON
    amount_minor bigint,
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    fee_minor bigint,
    fee_currency text CHECK (fee_currency ~ '^[A-Z]{3}$'),
    net_minor bigint,
    net_currency text CHECK (net_currency ~ '^[A-Z]{3}$'),
    tax_minor text,
    date date,
    due_date date,
    occurred_at timestamptz,
    source_updated_at timestamptz,
    description text,
    reference text,
    reference_norm text,
    party_name text,
    party jsonb,                           -- every field of the party, as mapped
    core_name text,
    norm_version text,
    extra jsonb,                           -- mapped fields that not every kind has
    source_event_id text,
    source_txn_id text,
    page_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, record_id, version),
    CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    FOREIGN KEY (workspace_id, record_id) REFERENCES region.record (workspace_id, id),
    FOREIGN KEY (workspace_id, page_id) REFERENCES region.page (workspace_id, id)
);
-- Records that look alike (suspected duplicates), and what is usual for a counterparty.
CREATE INDEX record_version_alike ON region.record_version
    (workspace_id, currency, amount_minor, date);
CREATE INDEX record_version_reference ON region.record_version (workspace_id, reference_norm)
    WHERE reference_norm IS NOT NULL;

CREATE TABLE region.record_history (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    record_id uuid NOT NULL,
    version int NOT NULL,
    material boolean NOT NULL,
    changes jsonb NOT NULL,
    source_event_id text,
    page_id uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, record_id) REFERENCES region.record (workspace_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX record_history_record ON region.record_history (workspace_id, record_id, id DESC);

CREATE TABLE region.record_document (
    workspace_id uuid NOT NULL,
    record_id uuid NOT NULL,
    version int NOT NULL,
    ordinal int NOT NULL CHECK (ordinal >= 0),
    sha256 bytea NOT NULL,
    origin text NOT NULL CHECK (origin IN ('original', 'rendered')),
    integration_id uuid,                   -- a rendered one may depend on the mapping
    file_name text NOT NULL,
    content_type text NOT NULL,
    renderer text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, record_id, version, ordinal),
    FOREIGN KEY (workspace_id, record_id, version)
        REFERENCES region.record_version (workspace_id, record_id, version),
    FOREIGN KEY (workspace_id, sha256) REFERENCES region.document (workspace_id, sha256),
    FOREIGN KEY (workspace_id, integration_id) REFERENCES region.integration (workspace_id, id)
);

CREATE TABLE region.ledger_entry (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('document', 'settlement')),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 400),
    origin text NOT NULL CHECK (origin IN ('mirrored', 'imported', 'delivered')),
    delivery_id uuid,
    amount_minor bigint,
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    date date,
    due_date date,
    counterparty_id uuid,
    counterparty_name text,
    core_name text,
    norm_version text,
    iban text,
    vat_id text,
    reference text,
    reference_norm text,
    description text,
    file_name text,
    target_state text,
    removed boolean NOT NULL DEFAULT false,
    analysed boolean NOT NULL DEFAULT true,
    raw text,
    source_updated_at timestamptz,
    mirrored_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT ledger_entry_key UNIQUE (workspace_id, connection_id, role, external_id),
    CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES region.connection (workspace_id, id),
    FOREIGN KEY (workspace_id, counterparty_id) REFERENCES region.counterparty (workspace_id, id)
);
-- The arms of blocking: amount within bounds, same counterparty, reference, nearest name.
CREATE INDEX ledger_entry_amount ON region.ledger_entry
    (workspace_id, connection_id, role, currency, amount_minor, date, id) WHERE NOT removed;
CREATE INDEX ledger_entry_counterparty ON region.ledger_entry
    (workspace_id, connection_id, counterparty_id, currency, date, id)
    WHERE counterparty_id IS NOT NULL AND NOT removed;
CREATE INDEX ledger_entry_reference ON region.ledger_entry
    (workspace_id, connection_id, reference_norm, id)
    WHERE reference_norm IS NOT NULL AND NOT removed;
CREATE INDEX ledger_entry_name ON region.ledger_entry
    USING gist (workspace_id, core_name public.gist_trgm_ops (siglen = 64));
CREATE INDEX ledger_entry_file ON region.ledger_entry (workspace_id, connection_id, file_name)
    WHERE file_name IS NOT NULL;
CREATE INDEX ledger_entry_list ON region.ledger_entry (workspace_id, connection_id, id DESC);

-- Strong keys found in an entry's fields (Stripe ids, end-to-end ids, invoice numbers): one row per
-- key, since under row-level security only plain equality may use an index.
CREATE TABLE region.ledger_entry_strong (
    workspace_id uuid NOT NULL,
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 200),
    entry_id uuid NOT NULL,
    scheme text NOT NULL,
    PRIMARY KEY (workspace_id, value, entry_id, scheme),
    FOREIGN KEY (workspace_id, entry_id) REFERENCES region.ledger_entry (workspace_id, id)
);
CREATE INDEX ledger_entry_strong_entry ON region.ledger_entry_strong (workspace_id, entry_id);

SELECT region.partitioned_table('region.record_history', 'id');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['document', 'document_chunk', 'counterparty',
        'counterparty_identifier', 'counterparty_alias', 'record', 'record_version',
        'record_document', 'ledger_entry', 'ledger_entry_strong']
    LOOP
        PERFORM region.tenant_table(format('region.%I', name)::regclass,
                                    'SELECT, INSERT, UPDATE, DELETE');
    END LOOP;
END $$;
SELECT region.tenant_table('region.record_history', 'SELECT, INSERT');
