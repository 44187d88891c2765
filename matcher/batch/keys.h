/* Strong keys of entries, hashed: references, numbers that a text states, VAT id, SIREN, IBAN,
 * e-mail, phone, address. A collision of hashes costs a candidate, no more. */
#ifndef SLUICE_MATCHER_BATCH_KEYS_H
#define SLUICE_MATCHER_BATCH_KEYS_H

#include "matcher/batch/shortlist.h"
#include "matcher/batch/sketch.h"

enum key_kind {
    KEY_REFERENCE, /* equal, or stated by a text of the other side */
    KEY_VAT_ID,
    KEY_SIREN,
    KEY_IBAN,
    KEY_EMAIL,
    KEY_PHONE,
    KEY_ADDRESS,
    KEY_KIND_COUNT
};

enum { ROW_KEYS_MAX = 24, KEY_ENTRIES_MAX = 20, KEY_DAYS_MAX = 60 };

struct row_keys {
    uint64_t hash[ROW_KEYS_MAX];
    enum key_kind kind[ROW_KEYS_MAX];
    size_t count;
};

void row_keys_of(struct arena *arena, const struct table_row *row, struct row_keys *into);

struct key_index;

/* `sketches` are those of the entries of `table`, in any order; the index speaks of their places.
 */
struct key_index *key_index_new(struct arena *arena, const struct table *table,
                                const struct sketch *sketches);

/* The KEY_ENTRIES_MAX entries with one of the keys of `kind` that are nearest by date. Parties
 * (all kinds but references) count within KEY_DAYS_MAX days. */
void key_index_find(const struct key_index *index, const struct row_keys *keys, enum key_kind kind,
                    int32_t day, struct shortlist *into);

#endif
