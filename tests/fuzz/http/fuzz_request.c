/* The head of a request: its target and headers, the match of its path, and a cursor from its
 * query. The first line is the target, the others are headers. */
#include "base/text.h"
#include "http/cursor.h"
#include "http/framing.h"
#include "http/router.h"

enum { LINES_MAX = 80 };

static enum err handle(struct request *req)
{
    (void)req;
    return OK;
}
static const struct route table[] = {
    {METHOD_GET, "/v1/workspaces/{workspace_id:uuid}/items/{item_id:uuid}", ACCESS_VIEWER,
     IDEMPOTENCY_NONE, handle, 0},
    {METHOD_GET, "/v1/workspaces/{workspace_id:uuid}", ACCESS_VIEWER, IDEMPOTENCY_NONE, handle, 0},
    {METHOD_POST, "/oauth/{provider:name}/start", ACCESS_PUBLIC, IDEMPOTENCY_NONE, handle, 0},
    {METHOD_GET, "/oauth/stripe/start", ACCESS_PUBLIC, IDEMPOTENCY_NONE, handle, 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(struct arena *arena, const char *path)
{
    const struct router *router = router_new(arena, table, COUNT(table));
    for (int method = 0; method < METHOD_COUNT; method++) {
        struct route_match found;
        enum err err = router_match(router, arena, (enum http_method)method, path, &found);
        bool known = err == OK || err == ERR_METHOD_NOT_ALLOWED;
        if (known != (found.allow != NULL) || (!known && err != ERR_NOT_FOUND))
            abort();
        for (size_t i = 0; err == OK && i < found.parameter_count; i++) {
            const char *text = found.parameters[i].text;
            if (!*text || !utf8_valid(text, strlen(text)))
                abort();
        }
        if (router_body_bytes_max(router, (enum http_method)method, path) != BODY_BYTES_MAX_DEFAULT)
            abort();
    }
}

static void read_cursor(struct arena *arena, const char *text)
{
    struct cursor cursor;
    const struct secret *key = secret_from_text(arena, "a key of the fuzzer, 32 bytes and more");
    if (cursor_decode(arena, key, "list", text, &cursor) == OK &&
        !text_equal(cursor_encode(arena, key, "list", &cursor), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    char *text = arena_text_n(arena, (const char *)data, size);
    struct http_field lines[LINES_MAX];
    size_t count = 0;
    const char *path, *query;
    char *target = text + strcspn(text, "\n");
    for (char *at = target; *at && count < LINES_MAX;) {
        *at++ = '\0';
        char *end = at + strcspn(at, "\n");
        char *colon = memchr(at, ':', (size_t)(end - at));
        if (colon) {
            lines[count++] =
                (struct http_field){arena_text_n(arena, at, (size_t)(colon - at)),
                                    arena_text_n(arena, colon + 1, (size_t)(end - colon - 1))};
        }
        at = end;
    }
    uint64_t length;
    if (framing_check(arena, lines, count, &length) == OK && length > INT64_MAX)
        abort();
    if (framing_target(arena, text, &path, &query) == OK) {
        match(arena, path);
        read_cursor(arena, query);
    }
    arena_close(arena);
    return 0;
}
