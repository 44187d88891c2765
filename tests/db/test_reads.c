/* The read side: orders, pages, filters and searches of the lists, and what belongs to one object.
 */
#include "pipeline.h"

#include "base/text.h"
#include "store/admin_read.h"
#include "store/conservation.h"
#include "store/counterparty_read.h"
#include "store/delivery_read.h"
#include "store/ledger_read.h"
#include "store/record_read.h"
#include "store/window_read.h"
#include "store/item_read.h"

static struct fixture fixture;
static struct pipeline at;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_reads");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    pipeline_close(&at);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    clock_set_offset(&fixture.clock, 0);
    arena_failure_clear(fixture.arena);
    run_sql(&at, "TRUNCATE region.item, region.record, region.ledger_entry, region.counterparty,"
                 " region.window, region.page, region.item_count, region.item_count_change,"
                 " region.document CASCADE");
    return 0;
}

static const struct list_range any_range = {.date_from = {DATE_NONE}, .date_to = {DATE_NONE}};

/* Ids of one millisecond have no order of their own. */
static struct made_item made_at(int second, struct made_item made)
{
    clock_set_offset(&fixture.clock, (int64_t)second * 1000000);
    made.state = made.state ? made.state : "held";
    made.outcome = made.outcome ? made.outcome : "hold";
    made.p_micro = made.p_micro ? made.p_micro : 700000;
    return item_made(&at, made);
}

static struct date day(const char *text)
{
    struct date date;
    assert_true(date_parse(text, &date));
    return date;
}

/* ---- records and items ---- */

static void test_records_newest_first(void **state)
{
    (void)state;
    struct made_item made[3];
    for (int i = 0; i < 3; i++)
        made[i] =
            made_at(i, (struct made_item){.source_id = arena_format(fixture.arena, "ch_%d", i)});
    struct record_filter filter = {.range = any_range};
    struct list_page page = {.rows = 2};
    struct rows rows;
    assert_ok(&fixture, records_list(&at.scope, &filter, &page, &rows));
    const struct record_view *records = rows.at;
    assert_int_equal(rows.count, 2);
    assert_string_equal(records[0].source_id, "ch_2");
    assert_string_equal(records[0].stream, "stripe.charges");
    assert_int_equal(records[0].amount.minor, 12500);
    page.after = records[1].id;
    assert_ok(&fixture, records_list(&at.scope, &filter, &page, &rows));
    records = rows.at;
    assert_int_equal(rows.count, 1);
    assert_true(uuid_equal(records[0].id, made[0].record));
    filter.source_id = "ch_1";
    assert_ok(&fixture, records_list(&at.scope, &filter, &(struct list_page){.rows = 9}, &rows));
    assert_int_equal(rows.count, 1);
}

static size_t records_in(struct list_range range)
{
    struct record_filter filter = {.range = range};
    struct rows rows;
    assert_ok(&fixture, records_list(&at.scope, &filter, &(struct list_page){.rows = 9}, &rows));
    return rows.count;
}

static void test_amounts_and_days(void **state)
{
    (void)state;
    made_at(0, (struct made_item){.source_id = "a", .amount_minor = 100, .date = "2026-01-31"});
    made_at(1, (struct made_item){.source_id = "b", .amount_minor = 200, .date = "2026-02-01"});
    struct list_range range = any_range;
    range.currency = "EUR";
    range.has_amount_min = true;
    range.amount_min = 150;
    assert_int_equal(records_in(range), 1);
    range.amount_min = 100;
    range.has_amount_max = true;
    range.amount_max = 200;
    assert_int_equal(records_in(range), 2);
    range.date_from = day("2026-02-01");
    assert_int_equal(records_in(range), 1);
    range.date_to = day("2026-01-31");
    assert_int_equal(records_in(range), 0);
    range = any_range;
    range.currency = "USD";
    assert_int_equal(records_in(range), 0);
}

