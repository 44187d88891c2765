/* What the lists of the read side have in common: where a page begins and which rows belong to it.
 * A list function reads one page in one statement on an indexed order; whoever wants to know
 * whether there is more asks for one row more than it shows. */
#ifndef SLUICE_STORE_LISTING_H
#define SLUICE_STORE_LISTING_H

#include "base/money.h"
#include "db/db.h"

struct list_page {
    int64_t rows;        /* at most this many */
    struct uuid after;   /* the last row of the page before; nil: the first page */
    int64_t after_order; /* its number in the order, where the order has one beside the id */
};

/* Bounds of a day and an amount. Without a currency there are no bounds on the amount. */
struct list_range {
    const char *currency;
    int64_t amount_min, amount_max;
    bool has_amount_min, has_amount_max;
    struct date date_from, date_to; /* DATE_NONE: open */
};

/* As a parameter: five of them, $n to $n+4 as RANGE_SQL reads them. */
#define RANGE_PARAMS(range)                                                                        \
    P((range)->currency), P_INT_IF((range)->has_amount_min, (range)->amount_min),                  \
        P_INT_IF((range)->has_amount_max, (range)->amount_max), P((range)->date_from),             \
        P((range)->date_to)
#define RANGE_SQL(row, currency, low, high, from, to)                                              \
    " AND (" currency "::text IS NULL OR " row ".currency = " currency ")"                         \
    " AND (" low "::bigint IS NULL OR " row ".amount_minor >= " low ")"                            \
    " AND (" high "::bigint IS NULL OR " row ".amount_minor <= " high ")"                          \
    " AND (" from "::date IS NULL OR " row ".date >= " from ")"                                    \
    " AND (" to "::date IS NULL OR " row ".date <= " to ")"

/* Nobody, a person, a key: as stored in the columns <what>_kind and <what>. */
struct actor_view {
    const char *kind;
    struct uuid id;
};

#endif
