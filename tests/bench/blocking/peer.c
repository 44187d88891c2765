#include "base/base.h"

#include "peer.h"

/* Statements that are put together from macros. */
/* clang-format off */

#define PEER_QUERIES                                                                               \
    "SELECT *, minor - abs(minor) * 3 / 100 AS low, minor + abs(minor) * 3 / 100 AS high,"         \
    " date - 60 AS first_day, date + 60 AS last_day, date - 7 AS net_first_day"                    \
    " FROM jsonb_to_recordset($2) AS q(n int, record uuid, core text, reference text,"             \
    " currency text, minor bigint, net bigint, net_currency text, date date, counterparty uuid)"
#define PEER_ARM(condition, order)                                                                 \
    " (SELECT e.id FROM region.ledger_entry e WHERE e.workspace_id = $1 AND NOT e.removed"         \
    " AND e.connection_id = $3 AND " condition " ORDER BY " order " LIMIT 20)"
#define PEER_NAME_ARM                                                                              \
    " (SELECT e.id FROM (SELECT n.id FROM region.ledger_entry n WHERE n.workspace_id = $1"         \
    " AND CASE WHEN n.connection_id = $3 THEN true END AND n.core_name IS NOT NULL"                \
    " AND NOT n.removed"                                                                           \
    " AND q.core IS NOT NULL ORDER BY n.core_name <-> q.core LIMIT 20) e)"

STATEMENT(peer_name_sql, "WITH q AS MATERIALIZED (" PEER_QUERIES ")"
                         " SELECT a.id FROM q CROSS JOIN LATERAL" PEER_NAME_ARM " a");
STATEMENT(peer_whole_sql,
    "WITH q AS MATERIALIZED (" PEER_QUERIES "),"
    " hit AS (SELECT q.n, a.id FROM q CROSS JOIN LATERAL ("
    PEER_ARM("q.reference IS NOT NULL AND e.reference_norm = q.reference", "e.id")
    " UNION"
    PEER_ARM("q.counterparty IS NOT NULL AND e.counterparty_id = q.counterparty"
             " AND e.date BETWEEN q.first_day AND q.last_day",
             "abs(e.date - q.date), e.id")
    " UNION"
    PEER_ARM("e.currency = q.currency AND e.amount_minor BETWEEN q.low AND q.high"
             " AND e.date BETWEEN q.first_day AND q.last_day",
             "abs(e.amount_minor - q.minor), abs(e.date - q.date), e.id")
    " UNION"
    PEER_ARM("q.net IS NOT NULL AND e.currency = q.net_currency AND e.amount_minor = q.net"
             " AND e.date BETWEEN q.net_first_day AND q.last_day",
             "abs(e.date - q.date), e.id")
    " UNION" PEER_NAME_ARM ") a),"
    " ranked AS (SELECT hit.n, e.*, row_number() OVER (PARTITION BY hit.n, e.role"
    " ORDER BY (e.reference_norm IS NOT NULL AND e.reference_norm = q.reference) DESC,"
    " abs(coalesce(e.amount_minor, 0) - q.minor), abs(e.date - q.date), e.id) AS place"
    " FROM hit JOIN q ON q.n = hit.n JOIN region.ledger_entry e ON e.workspace_id = $1"
    " AND e.id = hit.id)"
    " SELECT id FROM ranked WHERE place <= 40");
STATEMENT(peer_parties_sql, "WITH q AS MATERIALIZED (" PEER_QUERIES ")"
                            " SELECT a.id FROM q CROSS JOIN LATERAL (SELECT n.counterparty_id AS id"
                            " FROM region.counterparty_alias n WHERE n.workspace_id = $1"
                            " AND q.core IS NOT NULL AND $3::uuid IS NOT NULL"
                            " ORDER BY n.core_name <-> q.core LIMIT 20) a");

/* clang-format on */

const struct statement *const peer_name_arm = &peer_name_sql;
const struct statement *const peer_whole = &peer_whole_sql;
const struct statement *const peer_parties = &peer_parties_sql;
