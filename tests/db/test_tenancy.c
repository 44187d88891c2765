/* The tenant rule in the database: what row-level security hides and refuses, and that no tenant
 * table is without it. */
#include "tenants.h"
#include "store/audit.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_tenancy");
    tenants_made(&fixture);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

struct relation {
    const char *name;
};
static const struct column relation_columns[] = {COLUMN(struct relation, name)};
static const struct shape relation_shape = SHAPE(struct relation, relation_columns);

/* Every table of the region that has a workspace in its rows, but for those of the queue and what
 * operators see at a glance, which hold ids and states only. Partitions count: they can be named in
 * a query, too. */
STATEMENT(unprotected_sql,
          "SELECT c.relname::text AS name FROM pg_catalog.pg_class AS c"
          " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
          " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'workspace_id'"
          " WHERE n.nspname = 'region' AND c.relkind IN ('r', 'p')"
          " AND c.relname NOT IN ('lane', 'job_failed', 'dirty_workspace',"
          "  'connection_glance')"
          " AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY c.relname");
STATEMENT(policy_missing_sql,
          "SELECT c.relname::text AS name FROM pg_catalog.pg_class AS c"
          " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
          " WHERE n.nspname = 'region' AND c.relrowsecurity AND NOT c.relispartition"
          " AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid"
          "  AND p.polcmd = '*' AND p.polwithcheck IS NOT NULL AND p.polqual IS NOT NULL)");
STATEMENT(key_first_sql,
          "SELECT c.relname::text || '.' || i.relname AS name FROM pg_catalog.pg_index AS x"
          " JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid"
          " JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid"
          " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
          " WHERE n.nspname = 'region' AND c.relrowsecurity AND x.indisunique"
          " AND (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = c.oid"
          "  AND attnum = x.indkey[0]) <> 'workspace_id'");
STATEMENT(foreign_first_sql,
          "SELECT c.relname::text || '.' || k.conname AS name FROM pg_catalog.pg_constraint AS k"
          " JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid"
          " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
          " WHERE n.nspname = 'region' AND c.relrowsecurity AND k.contype = 'f'"
          " AND (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = c.oid"
          "  AND attnum = k.conkey[1]) <> 'workspace_id'");
STATEMENT(bypass_sql,
          "SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname IN"
          " ('sluice_owner', 'sluice_app', 'sluice_queue') AND (rolbypassrls OR rolsuper)");
/* The queue's role works across tenants: it must not be able to read anything of one. */
STATEMENT(queue_rights_sql,
          "SELECT DISTINCT table_name::text AS name FROM information_schema.role_table_grants"
          " WHERE grantee = 'sluice_queue' AND table_schema IN ('region', 'directory')"
          " AND table_name NOT IN ('worker', 'lane', 'job', 'job_failed', 'schedule',"
          "  'rate_bucket', 'bucket_lease', 'dirty_workspace', 'clock_offset', 'migration',"
          "  'connection_glance')"
          /* it deletes what has expired, and sees no more of it than that */
          " AND NOT (table_name = 'idempotency' AND privilege_type = 'DELETE')");

static void none(const struct statement *statement)
{
    struct untenanted at = db_untenanted(fixture.owner, fixture.arena);
    struct rows rows;
    assert_ok(&fixture, db_all(&at.scope, statement, NO_PARAMS, &relation_shape, &rows));
    if (rows.count > 0)
        fail_msg("%s: %s (and %zu more)", statement->name, ((const struct relation *)rows.at)->name,
                 rows.count - 1);
}

static void every_tenant_table_is_under_the_rule(void **state)
{
    (void)state;
    none(&unprotected_sql);
    none(&policy_missing_sql);
}

static void every_key_begins_with_the_workspace(void **state)
{
    (void)state;
    none(&key_first_sql);
    none(&foreign_first_sql);
}

static void no_role_goes_round_the_rule(void **state)
{
    (void)state;
    none(&bypass_sql);
    none(&queue_rights_sql);
}

STATEMENT(connections_any_sql, "SELECT count(*) FROM region.connection");
STATEMENT(connections_foreign_sql,
          "SELECT count(*) FROM region.connection WHERE workspace_id = $1");
