#include "connectors/stripe/stripe_list.h"

#include "base/text.h"

static const char *skip_blank(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind the string that starts at `at`, or NULL. */
static const char *string_end(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
    }
    return *at == '"' ? at + 1 : NULL;
}

/* Behind the value that starts at `at`, or NULL: strings by their quotes, objects and arrays by
 * their balance, anything else up to where it must end. */
static const char *value_end(const char *at)
{
    size_t depth = 0;
    do {
        if (*at == '\0')
            return NULL;
        if (*at == '"') {
            at = string_end(at);
            if (!at)
                return NULL;
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        else if (depth == 0) {
            size_t n = strcspn(at, ",]} \t\r\n\"[{");
            return n ? at + n : NULL;
        }
        at++;
    } while (depth > 0);
    return at;
}

/* The elements of the array at `at`; behind it, or NULL. */
static const char *rows_read(const char *at, struct stripe_list *into)
{
    at = skip_blank(at + 1);
    if (*at == ']')
        return at + 1;
    while (into->count < STRIPE_ROWS_MAX) {
        if (strchr(",]}", *at))
            return NULL;
        const char *end = value_end(at);
        if (!end)
            return NULL;
        into->rows[into->count++] = (struct bytes){(const uint8_t *)at, (size_t)(end - at)};
        at = skip_blank(end);
        if (*at == ']')
            return at + 1;
        if (*at != ',')
            return NULL;
        at = skip_blank(at + 1);
    }
    return NULL;
}

static bool named(const char *key, const char *end, const char *name)
{
    return (size_t)(end - key) == strlen(name) && memcmp(key, name, strlen(name)) == 0;
}

/* One member of the outer object; behind it, or NULL. */
static const char *member_read(const char *at, struct stripe_list *into, bool *has_rows)
{
    if (*at != '"')
        return NULL;
    const char *end = string_end(at);
    if (!end)
        return NULL;
    const char *value = skip_blank(end);
    if (*value != ':')
        return NULL;
    value = skip_blank(value + 1);
    if (*value == '[' && !*has_rows && named(at, end, "\"data\"")) {
        *has_rows = true;
        return rows_read(value, into);
    }
    if (named(at, end, "\"has_more\""))
        into->has_more = text_starts(value, "true");
    return strchr(",]}", *value) ? NULL : value_end(value);
}

static bool list_read(const char *at, struct stripe_list *into)
{
    bool has_rows = false;
    at = skip_blank(at);
    if (*at != '{')
        return false;
    at = skip_blank(at + 1);
    while (*at != '}') {
        at = member_read(at, into, &has_rows);
        if (!at)
            return false;
        at = skip_blank(at);
        if (*at == ',')
            at = skip_blank(at + 1);
        else if (*at != '}')
            return false;
    }
    return has_rows && *skip_blank(at + 1) == '\0';
}

enum err stripe_list_read(struct arena *arena, const char *text, struct stripe_list *into)
{
    into->count = 0;
    into->has_more = false;
    if (!list_read(text, into))
        return arena_fail(arena, ERR_PROTOCOL, "data",
                          "Stripe answered no list of at most %d rows.", STRIPE_ROWS_MAX);
    return OK;
}
