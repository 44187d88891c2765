#include "base/base.h"

#include <math.h>

#include "matcher/train/random.h"

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

size_t random_below(struct random *random, size_t n)
{
    return (size_t)(random_next(random) % n);
}

int64_t random_between(struct random *random, int64_t min, int64_t max)
{
    return min + (int64_t)random_below(random, (size_t)(max - min + 1));
}

double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) / 9007199254740992.0;
}

bool random_chance(struct random *random, double p)
{
    return random_unit(random) < p;
}

double random_normal(struct random *random)
{
    double u = 1.0 - random_unit(random), v = random_unit(random);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
