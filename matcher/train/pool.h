/* Records, a ledger and the truth, whatever they come from: a generated world or a public set; and
 * the examples that the fit sees, with the candidates that blocking would offer. */
#ifndef SLUICE_TRAIN_POOL_H
#define SLUICE_TRAIN_POOL_H

#include "matcher/matcher.h"

enum outcome { OUTCOME_UNSEEN = -2, OUTCOME_NONE = -1 }; /* else the index of the true candidate */

struct pair_flags {
    bool same_counterparty, alias_confirmed;
};

struct pool {
    enum match_role role;
    enum ledger_view view;
    bool exclusive;
    bool is_public; /* a public set, not a generated world */
    bool counted;   /* words weigh by how often these texts have them */
    const struct match_record *records;
    const int64_t *record_keys; /* equal keys: the same thing; negative: of nothing */
    const bool *exists;         /* has the record an entry at the target, seen or not? */
    size_t record_count;
    const struct match_entry *entries;
    const int64_t *entry_keys;
    size_t entry_count;
    /* What the pipeline knew of a pair beforehand; NULL: nothing. */
    struct pair_flags (*flags)(void *context, size_t record, size_t entry);
    void *context;
};

/* One decision with its truth. */
struct example {
    struct feature_vector *vectors;
    double (*habits)[GROUP_COUNT]; /* of each candidate: what the habits of the batch add */
    uint32_t *entries;             /* of each candidate: its place in the ledger */
    int64_t *claimed_micro;        /* what other records of the batch take from each; 0 at first */
    size_t count;
    int truth;
    int fields_missing;
    enum ledger_view view;
    int64_t null_shift_micro; /* of the batch; 0 at first */
    double unclaimed_shift;   /* of the batch, by its entries; 0 at first */
    int world;                /* which batch it belongs to */
    double weight;            /* in the fit */
};

/* One batch: its examples stand together. */
struct example_batch {
    const char *name;
    bool exclusive;
    bool is_public; /* a public set, not a generated world */
    size_t first, count;
    size_t entry_count;
};

struct example_list {
    struct example *at;
    size_t count;
    size_t capacity;
    struct example_batch *batches;
    size_t batch_count, batch_capacity;
    size_t true_entries;    /* records whose entry was in the ledger that could be seen */
    size_t blocked_entries; /* … and among the candidates */
};

struct example_list examples_new(struct arena *arena, size_t examples, size_t batches);

/* Adds the pool as one batch. */
enum err pool_play(struct arena *arena, const struct pool *pool, const char *name, double weight,
                   struct example_list *into) MUST_USE;

#endif
