/* Blocking: which entries of the ledger and which counterparties could be meant. One statement for
 * the whole batch; every arm has its index and its limit (facts of the arms: matcher/README.md). */
#include "store/blocking_sql.h"
#include "store/json_rows.h"
#include "store/scoring.h"

/* ---- one plan for every call ---- */

/* Planning these statements for the values of one call takes five times what running them takes,
 * and comes to the same plan. */
STATEMENT(blocking_plan_sql, "SET LOCAL plan_cache_mode = force_generic_plan");

struct search {
    const struct statement *statement;
    const struct params *params;
    const struct shape *shape;
    struct rows *into;
};

static enum err search_run(const struct scope *scope, void *arg)
{
    const struct search *search = arg;
    TRY(db_later(scope, &blocking_plan_sql, NO_PARAMS));
    return db_all(scope, search->statement, search->params, search->shape, search->into);
}

/* ---- entries ---- */

static const struct column entry_columns[] = {
    COLUMN(struct blocking_entry, query),
    COLUMN(struct blocking_entry, id),
    COLUMN(struct blocking_entry, role),
    COLUMN_MONEY("amount_minor", "currency", struct blocking_entry, amount),
    COLUMN(struct blocking_entry, date),
    COLUMN(struct blocking_entry, due_date),
    COLUMN(struct blocking_entry, counterparty_name),
    COLUMN(struct blocking_entry, counterparty_iban),
    COLUMN(struct blocking_entry, counterparty_vat_id),
    COLUMN(struct blocking_entry, reference),
    COLUMN(struct blocking_entry, description),
    COLUMN(struct blocking_entry, file_name),
    COLUMN(struct blocking_entry, analysed),
    COLUMN(struct blocking_entry, consumed),
    COLUMN(struct blocking_entry, same_counterparty),
    COLUMN(struct blocking_entry, alias_confirmed),
};
static const struct shape entry_shape = SHAPE(struct blocking_entry, entry_columns);

/* The statement is longer than what C99 asks of every compiler; ours take it. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* Statements that are put together from macros. */
/* clang-format off */

/* What the record itself made or was refused is left out, and so is every document of ours: it is
 * known whose it is, and by chance one of many has the net amount of another record. It is ours
 * when it bears the name of one, even before that is known to have arrived: the mirror may be
 * faster than the answer. */
STATEMENT_ROWS(
    blocking_sql, WINDOW_ITEMS_MAX *CANDIDATES_PER_ROLE_MAX * 2,
    "WITH q AS MATERIALIZED (" BLOCKING_QUERIES_SQL "),"
    " hit AS (SELECT q.n, a.id FROM q CROSS JOIN LATERAL ("
    REFERENCE_ARM " UNION " COUNTERPARTY_ARM " UNION " AMOUNT_ARM " UNION " NET_ARM
    " UNION " NAME_ARM ") a),"
    " ranked AS (SELECT hit.n, e.*, row_number() OVER (PARTITION BY hit.n, e.role"
    " ORDER BY (e.reference_norm IS NOT NULL AND e.reference_norm = q.reference) DESC,"
    " abs(coalesce(e.amount_minor, 0) - q.minor), abs(e.date - q.date), e.id) AS place"
    " FROM hit JOIN q ON q.n = hit.n JOIN region.ledger_entry e ON e.workspace_id = $1"
    " AND e.id = hit.id"
    " WHERE NOT EXISTS (SELECT FROM region.match_refusal f WHERE f.workspace_id = $1"
    " AND f.record_id = q.record AND f.entry_id = e.id)"
    " AND NOT EXISTS (SELECT FROM region.link l JOIN region.item li ON li.workspace_id = $1"
    " AND li.id = l.item_id WHERE l.workspace_id = $1 AND l.entry_id = e.id"
    " AND li.record_id = q.record)"
    " AND e.origin <> 'delivered')"
    " SELECT r.n AS query, r.id, r.role, r.amount_minor, r.currency, r.date, r.due_date,"
    " r.counterparty_name, r.iban AS counterparty_iban, r.vat_id AS counterparty_vat_id,"
    " r.reference, r.description, r.file_name, r.analysed,"
    " EXISTS (SELECT FROM region.link l WHERE l.workspace_id = $1 AND l.entry_id = r.id"
    " AND l.role = r.role AND l.exclusive) AS consumed,"
    " r.counterparty_id IS NOT NULL AND r.counterparty_id = q.counterparty AS same_counterparty,"
    " EXISTS (SELECT FROM region.counterparty_alias a WHERE a.workspace_id = $1"
    " AND a.name_norm = r.core_name AND a.counterparty_id = q.counterparty AND a.confirmed)"
    " AS alias_confirmed"
    " FROM ranked r JOIN q ON q.n = r.n WHERE r.place <= 40"
    " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
    " AND d.file_name = r.file_name AND d.state <> 'canceled')"
    " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
    " AND d.connection_id = $3 AND d.external_id = r.external_id AND r.role = 'document'"
    " AND d.operation IN ('create', 'reverse')) ORDER BY r.n, r.role, r.id");

