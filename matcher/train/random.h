/* A seeded generator (SplitMix64, Steele and others 2014): the same worlds for ever. */
#ifndef SLUICE_TRAIN_RANDOM_H
#define SLUICE_TRAIN_RANDOM_H

#include "base/base.h"

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
size_t random_below(struct random *random, size_t n); /* 0..n-1 */
int64_t random_between(struct random *random, int64_t min, int64_t max);
double random_unit(struct random *random); /* [0,1) */
bool random_chance(struct random *random, double p);
double random_normal(struct random *random); /* mean 0, deviation 1 */

#endif
