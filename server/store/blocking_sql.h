/* The arms of blocking: each one the entries that one kind of evidence finds for a query, at most
 * ENTRIES_PER_ARM, nearest first, ties by id. `q` is a row of BLOCKING_QUERIES_SQL, $1 the
 * workspace and $3 the connection; every arm is one parenthesised SELECT of an id.
 *
 * Every scan has an index in the order that it is read in, so it ends when it has enough: a party,
 * name or an amount that comes again and again costs what a rare one costs. Bounds are columns of
 * q: under row-level security a bound that is computed in the arm does not reach its index. */
#ifndef SLUICE_STORE_BLOCKING_SQL_H
#define SLUICE_STORE_BLOCKING_SQL_H

#include "store/nearest_names.h"
#include "store/scoring.h"

/* The rows of BLOCKING_QUERIES_SQL as JSON. */
const char *blocking_queries(struct arena *arena, const struct blocking_query *queries,
                             size_t count);

/* Statements that are put together from macros. */
/* clang-format off */

#define ENTRIES_PER_ARM "20"
#define ENTRIES_PER_NAME "10" /* before the day of the record, and as many after it */
#define NAMES_PER_RECORD "12"
#define PARTIES_PER_RECORD "20" /* KNOWN_COUNTERPARTIES_MAX */

#define BLOCKING_QUERIES_SQL                                                                       \
    "SELECT *, minor - abs(minor) * 3 / 100 AS low, minor + abs(minor) * 3 / 100 AS high,"         \
    " date - 60 AS first_day, date + 60 AS last_day, date - 7 AS net_first_day,"                   \
    " coalesce(date, DATE '9999-12-31') AS near_day"                                               \
    " FROM jsonb_to_recordset($2) AS q(n int, record uuid, core text, reference text,"             \
    " currency text, minor bigint, net bigint, net_currency text, date date, counterparty uuid)"

#define ENTRIES_SQL(condition, order, most)                                                        \
    "(SELECT e.id, e.amount_minor, e.date, e.list_day FROM region.ledger_entry e"                  \
    " WHERE e.workspace_id = $1 AND e.connection_id = $3 AND NOT e.removed AND " condition         \
    " ORDER BY " order " LIMIT " most ")"

#define AROUND_DATE_SQL(condition, first)                                                          \
    ENTRIES_SQL(condition " AND e.date >= q.date AND e.date <= q.last_day", "e.date, e.id",        \
                ENTRIES_PER_ARM)                                                                   \
    " UNION ALL "                                                                                  \
    ENTRIES_SQL(condition " AND e.date < q.date AND e.date >= " first, "e.date DESC, e.id",        \
                ENTRIES_PER_ARM)

#define NEAREST_SQL(entries, order)                                                                \
    "(SELECT e.id FROM (" entries ") e ORDER BY " order ", e.id LIMIT " ENTRIES_PER_ARM ")"

#define REFERENCE_ARM                                                                              \
    NEAREST_SQL(ENTRIES_SQL("e.reference_norm = q.reference", "e.id", ENTRIES_PER_ARM), "e.id")

#define COUNTERPARTY_ARM                                                                           \
    NEAREST_SQL(AROUND_DATE_SQL("e.counterparty_id = q.counterparty", "q.first_day"),              \
                "abs(e.date - q.date)")

/* Gross, within 3 %: equal amounts by date, then the amounts next to it. */
#define AMOUNT_ARM                                                                                 \
    NEAREST_SQL(                                                                                   \
        AROUND_DATE_SQL("e.currency = q.currency AND e.amount_minor = q.minor", "q.first_day")     \
        " UNION ALL "                                                                              \
        ENTRIES_SQL("e.currency = q.currency AND e.amount_minor > q.minor"                         \
                    " AND e.amount_minor <= q.high AND e.date BETWEEN q.first_day AND q.last_day", \
                    "e.amount_minor, abs(e.date - q.date), e.id", ENTRIES_PER_ARM)                 \
        " UNION ALL "                                                                              \
        ENTRIES_SQL("e.currency = q.currency AND e.amount_minor < q.minor"                         \
                    " AND e.amount_minor >= q.low AND e.date BETWEEN q.first_day AND q.last_day",  \
                    "e.amount_minor DESC, abs(e.date - q.date), e.id", ENTRIES_PER_ARM),           \
        "abs(e.amount_minor - q.minor), abs(e.date - q.date)")

/* Net of what the source kept. */
#define NET_ARM                                                                                    \
    NEAREST_SQL(AROUND_DATE_SQL("e.currency = q.net_currency AND e.amount_minor = q.net",          \
                                "q.net_first_day"),                                                \
                "abs(e.date - q.date)")

/* Entries under the nearest names; of one name those next to the record's day. */
#define NAME_ARM                                                                                   \
    "(SELECT e.id FROM " NEAREST_NAMES_SQL("$3", "q.core", NAMES_PER_RECORD) " m"                  \
    " CROSS JOIN LATERAL ("                                                                        \
    ENTRIES_SQL("e.near_name = m.name AND e.list_day >= q.near_day", "e.list_day, e.id",           \
                ENTRIES_PER_NAME)                                                                  \
    " UNION ALL "                                                                                  \
    ENTRIES_SQL("e.near_name = m.name AND e.list_day < q.near_day", "e.list_day DESC, e.id",       \
                ENTRIES_PER_NAME)                                                                  \
    ") e ORDER BY m.alike DESC, abs(e.list_day - q.near_day), e.id LIMIT " ENTRIES_PER_ARM ")"

/* Counterparties under the nearest of their aliases; the book of aliases is the workspace's. */
#define ALIAS_ARM                                                                                  \
    "(SELECT a.counterparty_id FROM " NEAREST_NAMES_SQL("$1", "q.core", PARTIES_PER_RECORD) " m"   \
    " CROSS JOIN LATERAL (SELECT n.counterparty_id FROM region.counterparty_alias n"               \
    " WHERE n.workspace_id = $1 AND n.near_name = m.name"                                          \
    " ORDER BY n.counterparty_id LIMIT " PARTIES_PER_RECORD ") a"                                  \
    " ORDER BY m.alike DESC, m.name, a.counterparty_id LIMIT " PARTIES_PER_RECORD ")"

/* clang-format on */
#endif
