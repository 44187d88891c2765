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
        WITH_ARENA(what_is_no_json_is_not_quoted),
        WITH_ARENA(depth_has_a_limit_outside_strings),
        WITH_ARENA(writing_is_canonical),
    };
    return RUN(tests);
}
