-- Who renews the tokens of a connection: the claim of a worker that is known to be dead ends with it.
-- No reference: workers come and go by the queue's own rules.
ALTER TABLE region.connection ADD COLUMN refreshing_worker bigint;
