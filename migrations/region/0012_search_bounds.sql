-- An entry of a trigram index holds every trigram of its text and must fit into a page: one long
-- description of an entry would stop the mirror for ever.

ALTER TABLE region.ledger_entry DROP COLUMN search_text;
ALTER TABLE region.ledger_entry ADD COLUMN search_text text GENERATED ALWAYS AS
    (left(coalesce(counterparty_name, ''), 400) || ' ' || left(coalesce(reference, ''), 400) || ' '
     || left(coalesce(description, ''), 400)) STORED;
CREATE INDEX ledger_entry_text ON region.ledger_entry
    USING gist (workspace_id, search_text public.gist_trgm_ops (siglen = 64)) WHERE NOT removed;
