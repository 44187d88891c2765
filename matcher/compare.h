/* One side against another: the part of the features that needs no other entry. */
#ifndef SLUICE_MATCHER_COMPARE_H
#define SLUICE_MATCHER_COMPARE_H

#include "matcher/side.h"

enum {
    AMOUNT_EXPLAINED = 8, /* levels from here: equal, or equal after the fee */
    NAME_AGREES = 6,      /* levels from here speak for the same name */
    NAME_CLOSE = 8,       /* … for the very name */
    IDENTIFIER_STRONG = 5,
    RANKED_MIN = 2,   /* the only one is no better than anybody */
    RANK_FROM = 4000, /* below it nothing is the best of anything */
    RANK_GAP = 500
};

struct comparison {
    int name_score;  /* 0..10000 */
    int label_score; /* likewise */
};

struct comparison compare_sides(const struct match_side *record, const struct match_side *entry,
                                enum match_role role, struct feature_vector *into);

/* From 1: how many of the rising bounds `value` reaches. */
int level_from(int value, const int *from, size_t count);
int grams_similarity(const struct grams *a, const struct grams *b);
void reference_features(const struct match_side *record, const struct match_side *entry,
                        uint8_t *level);

/* How alike two lists of words are, 0..10000, with what is left over on each side. */
struct likeness {
    int score;                    /* of both sides together */
    int cover;                    /* of the side that has less to say */
    bool extra_left, extra_right; /* a fifth or more of the weight of a side found no partner */
    int rarest_shared;            /* weight of the rarest word that both have, 0..100 */
};
struct likeness words_compare(const struct weighed *a, const struct weighed *b);

/* "ibm" for "international business machines": three words or more. */
bool acronym_of(const struct name_form *a, const struct name_form *b);

#endif
