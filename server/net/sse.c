#include "net/sse.h"

#include "base/text.h"

struct sse sse_new(struct arena *arena, size_t event_bytes_max,
                   bool (*on_event)(void *context, const struct sse_event *event), void *context)
{
    return (struct sse){
        .line = buf_new(arena, event_bytes_max),
        .data = buf_new(arena, event_bytes_max),
        .retry_ms = -1,
        .on_event = on_event,
        .context = context,
    };
}

static void buf_empty(struct buf *buf)
{
    buf->n = 0;
    buf->data[0] = '\0';
}

static bool dispatch(struct sse *sse)
{
    memcpy(sse->last_id, sse->id_next, sizeof sse->last_id);
    bool go_on = true;
    if (sse->data.n > 0) {
        sse->data.data[--sse->data.n] = '\0'; /* the line feed behind the last line */
        struct sse_event event = {.type = sse->type[0] ? sse->type : "message",
                                  .data = buf_bytes(&sse->data)};
        go_on = sse->data.n == 0 || sse->on_event(sse->context, &event);
    }
    buf_empty(&sse->data);
    sse->type[0] = '\0';
    return go_on;
}

static void id_set(struct sse *sse, const char *value, size_t n)
{
    if (memchr(value, '\0', n) || n > SSE_ID_BYTES_MAX)
        return;
    memcpy(sse->id_next, value, n);
    sse->id_next[n] = '\0';
}

static void type_set(struct sse *sse, const char *value, size_t n)
{
    if (n > SSE_TYPE_BYTES_MAX)
        n = SSE_TYPE_BYTES_MAX;
    memcpy(sse->type, value, n);
    sse->type[n] = '\0';
}

static bool field(struct sse *sse, const char *name, size_t name_n, struct bytes value)
{
    const char *text = (const char *)value.at;
    if (name_n == 4 && memcmp(name, "data", 4) == 0)
        return buf_add(&sse->data, text, value.n) && buf_add_char(&sse->data, '\n');
    if (name_n == 5 && memcmp(name, "event", 5) == 0)
        type_set(sse, text, value.n);
    else if (name_n == 2 && memcmp(name, "id", 2) == 0)
        id_set(sse, text, value.n);
    else if (name_n == 5 && memcmp(name, "retry", 5) == 0 && strspn(text, "0123456789") == value.n)
        int64_parse(text, 0, SSE_RETRY_MS_MAX, &sse->retry_ms);
    return true;
}

/* Whether parsing may go on; *limit is set when it may not because of a limit. */
static bool line_end(struct sse *sse, bool *limit)
{
    const char *line = sse->line.data;
    size_t n = sse->line.n;
    if (!sse->first_line_done && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    sse->first_line_done = true;
    bool go_on = true;
    if (n == 0) {
        go_on = dispatch(sse);
    } else if (line[0] != ':') {
        const char *colon = memchr(line, ':', n);
        size_t name_n = colon ? (size_t)(colon - line) : n;
        size_t skip = colon ? name_n + 1 : n;
        skip += skip < n && line[skip] == ' ';
        *limit = !field(sse, line, name_n, (struct bytes){(const uint8_t *)line + skip, n - skip});
    }
    buf_empty(&sse->line);
    return go_on && !*limit;
}

bool sse_feed(struct sse *sse, struct bytes piece)
{
    bool limit = false;
    size_t from = 0;
    for (size_t i = 0; i < piece.n; i++) {
        uint8_t c = piece.at[i];
        if (c != '\r' && c != '\n')
            continue;
        bool second_half = c == '\n' && i == from && sse->after_cr && sse->line.n == 0;
        sse->after_cr = c == '\r';
        if (!second_half) {
            if (!buf_add(&sse->line, piece.at + from, i - from))
                return false;
            if (!line_end(sse, &limit))
                return !limit;
        }
        from = i + 1;
    }
    if (from < piece.n)
        sse->after_cr = false;
    return buf_add(&sse->line, piece.at + from, piece.n - from);
}