static void test_search_is_nearest_first(void **state)
{
    (void)state;
    made_at(0, (struct made_item){.source_id = "ch_1", .party = "Durand Plomberie"});
    made_at(1, (struct made_item){.source_id = "ch_2", .party = "Acme Supplies"});
    made_at(2, (struct made_item){.source_id = "ch_3", .party = "Boulangerie Martin"});
    struct record_filter filter = {.range = any_range, .text = "plomberie durand"};
    struct item_filter items = {.range = any_range, .text = "ACME"};
    struct rows rows;
    assert_ok(&fixture, records_search(&at.scope, &filter, 2, &rows));
    assert_int_equal(rows.count, 2);
    assert_string_equal(((const struct record_view *)rows.at)->source_id, "ch_1");
    assert_ok(&fixture, items_search(&at.scope, &items, 1, &rows));
    assert_int_equal(rows.count, 1);
    assert_string_equal(((const struct item_view *)rows.at)->source_id, "ch_2");
}

static size_t items_in(struct item_filter filter)
{
    struct rows rows;
    filter.range = any_range;
    assert_ok(&fixture, items_list(&at.scope, &filter, &(struct list_page){.rows = 9}, &rows));
    return rows.count;
}

static void test_items_by_state_and_band(void **state)
{
    (void)state;
    made_at(0, (struct made_item){.source_id = "a"});
    made_at(1, (struct made_item){.source_id = "b", .state = "queued", .outcome = "flow"});
    assert_int_equal(items_in((struct item_filter){0}), 2);
    assert_int_equal(items_in((struct item_filter){.state = "queued"}), 1);
    assert_int_equal(items_in((struct item_filter){.band = "hold"}), 1);
    assert_int_equal(items_in((struct item_filter){.band = "stop"}), 0);
    assert_int_equal(items_in((struct item_filter){.kind = "refund"}), 0);
    assert_int_equal(items_in((struct item_filter){.integration = at.integration.id}), 2);
    assert_int_equal(items_in((struct item_filter){.integration = at.person}), 0);
}

static void test_parts_of_a_record(void **state)
{
    (void)state;
    struct made_item made = made_at(0, (struct made_item){.source_id = "ch_1"});
    run_sql(&at, arena_format(
                     fixture.arena,
                     "INSERT INTO region.record_history (workspace_id, id, record_id, version,"
                     " material, changes, at) VALUES (%s, %s, %s, 1, true,"
                     " '[{\"field\": \"party\", \"from\": null, \"to\": {\"name\": \"A\"}},"
                     " {\"field\": \"posting\", \"from\": \"wait\", \"to\": \"post\"}]', now())",
                     id_sql(&at, at.scope.workspace), id_sql(&at, id_new(&at)),
                     id_sql(&at, made.record)));
    struct rows versions, changes, items;
    const char *difference;
    assert_ok(&fixture, record_versions(&at.scope, made.record, &versions));
    assert_int_equal(versions.count, 1);
    assert_string_equal(((const struct version_view *)versions.at)->posting, "post");
    assert_ok(&fixture, record_changes(&at.scope, made.record, &changes));
    assert_int_equal(changes.count, 1);
    const char *shown = ((const struct change_view *)changes.at)->changes;
    assert_non_null(strstr(shown, "\"after\": \"{\\\"name\\\": \\\"A\\\"}\""));
    assert_non_null(strstr(shown, "\"before\": \"wait\""));
    assert_ok(&fixture, items_of_record(&at.scope, made.record, &items));
    assert_int_equal(items.count, 1);
    assert_ok(&fixture, record_version_changes(&at.scope, made.record, 1, &difference));
    assert_string_equal(difference, "[]");
}

