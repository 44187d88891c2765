/* The SQL of nearest names (migrations/region/0015): rows (name, alike), nearest first.
 *
 * A key that many names share says little and costs much: it is left out, so a lookup reads at most
 * NAMES_PER_KEY + 1 rows a key, however many names the book has. The equal name is always among
 * them. Of the names found, those that share most with the name asked for, and rather what few
 * have, are compared by trigrams. Whole numbers and a last order by name: the same names give the
 * same rows. */
#ifndef SLUICE_STORE_NEAREST_NAMES_H
#define SLUICE_STORE_NEAREST_NAMES_H

/* Statements that are put together from macros. */
/* clang-format off */

#define NAMES_PER_KEY "100"
#define NAMES_COMPARED "40"

/* `book` and `core` are SQL; a core that is NULL has no nearest names. */
#define NEAREST_NAMES_SQL(book, core, most)                                                        \
    "(SELECT c.name, public.similarity(c.name, " core ") AS alike FROM ("                          \
    "SELECT left(" core ", 200) COLLATE \"C\" AS name WHERE " core " IS NOT NULL"                  \
    " UNION (SELECT f.name FROM (SELECT x.name, count(*) OVER (PARTITION BY k.key) AS sharing"     \
    " FROM region.name_keys(left(" core ", 200)) k CROSS JOIN LATERAL (SELECT n.name"              \
    " FROM region.name_key n WHERE n.workspace_id = $1 AND n.book = " book                         \
    " AND n.key = k.key COLLATE \"C\" LIMIT " NAMES_PER_KEY " + 1) x) f"                           \
    " WHERE f.sharing <= " NAMES_PER_KEY " GROUP BY f.name"                                        \
    " ORDER BY sum(1000000 / f.sharing) DESC, f.name LIMIT " NAMES_COMPARED ")) c"                 \
    " ORDER BY alike DESC, c.name LIMIT " most ")"

/* clang-format on */
#endif
