#include "store/counterparty_read.h"

static const struct column counterparty_view_columns[] = {
    COLUMN(struct counterparty_view, id),         COLUMN(struct counterparty_view, name),
    COLUMN(struct counterparty_view, country),    COLUMN(struct counterparty_view, created_at),
    COLUMN(struct counterparty_view, updated_at),
};
static const struct shape counterparty_view_shape =
    SHAPE(struct counterparty_view, counterparty_view_columns);

STATEMENT(counterparties_list_sql,
          "SELECT id, name, country, created_at, created_at AS updated_at FROM region.counterparty"
          " WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3");

enum err counterparties_list(const struct scope *scope, const struct list_page *page,
                             struct rows *into)
{
    return db_all(scope, &counterparties_list_sql,
                  PARAMS(P(scope->workspace), P(page->after), P(page->rows)),
                  &counterparty_view_shape, into);
}

/* A counterparty has several aliases: twice the page of nearest names is enough for most, and a
 * page that is shorter than asked for is the answer where it is not. */
STATEMENT(counterparties_search_sql,
          "WITH near AS MATERIALIZED (SELECT counterparty_id, core_name <->> $2 AS far"
          " FROM region.counterparty_alias WHERE workspace_id = $1"
          " ORDER BY core_name <->> $2 LIMIT 2 * $3),"
          " best AS (SELECT counterparty_id, min(far) AS far FROM near GROUP BY counterparty_id)"
          " SELECT c.id, c.name, c.country, c.created_at, c.created_at AS updated_at FROM best"
          " JOIN region.counterparty c ON c.workspace_id = $1 AND c.id = best.counterparty_id"
          " ORDER BY best.far, c.id LIMIT $3");

enum err counterparties_search(const struct scope *scope, const char *text, int64_t rows,
                               struct rows *into)
{
    return db_all(scope, &counterparties_search_sql, PARAMS(P(scope->workspace), P(text), P(rows)),
                  &counterparty_view_shape, into);
}

STATEMENT(counterparty_get_sql,
          "SELECT id, name, country, created_at, created_at AS updated_at FROM region.counterparty"
          " WHERE workspace_id = $1 AND id = $2");

enum err counterparty_get(const struct scope *scope, struct uuid id, struct counterparty_view *into)
{
    return db_one(scope, &counterparty_get_sql, PARAMS(P(scope->workspace), P(id)),
                  &counterparty_view_shape, into);
}

static const struct column identifier_view_columns[] = {
    COLUMN(struct identifier_view, scheme),
    COLUMN(struct identifier_view, value),
    COLUMN_AS("taught_by_kind", struct identifier_view, taught_by.kind),
    COLUMN_AS("taught_by", struct identifier_view, taught_by.id),
    COLUMN(struct identifier_view, created_at),
};
static const struct shape identifier_view_shape =
    SHAPE(struct identifier_view, identifier_view_columns);

STATEMENT(counterparty_identifiers_sql,
          "SELECT scheme, value, CASE WHEN taught_by IS NULL THEN 'system' ELSE 'user' END"
          " AS taught_by_kind, taught_by, created_at FROM region.counterparty_identifier WHERE "
          "workspace_id = $1 AND counterparty_id = $2"
          " ORDER BY created_at, scheme, value LIMIT $3");

enum err counterparty_identifiers(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &counterparty_identifiers_sql,
                  PARAMS(P(scope->workspace), P(id), P(COUNTERPARTY_PARTS_MAX)),
                  &identifier_view_shape, into);
}

static const struct column alias_view_columns[] = {
    COLUMN(struct alias_view, name),
    COLUMN(struct alias_view, confirmed),
    COLUMN_AS("taught_by_kind", struct alias_view, taught_by.kind),
    COLUMN_AS("taught_by", struct alias_view, taught_by.id),
    COLUMN(struct alias_view, created_at),
};
static const struct shape alias_view_shape = SHAPE(struct alias_view, alias_view_columns);

STATEMENT(counterparty_aliases_sql,
          "SELECT name, confirmed, CASE WHEN taught_by IS NULL THEN 'system' ELSE 'user' END"
          " AS taught_by_kind, taught_by, created_at FROM region.counterparty_alias WHERE "
          "workspace_id = $1 AND counterparty_id = $2"
          " ORDER BY created_at, name_norm LIMIT $3");

enum err counterparty_aliases(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &counterparty_aliases_sql,
                  PARAMS(P(scope->workspace), P(id), P(COUNTERPARTY_PARTS_MAX)), &alias_view_shape,
                  into);
}
