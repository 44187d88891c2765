#include "json/json.h"

#include "base/secret.h"
#include "base/text.h"

enum { PATH_PART_BYTES_MAX = 128 };

void json_wipe_freed(void)
{
    json_set_alloc_funcs(malloc, wiping_free);
}

static void json_release(void *value)
{
    json_decref(value);
}

json_t *json_keep(struct arena *arena, json_t *value)
{
    if (value)
        arena_defer(arena, json_release, value);
    return value;
}

/* jansson recurses to a fixed depth of its own (2048); ours is lower and has a name. */
static bool depth_allowed(struct bytes text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.at[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return false;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

/* What jansson has to say, without the text that it quotes: that may be half a password. */
static int reason_bytes(const json_error_t *error)
{
    const char *quoted = strstr(error->text, " near '");
    return (int)(quoted ? (size_t)(quoted - error->text) : strlen(error->text));
}

enum err json_parse(struct arena *arena, struct bytes text, json_t **into)
{
    if (!depth_allowed(text))
        return arena_fail(arena, ERR_JSON_MALFORMED, NULL,
                          "The JSON is nested deeper than %d levels.", JSON_DEPTH_MAX);
    json_error_t error;
    json_t *value =
        json_loadb((const char *)text.at, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value && json_error_code(&error) == json_error_duplicate_key)
        return arena_fail(arena, ERR_FIELD_DUPLICATE, NULL,
                          "Line %d, column %d: a key stands twice.", error.line, error.column);
    if (!value)
        return arena_fail(arena, ERR_JSON_MALFORMED, NULL, "Line %d, column %d: %.*s.", error.line,
                          error.column, reason_bytes(&error), error.text);
    *into = json_keep(arena, value);
    return OK;
}

static int add_to_buf(const char *data, size_t n, void *context)
{
    return buf_add(context, data, n) ? 0 : -1;
}

char *json_write(struct arena *arena, const json_t *value)
{
    struct buf text = buf_new(arena, SIZE_MAX / 2);
    json_dump_callback(value, add_to_buf, &text, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return text.data;
}

json_t *json_at(const json_t *object, const char *path)
{
    json_t *at = NULL;
    const json_t *in = object;
    while (in && *path) {
        char part[PATH_PART_BYTES_MAX];
        size_t n = strcspn(path, ".");
        assert(n < sizeof part);
        memcpy(part, path, n);
        part[n] = '\0';
        at = json_object_get(in, part);
        in = at;
        path += n + (path[n] == '.');
    }
    return in && at && !json_is_null(at) ? at : NULL;
}

const char *json_text(const json_t *object, const char *path)
{
    return json_string_value(json_at(object, path));
}

int64_t json_int(const json_t *object, const char *path, int64_t otherwise)
{
    const json_t *value = json_at(object, path);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_bool(const json_t *object, const char *path, bool otherwise)
{
    const json_t *value = json_at(object, path);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const json_t *json_list(const json_t *object, const char *path)
{
    const json_t *value = json_at(object, path);
    return json_is_array(value) ? value : NULL;
}

const json_t *json_object_at(const json_t *object, const char *path)
{
    const json_t *value = json_at(object, path);
    return json_is_object(value) ? value : NULL;
}