STATEMENT(connection_steal_sql, "UPDATE region.connection SET label = 'mine' WHERE id = $1");
STATEMENT(connection_plant_sql,
          "INSERT INTO region.tenant (workspace_id, name, time_zone, language, created_at)"
          " VALUES ($1, 'planted', 'UTC', 'en', $2)");
STATEMENT(connection_move_away_sql,
          "UPDATE region.tenant SET workspace_id = $2 WHERE workspace_id = $1");

static void a_tenant_sees_and_changes_only_its_own(void **state)
{
    (void)state;
    struct scope mine = fixture_scope(&fixture);
    struct scope theirs = fixture_other_scope(&fixture);
    struct untenanted nobody = fixture_untenanted(&fixture);
    struct connection own = connection_made(&fixture, &mine, "stripe", "source");
    struct connection foreign = connection_made(&fixture, &theirs, "stripe", "source");
    struct connection out;
    int64_t n = -1;
    assert_ok(&fixture, db_int(&nobody.scope, &connections_any_sql, NO_PARAMS, &n));
    assert_int_equal(n, 0); /* no tenant: no rows */
    assert_ok(&fixture, db_int(&mine, &connections_any_sql, NO_PARAMS, &n));
    assert_int_equal(n, 1);
    /* a statement that forgot its condition, or names another workspace, still sees nothing */
    assert_ok(&fixture,
              db_int(&mine, &connections_foreign_sql, PARAMS(P(fixture.other_workspace)), &n));
    assert_int_equal(n, 0);
    assert_ok(&fixture, db_exec(&mine, &connection_steal_sql, PARAMS(P(foreign.id)), &n));
    assert_int_equal(n, 0);
    assert_ok(&fixture, connection_get(&mine, own.id, &out));
    assert_err(&fixture, ERR_NOT_FOUND, connection_get(&mine, foreign.id, &out));
    /* nor can it write into another, or move its own there */
    assert_err(
        &fixture, ERR_DB,
        db_exec(&mine, &connection_plant_sql, PARAMS(P(db_new_id(&mine)), P(db_now(&mine))), NULL));
    assert_err(&fixture, ERR_DB,
               db_exec(&mine, &connection_move_away_sql,
                       PARAMS(P(fixture.workspace), P(db_new_id(&mine))), NULL));
}

STATEMENT(audit_rewrite_sql, "UPDATE region.audit SET action = 'nothing'");
STATEMENT(settings_rewrite_sql, "UPDATE region.integration_settings SET settings = '{}'");

static void histories_cannot_be_rewritten_by_the_application(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    assert_ok(&fixture, audit_append(&scope, &(struct audit_entry){.action = "test.done",
                                                                   .subject_kind = "test"}));
    assert_err(&fixture, ERR_DB, db_exec(&scope, &audit_rewrite_sql, NO_PARAMS, NULL));
    assert_err(&fixture, ERR_DB, db_exec(&scope, &settings_rewrite_sql, NO_PARAMS, NULL));
}

struct plan_line {
    const char *text;
};
static const struct column plan_columns[] = {COLUMN_AS("QUERY PLAN", struct plan_line, text)};
static const struct shape plan_shape = SHAPE(struct plan_line, plan_columns);

#define NEAREST(table, text)                                                                       \
    "EXPLAIN SELECT id FROM region." table " WHERE workspace_id ="                                 \
    " '01900000-0000-7000-8000-000000000001' ORDER BY " text " <-> 'acme' LIMIT 5"
STATEMENT(named_entry_sql,
          "EXPLAIN SELECT id FROM region.ledger_entry WHERE workspace_id ="
          " '01900000-0000-7000-8000-000000000001' AND connection_id ="
          " '01900000-0000-7000-8000-000000000002' AND near_name = 'acme' AND NOT removed"
          " AND list_day >= DATE '2026-11-20' ORDER BY list_day, id LIMIT 10");
STATEMENT(nearest_counterparty_sql, NEAREST("counterparty", "core_name"));
STATEMENT(nearest_record_sql, NEAREST("record", "search_text"));
STATEMENT(name_key_sql, "EXPLAIN SELECT name FROM region.name_key WHERE workspace_id ="
                        " '01900000-0000-7000-8000-000000000001' AND book ="
                        " '01900000-0000-7000-8000-000000000002' AND key = 'acme'");