static void test_document_bytes(void **state)
{
    (void)state;
    struct made_item made = made_at(0, (struct made_item){.source_id = "ch_1"});
    const char *workspace = id_sql(&at, at.scope.workspace);
    run_sql(&at, arena_format(
                     fixture.arena,
                     "INSERT INTO region.document (workspace_id, sha256, bytes, chunks,"
                     " content_type, created_at) VALUES (%s, sha256('abcdef'), 6, 2,"
                     " 'application/pdf', now());"
                     "INSERT INTO region.document_chunk VALUES (%s, sha256('abcdef'), 0, 'abc'),"
                     " (%s, sha256('abcdef'), 1, 'def');"
                     "INSERT INTO region.record_document (workspace_id, record_id, version,"
                     " ordinal, sha256, origin, file_name, content_type, created_at)"
                     " VALUES (%s, %s, 1, 0, sha256('abcdef'), 'rendered', 'a.pdf',"
                     " 'application/pdf', now())",
                     workspace, workspace, workspace, workspace, id_sql(&at, made.record)));
    struct document_key key = {.record = made.record, .ordinal = 1};
    struct document_view document;
    struct bytes bytes;
    assert_ok(&fixture, record_document_get(&at.scope, &key, &document, &bytes));
    assert_int_equal(bytes.n, 6);
    assert_memory_equal(bytes.at, "abcdef", 6);
    assert_int_equal(document.ordinal, 1);
    assert_string_equal(document.file_name, "a.pdf");
    key.ordinal = 2;
    assert_err(&fixture, ERR_NOT_FOUND, record_document_get(&at.scope, &key, &document, &bytes));
    key = (struct document_key){.record = made.record, .version = 2, .ordinal = 1};
    assert_err(&fixture, ERR_NOT_FOUND, record_document_get(&at.scope, &key, &document, &bytes));
    struct scope other = fixture_other_scope(&fixture);
    key = (struct document_key){.record = made.record, .ordinal = 1};
    assert_err(&fixture, ERR_NOT_FOUND, record_document_get(&other, &key, &document, &bytes));
}

/* ---- the ledger, counterparties ---- */

static void test_ledger_latest_date_first(void **state)
{
    (void)state;
    entry_made(&at, (struct made_entry_of){.external_id = "none"});
    entry_made(&at, (struct made_entry_of){.external_id = "old", .date = "2026-01-05"});
    entry_made(&at, (struct made_entry_of){.external_id = "new", .date = "2026-02-05"});
    static const char *const expected[] = {"new", "old", "none"};
    struct entry_filter filter = {.range = any_range};
    struct list_page page = {.rows = 1};
    struct rows rows;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_ok(&fixture, entries_list(&at.scope, &filter, &page, &rows));
        assert_int_equal(rows.count, 1);
        const struct entry_view *entry = rows.at;
        assert_string_equal(entry->external_id, expected[i]);
        page.after = entry->id;
        page.after_order = entry->day;
    }
    assert_ok(&fixture, entries_list(&at.scope, &filter, &page, &rows));
    assert_int_equal(rows.count, 0);
    filter.role = "settlement";
    page = (struct list_page){.rows = 9};
    assert_ok(&fixture, entries_list(&at.scope, &filter, &page, &rows));
    assert_int_equal(rows.count, 0);
}

static void test_ledger_search(void **state)
{
    (void)state;
    entry_made(&at, (struct made_entry_of){.external_id = "a", .name = "Durand"});
    entry_made(&at, (struct made_entry_of){
                        .external_id = "b", .name = "Martin", .reference = "INV-2026-0042"});
    struct entry_filter filter = {.range = any_range, .text = "inv-2026-0042"};
    struct rows rows;
    assert_ok(&fixture, entries_search(&at.scope, &filter, 1, &rows));
    assert_int_equal(rows.count, 1);
    assert_string_equal(((const struct entry_view *)rows.at)->external_id, "b");
}

/* Under row-level security an index can become unusable without a word: these must not. */
static const struct {
    const char *query;
    const char *index;
} plans[] = {
    {"SELECT id FROM region.ledger_entry WHERE workspace_id = %s AND NOT removed"
     " ORDER BY search_text <->> 'durand' LIMIT 10",
     "ledger_entry_text"},
    {"SELECT id FROM region.ledger_entry WHERE workspace_id = %s AND NOT removed"
     " AND (list_day, id) < (DATE '2026-11-20', '01930f5c-0000-7000-8000-0000000000e1'::uuid)"
     " ORDER BY list_day DESC, id DESC LIMIT 10",
     "ledger_entry_list"},
    {"SELECT id FROM region.record WHERE workspace_id = %s"
     " ORDER BY search_text <->> 'durand' LIMIT 10",
     "record_text"},
    {"SELECT id FROM region.item WHERE workspace_id = %s AND state = 'held'"
     " AND (queue_place, id) > (-700000, '01930f5c-0000-7000-8000-0000000000e1'::uuid)"
     " ORDER BY queue_place, id LIMIT 10",
     "item_review"},
    {"SELECT counterparty_id FROM region.counterparty_alias WHERE workspace_id = %s"
     " ORDER BY core_name <->> 'durand' LIMIT 10",
     "counterparty_alias_name"},
};

