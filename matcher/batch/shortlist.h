/* The best few of many, in a fixed order: smaller keys first, ties by rank. Private to the index.
 */
#ifndef SLUICE_MATCHER_BATCH_SHORTLIST_H
#define SLUICE_MATCHER_BATCH_SHORTLIST_H

#include "base/base.h"

enum { SHORTLIST_MAX = 64 };

struct hit {
    int64_t first, second; /* compared in this order, the smaller is better */
    uint32_t rank;         /* of what is meant: the last word, and unique */
    uint32_t at;           /* what is meant */
};

struct shortlist {
    struct hit hit[SHORTLIST_MAX]; /* best first */
    size_t count;
    size_t limit; /* at most SHORTLIST_MAX */
};

static inline bool hit_before(const struct hit *a, const struct hit *b)
{
    if (a->first != b->first)
        return a->first < b->first;
    if (a->second != b->second)
        return a->second < b->second;
    return a->rank < b->rank;
}

static inline void shortlist_offer(struct shortlist *list, struct hit hit)
{
    size_t at = list->count;
    if (at == list->limit && !hit_before(&hit, &list->hit[at - 1]))
        return;
    if (at == list->limit)
        at--;
    else
        list->count++;
    for (; at > 0 && hit_before(&hit, &list->hit[at - 1]); at--)
        list->hit[at] = list->hit[at - 1];
    list->hit[at] = hit;
}

#endif
