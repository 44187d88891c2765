#include "unit.h"

#include "json/json.h"

static enum err parse(struct arena *arena, const char *text, json_t **into)
{
    return json_parse(arena, unit_bytes(text), into);
}

static void paths_reach_into_objects_and_forgive_types(void **state)
{
    json_t *value;
    assert_int_equal(
        parse(*state, "{\"a\":{\"b\":{\"c\":\"x\"},\"n\":null},\"i\":7,\"l\":[1]}", &value), OK);
    assert_string_equal(json_text(value, "a.b.c"), "x");
    assert_null(json_text(value, "a.b"));
    assert_null(json_text(value, "a.b.c.d"));
    assert_null(json_at(value, "a.n"));
    assert_int_equal(json_int(value, "i", -1), 7);
    assert_int_equal(json_int(value, "a", -1), -1);
    assert_true(json_bool(value, "missing", true));
    assert_non_null(json_list(value, "l"));
    assert_null(json_list(value, "i"));
    assert_null(json_text(NULL, "a"));
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

static void a_value_that_is_freed_is_wiped(void **state)
{
    (void)state;
    enum { TEXT_BYTES = 3000 }; /* more than the allocator keeps at hand */
    static const char phrase[] = "nine quiet rivers flow east";
    char text[TEXT_BYTES + 1] = "";
    for (size_t i = 0; i + sizeof phrase < TEXT_BYTES; i += sizeof phrase - 1)
        memcpy(text + i, phrase, sizeof phrase);
    json_wipe_freed();
    json_t *value = json_string(text);
    assert_string_equal(json_string_value(value), text);
    json_decref(value);
    assert_false(memory_holds(strlen(text) + 1, phrase));
}

static void what_is_no_json_is_told_with_its_place(void **state)
{
    json_t *value;
    assert_int_equal(parse(*state, "{\"a\":\n1,}", &value), ERR_JSON_MALFORMED);
    assert_non_null(strstr(arena_failure(*state)->detail, "Line 2"));
    assert_int_equal(parse(*state, "", &value), ERR_JSON_MALFORMED);
    assert_int_equal(parse(*state, "{\"a\":1,\"a\":2}", &value), ERR_FIELD_DUPLICATE);
    assert_int_equal(parse(*state, "\"\xff\"", &value), ERR_JSON_MALFORMED);
}

static void what_is_no_json_is_not_quoted(void **state)
{
    json_t *value;
    const char *const told[] = {"{\"password\":hunter2}", "{\"password\":\"hunter2\\s\"}",
                                "{\"password\":\"hunter2\" \"b\":1}", "{\"pin\":[hunter2,1]}"};
    for (size_t i = 0; i < COUNT(told); i++) {
        assert_int_equal(parse(*state, told[i], &value), ERR_JSON_MALFORMED);
        assert_null(strstr(arena_failure(*state)->detail, "hunter"));
        assert_non_null(strstr(arena_failure(*state)->detail, "Line 1, column "));
    }
}

static void depth_has_a_limit_outside_strings(void **state)
{
    struct buf deep = buf_new(*state, 10000);
    json_t *value;
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&deep, '[');
    buf_add_text(&deep, "\"[[[[\\\"[[[\"");
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&deep, ']');
    assert_int_equal(json_parse(*state, buf_bytes(&deep), &value), OK);
    char *deeper = arena_format(*state, "[%s]", deep.data);
    assert_int_equal(parse(*state, deeper, &value), ERR_JSON_MALFORMED);
}

static void writing_is_canonical(void **state)
{
    json_t *value;
    assert_int_equal(parse(*state, "{ \"b\" : [1, 2.50], \"a\" : \"\xc3\xa9\" }", &value), OK);
    assert_string_equal(json_write(*state, value), "{\"a\":\"\xc3\xa9\",\"b\":[1,2.5]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(paths_reach_into_objects_and_forgive_types),
        WITH_ARENA(what_is_no_json_is_told_with_its_place),
        WITH_ARENA(a_value_that_is_freed_is_wiped),
        WITH_ARENA(what_is_no_json_is_not_quoted),
        WITH_ARENA(depth_has_a_limit_outside_strings),
        WITH_ARENA(writing_is_canonical),
    };
    return RUN(tests);
}
