/* What Stripe's sentences mean, and what a marker remembers. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/text.h"
#include "connectors/stripe/stripe_call.h"
#include "connectors/stripe/stripe_marker.h"

static void stripes_sentences_have_their_meaning(void **state)
{
    (void)state;
    static const struct {
        enum mcp_channel channel;
        const char *text;
        enum err err;
        const char *field;
    } rows[] = {
        {MCP_REFUSED,
         "No account found for the provided stripe_context and livemode. Use the tool.", ERR_SCOPE,
         "account"},
        {MCP_REFUSED, "The provided account acct_1 is a sandbox account. Retry with livemode.",
         ERR_VALIDATION, "livemode"},
        {MCP_REFUSED, "Something else", ERR_PROTOCOL, NULL},
        {MCP_TOOL_ERROR, "Operation 'GetEvents' is not available. Use stripe_api_search.",
         ERR_VALIDATION, "operation"},
        {MCP_TOOL_ERROR, "Your API key does not have the required permissions for 'GetCharges'.",
         ERR_SCOPE, "permissions"},
        {MCP_TOOL_ERROR, "Stripe API error: No such charge: 'ch_1'", ERR_ABSENT, NULL},
        {MCP_TOOL_ERROR, "Stripe API error: This property cannot be expanded (customer).",
         ERR_VALIDATION, "expand"},
        {MCP_TOOL_ERROR, "Stripe API error: Received unknown parameter: x\n\nUse details.",
         ERR_VALIDATION, "parameters"},
        {MCP_TOOL_ERROR, "Stripe API error: Request rate limit exceeded.", ERR_TRANSIENT, "rate"},
        {MCP_TOOL_ERROR, "Too many requests", ERR_TRANSIENT, "rate"},
        {MCP_TOOL_ERROR, "MCP error -32602: Tool x not found", ERR_VALIDATION, "tool"},
        {MCP_TOOL_ERROR, "Stripe API error: Nobody knows this one.", ERR_TRANSIENT, "stripe"},
        {MCP_TOOL_ERROR, NULL, ERR_TRANSIENT, "stripe"},
        {MCP_RPC_ERROR, "no such method", ERR_ABSENT, NULL},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct mcp_reply reply = {.channel = rows[i].channel, .text = rows[i].text};
        enum err err = stripe_classify(arena, &reply);
        if (err != rows[i].err || !text_equal(arena_failure(arena)->field, rows[i].field))
            fail_msg("%s: %s, %s", rows[i].text, err_slug(err), arena_failure(arena)->field);
    }
    const struct mcp_reply unknown = {.channel = MCP_RPC_ERROR, .code = -32601, .text = "x"};
    assert_int_equal(stripe_classify(arena, &unknown), ERR_VALIDATION);
    arena_close(arena);
}

static void words_of_a_server_are_cut_and_cleaned(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    char text[2 * MCP_TEXT_BYTES_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(strlen(mcp_excerpt(arena, text)), MCP_TEXT_BYTES_MAX);
    assert_string_equal(mcp_excerpt(arena, "a\r\nb\x1b[1m\xff\xc3\xa9"), "a  b [1m \xc3\xa9");
    assert_string_equal(mcp_excerpt(arena, NULL), "");
    arena_close(arena);
}

static struct stripe_marker marker_of(struct arena *arena, const char *text)
{
    struct stripe_marker marker;
    assert_int_equal(stripe_marker_read(arena, text, instant_from_unix_s(1000), &marker), OK);
    return marker;
}

static void a_marker_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_marker marker = marker_of(arena, NULL);
    assert_true(marker.objects.scan.active);
    assert_int_equal(marker.objects.scan.gte, 1000);
    marker.objects.scan.after = "ch_9";
    marker.objects.scan.newest = 5000;
    marker.transactions.watermark = 4000;
    assert_false(stripe_seen_before(&marker, (struct stripe_seen){"ch_1", "aa", 4990}));
    assert_false(stripe_booked_before(&marker, (struct stripe_seen){"txn_1", "", 3999}));
    assert_true(stripe_open_watch(&marker, "ch_2", 4000, 5000));
    assert_true(stripe_queue_add(&marker, "ch_3"));
    stripe_seen_prune(&marker);
    const char *text = stripe_marker_write(&marker);
    struct stripe_marker again = marker_of(arena, text);
    assert_string_equal(stripe_marker_write(&again), text);
    assert_true(stripe_seen_before(&again, (struct stripe_seen){"ch_1", "aa", 4990}));
    assert_false(stripe_seen_before(&again, (struct stripe_seen){"ch_1", "bb", 4990}));
    assert_true(stripe_booked_before(&again, (struct stripe_seen){"txn_1", "", 3999}));
    assert_string_equal(again.queue[0], "ch_3");
    assert_string_equal(again.objects.scan.after, "ch_9");
    arena_close(arena);
}

static void a_text_that_is_no_marker_is_an_error(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "{}", "[]", "{\"version\":2}", "x"};
    struct arena *arena = arena_open();
    struct stripe_marker marker;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(stripe_marker_read(arena, wrong[i], instant_from_unix_s(1), &marker),
                         ERR_INTERNAL);
    arena_close(arena);
}

static void what_is_older_than_the_overlap_is_forgotten(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_marker marker = marker_of(arena, NULL);
    marker.objects.watermark = 10000;
    for (int i = 0; i < 2 * STRIPE_SEEN_MAX; i++)
        stripe_seen_before(&marker, (struct stripe_seen){arena_format(arena, "ch_%d", i), "h",
                                                         10000 - STRIPE_OVERLAP_S - 1 + i});
    stripe_seen_prune(&marker);
    assert_int_equal(marker.seen_count, STRIPE_SEEN_MAX);
    assert_string_equal(marker.seen[0].id, arena_format(arena, "ch_%d", 2 * STRIPE_SEEN_MAX - 1));
    marker.objects.watermark = 20000;
    stripe_seen_prune(&marker);
    assert_int_equal(marker.seen_count, 0);
    arena_close(arena);
}

static void the_watch_checks_old_objects_rarely_and_gives_up_the_oldest(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_marker marker = marker_of(arena, NULL);
    stripe_open_watch(&marker, "young", 100000, 100000);
    stripe_open_watch(&marker, "old", 100000 - 36000, 100000);
    stripe_open_watch(&marker, "ancient", 1, 100000000);
    assert_int_equal(marker.open[0].check_at - 100000, 60);
    assert_int_equal(marker.open[1].check_at - 100000, 3600);
    assert_int_equal(marker.open[2].check_at - 100000000, 6 * 3600);
    stripe_open_drop(&marker, "old");
    stripe_open_drop(&marker, "unknown");
    assert_int_equal(marker.open_count, 2);
    while (marker.open_count < STRIPE_OPEN_MAX)
        assert_true(stripe_open_watch(&marker, arena_format(arena, "ch_%zu", marker.open_count),
                                      200000, 200000));
    assert_false(stripe_open_watch(&marker, "one_more", 200000, 200000));
    assert_int_equal(marker.open_count, STRIPE_OPEN_MAX);
    for (size_t i = 0; i < marker.open_count; i++)
        assert_string_not_equal(marker.open[i].id, "ancient");
    arena_close(arena);
}

/* It lies in the overlap, so that every poll meets it. */
static void meeting_an_open_object_again_leaves_the_marker_as_it_is(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_marker marker = marker_of(arena, NULL);
    stripe_open_watch(&marker, "re_1", 100000, 100000);
    const char *text = stripe_marker_write(&marker);
    assert_true(stripe_open_watch(&marker, "re_1", 100000, 100003));
    assert_true(stripe_open_watch(&marker, "re_1", 100000, 100059));
    assert_string_equal(stripe_marker_write(&marker), text);
    assert_true(stripe_open_watch(&marker, "re_1", 100000, 101000));
    assert_int_equal(marker.open[0].check_at, 101000 + 100);
    assert_int_equal(marker.open_count, 1);
    arena_close(arena);
}

static void the_queue_holds_an_object_once_and_has_an_end(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct stripe_marker marker = marker_of(arena, NULL);
    for (int i = 0; i < STRIPE_QUEUE_MAX; i++)
        assert_true(stripe_queue_add(&marker, arena_format(arena, "ch_%d", i)));
    assert_true(stripe_queue_add(&marker, "ch_0"));
    assert_false(stripe_queue_add(&marker, "ch_x"));
    assert_int_equal(marker.queue_count, STRIPE_QUEUE_MAX);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stripes_sentences_have_their_meaning),
        cmocka_unit_test(words_of_a_server_are_cut_and_cleaned),
        cmocka_unit_test(a_marker_comes_back_as_it_was_written),
        cmocka_unit_test(a_text_that_is_no_marker_is_an_error),
        cmocka_unit_test(what_is_older_than_the_overlap_is_forgotten),
        cmocka_unit_test(the_watch_checks_old_objects_rarely_and_gives_up_the_oldest),
        cmocka_unit_test(meeting_an_open_object_again_leaves_the_marker_as_it_is),
        cmocka_unit_test(the_queue_holds_an_object_once_and_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
