#include "store/window_read.h"

static const struct column window_view_columns[] = {
    COLUMN(struct window_view, id),         COLUMN(struct window_view, integration),
    COLUMN(struct window_view, kind),       COLUMN(struct window_view, state),
    COLUMN(struct window_view, item_count), COLUMN(struct window_view, opened_at),
    COLUMN(struct window_view, closes_at),  COLUMN(struct window_view, closed_at),
    COLUMN(struct window_view, done_at),
};
static const struct shape window_view_shape = SHAPE(struct window_view, window_view_columns);

STATEMENT(window_integration_sql,
          "SELECT 1 FROM region.integration WHERE workspace_id = $1 AND id = $2");

STATEMENT(windows_list_sql,
          "SELECT w.id, w.integration_id AS integration, w.kind, w.state,"
          " (SELECT count(*) FROM region.item i WHERE i.workspace_id = w.workspace_id"
          " AND i.window_id = w.id) AS item_count, w.opened_at, w.closes_at, w.closed_at, w.done_at"
          " FROM region.window w WHERE w.workspace_id = $1 AND w.integration_id = $2"
          " AND ($3::text IS NULL OR w.state = $3) AND ($4::text IS NULL OR w.kind = $4)"
          " AND ($5::uuid IS NULL OR w.id < $5) ORDER BY w.id DESC LIMIT $6");

enum err windows_list(const struct scope *scope, const struct window_filter *filter,
                      const struct list_page *page, struct rows *into)
{
    int64_t one;
    TRY(db_int(scope, &window_integration_sql, PARAMS(P(scope->workspace), P(filter->integration)),
               &one));
    return db_all(scope, &windows_list_sql,
                  PARAMS(P(scope->workspace), P(filter->integration), P(filter->state),
                         P(filter->kind), P(page->after), P(page->rows)),
                  &window_view_shape, into);
}
