-- The orders and searches of the lists that people read. Under row-level security an index serves a
-- condition only where all of it is leakproof: a column and a comparison are, coalesce and the minus
-- sign are not. So what a list is ordered by is a column, kept by the database.

-- What people type to find an entry again; records have theirs since 0003. Text is looked for with
-- the nearest-neighbour operators, which order and do not filter.
ALTER TABLE region.ledger_entry ADD COLUMN search_text text GENERATED ALWAYS AS
    (coalesce(counterparty_name, '') || ' ' || coalesce(reference, '') || ' '
     || coalesce(description, '')) STORED;
CREATE INDEX ledger_entry_text ON region.ledger_entry
    USING gist (workspace_id, search_text public.gist_trgm_ops (siglen = 64)) WHERE NOT removed;

-- Latest first; entries without a date come last.
ALTER TABLE region.ledger_entry ADD COLUMN list_day date GENERATED ALWAYS AS
    (coalesce(date, DATE '1970-01-01')) STORED;
DROP INDEX region.ledger_entry_list;
CREATE INDEX ledger_entry_list ON region.ledger_entry (workspace_id, list_day DESC, id DESC)
    WHERE NOT removed;

-- The review queue: most confident first, what was never scored last.
ALTER TABLE region.item ADD COLUMN queue_place bigint GENERATED ALWAYS AS
    (-coalesce(p_micro, -1)) STORED;
DROP INDEX region.item_review;
CREATE INDEX item_review ON region.item (workspace_id, state, queue_place, id)
    WHERE state IN ('held', 'stopped');

-- The proof counts open reviews by what was decided and done, not by the items' states.
CREATE INDEX decision_hold ON region.decision (workspace_id, item_id) WHERE outcome = 'hold';
CREATE INDEX review_action_held ON region.review_action (workspace_id, item_id)
    WHERE to_state = 'held';
