/* A vector of levels as text, "identifier=0 alias=0 name=7 …": what is stored and replayed. */
#ifndef SLUICE_MATCHER_LEVELS_H
#define SLUICE_MATCHER_LEVELS_H

#include "base/buf.h"

struct level_scale {
    const char *name;
    int max; /* the highest level, at most 9 */
};
/* The scale at place i of the vector. */
typedef struct level_scale level_scale_of(int i);

/* False when the buffer is full. */
bool levels_write(struct buf *into, level_scale_of *scale_of, const uint8_t *levels, int count);
/* Takes exactly what levels_write makes; false for anything else. */
bool levels_parse(const char *text, size_t n, level_scale_of *scale_of, uint8_t *into, int count);

#endif
