-- Who asked for an authorisation: the page that begins it says so, and it ends with their right to
-- ask. Links that are on their way know nobody and are asked for anew: they live for minutes.

DELETE FROM directory.oauth_state;
ALTER TABLE directory.oauth_state
    ADD COLUMN asked_by uuid NOT NULL,
    ADD COLUMN asked_with uuid; -- the API key, where one was used