STATEMENT(test_no_scan_sql, "SET LOCAL enable_seqscan = off");
STATEMENT(test_no_sort_sql, "SET LOCAL enable_sort = off");
STATEMENT(test_plan_sql,
          "SELECT strpos(test_plan(replace($1, '%s', quote_literal($2::text))), $3)");

static enum err explain_all(const struct scope *scope, void *arg)
{
    int64_t *used = arg;
    TRY(db_exec(scope, &test_no_scan_sql, NO_PARAMS, NULL));
    TRY(db_exec(scope, &test_no_sort_sql, NO_PARAMS, NULL));
    for (size_t i = 0; i < COUNT(plans); i++)
        TRY(db_int(scope, &test_plan_sql,
                   PARAMS(P(plans[i].query), P(uuid_format(scope->arena, scope->workspace)),
                          P(plans[i].index)),
                   &used[i]));
    return OK;
}

static void test_indexes_serve_the_lists(void **state)
{
    (void)state;
    int64_t used[COUNT(plans)];
    run_sql(&at, "CREATE FUNCTION test_plan(query text) RETURNS text LANGUAGE plpgsql AS $$"
                 " DECLARE line text; whole text := '';"
                 " BEGIN FOR line IN EXECUTE 'EXPLAIN ' || query LOOP"
                 " whole := whole || line || ' '; END LOOP; RETURN whole; END $$;"
                 "GRANT EXECUTE ON FUNCTION test_plan TO sluice_app;"
                 "GRANT USAGE ON SCHEMA public TO sluice_app");
    assert_ok(&fixture, db_transaction(&at.scope, explain_all, used));
    for (size_t i = 0; i < COUNT(plans); i++) {
        if (used[i] == 0)
            fail_msg("%s does not serve: %s", plans[i].index, plans[i].query);
    }
}

static void test_counterparties(void **state)
{
    (void)state;
    struct uuid martin = counterparty_made(&at, "Boulangerie Martin", "boulangerie martin");
    clock_set_offset(&fixture.clock, 1000000);
    struct uuid durand = counterparty_made(&at, "Durand Plomberie", "durand plomberie");
    struct rows rows;
    struct list_page page = {.rows = 9};
    assert_ok(&fixture, counterparties_list(&at.scope, &page, &rows));
    const struct counterparty_view *found = rows.at;
    assert_int_equal(rows.count, 2);
    assert_true(uuid_equal(found[0].id, durand));
    assert_ok(&fixture, counterparties_search(&at.scope, "martin", 1, &rows));
    found = rows.at;
    assert_int_equal(rows.count, 1);
    assert_true(uuid_equal(found[0].id, martin));
    assert_ok(&fixture, counterparty_aliases(&at.scope, martin, &rows));
    const struct alias_view *alias = rows.at;
    assert_int_equal(rows.count, 1);
    assert_false(alias->confirmed);
    assert_string_equal(alias->taught_by.kind, "system");
    struct scope other = fixture_other_scope(&fixture);
    struct counterparty_view one;
    assert_err(&fixture, ERR_NOT_FOUND, counterparty_get(&other, martin, &one));
}

/* ---- windows, the proof, the operator's lists ---- */

