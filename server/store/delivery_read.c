#include "store/delivery_read.h"

static const struct column delivery_view_columns[] = {
    COLUMN(struct delivery_view, id),
    COLUMN(struct delivery_view, item),
    COLUMN(struct delivery_view, integration),
    COLUMN(struct delivery_view, connection),
    COLUMN(struct delivery_view, operation),
    COLUMN(struct delivery_view, generation),
    COLUMN(struct delivery_view, state),
    COLUMN(struct delivery_view, idempotency_key),
    COLUMN(struct delivery_view, content_sha256),
    COLUMN(struct delivery_view, content_type),
    COLUMN(struct delivery_view, content_bytes),
    COLUMN(struct delivery_view, file_name),
    COLUMN(struct delivery_view, external_id),
    COLUMN(struct delivery_view, attempt_count),
    COLUMN(struct delivery_view, next_attempt_at),
    COLUMN(struct delivery_view, created_at),
    COLUMN(struct delivery_view, updated_at),
    COLUMN(struct delivery_view, done_at),
};
static const struct shape delivery_view_shape = SHAPE(struct delivery_view, delivery_view_columns);

#define DELIVERY_VIEW_SQL                                                                          \
    "SELECT d.id, d.item_id AS item, d.integration_id AS integration,"                             \
    " d.connection_id AS connection, d.operation, d.generation, d.state, d.idempotency_key,"       \
    " encode(d.content_hash, 'hex') AS content_sha256, d.content_type,"                            \
    " coalesce(f.bytes, 0) AS content_bytes, d.file_name, d.external_id,"                          \
    " d.attempts AS attempt_count, d.next_at AS next_attempt_at, d.created_at,"                    \
    " d.state_changed_at AS updated_at, d.done_at FROM region.delivery d"                          \
    " LEFT JOIN region.document f ON f.workspace_id = d.workspace_id"                              \
    " AND f.sha256 = coalesce(d.document_sha256, d.content_hash)"                                  \
    " WHERE d.workspace_id = $1"

STATEMENT(deliveries_list_sql, DELIVERY_VIEW_SQL
          " AND ($2::uuid IS NULL OR d.integration_id = $2)"
          " AND ($3::text IS NULL OR d.state = $3) AND ($4::uuid IS NULL OR d.item_id = $4)"
          " AND ($5::uuid IS NULL OR d.id < $5) ORDER BY d.id DESC LIMIT $6");

enum err deliveries_list(const struct scope *scope, const struct delivery_filter *filter,
                         const struct list_page *page, struct rows *into)
{
    return db_all(scope, &deliveries_list_sql,
                  PARAMS(P(scope->workspace), P(filter->integration), P(filter->state),
                         P(filter->item), P(page->after), P(page->rows)),
                  &delivery_view_shape, into);
}

STATEMENT(delivery_view_get_sql, DELIVERY_VIEW_SQL " AND d.id = $2");

enum err delivery_view_get(const struct scope *scope, struct uuid id, struct delivery_view *into)
{
    return db_one(scope, &delivery_view_get_sql, PARAMS(P(scope->workspace), P(id)),
                  &delivery_view_shape, into);
}

static const struct column attempt_view_columns[] = {
    COLUMN(struct attempt_view, n),          COLUMN(struct attempt_view, started_at),
    COLUMN(struct attempt_view, look_after), COLUMN(struct attempt_view, finished_at),
    COLUMN(struct attempt_view, status),     COLUMN(struct attempt_view, http_status),
    COLUMN(struct attempt_view, excerpt),
};
static const struct shape attempt_view_shape = SHAPE(struct attempt_view, attempt_view_columns);

/* The latest ones, should there ever be more than are shown. */
STATEMENT(attempts_of_delivery_sql,
          "SELECT * FROM (SELECT n, started_at, coalesce(look_after, started_at) AS look_after,"
          " ended_at AS finished_at, coalesce(failure_code, outcome) AS status,"
          " status AS http_status, left(excerpt, 2048) AS excerpt FROM region.attempt"
          " WHERE workspace_id = $1 AND delivery_id = $2 ORDER BY n DESC LIMIT $3) latest"
          " ORDER BY n");

enum err attempts_of_delivery(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &attempts_of_delivery_sql,
                  PARAMS(P(scope->workspace), P(id), P(ATTEMPTS_SHOWN_MAX)), &attempt_view_shape,
                  into);
}
