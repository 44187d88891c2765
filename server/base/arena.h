/* One lifetime for memory and foreign objects: that of a request or of a job. What lives in an
 * arena is never freed by hand; deferred releases run in reverse order at reset or close. Out of
 * memory ends the process: sizes are capped before they are allocated. Not thread-safe: one owner
 * thread. What was in it is wiped before the memory is given back: bodies, headers and JSON hold
 * passwords and tokens in passing, in copies that a buffer leaves behind as it grows, too.
 *
 * The arena also carries the failure slot: what happened, for the edge to log and to answer. */
#ifndef SLUICE_ARENA_H
#define SLUICE_ARENA_H

#include "base/base.h"

struct arena;

struct failure {
    enum err code;         /* OK when nothing failed */
    const char *field;     /* field or parameter at fault, or NULL */
    const char *detail;    /* one sentence for the person who reads it; never a secret */
    int64_t retry_after_s; /* 0: unknown */
};

struct arena *arena_open(void);
void arena_close(struct arena *arena);
void arena_reset(struct arena *arena); /* releases everything, keeps one block */

/* Zeroed memory, aligned for anything. `size` may be 0. */
void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_USE;
void *arena_copy(struct arena *arena, const void *from, size_t size) MUST_USE;
char *arena_text(struct arena *arena, const char *text) MUST_USE; /* NULL stays NULL */
char *arena_text_n(struct arena *arena, const char *text, size_t n) MUST_USE;
char *arena_format(struct arena *arena, const char *format, ...) MUST_USE FORMAT_LIKE(2, 3);
char *arena_vformat(struct arena *arena, const char *format, va_list args) MUST_USE
    FORMAT_LIKE(2, 0);
size_t arena_used(const struct arena *arena); /* bytes given out since open or reset */

void arena_defer(struct arena *arena, void (*release)(void *object), void *object);

/* Records a failure and returns its code, for `return arena_fail(...)`. `field` may be NULL. The
 * text must hold no secret: it is logged and shown. */
enum err arena_fail(struct arena *arena, enum err code, const char *field, const char *format, ...)
    FORMAT_LIKE(4, 5);
enum err arena_fail_retry(struct arena *arena, enum err code, int64_t retry_after_s,
                          const char *format, ...) FORMAT_LIKE(4, 5);
const struct failure *arena_failure(const struct arena *arena); /* never NULL */
void arena_failure_clear(struct arena *arena);
/* The failure of `from`, told again in `into`; its code is `code`, which is returned. */
enum err arena_failure_move(struct arena *into, const struct arena *from, enum err code);

#endif
