/* Which entries and counterparties blocking finds by their names, and in which of many equal ones.
 */
#include "pipeline.h"

#include "store/ledger.h"
#include "store/scoring.h"

static struct fixture fixture;
static struct pipeline at;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_blocking");
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
    run_sql(&at, "TRUNCATE region.ledger_entry, region.name_key, region.counterparty CASCADE");
    return 0;
}

static struct date day(const char *text)
{
    struct date date;
    assert_true(date_parse(text, &date));
    return date;
}

/* Only the name can find it: no reference, and an amount that nothing has. */
static struct rows found_by_name(const struct scope *scope, const char *name)
{
    struct blocking_query query = {.record = id_new(&at),
                                   .core_name = name,
                                   .amount = {99999999, "EUR"},
                                   .date = day("2026-06-15")};
    struct rows rows;
    assert_ok(&fixture,
              blocking_find(scope, at.integration.target_connection_id, &query, 1, &rows));
    return rows;
}

static bool finds(const char *name, struct uuid entry)
{
    struct rows rows = found_by_name(&at.scope, name);
    const struct blocking_entry *found = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        if (uuid_equal(found[i].id, entry))
            return true;
    }
    return false;
}

static struct uuid named(const char *external_id, const char *name)
{
    return entry_made(&at, (struct made_entry_of){
                               .external_id = external_id, .name = name, .date = "2026-06-01"});
}

static void test_writings_of_a_name(void **state)
{
    (void)state;
    struct uuid entry = named("a", "boulangerie lefevre");
    struct uuid short_one = named("b", "luminora");
    named("c", "garage moreau");
    assert_true(finds("boulangerie lefevre", entry));
    assert_true(finds("boulangerie lefevr", entry));       /* cut off */
    assert_true(finds("boul lefevre", entry));             /* abbreviated */
    assert_true(finds("lefevre boulangerie", entry));      /* turned round */
    assert_true(finds("bolangerie lefevre", entry));       /* misspelt */
    assert_true(finds("boulangerie lefevre lyon", entry)); /* with more */
    assert_true(finds("lumimora", short_one));
    assert_false(finds("boulangerie lefevre", short_one));
    assert_int_equal(found_by_name(&at.scope, "optique dubois").count, 0);
    assert_int_equal(found_by_name(&at.scope, "").count, 0);
}

/* More names than a lookup reads begin and end like it. */
static void test_an_equal_name_is_found_among_many_like_it(void **state)
{
    (void)state;
    struct uuid entry = named("the-one", "consulting");
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.ledger_entry (workspace_id, id, connection_id,"
                              " role, external_id, origin, core_name, mirrored_at, created_at)"
                              " SELECT %s, gen_random_uuid(), %s, 'document', n, 'mirrored',"
                              " 'consulting ' || n, now(), now() FROM generate_series(1, 500) n",
                              id_sql(&at, at.scope.workspace),
                              id_sql(&at, at.integration.target_connection_id)));
    assert_true(finds("consulting", entry));
    assert_int_equal(found_by_name(&at.scope, "consulting 321").count, 1);
}

/* Of a party that comes every day those next to the record's day, the same ones every time. */
static void test_of_many_equal_names_the_nearest_days(void **state)
{
    (void)state;
    for (int i = 1; i <= 30; i++)
        entry_made(&at,
                   (struct made_entry_of){.external_id = arena_format(fixture.arena, "e%02d", i),
                                          .name = "stripe payments",
                                          .date = arena_format(fixture.arena, "2026-06-%02d", i)});
    struct rows first = found_by_name(&at.scope, "stripe payments");
    struct rows again = found_by_name(&at.scope, "stripe payments");
    const struct blocking_entry *found = first.at, *same = again.at;
    assert_int_equal(first.count, 20);
    assert_int_equal(again.count, 20);
    for (size_t i = 0; i < first.count; i++) {
        int32_t apart = found[i].date.days - day("2026-06-15").days;
        assert_in_range(apart + 10, 0, 20);
        assert_true(uuid_equal(found[i].id, same[i].id));
    }
}