STATEMENT(strong_key_sql,
          "EXPLAIN SELECT entry_id FROM region.ledger_entry_strong WHERE workspace_id ="
          " '01900000-0000-7000-8000-000000000001' AND value = 'ch_1'");
STATEMENT(no_scan_sql, "SELECT count(*) FROM (SELECT set_config('enable_seqscan', 'off', true),"
                       " set_config('enable_sort', 'off', true)) AS off");

static enum err plans_use_an_index(const struct scope *at, void *arg)
{
    const struct statement *const statements[] = {&named_entry_sql, &nearest_counterparty_sql,
                                                  &nearest_record_sql, &name_key_sql,
                                                  &strong_key_sql};
    int64_t off;
    (void)arg;
    TRY(db_int(at, &no_scan_sql, NO_PARAMS, &off));
    for (size_t i = 0; i < COUNT(statements); i++) {
        struct rows rows;
        bool indexed = false;
        TRY(db_all(at, statements[i], NO_PARAMS, &plan_shape, &rows));
        for (size_t r = 0; r < rows.count; r++) {
            const char *line = ((const struct plan_line *)rows.at)[r].text;
            assert_null(strstr(line, "Seq Scan"));
            assert_null(strstr(line, "Sort"));
            indexed = indexed || strstr(line, "Index");
        }
        assert_true(indexed);
    }
    return OK;
}

/* The rule must not keep the planner from the indexes of blocking and search: a condition that may
 * leak is only evaluated behind it, an order is not. */
static void the_rule_lets_searches_use_their_index(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    assert_ok(&fixture, db_transaction(&scope, plans_use_an_index, NULL));
}

STATEMENT(audit_rest_sql, "SELECT count(*) FROM region.audit WHERE tableoid ="
                          " 'region.audit_rest'::regclass");
STATEMENT(audit_count_sql, "SELECT count(*) FROM region.audit");
STATEMENT(partitions_sql, "SELECT count(*) FROM (SELECT region.partitions_ensure()) AS done");

/* A clock that jumps writes into the default partition; the month takes the rows over when it is
 * made. */
static void a_jump_of_the_clock_loses_no_history(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    int64_t before = -1, rest = -1, after = -1, done;
    const int64_t year_us = INT64_C(400) * 86400 * 1000000;
    clock_set_offset(&fixture.clock, year_us);
    assert_ok(&fixture, audit_append(&scope, &(struct audit_entry){.action = "test.later",
                                                                   .subject_kind = "test"}));
    assert_ok(&fixture, db_int(&scope, &audit_rest_sql, NO_PARAMS, &rest));
    assert_int_equal(rest, 1);
    assert_ok(&fixture, db_int(&scope, &audit_count_sql, NO_PARAMS, &before));
    assert_ok(
        &fixture,
        db_script(fixture.owner, fixture.arena,
                  arena_format(fixture.arena, "UPDATE region.clock_offset SET offset_us = %" PRId64,
                               year_us)));
    assert_ok(&fixture, db_int(&scope, &partitions_sql, NO_PARAMS, &done));
    assert_ok(&fixture, db_int(&scope, &audit_rest_sql, NO_PARAMS, &rest));
    assert_ok(&fixture, db_int(&scope, &audit_count_sql, NO_PARAMS, &after));
    assert_int_equal(rest, 0);
    assert_int_equal(before, after);
    none(&unprotected_sql); /* the new partitions are under the rule as well */
    clock_set_offset(&fixture.clock, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tenant_table_is_under_the_rule),
        cmocka_unit_test(every_key_begins_with_the_workspace),
        cmocka_unit_test(no_role_goes_round_the_rule),
        cmocka_unit_test(a_tenant_sees_and_changes_only_its_own),
        cmocka_unit_test(histories_cannot_be_rewritten_by_the_application),
        cmocka_unit_test(the_rule_lets_searches_use_their_index),
        cmocka_unit_test(a_jump_of_the_clock_loses_no_history),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
