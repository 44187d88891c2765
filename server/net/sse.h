/* Server-sent events (WHATWG HTML §9.2), as a push parser: pieces of any size go in, whole events
 * come out. Lines and events are bounded. One parser per response. */
#ifndef SLUICE_SSE_H
#define SLUICE_SSE_H

#include "base/buf.h"

enum {
    SSE_ID_BYTES_MAX = 1024,
    SSE_TYPE_BYTES_MAX = 64, /* a longer type is cut: it is none that anybody waits for */
    SSE_RETRY_MS_MAX = 24 * 3600 * 1000,
};

struct sse_event {
    const char *type;  /* "message" unless the stream says otherwise */
    struct bytes data; /* never empty; terminated with a zero that is not counted; lives until the
                          callback returns */
};

struct sse {
    struct buf line;
    struct buf data;
    char type[SSE_TYPE_BYTES_MAX + 1];
    char id_next[SSE_ID_BYTES_MAX + 1]; /* takes effect at the end of its event */
    char last_id[SSE_ID_BYTES_MAX + 1]; /* for Last-Event-ID; empty: none */
    int64_t retry_ms;                   /* -1: the stream did not say */
    bool after_cr;
    bool first_line_done;
    /* False ends the parsing of this piece; what follows in it is dropped. */
    bool (*on_event)(void *context, const struct sse_event *event);
    void *context;
};

/* `event_bytes_max` bounds a line and the data of an event. */
struct sse sse_new(struct arena *arena, size_t event_bytes_max,
                   bool (*on_event)(void *context, const struct sse_event *event), void *context);
/* False: a limit was reached; the stream cannot be read on. What stays unfinished when the stream
 * ends is no event. */
bool sse_feed(struct sse *sse, struct bytes piece) MUST_USE;

#endif