static void mirrored(const char *external_id, const char *core_name)
{
    struct ledger_row row = {.role = "document",
                             .external_id = external_id,
                             .date = day("2026-06-10"),
                             .counterparty_name = core_name,
                             .core_name = core_name,
                             .norm_version = "1",
                             .analysed = true};
    int64_t pages = 0;
    STATEMENT(stream_pages_sql, "SELECT pages FROM region.stream WHERE workspace_id = $1"
                                " AND id = $2");
    assert_ok(&fixture, db_int(&at.scope, &stream_pages_sql,
                               PARAMS(P(at.scope.workspace), P(at.stream)), &pages));
    struct mirrored_page page = {.stream = at.stream,
                                 .connection = at.integration.target_connection_id,
                                 .pages = pages,
                                 .rows = &row,
                                 .count = 1};
    assert_ok(&fixture, ledger_mirror_page(&at.scope, &page));
}

static void test_a_name_that_the_target_changed(void **state)
{
    (void)state;
    mirrored("m1", "becker logistics");
    assert_int_equal(found_by_name(&at.scope, "becker logistic").count, 1);
    mirrored("m1", "hoffmann freight");
    assert_int_equal(found_by_name(&at.scope, "hofmann freight").count, 1);
    assert_int_equal(found_by_name(&at.scope, "becker logistic").count, 0);
}

/* An index must hold what it is given: a name without end stops no mirror, and is found. */
static void test_a_name_without_end(void **state)
{
    (void)state;
    char *name = arena_array(fixture.arena, 20001, 1);
    for (size_t i = 0; i < 20000; i++)
        name[i] = i % 7 == 6 ? ' ' : (char)('a' + i * i % 23);
    mirrored("long", name);
    assert_int_equal(found_by_name(&at.scope, name).count, 1);
}

/* It is known whose it is: no other record may be it, or be held for it. */
static void test_documents_of_ours_are_no_candidates(void **state)
{
    (void)state;
    struct uuid entry = named("a", "vogel robotics");
    assert_true(finds("vogel robotics", entry));
    run_sql(&at, "UPDATE region.ledger_entry SET origin = 'delivered'");
    assert_int_equal(found_by_name(&at.scope, "vogel robotics").count, 0);
}

static void test_names_of_others_are_not_found(void **state)
{
    (void)state;
    struct scope other = fixture_other_scope(&fixture);
    named("a", "vogel robotics");
    entry_made(&at, (struct made_entry_of){.external_id = "b",
                                           .name = "vogel robotics",
                                           .date = "2026-06-01",
                                           .connection = at.integration.source_connection_id});
    assert_int_equal(found_by_name(&at.scope, "vogel robotics").count, 1);
    assert_int_equal(found_by_name(&other, "vogel robotics").count, 0);
}

static void test_counterparties_by_their_aliases(void **state)
{
    (void)state;
    struct uuid party = id_new(&at);
    run_sql(&at, arena_format(
                     fixture.arena,
                     "INSERT INTO region.counterparty (workspace_id, id, name, core_name,"
                     " norm_version, company, created_at)"
                     " VALUES (%s, %s, 'Perrin Audio', 'perrin audio', '1', true, now());"
                     " INSERT INTO region.counterparty_alias (workspace_id, name_norm,"
                     " counterparty_id, name, core_name, norm_version, created_at)"
                     " VALUES (%s, 'perrin audio', %s, 'Perrin Audio', 'perrin audio', '1', now())",
                     id_sql(&at, at.scope.workspace), id_sql(&at, party),
                     id_sql(&at, at.scope.workspace), id_sql(&at, party)));
    struct counterparty_query queries[] = {{.core_name = "perin audio"}, {.core_name = "castillo"}};
    struct rows rows;
    assert_ok(&fixture, counterparties_find(&at.scope, queries, 2, &rows));
    assert_int_equal(rows.count, 1);
    assert_int_equal(((const struct counterparty_known *)rows.at)->query, 0);
    assert_true(uuid_equal(((const struct counterparty_known *)rows.at)->id, party));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_writings_of_a_name, clean),
        cmocka_unit_test_setup(test_an_equal_name_is_found_among_many_like_it, clean),
        cmocka_unit_test_setup(test_of_many_equal_names_the_nearest_days, clean),
        cmocka_unit_test_setup(test_a_name_that_the_target_changed, clean),
        cmocka_unit_test_setup(test_a_name_without_end, clean),
        cmocka_unit_test_setup(test_documents_of_ours_are_no_candidates, clean),
        cmocka_unit_test_setup(test_names_of_others_are_not_found, clean),
        cmocka_unit_test_setup(test_counterparties_by_their_aliases, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
