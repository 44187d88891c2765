/* Where in a JSON body something stands: `settings.thresholds.flow`, `mapping.0.name`. */
#ifndef SLUICE_JSON_PLACE_H
#define SLUICE_JSON_PLACE_H

#include "base/arena.h"

struct json_place {
    const struct json_place *up; /* NULL: a member of the body itself */
    const char *name;            /* NULL: the element `index` of an array */
    size_t index;
};

enum { PLACE_BYTES_MAX = 512 }; /* longer ones are cut */

char *json_place_text(struct arena *arena, const struct json_place *place); /* "" for NULL */
/* Of the first key that stands twice in its object; "" when there is none. */
char *json_duplicate_place(struct arena *arena, struct bytes body);

#endif
