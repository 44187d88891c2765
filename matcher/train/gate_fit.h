/* Fitting of the gate on generated items. Nobody reviewed them: the rates at which they fail are
 * assumptions, stated in gate_fit.c and in the model file, until reviews of a workspace speak. */
#ifndef SLUICE_TRAIN_GATE_FIT_H
#define SLUICE_TRAIN_GATE_FIT_H

#include "matcher/train/world.h"

struct gate_report {
    size_t count;
    double log_loss;
    double ece;
};

/* Fits on items of one seed, measures on items of another. */
void gate_fit(struct arena *arena, uint64_t seed, struct gate_model *into,
              struct gate_report *report);

#endif
