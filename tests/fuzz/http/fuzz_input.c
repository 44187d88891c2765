/* Declared input: bodies and queries of any bytes end in a filled struct or in a named failure. */
#include "http/json_in.h"

struct inner {
    const char *label;
    int64_t count;
};
struct outer {
    const char *name, *note, *amount;
    const struct secret *secret;
    int64_t number, share;
    bool flag, flag_given;
    struct uuid id;
    struct date date;
    struct instant at;
    int word;
    struct input_texts texts;
    struct input_uuids ids;
    struct inner inner;
    struct input_array list;
    const json_t *any;
};
static const char *const words[] = {"one", "two", NULL};
static const struct input_field inner_fields[] = {
    FIELD_TEXT("label", struct inner, label, 1, 10, REQUIRED),
    FIELD_INT("count", struct inner, count, -5, 5, OPTIONAL),
};
static const struct input_field fields[] = {
    FIELD_TEXT("name", struct outer, name, 1, 20, OPTIONAL),
    FIELD_NOTE("note", struct outer, note, 0, 20, OPTIONAL),
    FIELD_SECRET("secret", struct outer, secret, 1, 20, OPTIONAL),
    FIELD_INT("number", struct outer, number, INT64_MIN, INT64_MAX, OPTIONAL),
    FIELD_MILLIONTHS("share", struct outer, share, 0, 1000000, OPTIONAL),
    FIELD_BOOL("flag", struct outer, flag, GIVEN(struct outer, flag_given), .nullable = true),
    FIELD_UUID("id", struct outer, id, OPTIONAL),
    FIELD_DATE("date", struct outer, date, OPTIONAL),
    FIELD_INSTANT("at", struct outer, at, OPTIONAL),
    FIELD_WORD("word", struct outer, word, words, OPTIONAL),
    FIELD_DECIMAL("amount", struct outer, amount, 2, OPTIONAL),
    FIELD_TEXTS("texts", struct outer, texts, 0, 4, OPTIONAL),
    FIELD_UUIDS("ids", struct outer, ids, 0, 4, OPTIONAL),
    FIELD_OBJECT("inner", struct outer, inner, inner_fields, OPTIONAL),
    FIELD_ARRAY("list", struct outer, list, struct inner, inner_fields, 0, 4, OPTIONAL),
    FIELD_JSON("any", struct outer, any, 100, OPTIONAL),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came through keeps its declared bounds. */
static void check(const struct outer *out)
{
    if ((out->name && strlen(out->name) > 80) || out->texts.n > 4 || out->ids.n > 4 ||
        out->list.n > 4 || out->share < 0 || out->share > 1000000 || out->word < 0 || out->word > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct outer body = {0}, query = {0};
    enum err err = input_read_json(arena, (struct bytes){data, size}, fields, COUNT(fields), &body);
    if (err == OK)
        check(&body);
    else if (err != ERR_JSON_MALFORMED && !arena_failure(arena)->field)
        abort();
    const char *text = arena_text_n(arena, (const char *)data, strnlen((const char *)data, size));
    if (input_read_query(arena, text, fields, COUNT(fields), &query) == OK)
        check(&query);
    arena_close(arena);
    return 0;
}
