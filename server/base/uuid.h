/* UUIDs (RFC 9562). Ids of rows are version 7; idempotency keys are version 4 bits over a hash. */
#ifndef SLUICE_UUID_H
#define SLUICE_UUID_H

#include "base/rand.h"
#include "base/time.h"

struct uuid {
    uint8_t b[16];
};

enum { UUID_TEXT_BYTES = 37 }; /* with the terminating zero */

struct uuid uuid_v7(struct rand_source *source, struct instant now);
struct uuid uuid_v4_from(const uint8_t bytes[16]);    /* sets the version and variant bits */
bool uuid_parse(const char *text, struct uuid *into); /* 8-4-4-4-12, either case */
char *uuid_format(struct arena *arena, struct uuid uuid);
bool uuid_equal(struct uuid a, struct uuid b);
bool uuid_is_nil(struct uuid uuid);

#endif
