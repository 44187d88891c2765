/* The public sets (tests only, see the data's README) as pools. Each is cut by cluster into a part
 * that may be trained on and one that is only measured. */
#ifndef SLUICE_TRAIN_SETS_H
#define SLUICE_TRAIN_SETS_H

#include "matcher/train/pool.h"

enum set_part { PART_TRAINING, PART_HELD_OUT, PART_ALL };

/* What is taken of a set. */
struct set_cut {
    enum set_part part;
    double null_share;   /* records that lose their entry */
    double record_share; /* of the records that are asked about */
    uint64_t seed;
    /* transactions: the memo stands in the name, else in the description; fake1000: the date of
     * birth is told */
    bool as_name;
    size_t pair; /* name-pairs: which one, from 0 */
};

/* A pair of names is a pool of its own; it is empty when the pair is of the other part.
 *
 * `name`: transactions, patstat-nl, fake1000, name-pairs; `directory` holds a folder of each. */
enum { SET_PAIRS = 442 };
enum err set_read(struct arena *arena, const char *directory, const char *name,
                  const struct set_cut *cut, struct pool *into) MUST_USE;

#endif
