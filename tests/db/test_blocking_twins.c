/* Blocking exists twice: in SQL for a running installation, in memory for `sluice match`. The arms
 * that both have (equal reference; amount within 3 % and 60 days) find the same entries. */
#include "pipeline.h"

#include "base/buf.h"
#include "matcher/batch/block.h"
#include "store/scoring.h"

enum { ENTRIES = 400, QUERIES = 120, REFERENCES = 40, CSV_BYTES_MAX = 256 * 1024 };

static struct fixture fixture;
static struct pipeline at;
static struct table ledger;
static struct block_search *search;

/* Numbers that look random and are the same every time. */
static unsigned mixed(unsigned i, unsigned salt, unsigned below)
{
    unsigned x = (i * 2654435761u) ^ (salt * 40503u);
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return x % below;
}

/* Few different amounts and days: more of them lie near each other than an arm takes. */
static const char *amount_at(unsigned i, unsigned salt)
{
    return arena_format(fixture.arena, "%s%u.%02u", mixed(i, salt + 1, 9) ? "" : "-",
                        100 + mixed(i, salt + 2, 9), 25 * mixed(i, salt + 3, 4));
}

static const char *date_at(unsigned i, unsigned salt)
{
    return arena_format(fixture.arena, "2026-%02u-%02u", 1 + mixed(i, salt + 4, 6),
                        1 + mixed(i, salt + 5, 28));
}

static const char *currency_at(unsigned i, unsigned salt)
{
    return mixed(i, salt + 6, 4) ? "EUR" : "JPY";
}

static struct table table_of(const char *text)
{
    struct table table;
    size_t n = strlen(text);
    assert_ok(&fixture, table_read(fixture.arena, "rows.csv", arena_text_n(fixture.arena, text, n),
                                   n, &table));
    return table;
}

static const char *whole(const char *amount)
{
    return arena_text_n(fixture.arena, amount, strcspn(amount, "."));
}

/* One row as CSV; yen have no decimals. */
static void row_add(struct buf *csv, unsigned i, unsigned salt, const char *id)
{
    const char *currency = currency_at(i, salt), *amount = amount_at(i, salt);
    buf_format(csv, "%s,%s,%s,%s,R-2026-%u\n", id, date_at(i, salt),
               currency[0] == 'J' ? whole(amount) : amount, currency,
               100 + mixed(i, salt + 7, REFERENCES));
}

static void entry_insert(const struct table_row *row)
{
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.ledger_entry (workspace_id, id, connection_id,"
                              " role, external_id, origin, amount_minor, currency, date,"
                              " reference, reference_norm, norm_version, mirrored_at, created_at)"
                              " VALUES (%s, '%s', %s, 'document', '%s', 'mirrored', %" PRId64
                              ", '%s', '%s', '%s', '%s', '1', now(), now())",
                              id_sql(&at, at.scope.workspace), row->text[TABLE_ID],
                              id_sql(&at, at.integration.target_connection_id), row->text[TABLE_ID],
                              row->amount.minor, row->amount.currency, row->text[TABLE_DATE],
                              row->text[TABLE_REFERENCE],
                              reference_normalise(fixture.arena, row->text[TABLE_REFERENCE])));
}

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_blocking_twins");
    struct buf csv = buf_new(fixture.arena, CSV_BYTES_MAX);
    buf_add_text(&csv, "id,date,amount,currency,reference\n");
    for (unsigned i = 0; i < ENTRIES; i++)
        row_add(&csv, i, 0, uuid_format(fixture.arena, id_new(&at)));
    ledger = table_of(csv.data);
    for (size_t i = 0; i < ledger.count; i++)
        entry_insert(&ledger.rows[i]);
    search = block_search_new(fixture.arena, block_index_new(fixture.arena, &ledger));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    pipeline_close(&at);
    return 0;
}

/* The ids in the order of SQL and of the search: ascending. */
static const char *ids_in_sql(const struct blocking_query *query)
{
    struct buf ids = buf_new(fixture.arena, CSV_BYTES_MAX);
    struct rows rows;
    assert_ok(&fixture,
              blocking_find(&at.scope, at.integration.target_connection_id, query, 1, &rows));
    const struct blocking_entry *found = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        buf_format(&ids, "%s\n", uuid_format(fixture.arena, found[i].id));
    return ids.data;
}

static const char *ids_in_memory(enum block_arm arm, const struct table_row *record)
{
    struct buf ids = buf_new(fixture.arena, CSV_BYTES_MAX);
    struct block_found found;
    block_find_by(search, fixture.arena, arm, record, &found);
    for (size_t i = 0; i < found.count; i++)
        buf_format(&ids, "%s\n", ledger.rows[found.row[i]].text[TABLE_ID]);
    return ids.data;
}

static struct table queries_made(void)
{
    struct buf csv = buf_new(fixture.arena, CSV_BYTES_MAX);
    buf_add_text(&csv, "id,date,amount,currency,reference\n");
    for (unsigned i = 0; i < QUERIES; i++)
        row_add(&csv, i, 100, arena_format(fixture.arena, "q%u", i));
    return table_of(csv.data);
}

static void test_references_find_the_same(void **state)
{
    (void)state;
    struct table queries = queries_made();
    size_t found = 0;
    for (size_t i = 0; i < queries.count; i++) {
        const struct table_row *row = &queries.rows[i];
        struct blocking_query query = {
            .record = id_new(&at),
            .reference = reference_normalise(fixture.arena, row->text[TABLE_REFERENCE]),
            .date = {DATE_NONE}};
        const char *in_sql = ids_in_sql(&query);
        assert_string_equal(ids_in_memory(BLOCK_REFERENCE, row), in_sql);
        found += *in_sql != '\0';
    }
    assert_true(found > QUERIES / 2);
}

static void test_amounts_find_the_same(void **state)
{
    (void)state;
    struct table queries = queries_made();
    size_t found = 0, full = 0;
    for (size_t i = 0; i < queries.count; i++) {
        const struct table_row *row = &queries.rows[i];
        struct blocking_query query = {
            .record = id_new(&at), .amount = row->amount, .date = row->date};
        const char *in_sql = ids_in_sql(&query);
        assert_string_equal(ids_in_memory(BLOCK_AMOUNT, row), in_sql);
        found += *in_sql != '\0';
        full += strlen(in_sql) == 20 * 37; /* ids of 36 letters */
    }
    assert_true(found > QUERIES / 2);
    assert_true(full > QUERIES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references_find_the_same),
        cmocka_unit_test(test_amounts_find_the_same),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
