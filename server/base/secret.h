/* A secret: bytes without a printing path, wiped when their arena ends. There is no function that
 * formats one; who needs the bytes says so with secret_bytes or secret_text, which reviews look
 * for. */
#ifndef SLUICE_SECRET_H
#define SLUICE_SECRET_H

#include "base/arena.h"

struct secret; /* opaque: cannot be printed, copied or compared by accident */

/* Copies the bytes; the copy is locked out of core dumps where the system allows and wiped with the
 * arena. */
const struct secret *secret_new(struct arena *arena, struct bytes bytes);
const struct secret *secret_from_text(struct arena *arena, const char *text); /* NULL stays NULL */
struct bytes secret_bytes(const struct secret *secret);
const char *secret_text(const struct secret *secret);              /* zero-terminated */
bool secret_equal(const struct secret *a, const struct secret *b); /* in constant time */
void memory_wipe(void *memory, size_t n);                          /* not optimised away */

/* For libraries that take an allocator of ours beside malloc: what they give back is wiped. */
void wiping_free(void *memory);
void *wiping_realloc(void *memory, size_t size);

#endif
