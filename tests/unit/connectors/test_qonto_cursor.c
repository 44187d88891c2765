/* Reading a list that changes while it is read: nothing is skipped, nothing that did not change is
 * handed out twice within a run, and an answer that is not what was asked for ends it. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rand.h"
#include "base/text.h"
#include "connectors/qonto/cursor.h"

enum { ROWS_MAX = 400, SECOND = 1000000 };

/* A list as Qonto keeps it: true times, and shown ones that may be cut to seconds. */
struct list {
    int64_t at[ROWS_MAX];
    bool coarse[ROWS_MAX];
    int handed[ROWS_MAX]; /* how often it was handed out since it last changed */
    size_t count;
};

static int64_t shown_at(const struct list *list, size_t row)
{
    return list->coarse[row] ? list->at[row] / SECOND * SECOND : list->at[row];
}

static int by_time(const void *a, const void *b, void *context)
{
    const struct list *list = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int64_t difference = list->at[x] - list->at[y];
    return difference ? (difference > 0) - (difference < 0) : (x > y) - (x < y);
}

/* The page that the cursor asks for. */
static struct qonto_rows answer(struct arena *arena, struct list *list,
                                const struct qonto_cursor *cursor, int per_page)
{
    size_t hits[ROWS_MAX], count = 0;
    int64_t from = cursor->from.us / 1000 * 1000, until = cursor->until.us / 1000 * 1000;
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i] >= from && list->at[i] <= until)
            hits[count++] = i;
    }
    qsort_r(hits, count, sizeof hits[0], by_time, list);
    size_t start = (size_t)(cursor->page - 1) * (size_t)per_page;
    struct mirrored_entry *entries = arena_array(arena, (size_t)per_page, sizeof *entries);
    struct qonto_rows rows = {.entries = entries, .per_page = per_page};
    for (size_t i = start; i < count && rows.count < (size_t)per_page; i++)
        entries[rows.count++] =
            (struct mirrored_entry){.external_id = arena_format(arena, "%zu", hits[i]),
                                    .updated_at = {shown_at(list, hits[i])}};
    rows.received = rows.count;
    size_t pages = (count + (size_t)per_page - 1) / (size_t)per_page;
    json_t *meta = json_keep(arena, json_object());
    json_object_set_new(meta, "current_page", json_integer(cursor->page));
    json_object_set_new(meta, "total_pages", json_integer((json_int_t)pages));
    rows.meta = meta;
    return rows;
}

static void take(struct list *list, const struct qonto_cursor *cursor,
                 const struct qonto_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        int64_t row;
        assert_true(int64_parse(rows->entries[i].external_id, 0, ROWS_MAX, &row));
        if (!qonto_cursor_saw(cursor, &rows->entries[i]))
            list->handed[row]++;
    }
}

/* Through JSON, as the store keeps it between two pages. */
static struct qonto_cursor stored(struct arena *arena, const struct qonto_cursor *cursor)
{
    struct qonto_cursor read;
    const json_t *text = qonto_cursor_write(arena, cursor);
    assert_int_equal(qonto_cursor_read(arena, text, (struct instant){0}, &read), OK);
    return read;
}

typedef void (*change_function)(struct list *list, struct rand_source *source, int64_t now);

static int run(struct arena *arena, struct list *list, struct qonto_cursor *cursor, int64_t now,
               change_function change)
{
    struct rand_source source;
    rand_open(&source, (uint64_t)now + list->count);
    bool more = true;
    int pages = 0;
    while (more) {
        qonto_cursor_begin(cursor, (struct instant){now});
        struct qonto_rows rows = answer(arena, list, cursor, 10);
        take(list, cursor, &rows);
        assert_int_equal(qonto_cursor_advance(arena, cursor, &rows, &more), OK);
        *cursor = stored(arena, cursor);
        assert_true(++pages < 500);
        if (change)
            change(list, &source, now);
    }
    rand_close(&source);
    return pages;
}

static struct list list_of(size_t count, int64_t first, int64_t step)
{
    struct list list = {.count = count};
    for (size_t i = 0; i < count; i++)
        list.at[i] = first + (int64_t)i * step;
    return list;
}

