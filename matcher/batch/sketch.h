/* What blocking knows of a row: enough to say in some nanoseconds how near two rows are. */
#ifndef SLUICE_MATCHER_BATCH_SKETCH_H
#define SLUICE_MATCHER_BATCH_SKETCH_H

#include "matcher/batch/table.h"

enum {
    SKETCH_WORDS = 4,        /* of 64 bits: the trigrams of the text, hashed */
    SKETCH_DIGITS = 4,       /* decimals of a scaled amount */
    SKETCH_TEXT_SCORE = 8000 /* of two equal texts, in thousandths of log-odds, roughly */
};

#define SKETCH_NO_AMOUNT UINT32_MAX

struct sketch {
    int64_t amount;    /* with SKETCH_DIGITS decimals, whatever the currency */
    uint32_t currency; /* its letters as a number; 0: none given; SKETCH_NO_AMOUNT */
    int32_t day;       /* DATE_NONE: no date */
    uint32_t rank;
    uint32_t row; /* of the table */
    uint32_t bits;
    uint64_t text[SKETCH_WORDS];
};

/* `text` is a core name; "" when there is none. */
struct sketch sketch_of(const struct table_row *row, uint32_t at, const char *text);

/* How near, in thousandths of log-odds, roughly: only for choosing candidates. */
int64_t sketch_nearness(const struct sketch *record, const struct sketch *entry);

/* How far the amount of an entry of that day may be from the record's, if it is to be as near as
 * `nearness` by a text that is equal and an amount that is not; negative: no such amount is. */
int64_t sketch_reach(const struct sketch *record, int32_t day, int64_t nearness);

/* The text that a row is found by: the normalised name of its counterparty, or of what its
 * description says where that is absent; "" when there is neither. */
const char *row_core(struct arena *arena, const struct table_row *row);

/* Address, postcode, phone and e-mail, folded, as one text; "" when there is none. */
const char *row_contact(struct arena *arena, const struct table_row *row);

/* The amount of a row that has one, scaled. */
int64_t sketch_amount(const struct table_row *row);

/* The amount in the minor units of `currency` ("" : two digits), from a scaled one. */
int64_t sketch_minor(int64_t scaled, const char *currency);

#endif