/* clang-format on */

const char *blocking_queries(struct arena *arena, const struct blocking_query *queries,
                             size_t count)
{
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        const struct blocking_query *query = &queries[i];
        json_t *row = rows_add(rows);
        row_int(row, "n", (int64_t)i);
        row_uuid(arena, row, "record", query->record);
        row_text(row, "core", query->core_name);
        row_text(row, "reference", query->reference);
        row_money(row, "minor", "currency", query->amount);
        row_money(row, "net", "net_currency", query->net);
        row_date(arena, row, "date", query->date);
        row_uuid(arena, row, "counterparty", query->counterparty);
    }
    return json_write(arena, rows);
}

enum err blocking_find(const struct scope *scope, struct uuid connection,
                       const struct blocking_query *queries, size_t count, struct rows *into)
{
    const char *asked = blocking_queries(scope->arena, queries, count);
    struct search search = {&blocking_sql,
                            PARAMS(P(scope->workspace), P_JSON(asked), P(connection)), &entry_shape,
                            into};
    return db_transaction(scope, search_run, &search);
}

/* ---- counterparties ---- */

static const struct column known_columns[] = {
    COLUMN(struct counterparty_known, query),
    COLUMN(struct counterparty_known, id),
    COLUMN(struct counterparty_known, name),
    COLUMN(struct counterparty_known, email),
    COLUMN(struct counterparty_known, vat_id),
    COLUMN(struct counterparty_known, siren),
    COLUMN(struct counterparty_known, iban),
    COLUMN(struct counterparty_known, iban_listed),
    COLUMN(struct counterparty_known, customer_id),
    COLUMN(struct counterparty_known, alias_confirmed),
    COLUMN(struct counterparty_known, confirmed),
};
static const struct shape known_shape = SHAPE(struct counterparty_known, known_columns);

/* clang-format off */

#define IDENTIFIED_BY(value, scheme)                                                               \
    " SELECT x.counterparty_id FROM region.counterparty_identifier x WHERE x.workspace_id = $1"    \
    " AND x.scheme = " scheme " AND x.value = " value
#define IDENTIFIER_OF(scheme)                                                                      \
    "(SELECT min(x.value) FROM region.counterparty_identifier x WHERE x.workspace_id = $1"         \
    " AND x.counterparty_id = c.id AND x.scheme = " scheme ")"

STATEMENT_ROWS(
    counterparties_sql, WINDOW_ITEMS_MAX *KNOWN_COUNTERPARTIES_MAX * 2,
    "WITH q AS (SELECT * FROM jsonb_to_recordset($2) AS q(n int, vat_id text, siren text,"
    " iban text, email text, customer text, scheme text, core text))"
    " SELECT q.n AS query, c.id, c.name, c.email,"
    " " IDENTIFIER_OF("'vat_id'") " AS vat_id,"
    " " IDENTIFIER_OF("'siren'") " AS siren,"
    " " IDENTIFIER_OF("'iban'") " AS iban,"
    " EXISTS (SELECT FROM region.counterparty_identifier b WHERE b.workspace_id = $1"
    " AND b.counterparty_id = c.id AND b.scheme = 'iban' AND b.value = q.iban) AS iban_listed,"
    " " IDENTIFIER_OF("q.scheme") " AS customer_id,"
    " EXISTS (SELECT FROM region.counterparty_alias a WHERE a.workspace_id = $1"
    " AND a.counterparty_id = c.id AND a.name_norm = q.core AND a.confirmed) AS alias_confirmed,"
    " c.confirmed"
    " FROM q CROSS JOIN LATERAL ("
    IDENTIFIED_BY("q.vat_id", "'vat_id'")
    " UNION" IDENTIFIED_BY("q.siren", "'siren'")
    " UNION" IDENTIFIED_BY("q.iban", "'iban'")
    " UNION" IDENTIFIED_BY("q.email", "'email'")
    " UNION" IDENTIFIED_BY("q.customer", "q.scheme")
    " UNION " ALIAS_ARM ") k"
    " JOIN region.counterparty c ON c.workspace_id = $1 AND c.id = k.counterparty_id"
    " ORDER BY q.n, c.id");

/* clang-format on */

enum err counterparties_find(const struct scope *scope, const struct counterparty_query *queries,
                             size_t count, struct rows *into)
{
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < count; i++) {
        const struct counterparty_query *query = &queries[i];
        json_t *row = rows_add(rows);
        row_int(row, "n", (int64_t)i);
        row_text(row, "vat_id", query->vat_id);
        row_text(row, "siren", query->siren);
        row_text(row, "iban", query->iban);
        row_text(row, "email", query->email);
        row_text(row, "customer", query->customer_id);
        row_text(row, "scheme", query->customer_scheme);
        row_text(row, "core", query->core_name);
    }
    struct search search = {&counterparties_sql,
                            PARAMS(P(scope->workspace), P_JSON(json_write(scope->arena, rows))),
                            &known_shape, into};
    return db_transaction(scope, search_run, &search);
}
