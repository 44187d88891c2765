-- What operators see of the connections of all workspaces: ids and states, nothing of a tenant.
-- Untenanted, kept by a trigger, since row-level security hides the connections themselves.

CREATE TABLE region.connection_glance (
    connection_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    last_success_at timestamptz,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX connection_glance_state ON region.connection_glance (state, connection_id);
GRANT SELECT ON region.connection_glance TO sluice_app, sluice_queue;

CREATE FUNCTION region.connection_glanced() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, region, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM region.connection_glance WHERE connection_id = OLD.id;
        RETURN NULL;
    END IF;
    INSERT INTO region.connection_glance
        (connection_id, workspace_id, provider, state, last_success_at, updated_at)
    VALUES (NEW.id, NEW.workspace_id, NEW.provider, NEW.state, NEW.last_success_at,
            greatest(NEW.state_changed_at, NEW.last_success_at))
    ON CONFLICT (connection_id) DO UPDATE SET state = excluded.state,
        last_success_at = excluded.last_success_at, updated_at = excluded.updated_at;
    RETURN NULL;
END $$;
CREATE TRIGGER connection_glanced
    AFTER INSERT OR DELETE OR UPDATE OF state, last_success_at ON region.connection
    FOR EACH ROW EXECUTE FUNCTION region.connection_glanced();
