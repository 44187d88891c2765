/* From a folded text to words, and what kinds of words there are. Shared by names and by the
 * program that makes the tables, so that a table can never be split differently from a name. */
#ifndef SLUICE_MATCHER_WORDS_H
#define SLUICE_MATCHER_WORDS_H

#include "base/buf.h"
#include "matcher/normalise.h"

enum { WORDS_MAX = 64 };

struct words {
    const char *at[WORDS_MAX];
    size_t count;
};

/* Letters and digits; apostrophes vanish, `&` is the word "and", initials (s.a.r.l., n v, a/s) are
 * glued. Words after WORDS_MAX are dropped. */
void words_split(struct arena *arena, const char *folded, struct words *into);

/* A legal form at the start of `words`: how many words the longest one takes; 0 when there is none.
 */
struct legal_form {
    const char *form;
    const char *class_name;
};
size_t legal_match(const char *const *words, size_t count, struct legal_form *into);

/* The canonical spelling of a word that says little (group, groupe, grp), or NULL. */
const char *common_word(const char *word);

/* The number that an ordinal names ("2nd", "3eme", "iv" → 2, 3, 4); 0 when it is none. */
int ordinal_value(const char *word);

/* Splits what banks and payment providers add from a folded text, in place: the rest is returned,
 * what was split off is appended to `descriptor`. */
char *descriptor_split(struct arena *arena, const char *folded, struct buf *descriptor);

#endif