static void test_windows(void **state)
{
    (void)state;
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.window (workspace_id, id, integration_id, kind,"
                              " settings_version, opened_at, closes_at)"
                              " VALUES (%s, %s, %s, 'live', 1, now(), now())",
                              id_sql(&at, at.scope.workspace), id_sql(&at, id_new(&at)),
                              id_sql(&at, at.integration.id)));
    struct window_filter filter = {.integration = at.integration.id};
    struct list_page page = {.rows = 9};
    struct rows rows;
    assert_ok(&fixture, windows_list(&at.scope, &filter, &page, &rows));
    assert_int_equal(rows.count, 1);
    assert_string_equal(((const struct window_view *)rows.at)->state, "collecting");
    filter.state = "done";
    assert_ok(&fixture, windows_list(&at.scope, &filter, &page, &rows));
    assert_int_equal(rows.count, 0);
    filter.integration = at.person;
    assert_err(&fixture, ERR_NOT_FOUND, windows_list(&at.scope, &filter, &page, &rows));
}

/* A state that was changed behind the application's back shows: no check merely repeats another. */
static void test_proof_notices(void **state)
{
    (void)state;
    static const char *const wrong[] = {"linked", "delivered", "stopped"};
    struct conservation_period all = {{{0}}, {DATE_NONE}, {DATE_NONE}};
    struct conservation proof;
    struct made_item made = made_at(0, (struct made_item){.source_id = "ch_1"});
    page_made(&at, 1);
    assert_ok(&fixture, conservation_get(&at.scope, &all, &proof));
    assert_int_equal(proof.unexplained, 0);
    run_sql(&at, "ALTER TABLE region.item DISABLE TRIGGER machine_guard");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        run_sql(&at, arena_format(fixture.arena,
                                  "UPDATE region.item SET state = '%s'"
                                  " WHERE id = %s",
                                  wrong[i], id_sql(&at, made.item)));
        assert_ok(&fixture, conservation_get(&at.scope, &all, &proof));
        assert_true(proof.unexplained > 0);
    }
    run_sql(&at, "ALTER TABLE region.item ENABLE TRIGGER machine_guard");
}

static void test_operator_sees_ids_only(void **state)
{
    (void)state;
    struct untenanted everyone = fixture_untenanted(&fixture);
    struct scope other = fixture_other_scope(&fixture);
    struct connection theirs = connection_made(&fixture, &other, "qonto", "target");
    struct list_page page = {.rows = 100};
    struct rows rows;
    assert_ok(&fixture, admin_connections(&everyone, NULL, &page, &rows));
    const struct admin_connection *connections = rows.at;
    bool found = false;
    for (size_t i = 0; i < rows.count; i++) {
        if (uuid_equal(connections[i].id, theirs.id)) {
            found = true;
            assert_true(uuid_equal(connections[i].workspace, other.workspace));
            assert_string_equal(connections[i].state, "to_configure");
        }
    }
    assert_true(found);
    assert_ok(&fixture, connection_move(&other, theirs.id, CONNECTION_PROCESSING, NULL));
    assert_ok(&fixture, admin_connections(&everyone, "processing", &page, &rows));
    assert_int_equal(rows.count, 1);
    struct admin_page lanes = {.rows = 10};
    assert_ok(&fixture, admin_lanes(&everyone, &lanes, &rows));
    assert_ok(&fixture, admin_workers(&everyone, &lanes, &rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_records_newest_first, clean),
        cmocka_unit_test_setup(test_amounts_and_days, clean),
        cmocka_unit_test_setup(test_search_is_nearest_first, clean),
        cmocka_unit_test_setup(test_items_by_state_and_band, clean),
        cmocka_unit_test_setup(test_parts_of_a_record, clean),
        cmocka_unit_test_setup(test_document_bytes, clean),
        cmocka_unit_test_setup(test_ledger_latest_date_first, clean),
        cmocka_unit_test_setup(test_ledger_search, clean),
        cmocka_unit_test_setup(test_indexes_serve_the_lists, clean),
        cmocka_unit_test_setup(test_counterparties, clean),
        cmocka_unit_test_setup(test_windows, clean),
        cmocka_unit_test_setup(test_proof_notices, clean),
        cmocka_unit_test_setup(test_operator_sees_ids_only, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
