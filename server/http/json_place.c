#include "http/json_place.h"

#include "base/buf.h"
#include "json/json.h"

char *json_place_text(struct arena *arena, const struct json_place *place)
{
    const struct json_place *path[JSON_DEPTH_MAX + 1];
    size_t n = 0;
    for (; place && n < COUNT(path); place = place->up)
        path[n++] = place;
    struct buf text = buf_new(arena, PLACE_BYTES_MAX);
    while (n > 0) {
        const struct json_place *part = path[--n];
        if (text.n > 0)
            buf_add_char(&text, '.');
        if (part->name)
            buf_add_text(&text, part->name);
        else
            buf_format(&text, "%zu", part->index);
    }
    return text.data;
}

/* Where the scanner is: the containers that are open, each with its present key or index. */
struct scan {
    const char *at, *end;
    struct json_place open[JSON_DEPTH_MAX + 1];
    bool array[JSON_DEPTH_MAX + 1];
    size_t depth;
    bool key_next; /* the next string is a key */
};

static char *scan_string(struct arena *arena, struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at != '"')
        scan->at += 1 + (*scan->at == '\\');
    size_t n = scan->at < scan->end ? (size_t)(scan->at - start) : (size_t)(scan->end - start);
    return arena_text_n(arena, start, n);
}

static void scan_open(struct scan *scan, bool array)
{
    if (scan->depth >= COUNT(scan->open))
        return; /* json_parse refused deeper ones */
    struct json_place *up = scan->depth ? &scan->open[scan->depth - 1] : NULL;
    scan->open[scan->depth] = (struct json_place){up, array ? NULL : "", 0};
    scan->array[scan->depth++] = array;
    scan->key_next = !array;
}

static void scan_step(struct arena *arena, struct scan *scan)
{
    char c = *scan->at++;
    size_t top = scan->depth ? scan->depth - 1 : 0;
    if (c == '"') {
        char *text = scan_string(arena, scan);
        scan->at++;
        if (scan->key_next && scan->depth)
            scan->open[top].name = text;
        scan->key_next = false;
    } else if (c == '{' || c == '[') {
        scan_open(scan, c == '[');
    } else if ((c == '}' || c == ']') && scan->depth) {
        scan->depth--;
        scan->key_next = false;
    } else if (c == ',' && scan->depth) {
        scan->open[top].index++;
        scan->key_next = !scan->array[top];
    }
}

/* jansson says where the second key ends; everything before it is well-formed, so that a scanner
 * that only counts finds the way there. */
char *json_duplicate_place(struct arena *arena, struct bytes body)
{
    json_error_t error;
    json_t *value = json_loadb((const char *)body.at, body.n, JSON_REJECT_DUPLICATES, &error);
    if (value || json_error_code(&error) != json_error_duplicate_key) {
        json_decref(value);
        return json_place_text(arena, NULL);
    }
    const char *start = (const char *)body.at;
    struct scan scan = {.at = start, .end = start + error.position};
    while (scan.at < scan.end)
        scan_step(arena, &scan);
    return json_place_text(arena, scan.depth ? &scan.open[scan.depth - 1] : NULL);
}
