/* Folding of any text to lower-case letters that compare: the first step of normalisation. */
#ifndef SLUICE_MATCHER_FOLD_H
#define SLUICE_MATCHER_FOLD_H

#include "base/arena.h"

/* Lower case without marks; Cyrillic, Greek and other scripts in Latin letters. ASCII punctuation
 * stays, everything else that is no letter or digit becomes a space. Never NULL. */
char *text_fold(struct arena *arena, const char *raw);

#endif
