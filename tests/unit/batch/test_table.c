#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "matcher/batch/table.h"

struct reading {
    struct arena *arena;
    struct table table;
    enum err error;
    const char *detail; /* of the failure */
};

static struct reading read_bytes(const char *text, size_t n)
{
    struct reading reading = {.arena = arena_open()};
    char *copy = arena_alloc(reading.arena, n + 1);
    if (n)
        memcpy(copy, text, n);
    reading.error = table_read(reading.arena, "records.csv", copy, n, &reading.table);
    reading.detail = arena_failure(reading.arena)->detail;
    return reading;
}

static struct reading read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void assert_refused(const char *text, const char *where, const char *why)
{
    struct reading reading = read_text(text);
    assert_int_not_equal(reading.error, OK);
    if (!text_starts(reading.detail, where) || !strstr(reading.detail, why))
        fail_msg("told: %s", reading.detail);
    arena_close(reading.arena);
}

static void reads_columns_by_name_in_any_order(void **state)
{
    (void)state;
    struct reading reading = read_text("Amount,ID,currency,colour,Date\n"
                                       "-12.5,a1,eur,red,2026-02-28\n"
                                       "+7,b2,,,\n");
    assert_int_equal(reading.error, OK);
    assert_int_equal(reading.table.count, 2);
    const struct table_row *first = &reading.table.rows[0], *second = &reading.table.rows[1];
    assert_string_equal(first->text[TABLE_ID], "a1");
    assert_int_equal(first->amount.minor, -1250);
    assert_string_equal(first->amount.currency, "EUR");
    assert_string_equal(date_format(reading.arena, first->date), "2026-02-28");
    assert_int_equal(second->amount.minor, 700);
    assert_false(second->has_currency);
    assert_int_equal(second->date.days, DATE_NONE);
    assert_null(second->text[TABLE_DATE]);
    assert_string_equal(reading.table.unused, "colour");
    arena_close(reading.arena);
}

static void reads_what_spreadsheets_write(void **state)
{
    (void)state;
    struct reading reading = read_text("\xef\xbb\xbfid;counterparty;description\r\n"
                                       "1;\"Dupont; \"\"Fils\"\"\";\"two\r\nlines\"\r\n"
                                       "\r\n"
                                       ";;\r\n"
                                       "2; Léger ;5\" pipe;;\r\n");
    assert_int_equal(reading.error, OK);
    assert_int_equal(reading.table.count, 2);
    assert_string_equal(reading.table.rows[0].text[TABLE_COUNTERPARTY], "Dupont; \"Fils\"");
    assert_string_equal(reading.table.rows[0].text[TABLE_DESCRIPTION], "two\r\nlines");
    assert_string_equal(reading.table.rows[1].text[TABLE_COUNTERPARTY], "Léger");
    assert_string_equal(reading.table.rows[1].text[TABLE_DESCRIPTION], "5\" pipe");
    arena_close(reading.arena);
}

static void reads_tabs_lone_carriage_returns_and_no_last_newline(void **state)
{
    (void)state;
    struct reading reading = read_text("id\tcounterparty\rx\tA, B; C\ry\t\"\"");
    assert_int_equal(reading.error, OK);
    assert_int_equal(reading.table.count, 2);
    assert_string_equal(reading.table.rows[0].text[TABLE_COUNTERPARTY], "A, B; C");
    assert_null(reading.table.rows[1].text[TABLE_COUNTERPARTY]);
    arena_close(reading.arena);
}

static void reads_a_file_with_ids_alone_and_one_without_rows(void **state)
{
    (void)state;
    struct reading one = read_text("id\n7\n"), none = read_text("id,amount\n");
    assert_int_equal(one.error, OK);
    assert_int_equal(one.table.count, 1);
    assert_int_equal(none.error, OK);
    assert_int_equal(none.table.count, 0);
    arena_close(one.arena);
    arena_close(none.arena);
}

static void ranks_rows_by_id(void **state)
{
    (void)state;
    struct reading reading = read_text("id\nb\nc\na\n");
    assert_int_equal(reading.error, OK);
    assert_int_equal(reading.table.rows[0].rank, 1);
    assert_int_equal(reading.table.rows[1].rank, 2);
    assert_int_equal(reading.table.rows[2].rank, 0);
    arena_close(reading.arena);
}

static void takes_the_decimals_of_the_currency(void **state)
{
    (void)state;
    struct reading reading = read_text("id,amount,currency\n1,1200,JPY\n2,1.234,KWD\n3,1.50,JPY\n");
    assert_int_not_equal(reading.error, OK);
    assert_true(text_starts(reading.detail, "records.csv, line 4, column 2 (amount): \"1.50\""));
    arena_close(reading.arena);
}

