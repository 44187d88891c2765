-- Answers that hold a link to authorise a connection are kept sealed from now on. Those that were
-- kept in clear go: a repeated call is told that its answer was shown once.

ALTER TABLE region.idempotency NO FORCE ROW LEVEL SECURITY;
UPDATE region.idempotency SET answer = NULL, headers = NULL, secret = true
    WHERE finished AND (route LIKE '%/connections' OR route LIKE '%/reconnect');
ALTER TABLE region.idempotency FORCE ROW LEVEL SECURITY;
