/* Many records against one ledger, decided together. What one record cannot know, the batch tells:
 *
 * - how many of its records have no entry at all. The intercept of "no entry exists" moves until
 * the share that the model was fitted on has become the share that the batch itself shows
 *   (expectation-maximisation for a changed prior, Saerens and others 2002), shrunk by
 *   SHIFT_PSEUDO_COUNT imagined records of the usual share. Where entries are consumed once, the
 *   share of the ledger that nobody claims moves it as well: a ledger that is all used up has an
 *   entry for whoever is left;
 * - which entries other records want more. Where an entry is consumed once, the probabilities are
 *   those of all one-to-one assignments together, by belief propagation on the candidates
 *   (Vontobel 2013): an entry that another record claims counts less, and "claimed_elsewhere" says
 *   by how much.
 *
 * - how its evidence usually looks. A level says as much as it is frequent among right pairs and
 *   rare among others; where a batch shows other frequencies than training (amounts that drift,
 *   money that moves in a day, memos cut at fifteen letters), its weights follow by a share that
 *   was learned for each group of features.
 *
 * Integers throughout, sums of integers only, a fixed number of rounds: the order of records, of
 * candidates and of threads changes nothing. */
#ifndef SLUICE_MATCHER_JOINT_H
#define SLUICE_MATCHER_JOINT_H

#include "matcher/model.h"

enum {
    JOINT_ROUNDS = 20,
    HABIT_ROUNDS = 8,        /* before the habits are looked at */
    HABIT_PSEUDO_COUNT = 100 /* imagined pairs that look as usual */
};

/* One record with its candidates; filled by the caller before joint_solve, kept by reference. */
struct joint_item {
    const struct feature_vector *vectors;
    const uint32_t *entries; /* of each candidate: its place in the ledger */
    size_t count;
    int fields_missing;
};

struct joint_plan {
    const struct match_model *model;
    bool exclusive; /* an entry belongs to one record: documents, settlements; not companies */
    enum ledger_view view;
    size_t entries; /* of the ledger */
};

struct joint;

/* Solves the whole batch; `items` must live as long as the batch. */
struct joint *joint_solve(struct arena *arena, const struct joint_plan *plan,
                          const struct joint_item *items, size_t count);

/* The answers of one item, in the order of its vectors. `claimed_micro` (room for its candidates)
 * is what competition takes from each, never positive; log_odds_micro includes it. */
void joint_answer(const struct joint *joint, size_t item, struct model_output *output,
                  int64_t *claimed_micro);

/* What the habits of the batch would add to the weight of a level if they were believed wholly; the
 * weight in this batch is the model's plus follow_micro of the group times this. */
int64_t joint_habit(const struct joint *joint, enum feature feature, int level);
/* The weight of a level in this batch. */
int64_t joint_weight(const struct joint *joint, enum feature feature, int level);

/* By how much the intercept of "no entry exists" moved; part of null_log_odds_micro. */
int64_t joint_null_shift(const struct joint *joint);
/* The part of it that the unclaimed entries would be if they were believed wholly. */
int64_t joint_unclaimed_shift(const struct joint *joint);

#endif