static void says_file_line_and_column_of_what_is_wrong(void **state)
{
    (void)state;
    assert_refused("", "records.csv, line 1, column 1: ", "empty");
    assert_refused("name;amount\n1;2\n", "records.csv, line 1, column 1: ", "semicolon");
    assert_refused("id,date,Date\n", "records.csv, line 1, column 3 (Date): ", "twice");
    assert_refused("id,amount\n1,\"1,5\"\n",
                   "records.csv, line 2, column 2 (amount): ", "\"1,5\" is no amount");
    assert_refused("id,amount\n1,1.505\n", "records.csv, line 2, column 2 (amount): ", "no amount");
    assert_refused("id,amount\n1,999999999999999\n",
                   "records.csv, line 2, column 2 (amount): ", "larger than");
    assert_refused("id,amount,currency\n1,5,euro\n",
                   "records.csv, line 2, column 3 (currency): ", "\"euro\"");
    assert_refused("id,date\n1,\"\n\n31/12/2026\"\n",
                   "records.csv, line 2, column 2 (date): ", "no date");
    assert_refused("id,description,date\n1,\"two\nlines\",2026-02-30\n",
                   "records.csv, line 3, column 3 (date): ", "\"2026-02-30\"");
    assert_refused("id,amount\n1\n", "records.csv, line 2, column 1: ", "ends after 1 of 2");
    assert_refused("id,amount\n1,2,3\n", "records.csv, line 2, column 3: ", "more columns");
    assert_refused("id,amount\n,2\n", "records.csv, line 2, column 1 (id): ", "no id");
    assert_refused("id\nx\n\"x\"\n", "records.csv, line 3, column 1 (id): ", "line 2 already");
    assert_refused("id,amount\n1,\"2\n", "records.csv, line 2, column 2: ", "never closed");
    assert_refused("id,description\n1,\"a\"b\n",
                   "records.csv, line 2, column 2: ", "closing quote");
    assert_refused("id,description\n1,caf\xe9\n", "records.csv, line 2, column 2: ", "UTF-8");
    assert_refused("\xff\xfei", "records.csv, line 1, column 1: ", "UTF-16");
}

static void shows_no_more_than_the_start_of_a_long_field(void **state)
{
    (void)state;
    assert_refused("id,date\n1,ééééééééééééééééééééééééééééééé\n",
                   "records.csv, line 2, column 2 (date): \"éééééééééééééééééééé…\"", "no date");
}

static void refuses_what_is_beyond_its_limits(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf text = buf_new(arena, CSV_FIELD_BYTES_MAX + 1024);
    buf_add_text(&text, "id,description\n1,");
    for (size_t i = 0; i <= CSV_FIELD_BYTES_MAX; i++)
        buf_add_char(&text, 'x');
    assert_refused(text.data, "records.csv, line 2, column 2: ", "longer than 65536 bytes");
    struct buf wide = buf_new(arena, 4096);
    buf_add_text(&wide, "id");
    for (size_t i = 0; i < CSV_COLUMNS_MAX; i++)
        buf_add_char(&wide, ',');
    assert_refused(wide.data, "records.csv, line 1, column 257: ", "more than 256 columns");
    struct buf id = buf_new(arena, 4096);
    buf_add_text(&id, "id\n");
    for (size_t i = 0; i <= TABLE_ID_BYTES_MAX; i++)
        buf_add_char(&id, 'x');
    assert_refused(id.data, "records.csv, line 2, column 1 (id): ", "too long");
    arena_close(arena);
}

static void refuses_zero_bytes(void **state)
{
    (void)state;
    struct reading reading = read_bytes("id\na\0b\n", 7);
    assert_int_not_equal(reading.error, OK);
    assert_non_null(strstr(reading.detail, "zero byte"));
    arena_close(reading.arena);
}

/* A table of ten amounts, of which the last is `last`. */
static struct reading ten_amounts(const char *amount, const char *last)
{
    struct arena *arena = arena_open();
    struct buf text = buf_new(arena, 4096);
    buf_add_text(&text, "id,amount\n");
    for (int i = 0; i < 10; i++)
        buf_format(&text, "%d,%s\n", i, i == 9 ? last : amount);
    struct reading reading = read_text(text.data);
    assert_int_equal(reading.error, OK);
    arena_close(arena);
    return reading;
}

static bool signs_turn(const char *records, const char *ledger, const char *last)
{
    struct reading mine = ten_amounts(records, records), theirs = ten_amounts(ledger, last);
    int64_t before = theirs.table.rows[0].amount.minor;
    bool turned = table_signs_align(&mine.table, &theirs.table);
    assert_int_equal(theirs.table.rows[0].amount.minor, turned ? -before : before);
    arena_close(mine.arena);
    arena_close(theirs.arena);
    return turned;
}

static void turns_signs_only_where_the_files_disagree_throughout(void **state)
{
    (void)state;
    assert_true(signs_turn("12.00", "-12.00", "-12.00"));
    assert_true(signs_turn("-12.00", "12.00", "12.00"));
    assert_false(signs_turn("12.00", "12.00", "12.00"));
    assert_false(signs_turn("12.00", "-12.00", "12.00"));
    assert_false(signs_turn("12.00", "-12.00", "")); /* nine amounts */
    assert_false(signs_turn("0", "-12.00", "-12.00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_columns_by_name_in_any_order),
        cmocka_unit_test(reads_what_spreadsheets_write),
        cmocka_unit_test(reads_tabs_lone_carriage_returns_and_no_last_newline),
        cmocka_unit_test(reads_a_file_with_ids_alone_and_one_without_rows),
        cmocka_unit_test(ranks_rows_by_id),
        cmocka_unit_test(takes_the_decimals_of_the_currency),
        cmocka_unit_test(says_file_line_and_column_of_what_is_wrong),
        cmocka_unit_test(shows_no_more_than_the_start_of_a_long_field),
        cmocka_unit_test(refuses_what_is_beyond_its_limits),
        cmocka_unit_test(refuses_zero_bytes),
        cmocka_unit_test(turns_signs_only_where_the_files_disagree_throughout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
