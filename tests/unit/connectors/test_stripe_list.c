#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "connectors/stripe/stripe_list.h"

static enum err read_list(struct arena *arena, const char *text, struct stripe_list *into)
{
    return stripe_list_read(arena, text, into);
}

static void expect_row(const struct stripe_list *list, size_t at, const char *row)
{
    assert_int_equal(list->rows[at].n, strlen(row));
    assert_memory_equal(list->rows[at].at, row, strlen(row));
}

static void rows_keep_the_bytes_that_stripe_sent(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    static const char text[] =
        " {\"object\":\"list\", \"data\" : [ {\"id\":\"a\",\"n\": 1.50, \"t\":\"]}\\\"\\\\\"} ,\n"
        "[1,[2]], \"x\", 12 ,true], \"url\":\"/v1/{}\", \"has_more\" : true } ";
    assert_int_equal(read_list(arena, text, list), OK);
    assert_int_equal(list->count, 5);
    expect_row(list, 0, "{\"id\":\"a\",\"n\": 1.50, \"t\":\"]}\\\"\\\\\"}");
    expect_row(list, 1, "[1,[2]]");
    expect_row(list, 2, "\"x\"");
    expect_row(list, 3, "12");
    expect_row(list, 4, "true");
    assert_true(list->has_more);
    arena_close(arena);
}

static void a_row_that_is_no_json_does_not_hide_the_others(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    static const char text[] =
        "{\"data\":[{\"a\":01x},{\"id\":\"b\"}],\"has_more\":false,\"more\":{\"data\":[1]}}";
    assert_int_equal(read_list(arena, text, list), OK);
    assert_int_equal(list->count, 2);
    expect_row(list, 0, "{\"a\":01x}");
    expect_row(list, 1, "{\"id\":\"b\"}");
    assert_false(list->has_more);
    arena_close(arena);
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"data\":{}}",
        "{\"data\":[}",
        "{\"data\":[1",
        "{\"data\":[1,]}",
        "{\"data\":[1 2]}",
        "{\"data\":[1]",
        "{\"data\":[1]} x",
        "{\"data\" [1]}",
        "{\"data\":[\"x]}",
        "{\"has_more\":true}",
        "{\"data\":[],\"has_more\":}",
        "{data:[]}",
    };
    struct arena *arena = arena_open();
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (read_list(arena, wrong[i], list) != ERR_PROTOCOL)
            fail_msg("%s", wrong[i]);
    }
    arena_close(arena);
}

static void more_rows_than_anybody_asks_for_are_no_list(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    struct buf text = buf_new(arena, 4096);
    buf_add_text(&text, "{\"data\":[1");
    for (int i = 1; i < STRIPE_ROWS_MAX; i++)
        buf_add_text(&text, ",1");
    char *most = arena_format(arena, "%s]}", text.data);
    char *beyond = arena_format(arena, "%s,1]}", text.data);
    assert_int_equal(read_list(arena, most, list), OK);
    assert_int_equal(list->count, STRIPE_ROWS_MAX);
    assert_int_equal(read_list(arena, beyond, list), ERR_PROTOCOL);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_keep_the_bytes_that_stripe_sent),
        cmocka_unit_test(a_row_that_is_no_json_does_not_hide_the_others),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(more_rows_than_anybody_asks_for_are_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
