/* What the parts of a batch share. Private to batch*.c. */
#ifndef SLUICE_MATCHER_BATCH_TYPES_H
#define SLUICE_MATCHER_BATCH_TYPES_H

#include "matcher/batch/batch.h"

struct scored {
    uint32_t entry; /* row of the ledger */
    int32_t p_micro;
    int64_t log_odds_micro;
    int64_t claimed_micro; /* what other records take from it */
    struct feature_vector features;
};

/* The answer about one record. */
struct verdict {
    /* What blocking offered: rows of the ledger and their evidence. */
    const uint32_t *entries;
    const struct feature_vector *vectors;
    uint32_t offered;
    int32_t fields_missing;
    struct scored *candidates; /* best first; from batch_settle on */
    uint32_t count;
    int32_t chosen; /* of the candidates; VERDICT_CREATE */
    int32_t null_p_micro;
};
enum { VERDICT_CREATE = -1 };

struct batch {
    enum batch_profile profile;
    const struct match_model *model;
    const struct table *records, *ledger;
    struct block_index *index;
    const struct match_side **sides; /* of the entries, by row */
    struct verdict *verdicts;        /* by record */
    struct arena *arena;
    /* What a level contributes, as JSON without its separator; NULL where it weighs nothing. */
    const char *words[FEATURE_COUNT][FEATURE_LEVELS_MAX];
};

/* p of the answer that was chosen. */
int64_t verdict_p(const struct verdict *verdict);
enum match_band verdict_band(const struct verdict *verdict);
/* Best first: by p, by evidence, by id. */
void verdict_order(const struct batch *batch, struct verdict *verdict);

/* Every entry goes to one record at most, best p first. Only where the profile says so. */
void batch_assign(struct batch *batch);

/* Makes the words of the contributions. */
struct joint;
void batch_words_make(struct batch *batch, const struct joint *joint);

#endif
