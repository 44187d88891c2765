/* Opaque keyset cursors: where a page of a list ended, bound to the list that gave it out by a MAC,
 * so that a cursor of another list, a changed or an invented one is refused (ERR_CURSOR_INVALID).
 * A list is ordered by at most one number or text and the id. */
#ifndef SLUICE_CURSOR_H
#define SLUICE_CURSOR_H

#include "base/secret.h"
#include "base/uuid.h"

enum { CURSOR_TEXT_BYTES_MAX = 256 };

struct cursor {
    bool given;     /* false: the first page */
    int64_t number; /* e.g. an instant's microseconds, a rank */
    struct uuid id;
    const char *text; /* e.g. a name; "" when unused */
};

/* `list` names the list and whatever must not change between its pages: its path and filters. */
char *cursor_encode(struct arena *arena, const struct secret *key, const char *list,
                    const struct cursor *cursor);
enum err cursor_decode(struct arena *arena, const struct secret *key, const char *list,
                       const char *text, struct cursor *into) MUST_USE;

#endif
