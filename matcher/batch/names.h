/* Texts by their trigrams: those nearest to a text, and those that are contained in it or contain
 * it. Equal texts are one. */
#ifndef SLUICE_MATCHER_BATCH_NAMES_H
#define SLUICE_MATCHER_BATCH_NAMES_H

#include "matcher/batch/shortlist.h"
#include "matcher/matcher.h"

enum {
    NAMES_NEAREST_MAX = 20,   /* by pg_trgm's similarity, as blocking in SQL */
    NAMES_CONTAINED_MAX = 10, /* by the share of the rarer trigrams that the shorter one has */
    NAMES_POSTINGS_MAX = 6000 /* looked at for one text; rare trigrams come first */
};

struct name_index;
struct name_search; /* what one thread needs to search */

/* `texts[i]` is that of place i; "" has none. The texts must outlive the index. */
struct name_index *name_index_new(struct arena *arena, const char *const *texts, size_t count);
struct name_search *name_search_new(struct arena *arena, const struct name_index *index);

/* A text of the index and the places that have it, ascending. */
struct name_group {
    const char *text;
    const uint32_t *places;
    size_t count;
};
size_t name_index_groups(const struct name_index *index);
struct name_group name_index_group(const struct name_index *index, uint32_t group);

/* `at` of the hits is a group. */
void name_search_find(struct name_search *search, const char *text, struct shortlist *nearest,
                      struct shortlist *contained);

#endif
