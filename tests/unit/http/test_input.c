#include "unit.h"

#include "http/json_in.h"

enum colour { RED, GREEN };
static const char *const colours[] = {"red", "green", NULL};

struct line {
    const char *label;
    int64_t count;
};
struct nested {
    int64_t flow, hold;
};
struct body {
    const char *name;
    const char *note;
    const struct secret *password;
    int64_t period_s;
    bool active, active_given;
    struct uuid id;
    struct date from;
    struct instant at;
    enum colour colour;
    const char *amount;
    struct input_texts tags;
    struct input_uuids ids;
    struct nested thresholds;
    bool thresholds_given;
    struct input_array lines;
    const json_t *mapping;
    const char *until;
    bool until_given;
};

static const struct input_field nested_fields[] = {
    FIELD_MILLIONTHS("flow", struct nested, flow, 0, 1000000, OPTIONAL),
    FIELD_MILLIONTHS("hold", struct nested, hold, 0, 1000000, OPTIONAL),
};
static const struct input_field line_fields[] = {
    FIELD_TEXT("label", struct line, label, 1, 10, REQUIRED),
    FIELD_INT("count", struct line, count, 0, 9, OPTIONAL),
};
static const struct input_field body_fields[] = {
    FIELD_TEXT("name", struct body, name, 1, 5, REQUIRED),
    FIELD_NOTE("note", struct body, note, 0, 50, OPTIONAL),
    FIELD_SECRET("password", struct body, password, 4, 8, OPTIONAL),
    FIELD_INT("period_s", struct body, period_s, 60, 3600, OPTIONAL),
    FIELD_BOOL("active", struct body, active, GIVEN(struct body, active_given)),
    FIELD_UUID("id", struct body, id, OPTIONAL),
    FIELD_DATE("from", struct body, from, OPTIONAL),
    FIELD_INSTANT("at", struct body, at, OPTIONAL),
    FIELD_WORD("colour", struct body, colour, colours, OPTIONAL),
    FIELD_DECIMAL("amount", struct body, amount, 2, OPTIONAL),
    FIELD_TEXTS("tags", struct body, tags, 1, 3, OPTIONAL),
    FIELD_UUIDS("ids", struct body, ids, 0, 2, OPTIONAL),
    FIELD_OBJECT("thresholds", struct body, thresholds, nested_fields,
                 GIVEN(struct body, thresholds_given)),
    FIELD_ARRAY("lines", struct body, lines, struct line, line_fields, 0, 2, OPTIONAL),
    FIELD_JSON("mapping", struct body, mapping, 30, OPTIONAL),
    FIELD_TEXT("until", struct body, until, 1, 9, GIVEN(struct body, until_given),
               .nullable = true),
};
#define ID  "0193478e-1111-7abc-8def-0123456789ab"
#define NIL "00000000-0000-0000-0000-000000000000"

static enum err read(struct arena *arena, const char *json, struct body *into)
{
    *into = (struct body){.period_s = 900, .thresholds = {850000, 550000}};
    return input_read_json(arena, unit_bytes(json), body_fields, COUNT(body_fields), into);
}

static void every_type_reaches_its_member(void **state)
{
    struct body in;
    enum err err =
        read(*state,
             "{\"name\":\"caf\\u00e9s\",\"note\":\"a\\nb\",\"password\":\"abcd\","
             "\"period_s\":60,\"active\":false,\"id\":\"" ID "\",\"from\":\"2026-02-28\","
             "\"at\":\"2026-11-20T10:00:00+01:00\",\"colour\":\"green\","
             "\"amount\":\"-12.50\",\"tags\":[\"a\",\"b\"],\"ids\":[\"" ID "\"],"
             "\"thresholds\":{\"flow\":0.9},\"lines\":[{\"label\":\"x\",\"count\":3},"
             "{\"label\":\"y\"}],\"mapping\":{\"k\":[1]},\"until\":null}",
             &in);
    assert_int_equal(err, OK);
    assert_string_equal(in.name, "caf\u00e9s");
    assert_string_equal(in.note, "a\nb");
    assert_string_equal(secret_text(in.password), "abcd");
    assert_int_equal(in.period_s, 60);
    assert_true(in.active_given && !in.active);
    assert_string_equal(uuid_format(*state, in.id), ID);
    assert_string_equal(date_format(*state, in.from), "2026-02-28");
    assert_string_equal(instant_format(*state, in.at), "2026-11-20T09:00:00.000Z");
    assert_int_equal(in.colour, GREEN);
    assert_string_equal(in.amount, "-12.50");
    assert_int_equal(in.tags.n, 2);
    assert_string_equal(in.tags.at[1], "b");
    assert_int_equal(in.ids.n, 1);
    assert_int_equal(in.thresholds.flow, 900000);
    assert_int_equal(in.thresholds.hold, 550000);
    assert_int_equal(in.lines.n, 2);
    const struct line *lines = in.lines.at;
    assert_string_equal(lines[1].label, "y");
    assert_int_equal(lines[0].count, 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(in.mapping, "k"), 0)), 1);
    assert_true(in.until_given && !in.until);
}

