/* The proof that nothing was lost: what pages brought in, where each item is now, and the same
 * things counted a second way. */
#ifndef SLUICE_STORE_CONSERVATION_H
#define SLUICE_STORE_CONSERVATION_H

#include "db/db.h"
#include "store/machines.h"

struct conservation_period {
    struct uuid integration; /* nil: all of the workspace */
    struct date from, to;    /* days of collection (UTC), both included; DATE_NONE: open */
};

struct conservation_check {
    const char
        *code; /* seen_terms, rows_counts, delivered_deliveries, linked_links, held_reviews */
    int64_t left;
    int64_t right;
};
enum { CONSERVATION_CHECKS = 5 };

struct conservation {
    int64_t seen;                /* items that the pages and backfills inserted */
    int64_t states[ITEM_STATES]; /* maintained counts; terms by item_machine.terms */
    int64_t unconfirmed;         /* among the delivered ones */
    int64_t pages;
    int64_t rows_received;
    int64_t inserted;
    int64_t unchanged;
    int64_t quarantined;
    struct conservation_check checks[CONSERVATION_CHECKS];
    int64_t unexplained; /* sum of the differences of all checks */
};
/* One consistent snapshot. */
enum err conservation_get(const struct scope *scope, const struct conservation_period *period,
                          struct conservation *into) MUST_USE;
/* The ids behind a number: rows of struct conservation_id, by id, beyond `after`. */
struct conservation_id {
    struct uuid id;
};
enum err conservation_ids(const struct scope *scope, const struct conservation_period *period,
                          enum item_state state, struct uuid after, int64_t limit,
                          struct rows *into) MUST_USE;

/* Counts of an integration's items by state, as maintained. */
enum err item_counts(const struct scope *scope, struct uuid integration,
                     int64_t into[ITEM_STATES]) MUST_USE;
/* Folds the changes that were appended into the counts. Every few seconds per dirty workspace; a
 * count is right before and after. */
enum err item_count_fold(const struct scope *scope, int64_t *folded) MUST_USE;
/* Counts anew from the items, and says how many counts were wrong. */
enum err item_count_recount(const struct scope *scope, int64_t *wrong) MUST_USE;

#endif
