/* Fitting of the match model: maximum likelihood of a conditional logit with L2, by Newton steps
 * projected onto "weights never fall from level to level". */
#ifndef SLUICE_TRAIN_FIT_H
#define SLUICE_TRAIN_FIT_H

#include "matcher/joint.h"
#include "matcher/train/pool.h"

struct fit_report {
    int steps;
    double log_loss; /* per example, without the penalty */
};

/* Fills the weights of `into`; id, role and hash are the caller's. */
void match_fit(struct arena *arena, const struct example_list *examples, struct match_model *into,
               struct fit_report *report);

/* One batch decided together, its items in order. */
const struct joint *examples_joint(struct arena *arena, const struct match_model *model,
                                   const struct example_list *examples,
                                   const struct example_batch *batch);

/* A × x = b for a positive definite matrix of n × n, in place; false when it is not. */
bool cholesky_solve(double *matrix, double *vector, size_t n);

#endif
