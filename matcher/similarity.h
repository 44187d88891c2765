/* Similarity of short byte strings, in ten-thousandths (10000: equal), by integers only: the same
 * on every machine. */
#ifndef SLUICE_MATCHER_SIMILARITY_H
#define SLUICE_MATCHER_SIMILARITY_H

#include "base/base.h"

enum {
    SIMILARITY_ONE = 10000,
    SIMILARITY_BYTES_MAX = 256 /* of either side; what follows is not looked at */
};

/* Jaro–Winkler (Winkler 1990): prefix of at most 4, scale 0.1, boost only from 0.7. Bit-parallel
 * where one side has at most 64 bytes, plain beyond. Both empty: 10000; one empty: 0. */
int jaro_winkler(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

/* The trigrams of a text, padded word by word as pg_trgm does ("  w", " wo", …, "rd "). */
enum { TRIGRAMS_MAX = 3 * SIMILARITY_BYTES_MAX };

struct trigrams {
    uint32_t code[TRIGRAMS_MAX]; /* sorted, each once */
    size_t count;
};

void trigrams_of(const char *text, struct trigrams *into);

/* Jaccard: shared by all. Both empty: 0. Of codes as a text has them: sorted, each once. */
int trigrams_similarity(const struct trigrams *a, const struct trigrams *b);
int codes_similarity(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);

#endif
