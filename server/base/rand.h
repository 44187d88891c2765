/* The one seeded source of randomness for ids, jitter and samples (xoshiro256**, Blackman and
 * Vigna, public domain algorithm). Not for secrets: those come from crypto/. Thread-safe. */
#ifndef SLUICE_RAND_H
#define SLUICE_RAND_H

#include <pthread.h>

#include "base/base.h"

struct rand_source {
    pthread_mutex_t lock;
    uint64_t state[4];
};

void rand_open(struct rand_source *source, uint64_t seed); /* seed 0: from the kernel */
void rand_close(struct rand_source *source);
uint64_t rand_u64(struct rand_source *source);
uint64_t rand_below(struct rand_source *source, uint64_t bound); /* 0 .. bound - 1, unbiased */

#endif
