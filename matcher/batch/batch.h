/* Two tables in, one decision per record out: the match model without a workspace. There is no
 * gate and no policy; p is the match probability. The ledger that is given counts as the whole
 * ledger.
 *
 *   batch_new        indexes the ledger
 *   batch_score      records [from, to): candidates, features, probabilities; by any number of
 *                    threads, each with its own worker
 *   batch_settle     once, when all are scored: an entry is used once, best p first
 *   batch_line       the decision about one record as a line of JSON
 *
 * The answer depends neither on the threads nor on the order of the rows of either file. */
#ifndef SLUICE_MATCHER_BATCH_BATCH_H
#define SLUICE_MATCHER_BATCH_BATCH_H

#include "matcher/batch/block.h"

enum batch_profile { PROFILE_BANK_TRANSACTION, PROFILE_INVOICE, PROFILE_COMPANY, PROFILE_COUNT };

bool batch_profile_parse(const char *name, enum batch_profile *into);

enum {
    BATCH_LINE_BYTES_MAX = 1024 * 1024,
    /* Candidates of a line: the best of them, and more while they have some probability. */
    BATCH_SHOWN_ALWAYS = 3,
    BATCH_SHOWN_MAX = 5,
    BATCH_SHOWN_FROM_MICRO = 1000
};

struct batch;
struct batch_worker;

/* The tables and the models must outlive the batch. */
enum err batch_new(struct arena *arena, const struct model_set *models, enum batch_profile profile,
                   const struct table *records, const struct table *ledger,
                   struct batch **into) MUST_USE;

/* A worker keeps what it scored: close it after the last line. */
struct batch_worker *batch_worker_open(struct batch *batch);
void batch_worker_close(struct batch_worker *worker);
enum err batch_score(struct batch_worker *worker, size_t from, size_t to) MUST_USE;

void batch_settle(struct batch *batch);

struct batch_summary {
    int64_t links, creates;
    int64_t bands[3]; /* by enum match_band */
};
struct batch_summary batch_summarise(const struct batch *batch);

/* One line with its newline. */
void batch_line(const struct batch *batch, size_t record, struct buf *into);

#endif
