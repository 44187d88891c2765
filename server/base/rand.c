#include "base/rand.h"

#include <sys/random.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rand_open(struct rand_source *source, uint64_t seed)
{
    pthread_mutex_init(&source->lock, NULL);
    if (seed == 0 &&
        getrandom(source->state, sizeof source->state, 0) == (ssize_t)sizeof source->state)
        return;
    for (size_t i = 0; i < COUNT(source->state); i++)
        source->state[i] = splitmix(&seed);
}

void rand_close(struct rand_source *source)
{
    pthread_mutex_destroy(&source->lock);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t next(uint64_t *s)
{
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rand_u64(struct rand_source *source)
{
    pthread_mutex_lock(&source->lock);
    uint64_t value = next(source->state);
    pthread_mutex_unlock(&source->lock);
    return value;
}

uint64_t rand_below(struct rand_source *source, uint64_t bound)
{
    assert(bound > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value = rand_u64(source);
    while (value >= limit)
        value = rand_u64(source);
    return value % bound;
}
