-- A provider asked for a pause: no job of the lane is claimed before, whatever wakes it. By the
-- database's own clock, since providers count real seconds.
ALTER TABLE region.lane ADD COLUMN throttled_until timestamptz;