static void absent_fields_leave_the_defaults(void **state)
{
    struct body in;
    assert_int_equal(read(*state, "{\"name\":\"x\"}", &in), OK);
    assert_int_equal(in.period_s, 900);
    assert_int_equal(in.thresholds.flow, 850000);
    assert_false(in.active_given || in.thresholds_given || in.until_given);
}

struct refusal {
    const char *json;
    enum err err;
    const char *field; /* NULL: none named */
};

static void refusals_name_the_field(void **state)
{
    static const struct refusal cases[] = {
        {"", ERR_JSON_MALFORMED, NULL},
        {"{", ERR_JSON_MALFORMED, NULL},
        {"[]", ERR_JSON_MALFORMED, NULL},
        {"7", ERR_JSON_MALFORMED, NULL},
        {"{}", ERR_FIELD_MISSING, "name"},
        {"{\"name\":\"x\",\"nam\":1}", ERR_FIELD_UNKNOWN, "nam"},
        {"{\"name\":\"x\",\"name\":\"y\"}", ERR_FIELD_DUPLICATE, "name"},
        {"{\"name\":\"x\",\"lines\":[{},{\"label\":\"a\",\"k\":{\"z\":[1,2,{}]},\"label\":\"b\"}]}",
         ERR_FIELD_DUPLICATE, "lines.1.label"},
        {"{\"name\":7}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":null}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":\"\"}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":\"  \"}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":\"sixsix\"}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":\"a\\nb\"}", ERR_FIELD_INVALID, "name"},
        {"{\"name\":\"a\\u0000b\"}", ERR_JSON_MALFORMED, NULL},
        {"{\"name\":\"x\",\"note\":\"\\u0001\"}", ERR_FIELD_INVALID, "note"},
        {"{\"name\":\"x\",\"password\":\"abc\"}", ERR_FIELD_INVALID, "password"},
        {"{\"name\":\"x\",\"period_s\":59}", ERR_FIELD_INVALID, "period_s"},
        {"{\"name\":\"x\",\"period_s\":60.0}", ERR_FIELD_INVALID, "period_s"},
        {"{\"name\":\"x\",\"period_s\":\"60\"}", ERR_FIELD_INVALID, "period_s"},
        {"{\"name\":\"x\",\"active\":0}", ERR_FIELD_INVALID, "active"},
        {"{\"name\":\"x\",\"id\":\"7\"}", ERR_FIELD_INVALID, "id"},
        {"{\"name\":\"x\",\"id\":\"" NIL "\"}", ERR_FIELD_INVALID, "id"},
        {"{\"name\":\"x\",\"ids\":[\"" NIL "\"]}", ERR_FIELD_INVALID, "ids.0"},
        {"{\"name\":\"x\",\"at\":\"1970-01-01T00:00:00Z\"}", ERR_FIELD_INVALID, "at"},
        {"{\"name\":\"x\",\"from\":\"2026-02-30\"}", ERR_FIELD_INVALID, "from"},
        {"{\"name\":\"x\",\"at\":\"yesterday\"}", ERR_FIELD_INVALID, "at"},
        {"{\"name\":\"x\",\"colour\":\"blue\"}", ERR_FIELD_INVALID, "colour"},
        {"{\"name\":\"x\",\"amount\":12.5}", ERR_FIELD_INVALID, "amount"},
        {"{\"name\":\"x\",\"amount\":\"1.234\"}", ERR_FIELD_INVALID, "amount"},
        {"{\"name\":\"x\",\"amount\":\"1.\"}", ERR_FIELD_INVALID, "amount"},
        {"{\"name\":\"x\",\"amount\":\"1e3\"}", ERR_FIELD_INVALID, "amount"},
        {"{\"name\":\"x\",\"amount\":\"12345678901234567.89\"}", ERR_FIELD_INVALID, "amount"},
        {"{\"name\":\"x\",\"tags\":[]}", ERR_FIELD_INVALID, "tags"},
        {"{\"name\":\"x\",\"tags\":[\"a\",1]}", ERR_FIELD_INVALID, "tags.1"},
        {"{\"name\":\"x\",\"ids\":[\"a\"]}", ERR_FIELD_INVALID, "ids.0"},
        {"{\"name\":\"x\",\"thresholds\":{\"flow\":1.1}}", ERR_FIELD_INVALID, "thresholds.flow"},
        {"{\"name\":\"x\",\"thresholds\":{\"stop\":1}}", ERR_FIELD_UNKNOWN, "thresholds.stop"},
        {"{\"name\":\"x\",\"thresholds\":[]}", ERR_FIELD_INVALID, "thresholds"},
        {"{\"name\":\"x\",\"lines\":[{\"count\":1}]}", ERR_FIELD_MISSING, "lines.0.label"},
        {"{\"name\":\"x\",\"lines\":[{\"label\":\"a\"},{\"label\":\"a\"},{\"label\":\"a\"}]}",
         ERR_FIELD_INVALID, "lines"},
        {"{\"name\":\"x\",\"mapping\":{\"k\":\"longer than thirty bytes\"}}", ERR_FIELD_INVALID,
         "mapping"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct body in;
        arena_failure_clear(*state);
        assert_int_equal(read(*state, cases[i].json, &in), cases[i].err);
        if (cases[i].field)
            assert_string_equal(arena_failure(*state)->field, cases[i].field);
    }
}

