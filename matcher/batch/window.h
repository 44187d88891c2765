/* Entries by currency, day and amount: what is near in both. */
#ifndef SLUICE_MATCHER_BATCH_WINDOW_H
#define SLUICE_MATCHER_BATCH_WINDOW_H

#include "matcher/batch/shortlist.h"
#include "matcher/batch/sketch.h"

enum {
    WINDOW_DAYS = 60,         /* before and after the record */
    WINDOW_CLOSE_PERCENT = 3, /* of the amount: the arm that blocking in SQL has as well */
    WINDOW_WIDE_PERCENT = 15,
    WINDOW_CLOSE_ENTRIES_MAX = 20,
    WINDOW_WIDE_ENTRIES_MAX = 30,
    WINDOW_SCAN_MAX = 16384 /* entries looked at for one record; the nearest days come first */
};

struct window_index;

/* Sorts `sketches` by currency, day, amount and rank. They must outlive the index. */
struct window_index *window_index_new(struct arena *arena, struct sketch *sketches, size_t count);

/* `close`: within WINDOW_CLOSE_PERCENT, by difference of the amount, of the day, rank. `wide`:
 * within WINDOW_WIDE_PERCENT, by sketch_nearness. An amount without a currency is near one in any.
 */
void window_index_find(const struct window_index *index, const struct sketch *record,
                       struct shortlist *close, struct shortlist *wide);

/* The first place from which the entries of the record's currency are not before its day. */
size_t window_index_place(const struct window_index *index, const struct sketch *record);

#endif
