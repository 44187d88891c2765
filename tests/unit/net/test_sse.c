#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "net/sse.h"

struct heard {
    struct arena *arena;
    struct buf text; /* "type=data|" of each event */
    int stop_after;
};

static bool hear(void *context, const struct sse_event *event)
{
    struct heard *heard = context;
    buf_format(&heard->text, "%s=%s|", event->type, (const char *)event->data.at);
    return --heard->stop_after != 0;
}

static int open_arena(void **state)
{
    *state = arena_open();
    return 0;
}

static int close_arena(void **state)
{
    arena_close(*state);
    return 0;
}

/* The stream in pieces of every size from whole to single bytes: the events are the same. */
static void expect_events(struct arena *arena, const char *stream, size_t n, const char *events)
{
    for (size_t size = 1; size <= n; size++) {
        struct heard heard = {.arena = arena, .text = buf_new(arena, 4096)};
        struct sse sse = sse_new(arena, 1024, hear, &heard);
        for (size_t at = 0; at < n; at += size) {
            size_t piece = n - at < size ? n - at : size;
            assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)stream + at, piece}));
        }
        assert_string_equal(heard.text.data, events);
    }
}

static void lines_end_in_three_ways(void **state)
{
    static const char stream[] = "data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\n";
    expect_events(*state, stream, sizeof stream - 1, "message=a|message=b|message=c|message=d|");
}

static void fields_are_read_as_the_standard_says(void **state)
{
    static const char stream[] = "\xef\xbb\xbf"
                                 "data:one\ndata\ndata:  two\n\n"
                                 ": comment\nevent: ping\ndata: x\nunknown: y\n\n"
                                 "event: lost\n\ndata: z\n\n"
                                 "data: half";
    expect_events(*state, stream, sizeof stream - 1, "message=one\n\n two|ping=x|message=z|");
}

static void an_event_without_data_still_moves_the_cursor(void **state)
{
    static const char stream[] = "id: 7\nretry: 250\ndata:\n\nid: not yet\n";
    struct heard heard = {.arena = *state, .text = buf_new(*state, 4096)};
    struct sse sse = sse_new(*state, 1024, hear, &heard);
    assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)stream, sizeof stream - 1}));
    assert_string_equal(heard.text.data, "");
    assert_string_equal(sse.last_id, "7");
    assert_int_equal(sse.retry_ms, 250);
}

static void bad_ids_and_retries_are_ignored(void **state)
{
    static const char stream[] = "id: a\0b\nretry: 12x\nretry: -1\ndata: x\n\n";
    struct heard heard = {.arena = *state, .text = buf_new(*state, 4096)};
    struct sse sse = sse_new(*state, 1024, hear, &heard);
    assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)stream, sizeof stream - 1}));
    assert_string_equal(sse.last_id, "");
    assert_int_equal(sse.retry_ms, -1);
}

static void a_line_or_event_beyond_the_limit_ends_the_stream(void **state)
{
    struct heard heard = {.arena = *state, .text = buf_new(*state, 4096)};
    struct sse sse = sse_new(*state, 16, hear, &heard);
    assert_false(sse_feed(&sse, (struct bytes){(const uint8_t *)"data: 0123456789a", 17}));
    sse = sse_new(*state, 16, hear, &heard);
    assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)"data: 01234567\n", 15}));
    assert_false(sse_feed(&sse, (struct bytes){(const uint8_t *)"data: 01234567\n", 15}));
}

static void who_has_heard_enough_hears_no_more(void **state)
{
    struct heard heard = {.arena = *state, .text = buf_new(*state, 4096), .stop_after = 1};
    struct sse sse = sse_new(*state, 1024, hear, &heard);
    assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)"data: a\n\ndata: b\n\n", 18}));
    assert_string_equal(heard.text.data, "message=a|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_end_in_three_ways, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(fields_are_read_as_the_standard_says, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(an_event_without_data_still_moves_the_cursor, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(bad_ids_and_retries_are_ignored, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_line_or_event_beyond_the_limit_ends_the_stream,
                                        open_arena, close_arena),
        cmocka_unit_test_setup_teardown(who_has_heard_enough_hears_no_more, open_arena,
                                        close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
