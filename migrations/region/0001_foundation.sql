-- What every other table of the region stands on: extensions, the tenant rule, machines, UUIDv7
-- partitions, the business clock.

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

-- The one row of a workspace in its region: what workers need of it without the directory.
CREATE TABLE region.tenant (
    workspace_id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    language text NOT NULL CHECK (language IN ('en', 'fr')),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'deleting')),
    created_at timestamptz NOT NULL
);

-- Business time is real time plus this offset; leases and deadlines do not use it.
CREATE TABLE region.clock_offset (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    offset_us bigint NOT NULL
);
INSERT INTO region.clock_offset (offset_us) VALUES (0);
GRANT SELECT ON region.clock_offset TO sluice_app, sluice_queue;

-- The tenant of this transaction; NULL, and so no rows at all, when none is set.
CREATE FUNCTION region.current_workspace() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('sluice.workspace', true), '')::uuid;

-- Makes a table a tenant table: row-level security, forced, for reading and writing. Every table
-- with a workspace_id gets this, except the untenanted ones of the queue.
CREATE FUNCTION region.tenant_table(relation regclass, privileges text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY tenant ON %s'
                   ' USING (workspace_id = nullif(current_setting(''sluice.workspace'', true), '''')::uuid)'
                   ' WITH CHECK (workspace_id = nullif(current_setting(''sluice.workspace'', true), '''')::uuid)',
                   relation);
    EXECUTE format('GRANT %s ON %s TO sluice_app', privileges, relation);
END $$;

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION region.uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
            || '00000000000000000000')::uuid;

-- The moves of every state machine; server/store/machines.c holds the same ones, and a test
-- compares them. region.machine_guard refuses every other move.
CREATE TABLE region.machine_move (
    machine text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (machine, from_state, to_state)
);
GRANT SELECT ON region.machine_move TO sluice_app;

CREATE FUNCTION region.machine_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM region.machine_move
                   WHERE machine = TG_ARGV[0] AND from_state = OLD.state AND to_state = NEW.state)
    THEN
        RAISE EXCEPTION '% cannot move from % to %', TG_ARGV[0], OLD.state, NEW.state
            USING ERRCODE = 'SL409', CONSTRAINT = TG_ARGV[0] || '_moves';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION region.machine_table(relation regclass, machine text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER machine_guard BEFORE UPDATE OF state ON %s FOR EACH ROW'
                   ' WHEN (OLD.state IS DISTINCT FROM NEW.state)'
                   ' EXECUTE FUNCTION region.machine_guard(%L)', relation, machine);
END $$;

-- Append-only histories are cut by month of their UUIDv7. What no month was made for yet (the
-- business clock may jump) waits in the default partition, and moves when its month is made.
CREATE TABLE region.partitioned (
    relation regclass PRIMARY KEY,
    key_column name NOT NULL
);

CREATE FUNCTION region.partition_make(parent regclass, key_column name, month date) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    table_name text := (SELECT relname FROM pg_catalog.pg_class WHERE oid = parent);
    partition text := format('%s_%s', table_name, to_char(month, 'YYYYMM'));
    low uuid := region.uuid_floor(month::timestamp AT TIME ZONE 'UTC');
    high uuid := region.uuid_floor((month + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
    IF to_regclass('region.' || partition) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE region.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                   ' INCLUDING STORAGE)', partition, parent);
    EXECUTE format('ALTER TABLE region.%I NO FORCE ROW LEVEL SECURITY', table_name || '_rest');
    EXECUTE format('WITH moved AS (DELETE FROM region.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L'
                   ' RETURNING *) INSERT INTO region.%5$I SELECT * FROM moved',
                   table_name || '_rest', key_column, low, high, partition);
    EXECUTE format('ALTER TABLE region.%I FORCE ROW LEVEL SECURITY', table_name || '_rest');
    EXECUTE format('ALTER TABLE region.%I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE region.%I FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION region.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, partition, low, high);
END $$;

-- This month and the next two, for every partitioned table, by business time. Run by migrate and
-- by a job every day.
CREATE FUNCTION region.partitions_ensure() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, region, pg_temp AS $$
DECLARE
    business_now timestamptz := clock_timestamp()
        + (SELECT offset_us FROM region.clock_offset) * interval '1 microsecond';
    history record;
    ahead int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('sluice.partitions'));
    FOR history IN SELECT relation, key_column FROM region.partitioned LOOP
        FOR ahead IN 0..2 LOOP
            PERFORM region.partition_make(history.relation, history.key_column,
                (date_trunc('month', business_now AT TIME ZONE 'UTC')
                 + ahead * interval '1 month')::date);
        END LOOP;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION region.partitions_ensure() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION region.partitions_ensure() TO sluice_app, sluice_queue;

-- Called once by a migration that adds a partitioned table: its default partition, and its months.
CREATE FUNCTION region.partitioned_table(parent regclass, key_column name) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    table_name text := (SELECT relname FROM pg_catalog.pg_class WHERE oid = parent);
BEGIN
    EXECUTE format('CREATE TABLE region.%I PARTITION OF %s DEFAULT', table_name || '_rest', parent);
    EXECUTE format('ALTER TABLE region.%I ENABLE ROW LEVEL SECURITY', table_name || '_rest');
    EXECUTE format('ALTER TABLE region.%I FORCE ROW LEVEL SECURITY', table_name || '_rest');
    INSERT INTO region.partitioned VALUES (parent, key_column);
END $$;
