#include "unit.h"

#include "base/buf.h"
#include "base/secret.h"

struct trace {
    int order[4];
    int n;
};

static struct trace trace;

static void first(void *object)
{
    trace.order[trace.n++] = 1;
    (void)object;
}

static void second(void *object)
{
    trace.order[trace.n++] = 2;
    (void)object;
}

static void memory_is_zeroed_and_aligned_also_after_a_reset(void **state)
{
    struct arena *arena = *state;
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 70000; size = size * 3 + 1) {
            uint8_t *memory = arena_alloc(arena, size);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xff, size);
        }
        arena_reset(arena);
    }
}

/* Whether the next piece of memory of this size, as it comes, holds the phrase. */
static bool memory_holds(size_t size, const char *phrase)
{
    void *(*volatile get)(size_t) = malloc;
    uint8_t *memory = get(size);
    size_t n = strlen(phrase);
    bool held = false;
    for (size_t i = 0; !held && i + n <= size; i++)
        held = memcmp(memory + i, phrase, n) == 0;
    free(memory);
    return held;
}

static void what_was_in_an_arena_is_not_in_the_memory_that_follows(void **state)
{
    (void)state;
    static const char phrase[] = "nine quiet rivers flow east";
    enum { BYTES = 60000 };
    struct arena *arena = arena_open();
    char *text = arena_alloc(arena, BYTES);
    for (size_t i = 0; i + sizeof phrase < BYTES; i += sizeof phrase)
        memcpy(text + i, phrase, sizeof phrase);
    arena_close(arena);
    assert_false(memory_holds(BYTES, phrase));
}

static void releases_run_in_reverse_order_once(void **state)
{
    struct arena *arena = *state;
    trace = (struct trace){0};
    arena_defer(arena, first, arena);
    arena_defer(arena, second, arena);
    arena_reset(arena);
    arena_reset(arena);
    assert_int_equal(trace.n, 2);
    assert_int_equal(trace.order[0], 2);
    assert_int_equal(trace.order[1], 1);
}

static void a_failure_is_kept_until_the_reset(void **state)
{
    struct arena *arena = *state;
    assert_int_equal(arena_failure(arena)->code, OK);
    assert_int_equal(arena_fail(arena, ERR_STALE, "version", "It was %d.", 3), ERR_STALE);
    assert_string_equal(arena_failure(arena)->field, "version");
    assert_string_equal(arena_failure(arena)->detail, "It was 3.");
    assert_int_equal(arena_fail_retry(arena, ERR_TRANSIENT, 7, "Later."), ERR_TRANSIENT);
    assert_int_equal(arena_failure(arena)->retry_after_s, 7);
    arena_reset(arena);
    assert_int_equal(arena_failure(arena)->code, OK);
}

static void a_buffer_grows_to_its_cap_and_says_so(void **state)
{
    struct buf buf = buf_new(*state, 1000);
    for (int i = 0; i < 100; i++)
        assert_true(buf_add_text(&buf, "0123456789"));
    assert_false(buf_add_char(&buf, 'x'));
    assert_true(buf.overflowed);
    assert_int_equal(buf.n, 1000);
    assert_int_equal(strlen(buf.data), 1000);
}

static void json_text_escapes_and_repairs(void **state)
{
    struct buf buf = buf_new(*state, 1000);
    buf_add_json(&buf, "a\"\\\n\x01\x7f\xc3\xa9\xff\xf0\x9f\x98\x80");
    assert_string_equal(buf.data,
                        "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\xf0\x9f\x98\x80\"");
}

static void secrets_compare_by_value(void **state)
{
    const struct secret *a = secret_from_text(*state, "same");
    assert_true(secret_equal(a, secret_from_text(*state, "same")));
    assert_false(secret_equal(a, secret_from_text(*state, "samf")));
    assert_false(secret_equal(a, secret_from_text(*state, "sam")));
    assert_null(secret_from_text(*state, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(memory_is_zeroed_and_aligned_also_after_a_reset),
        WITH_ARENA(what_was_in_an_arena_is_not_in_the_memory_that_follows),
        WITH_ARENA(releases_run_in_reverse_order_once),
        WITH_ARENA(a_failure_is_kept_until_the_reset),
        WITH_ARENA(a_buffer_grows_to_its_cap_and_says_so),
        WITH_ARENA(json_text_escapes_and_repairs),
        WITH_ARENA(secrets_compare_by_value),
    };
    return RUN(tests);
}
