/* Blocking in memory: which entries of a ledger could be meant by a record. Made once from a table
 * and read by any number of threads; every thread searches with its own `block_search`.
 *
 * The arms, each with its limit: equal references (and numbers that a text states), equal party
 * (VAT id, SIREN, IBAN, e-mail, phone, address) near the date, near amounts near the date, names
 * nearest by trigrams, names that contain one another, address and e-mail nearest by trigrams.
 * Their union is cut to BLOCK_CANDIDATES_MAX by nearness. An arm whose field is absent on a side is
 * absent. The order of the rows of a file changes nothing. */
#ifndef SLUICE_MATCHER_BATCH_BLOCK_H
#define SLUICE_MATCHER_BATCH_BLOCK_H

#include "matcher/batch/table.h"
#include "matcher/matcher.h"

enum { BLOCK_CANDIDATES_MAX = 40 };

enum block_arm {
    BLOCK_REFERENCE,
    BLOCK_PARTY,
    BLOCK_AMOUNT,      /* within 3 % */
    BLOCK_AMOUNT_WIDE, /* within 15 %, by nearness of everything */
    BLOCK_NAME,
    BLOCK_NAME_CONTAINED,
    BLOCK_CONTACT, /* address, postcode, phone, e-mail as one text */
    BLOCK_ARM_COUNT
};

struct block_index;
struct block_search;

/* The table must outlive the index. */
struct block_index *block_index_new(struct arena *arena, const struct table *ledger);
/* How often words occur among the names and descriptions of the ledger. */
const struct token_counts *block_index_counts(const struct block_index *index);
struct block_search *block_search_new(struct arena *arena, const struct block_index *index);

/* Rows of the ledger, by rank of their ids. */
struct block_found {
    uint32_t row[BLOCK_CANDIDATES_MAX];
    size_t count;
};

/* `scratch` is used and may be reset afterwards. */
void block_find(struct block_search *search, struct arena *scratch, const struct table_row *record,
                struct block_found *into);
/* What one arm offers, before the union is cut. */
void block_find_by(struct block_search *search, struct arena *scratch, enum block_arm arm,
                   const struct table_row *record, struct block_found *into);

#endif