static const int64_t start_us = INT64_C(1795000000) * SECOND;

static void assert_each_once(const struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        assert_int_equal(list->handed[i], 1);
}

static void test_every_row_once(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct list list = list_of(95, start_us, SECOND * 60);
    struct qonto_cursor cursor = {.page = 1};
    int64_t now = start_us + INT64_C(86400) * SECOND;
    run(arena, &list, &cursor, now, NULL);
    assert_each_once(&list);
    assert_int_equal(run(arena, &list, &cursor, now + SECOND, NULL), 1);
    assert_each_once(&list); /* the overlap is read again, and recognised */
    list.at[list.count++] = now + 2 * SECOND;
    run(arena, &list, &cursor, now + 3 * SECOND, NULL);
    assert_each_once(&list);
    arena_close(arena);
}

static void test_ties_longer_than_a_page(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct list list = list_of(137, start_us, 0);
    for (size_t i = 100; i < 137; i++)
        list.at[i] += SECOND / 2;
    struct qonto_cursor cursor = {.page = 1};
    run(arena, &list, &cursor, start_us + 10 * SECOND, NULL);
    assert_each_once(&list);
    arena_close(arena);
}

static void test_times_cut_to_seconds(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct list list = list_of(200, start_us, SECOND / 10);
    for (size_t i = 0; i < list.count; i++)
        list.coarse[i] = i % 3 != 0;
    struct qonto_cursor cursor = {.page = 1};
    run(arena, &list, &cursor, start_us + 3600 * (int64_t)SECOND, NULL);
    for (size_t i = 0; i < list.count; i++)
        assert_true(list.handed[i] >= 1);
    arena_close(arena);
}

/* Rows that change leave the window and make room: what follows moves up by one place. */
static void move_some(struct list *list, struct rand_source *source, int64_t now)
{
    for (int i = 0; i < 5; i++) {
        size_t row = rand_below(source, list->count);
        list->at[row] = now + 1 + (int64_t)rand_below(source, SECOND);
        list->handed[row] = 0;
    }
}

static void test_rows_that_change_meanwhile_skip_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct list list = list_of(150 + seed, start_us, SECOND * 7);
        struct qonto_cursor cursor = {.page = 1};
        int64_t now = start_us + INT64_C(7200) * SECOND;
        run(arena, &list, &cursor, now, move_some);
        run(arena, &list, &cursor, now + 10 * SECOND, NULL);
        for (size_t i = 0; i < list.count; i++)
            assert_true(list.handed[i] >= 1);
    }
    arena_close(arena);
}

/* A clock of ours that runs ahead must not leave a hole behind. */
static void test_fast_clock_leaves_no_hole(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct list list = list_of(3, start_us, SECOND);
    struct qonto_cursor cursor = {.page = 1};
    run(arena, &list, &cursor, start_us + INT64_C(3600) * SECOND, NULL);
    list.at[list.count++] = start_us + 30 * SECOND; /* written after that run, by Qonto's clock */
    run(arena, &list, &cursor, start_us + INT64_C(3700) * SECOND, NULL);
    assert_each_once(&list);
    arena_close(arena);
}

static void test_nothing_new_keeps_the_place(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct list list = {0};
    struct qonto_cursor cursor = {.from = {start_us}, .page = 1};
    assert_int_equal(run(arena, &list, &cursor, start_us + 60 * SECOND, NULL), 1);
    assert_int_equal(cursor.from.us, start_us);
    assert_int_equal(cursor.until.us, 0);
    arena_close(arena);
}

static enum err advance(struct arena *arena, struct qonto_cursor *cursor, const int64_t *at,
                        size_t count, const char *meta)
{
    json_t *value = NULL;
    struct bytes text = {(const uint8_t *)meta, strlen(meta)};
    assert_int_equal(json_parse(arena, text, &value), OK);
    struct mirrored_entry *entries = arena_array(arena, count, sizeof *entries);
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct mirrored_entry){.external_id = arena_format(arena, "%zu", i),
                                             .updated_at = {at[i]}};
    struct qonto_rows rows = {
        .entries = entries, .count = count, .received = count, .meta = value, .per_page = 2};
    bool more;
    return qonto_cursor_advance(arena, cursor, &rows, &more);
}

