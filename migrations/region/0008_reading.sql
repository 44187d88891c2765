-- The orders and searches of the lists that people read.

-- What people type to find an entry again; records have theirs since 0003. Under row-level security
-- only the nearest-neighbour operators may use a trigram index.
ALTER TABLE region.ledger_entry ADD COLUMN search_text text GENERATED ALWAYS AS
    (coalesce(counterparty_name, '') || ' ' || coalesce(reference, '') || ' '
     || coalesce(description, '')) STORED;
CREATE INDEX ledger_entry_text ON region.ledger_entry
    USING gist (workspace_id, search_text public.gist_trgm_ops (siglen = 64)) WHERE NOT removed;

-- Latest first; entries without a date come last.
DROP INDEX region.ledger_entry_list;
CREATE INDEX ledger_entry_list ON region.ledger_entry
    (workspace_id, (coalesce(date, DATE '1970-01-01')) DESC, id DESC) WHERE NOT removed;

-- The review queue: most confident first, what was never scored last.
DROP INDEX region.item_review;
CREATE INDEX item_review ON region.item (workspace_id, state, (-coalesce(p_micro, -1)), id)
    WHERE state IN ('held', 'stopped');

-- The proof counts open reviews and links by what was decided and done, not by the items' states.
CREATE INDEX decision_hold ON region.decision (workspace_id, item_id) WHERE outcome = 'hold';
CREATE INDEX review_action_held ON region.review_action (workspace_id, item_id)
    WHERE to_state = 'held';
