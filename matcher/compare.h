/* One record against one entry: the part of the features that needs no other entry. */
#ifndef SLUICE_MATCHER_COMPARE_H
#define SLUICE_MATCHER_COMPARE_H

#include "matcher/features.h"

enum {
    AMOUNT_EXPLAINED = 6, /* levels from here: equal, or equal after the fee */
    NAME_AGREES = 6,      /* levels from here speak for the same name */
    IDENTIFIER_STRONG = 5,
    NAME_RANK_FROM = 4000,
    NAME_RANK_GAP = 500
};

struct comparer; /* the record, normalised once */

struct comparison {
    int name_score; /* 0..10000 */
};

struct comparer *comparer_new(struct arena *arena, const struct match_record *record,
                              enum match_role role, const struct token_counts *counts);
struct comparison compare_entry(struct comparer *comparer, const struct match_entry *entry,
                                struct feature_vector *into);

/* How alike two normalised names are, 0..10000, with what is left over on each side. */
struct name_likeness {
    int score;
    bool extra_left, extra_right; /* a fifth or more of the weight of a side found no partner */
    int rarest_shared;            /* weight of the rarest word that both have, 0..100 */
    bool equal;
};
struct name_likeness name_compare(const struct name_form *a, const struct name_form *b,
                                  const struct token_counts *counts);

#endif