struct query {
    int64_t limit;
    const char *text;
    bool dry_run;
    struct uuid id;
    enum colour colour;
};
static const struct input_field query_fields[] = {
    FIELD_INT("limit", struct query, limit, 1, 100, OPTIONAL),
    FIELD_TEXT("text", struct query, text, 1, 20, OPTIONAL),
    FIELD_BOOL("dry_run", struct query, dry_run, OPTIONAL),
    FIELD_UUID("id", struct query, id, OPTIONAL),
    FIELD_WORD("colour", struct query, colour, colours, OPTIONAL),
};

static enum err ask(struct arena *arena, const char *text, struct query *into)
{
    *into = (struct query){.limit = 25};
    return input_read_query(arena, text, query_fields, COUNT(query_fields), into);
}

static void queries_are_read_by_the_same_tables(void **state)
{
    struct query query;
    assert_int_equal(ask(*state, "", &query), OK);
    assert_int_equal(query.limit, 25);
    assert_int_equal(
        ask(*state, "limit=7&text=caf%C3%A9+%26+co&dry_run=true&id=" ID "&colour=green", &query),
        OK);
    assert_int_equal(query.limit, 7);
    assert_string_equal(query.text, "caf\u00e9 & co");
    assert_true(query.dry_run);
    assert_int_equal(query.colour, GREEN);
}

static void a_wrong_parameter_is_named(void **state)
{
    static const struct refusal cases[] = {
        {"limt=3", 0, "limt"},
        {"limit=0", 0, "limit"},
        {"limit=101", 0, "limit"},
        {"limit=+3", 0, "limit"},
        {"limit=3&limit=4", 0, "limit"},
        {"limit", 0, "limit"},
        {"text=%", 0, "text"},
        {"text=%ff", 0, "text"},
        {"text=%0a", 0, "text"},
        {"dry_run=1", 0, "dry_run"},
        {"id=x", 0, "id"},
        {"colour=", 0, "colour"},
        {"%6cimit=0", 0, "limit"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct query query;
        assert_int_equal(ask(*state, cases[i].json, &query), ERR_PARAMETER_INVALID);
        assert_string_equal(arena_failure(*state)->field, cases[i].field);
    }
}

static void media_types_are_read_with_their_parameters(void **state)
{
    (void)state;
    assert_true(media_type_json("application/json"));
    assert_true(media_type_json("Application/JSON; charset=utf-8"));
    assert_false(media_type_json("application/jsonp"));
    assert_false(media_type_json("text/plain"));
    assert_false(media_type_json(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(every_type_reaches_its_member),
        WITH_ARENA(absent_fields_leave_the_defaults),
        WITH_ARENA(refusals_name_the_field),
        WITH_ARENA(queries_are_read_by_the_same_tables),
        WITH_ARENA(a_wrong_parameter_is_named),
        WITH_ARENA(media_types_are_read_with_their_parameters),
    };
    return RUN(tests);
}
