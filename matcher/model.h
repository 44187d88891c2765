/* The match model: a conditional logit over the candidates of one role and two more outcomes, "no
 * entry exists" (null) and "an entry exists that we do not see" (unseen: the ledger is absent,
 * imported or stale, or blocking missed it). Weights are whole micro-log-odds (1e-6), sums are of
 * integers, the exponential is our own: the same levels give the same bytes for ever.
 *
 * Model files are versioned text (matcher/models), compiled in, and stay in the program for ever,
 * so that old decisions can be replayed. They carry their metrics and the hash of what they were
 * trained on. */
#ifndef SLUICE_MATCHER_MODEL_H
#define SLUICE_MATCHER_MODEL_H

#include "matcher/features.h"

enum {
    MICRO = 1000000,            /* one, as a probability or as log-odds */
    MODEL_SHIFT_MAX = 20000000, /* of an intercept, in micro-log-odds */
    MODEL_BYTES_MAX = 64 * 1024
};

enum match_ledger { LEDGER_MIRRORED, LEDGER_IMPORTED, LEDGER_NONE, LEDGER_KIND_COUNT };

bool match_ledger_parse(const char *name, enum match_ledger *into);

/* How much of what exists the ledger can show. Made from kind and age by ledger_view_of. */
enum ledger_view {
    VIEW_FRESH,    /* mirrored, within its limit */
    VIEW_AGEING,   /* up to four times the limit */
    VIEW_STALE,    /* older */
    VIEW_IMPORTED, /* a file, once */
    VIEW_NONE,
    VIEW_COUNT
};

const char *ledger_view_name(enum ledger_view view);
enum ledger_view ledger_view_of(enum match_ledger ledger, int64_t age_s, int64_t age_max_s);

/* What a record weighs that is decided together with many (joint.h). */
struct joint_weights {
    /* Entries that belong to no record of the batch: their share in training, and how much of what
     * a batch shows instead is believed. */
    int64_t unclaimed_share_micro;
    int64_t unclaimed_follow_micro;
    int64_t null_micro;
    int64_t null_missing_micro[4];
    int64_t unseen_micro[VIEW_COUNT];
    int64_t weight[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    /* How often each level was seen in training where both sides said something, among right pairs
     * and among others, in millionths; and how much of what a batch shows instead is believed. */
    int64_t usual_right[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    int64_t usual_other[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    int64_t follow_micro[GROUP_COUNT];
};

/* The weights that stand in it directly are for a record that is decided alone. */
struct match_model {
    char id[32]; /* "invoice-0001" */
    enum match_role role;
    char training_hash[65];
    int64_t null_share_micro;         /* of the records that it was fitted on */
    int64_t null_micro;               /* log-odds of "no entry exists" with no evidence */
    int64_t null_missing_micro[4];    /* added by how many of name, reference, amount are missing */
    int64_t unseen_micro[VIEW_COUNT]; /* log-odds of "exists, unseen" */
    int64_t weight[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    struct joint_weights joint;
    const char *metrics; /* the lines of the file that say how good it is */
};

/* The gate: a logistic model on three axes of 0..10000. */
enum gate_axis { AXIS_COMPLETENESS, AXIS_STRENGTH, AXIS_FIT, AXIS_COUNT };

const char *gate_axis_name(enum gate_axis axis); /* "field_completeness" */

struct gate_model {
    char id[32];
    char training_hash[65];
    int64_t intercept_micro;
    int64_t weight_micro[AXIS_COUNT]; /* for a whole axis; never negative */
    int64_t p_max_micro;              /* no more than this is claimed while uncalibrated */
    int64_t reviews_min;              /* reviews of a workspace until it counts as calibrated */
    const char *metrics;
};

/* All versions that the program knows; the newest of each is current. */
struct model_set;

/* Reads the models that are compiled in. They were tested: a failure is a broken build. */
enum err model_set_new(struct arena *arena, struct model_set **into) MUST_USE;
const struct match_model *model_current(const struct model_set *set, enum match_role role);
const struct match_model *model_find(const struct model_set *set, const char *id); /* or NULL */
const struct gate_model *gate_current(const struct model_set *set);
const struct gate_model *gate_find(const struct model_set *set, const char *id); /* or NULL */

/* Reads one model file from outside. ERR_FIELD_INVALID with the line at fault. */
enum err match_model_parse(struct arena *arena, struct bytes text,
                           struct match_model *into) MUST_USE;
enum err gate_model_parse(struct arena *arena, struct bytes text, struct gate_model *into) MUST_USE;

/* What the evidence of one candidate adds up to. */
int64_t model_log_odds(const struct match_model *model, const struct feature_vector *vector);

/* Scores one role: the candidates that may be linked. Everything is in the order of `vectors`. */
struct model_input {
    const struct feature_vector *vectors;
    size_t count;
    enum ledger_view view;
    int fields_missing;       /* of name, reference, amount: 0..3 */
    int64_t null_shift_micro; /* learned for the workspace and stream; 0 at a cold start */
};

struct model_output {
    int64_t log_odds_micro[MATCH_CANDIDATES_MAX]; /* of each candidate, before normalising */
    int64_t p_micro[MATCH_CANDIDATES_MAX];
    int64_t null_log_odds_micro;
    int64_t null_p_micro;
    int64_t unseen_log_odds_micro;
    int64_t unseen_p_micro;
};

void model_score(const struct match_model *model, const struct model_input *input,
                 struct model_output *output);

/* The shift of the null intercept (or of the gate) that outcomes of one workspace and stream
 * support: `observed` of `count` decisions had no entry where the model expected
 * `expected_micro / 1e6` of them. Shrunk by SHIFT_PSEUDO_COUNT imagined decisions that agree. */
enum { SHIFT_PSEUDO_COUNT = 50 };
int64_t intercept_shift(int64_t observed, int64_t expected_micro, int64_t count);

#endif
