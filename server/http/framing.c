#include "http/framing.h"

#include "base/text.h"

/* Fields of which a second one would make the request mean two things. */
static const char *const single_fields[] = {"host",         "content-length",  "authorization",
                                            "content-type", "idempotency-key", "if-match"};

static bool standing_twice(const struct http_field *fields, size_t count, const char *name)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += strcmp(fields[i].name, name) == 0;
    return seen > 1;
}

static enum err check_field(struct arena *arena, const struct http_field *field)
{
    if (!http_token_valid(field->name))
        return arena_fail(arena, ERR_REQUEST_MALFORMED, NULL, "The name of a header is no token.");
    if (!http_value_valid(field->value))
        return arena_fail(arena, ERR_REQUEST_MALFORMED, field->name,
                          "The value of a header has control bytes.");
    if (strcmp(field->name, "transfer-encoding") == 0)
        return arena_fail(arena, ERR_LENGTH_REQUIRED, field->name,
                          "Bodies come with a Content-Length.");
    return OK;
}

static bool length_parse(const char *text, uint64_t *into)
{
    size_t digits = strspn(text, "0123456789");
    int64_t value;
    if (digits == 0 || text[digits] || !int64_parse(text, 0, INT64_MAX, &value))
        return false;
    *into = (uint64_t)value;
    return true;
}

enum err framing_check(struct arena *arena, const struct http_field *fields, size_t count,
                       uint64_t *content_length)
{
    *content_length = 0;
    if (count > FIELDS_MAX)
        return arena_fail(arena, ERR_REQUEST_MALFORMED, NULL, "There are more than %d headers.",
                          FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(check_field(arena, &fields[i]));
        if (strcmp(fields[i].name, "content-length") == 0 &&
            !length_parse(fields[i].value, content_length))
            return arena_fail(arena, ERR_REQUEST_MALFORMED, "content-length",
                              "The length of the body is no number.");
    }
    for (size_t i = 0; i < COUNT(single_fields); i++) {
        if (standing_twice(fields, count, single_fields[i]))
            return arena_fail(arena, ERR_REQUEST_MALFORMED, single_fields[i],
                              "This header may stand once.");
    }
    return OK;
}

enum err framing_target(struct arena *arena, const char *target, const char **path,
                        const char **query)
{
    size_t n = strlen(target);
    bool shaped = target[0] == '/' && n <= TARGET_BYTES_MAX;
    for (size_t i = 0; shaped && i < n; i++)
        shaped = target[i] > 0x20 && target[i] < 0x7f && target[i] != '#';
    if (!shaped)
        return arena_fail(arena, ERR_REQUEST_MALFORMED, NULL,
                          "The request target is no path with a query, or longer than %d bytes.",
                          TARGET_BYTES_MAX);
    size_t path_n = strcspn(target, "?");
    *path = arena_text_n(arena, target, path_n);
    *query = arena_text(arena, target + path_n + (target[path_n] == '?'));
    return OK;
}
