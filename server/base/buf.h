/* A growing byte buffer in an arena, with a cap that is checked before it grows. */
#ifndef SLUICE_BUF_H
#define SLUICE_BUF_H

#include "base/arena.h"

struct buf {
    struct arena *arena;
    char *data; /* always terminated with a zero that is not counted */
    size_t n;
    size_t capacity;
    size_t bytes_max;
    bool overflowed; /* an append did not fit: it and all later ones were refused */
};

struct buf buf_new(struct arena *arena, size_t bytes_max);
bool buf_add(struct buf *buf, const void *data, size_t n);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_char(struct buf *buf, char c);
bool buf_format(struct buf *buf, const char *format, ...) FORMAT_LIKE(2, 3);
/* Text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
bool buf_add_json(struct buf *buf, const char *text);
struct bytes buf_bytes(const struct buf *buf);

#endif
