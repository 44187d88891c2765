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
 * up to 64 bytes, word by word beyond. Both empty: 10000; one empty: 0. */
int jaro_winkler(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

/* Jaccard of the sets of trigrams of the words, padded as pg_trgm does ("  w", " wo", …, "rd "). */
int trigram_similarity(const char *a, const char *b);

#endif
