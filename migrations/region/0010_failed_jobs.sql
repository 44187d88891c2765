-- Jobs that gave up are told to the people of their workspace, once.

ALTER TABLE region.job_failed ADD COLUMN told boolean NOT NULL DEFAULT false;
CREATE INDEX job_failed_untold ON region.job_failed (id) WHERE NOT told;