static void assert_guarded(const int64_t *at, size_t count, const char *meta, const char *field)
{
    struct arena *arena = arena_open();
    struct qonto_cursor cursor = {
        .from = {start_us}, .until = {start_us + 100 * SECOND}, .page = 1};
    enum err err = advance(arena, &cursor, at, count, meta);
    assert_int_equal(err, field ? ERR_PROTOCOL : OK);
    if (field)
        assert_string_equal(arena_failure(arena)->field, field);
    arena_close(arena);
}

static void test_guards(void **state)
{
    (void)state;
    const int64_t good[] = {start_us, start_us + SECOND};
    const int64_t falling[] = {start_us + 50 * SECOND, start_us + 10 * SECOND};
    const int64_t early[] = {start_us - 5 * SECOND};
    const int64_t late[] = {start_us + 105 * SECOND};
    const int64_t unknown[] = {0, start_us};
    assert_guarded(good, 2, "{\"current_page\":1,\"total_pages\":1}", NULL);
    assert_guarded(good, 2, "{\"current_page\":2,\"total_pages\":3}", "page");
    assert_guarded(falling, 2, "{\"current_page\":1,\"total_pages\":1}", "sort_by");
    assert_guarded(early, 1, "{\"current_page\":1,\"total_pages\":1}", "updated_at");
    assert_guarded(late, 1, "{\"current_page\":1,\"total_pages\":1}", "updated_at");
    assert_guarded(good, 0, "{\"current_page\":1,\"total_pages\":3}", "page");
    assert_guarded(good, 0, "{\"current_page\":1,\"total_pages\":0,\"next_page\":0}", NULL);
    assert_guarded(unknown, 2, "{\"current_page\":1,\"total_pages\":1}", NULL);
    assert_guarded(good, 2, "{}", NULL);
}

static void test_endless_tie_ends_in_an_error(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const int64_t at[] = {start_us, start_us};
    struct qonto_cursor cursor = {.from = {start_us}, .until = {start_us + SECOND}, .page = 1};
    enum err err = OK;
    for (int page = 1; err == OK; page++) {
        assert_true(page <= QONTO_TIE_PAGES_MAX);
        err = advance(arena, &cursor, at, 2,
                      arena_format(arena, "{\"current_page\":%d,\"total_pages\":9999}", page));
    }
    assert_int_equal(err, ERR_PROTOCOL);
    arena_close(arena);
}

static void test_foreign_markers_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"from_us\":-1,\"until_us\":0,\"newest_us\":0,\"page\":1,\"seen\":{}}",
        "{\"from_us\":1,\"until_us\":0,\"newest_us\":0,\"page\":0,\"seen\":{}}",
        "{\"from_us\":1,\"until_us\":0,\"newest_us\":0,\"page\":1,\"seen\":[]}",
        "{\"from_us\":1,\"until_us\":0,\"newest_us\":0,\"page\":1,\"seen\":{\"a\":\"b\"}}",
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *value;
        struct qonto_cursor cursor;
        struct bytes text = {(const uint8_t *)texts[i], strlen(texts[i])};
        assert_int_equal(json_parse(arena, text, &value), OK);
        assert_int_equal(qonto_cursor_read(arena, value, (struct instant){0}, &cursor),
                         ERR_VALIDATION);
    }
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_once),
        cmocka_unit_test(test_ties_longer_than_a_page),
        cmocka_unit_test(test_times_cut_to_seconds),
        cmocka_unit_test(test_rows_that_change_meanwhile_skip_nothing),
        cmocka_unit_test(test_fast_clock_leaves_no_hole),
        cmocka_unit_test(test_nothing_new_keeps_the_place),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_endless_tie_ends_in_an_error),
        cmocka_unit_test(test_foreign_markers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
