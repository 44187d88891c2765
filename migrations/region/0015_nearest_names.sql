-- The nearest names, without a walk over all names of a workspace. A trigram index orders by
-- distance and must look at most of what it holds; and under row-level security only plain equality
-- may use an index. So a name is kept once, under keys that a misspelt, shortened or turned-round
-- writing of it shares: the beginning and the end of each word, and the beginnings of two words.
-- What is looked up is only what few names share (server/store/nearest_names.h).

CREATE FUNCTION region.name_keys(name text) RETURNS TABLE (key text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH word AS MATERIALIZED (
        SELECT w.word COLLATE "C" AS word, w.place
        FROM unnest((string_to_array(name, ' '))[1:8]) WITH ORDINALITY AS w (word, place)
        WHERE w.word NOT IN ('', 'and'))
    SELECT left(word, 4) FROM word
    UNION SELECT '-' || right(word, 4) FROM word WHERE length(word) > 4
    UNION SELECT left(word, 6) FROM word WHERE length(word) > 6
    UNION SELECT '-' || right(word, 6) FROM word WHERE length(word) > 6
    UNION SELECT least(left(a.word, 4), left(b.word, 4)) || '|'
        || greatest(left(a.word, 4), left(b.word, 4))
        FROM word a JOIN word b ON a.place < b.place;
END;

-- `book` is the connection whose ledger has the name, or the workspace for its counterparties'
-- aliases. A name stays when its last entry has gone: it leads to nothing then.
CREATE TABLE region.name_key (
    workspace_id uuid NOT NULL REFERENCES region.tenant,
    book uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, book, key, name)
);
-- Many small pages of equal size are written once and never changed: see to them early.
ALTER TABLE region.name_key SET (autovacuum_vacuum_insert_scale_factor = 0.05);
SELECT region.tenant_table('region.name_key', 'SELECT, INSERT, DELETE');

-- An index holds a name whole and a page must hold it, so what is looked up is its beginning.
ALTER TABLE region.ledger_entry ADD COLUMN near_name text COLLATE "C"
    GENERATED ALWAYS AS (nullif(left(core_name, 200), '')) STORED;
ALTER TABLE region.counterparty_alias ADD COLUMN near_name text COLLATE "C"
    GENERATED ALWAYS AS (nullif(left(core_name, 200), '')) STORED;

DROP INDEX region.ledger_entry_name;
CREATE INDEX ledger_entry_name ON region.ledger_entry
    (workspace_id, connection_id, near_name, list_day, id)
    WHERE near_name IS NOT NULL AND NOT removed;
CREATE INDEX counterparty_alias_near ON region.counterparty_alias
    (workspace_id, near_name, counterparty_id);

-- Keeps the keys of names that are new to their book. In one order, so that two transactions with
-- the same new names wait for each other and not both.
CREATE FUNCTION region.names_keep(workspaces uuid[], books uuid[], names text[]) RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO region.name_key (workspace_id, book, key, name)
    SELECT DISTINCT n.workspace_id, n.book, k.key, n.name
    FROM unnest(workspaces, books, names) AS n (workspace_id, book, name)
    CROSS JOIN LATERAL region.name_keys(n.name) AS k
    ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING;
END;

CREATE FUNCTION region.ledger_entry_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM region.names_keep(array_agg(workspace_id), array_agg(connection_id), array_agg(near_name))
    FROM (SELECT DISTINCT n.workspace_id, n.connection_id, n.near_name FROM named n
          WHERE n.near_name IS NOT NULL AND NOT EXISTS (
              SELECT FROM region.name_key k WHERE k.workspace_id = n.workspace_id
              AND k.book = n.connection_id AND k.name = n.near_name
              AND k.key = left(split_part(n.near_name, ' ', 1), 4) COLLATE "C")) AS new_names;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_named_first AFTER INSERT ON region.ledger_entry
    REFERENCING NEW TABLE AS named
    FOR EACH STATEMENT EXECUTE FUNCTION region.ledger_entry_named();
CREATE TRIGGER ledger_entry_named_anew AFTER UPDATE ON region.ledger_entry
    REFERENCING NEW TABLE AS named
    FOR EACH STATEMENT EXECUTE FUNCTION region.ledger_entry_named();

CREATE FUNCTION region.counterparty_alias_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM region.names_keep(array_agg(workspace_id), array_agg(workspace_id), array_agg(near_name))
    FROM named WHERE near_name IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER counterparty_alias_named_first AFTER INSERT ON region.counterparty_alias
    REFERENCING NEW TABLE AS named
    FOR EACH STATEMENT EXECUTE FUNCTION region.counterparty_alias_named();

-- What is here already; the owner sees every tenant while its rule is not forced.
ALTER TABLE region.name_key NO FORCE ROW LEVEL SECURITY;
ALTER TABLE region.ledger_entry NO FORCE ROW LEVEL SECURITY;
ALTER TABLE region.counterparty_alias NO FORCE ROW LEVEL SECURITY;
INSERT INTO region.name_key (workspace_id, book, key, name)
SELECT n.workspace_id, n.book, k.key, n.name
FROM (SELECT workspace_id, connection_id AS book, near_name AS name FROM region.ledger_entry
      UNION SELECT workspace_id, workspace_id, near_name FROM region.counterparty_alias) AS n
CROSS JOIN LATERAL region.name_keys(n.name) AS k
WHERE n.name IS NOT NULL;
ALTER TABLE region.name_key FORCE ROW LEVEL SECURITY;
ALTER TABLE region.ledger_entry FORCE ROW LEVEL SECURITY;
ALTER TABLE region.counterparty_alias FORCE ROW LEVEL SECURITY;

-- Same counterparty near a date, whatever the currency: the date comes first.
DROP INDEX region.ledger_entry_counterparty;
CREATE INDEX ledger_entry_counterparty ON region.ledger_entry
    (workspace_id, connection_id, counterparty_id, date, id)
    WHERE counterparty_id IS NOT NULL AND NOT removed;
