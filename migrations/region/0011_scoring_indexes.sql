-- Indexes that keep scoring fast in a workspace with a long past.

-- The amount arm of blocking asks for both roles: the role in front kept it from its bounds.
DROP INDEX region.ledger_entry_amount;
CREATE INDEX ledger_entry_amount ON region.ledger_entry
    (workspace_id, connection_id, currency, amount_minor, date, id) WHERE NOT removed;

-- The latest records of a counterparty say what is usual for it.
DROP INDEX region.record_counterparty;
CREATE INDEX record_counterparty ON region.record (workspace_id, counterparty_id, id DESC)
    WHERE counterparty_id IS NOT NULL;
