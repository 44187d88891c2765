#include "store/integration_pause.h"

#include "store/delivery_block.h"
#include "store/queue.h"

enum { HELD_BACK_MAX = 100000 }; /* deliveries of one integration that wait to be sent */

STATEMENT(integration_hold_deliveries_sql,
          "UPDATE region.delivery SET state = 'blocked', state_reason = 'paused',"
          " state_changed_at = $3, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND integration_id = $2 AND state IN ('queued', 'retrying')");

enum err integration_hold_back(const struct scope *scope, struct uuid integration)
{
    return db_exec(scope, &integration_hold_deliveries_sql,
                   PARAMS(P(scope->workspace), P(integration), P(db_now(scope))), NULL);
}

struct held {
    struct uuid id;
    struct uuid connection;
    struct instant due; /* 0: now */
};
static const struct column held_columns[] = {
    COLUMN(struct held, id), COLUMN(struct held, connection), COLUMN(struct held, due)};
static const struct shape held_shape = SHAPE(struct held, held_columns);

STATEMENT_ROWS(integration_queue_deliveries_sql, HELD_BACK_MAX,
               "UPDATE region.delivery SET state = 'queued', state_reason = NULL,"
               " retry_until = retry_until + greatest($3 - state_changed_at, interval '0'),"
               " state_changed_at = $3, row_version = row_version + 1"
               " WHERE workspace_id = $1 AND integration_id = $2 AND state = 'blocked'"
               " AND state_reason = 'paused' RETURNING id, connection_id AS connection,"
               " NULL::timestamptz AS due");
STATEMENT(integration_windows_sql,
          "SELECT id, NULL::uuid AS connection, closes_at AS due FROM region.window"
          " WHERE workspace_id = $1 AND integration_id = $2"
          " AND state IN ('collecting', 'scoring')");

static enum err enqueue(const struct scope *scope, enum job_kind_id kind, const char *word,
                        const struct rows *rows)
{
    const struct held *held = rows->at;
    for (size_t i = 0; i < rows->count; i++) {
        const struct job_order job = {
            .kind = kind,
            .connection = held[i].connection,
            .subject = held[i].id,
            .run_at = held[i].due,
            .dedupe =
                arena_format(scope->arena, "%s:%s", word, uuid_format(scope->arena, held[i].id)),
        };
        TRY(queue_enqueue(scope, &job));
    }
    return OK;
}

static enum err let_go(const struct scope *scope, void *arg)
{
    const struct uuid *integration = arg;
    struct instant now = db_now(scope);
    struct rows deliveries, windows;
    struct delivery_way way;
    TRY(delivery_way_lock(scope, *integration, &way));
    TRY(db_all(scope, &integration_queue_deliveries_sql,
               PARAMS(P(scope->workspace), P(*integration), P(now)), &held_shape, &deliveries));
    TRY(enqueue(scope, JOB_DELIVER, "deliver", &deliveries));
    TRY(db_all(scope, &integration_windows_sql, PARAMS(P(scope->workspace), P(*integration)),
               &held_shape, &windows));
    TRY(enqueue(scope, JOB_WINDOW, "window", &windows));
    return deliveries_stop(scope, &way);
}

enum err integration_let_go(const struct scope *scope, struct uuid integration)
{
    return db_transaction(scope, let_go, &integration);
}

/* ---- archived ---- */

#define ARCHIVED "integration_archived" /* state_reason of what it ended */

STATEMENT(integration_ignore_sql,
          "UPDATE region.item SET state = 'ignored', state_reason = $4, state_changed_at = $3,"
          " window_id = NULL, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND integration_id = $2 AND state IN ('waiting', 'scoring')");
/* Whoever plans a delivery holds its item: from here on no other one comes. */
STATEMENT(integration_hold_items_sql,
          "SELECT count(*) FROM (SELECT FROM region.item WHERE workspace_id = $1"
          " AND integration_id = $2 AND state IN ('queued', 'problem') FOR UPDATE) AS held");
STATEMENT(integration_block_sql,
          "UPDATE region.delivery SET state = 'blocked', state_reason = $4, state_changed_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND integration_id = $2 AND state IN ('queued', 'retrying')");
STATEMENT(integration_cancel_sql,
          "UPDATE region.delivery SET state = 'canceled', state_reason = $4,"
          " state_changed_at = $3, next_at = NULL, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND integration_id = $2 AND state = 'blocked'");
/* What is on its way, or may have arrived, goes on to its end. */
#define ENDED_ITEM_SQL                                                                             \
    " WHERE i.workspace_id = $1 AND i.integration_id = $2"                                         \
    " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"                     \
    " AND d.item_id = i.id AND d.state IN ('sending', 'uncertain'))"
STATEMENT(integration_unqueue_sql,
          "UPDATE region.item i SET state = 'problem', state_reason = $4,"
          " state_changed_at = $3" ENDED_ITEM_SQL " AND i.state = 'queued'");
STATEMENT(integration_dismiss_sql,
          "UPDATE region.item i SET state = 'dismissed', state_reason = $4, state_changed_at = $3,"
          " row_version = i.row_version + 1" ENDED_ITEM_SQL " AND i.state = 'problem'"
          " AND (i.state_reason = $4 OR EXISTS (SELECT FROM region.delivery d"
          " WHERE d.workspace_id = $1 AND d.item_id = i.id AND d.state_reason = $4))");
#define PROBLEM_OF_ENDED_SQL                                                                       \
    " WHERE p.workspace_id = $1 AND i.workspace_id = $1 AND i.id = p.item_id"                      \
    " AND i.integration_id = $2 AND i.state = 'dismissed' AND i.state_reason = $4"
STATEMENT(integration_problem_open_sql,
          "UPDATE region.problem p SET state = 'open', state_changed_at = $3"
          " FROM region.item i" PROBLEM_OF_ENDED_SQL " AND p.state = 'retrying'");
STATEMENT(integration_problem_dismiss_sql,
          "UPDATE region.problem p SET state = 'dismissed', state_changed_at = $3,"
          " dismissed_reason = $4, row_version = p.row_version + 1"
          " FROM region.item i" PROBLEM_OF_ENDED_SQL " AND p.state = 'open'");

/* Windows that are still open decide nothing: they go through to their end. */
STATEMENT(integration_window_close_sql,
          "UPDATE region.window SET state = 'scoring', closed_at = $3 WHERE workspace_id = $1"
          " AND integration_id = $2 AND state = 'collecting'");
STATEMENT(integration_window_decide_sql,
          "UPDATE region.window SET state = 'delivering' WHERE workspace_id = $1"
          " AND integration_id = $2 AND state = 'scoring'");
STATEMENT_ROWS(integration_window_open_sql, HELD_BACK_MAX,
               "SELECT coalesce(array_agg(id), '{}') AS ids FROM region.window"
               " WHERE workspace_id = $1 AND integration_id = $2 AND state = 'delivering'");

struct open_windows {
    struct uuid_list ids;
};
static const struct column open_columns[] = {COLUMN(struct open_windows, ids)};
static const struct shape open_shape = SHAPE(struct open_windows, open_columns);

static enum err end_windows(const struct scope *scope, struct uuid integration)
{
    const struct params *of = PARAMS(P(scope->workspace), P(integration));
    struct open_windows open;
    TRY(db_exec(scope, &integration_window_close_sql,
                PARAMS(P(scope->workspace), P(integration), P(db_now(scope))), NULL));
    TRY(db_exec(scope, &integration_window_decide_sql, of, NULL));
    TRY(db_one(scope, &integration_window_open_sql, of, &open_shape, &open));
    return windows_finish(scope, open.ids);
}

static enum err end(const struct scope *scope, void *arg)
{
    const struct uuid *integration = arg;
    static const struct statement *const steps[] = {
        &integration_ignore_sql,          &integration_block_sql,   &integration_cancel_sql,
        &integration_unqueue_sql,         &integration_dismiss_sql, &integration_problem_open_sql,
        &integration_problem_dismiss_sql,
    };
    int64_t held;
    TRY(db_int(scope, &integration_hold_items_sql, PARAMS(P(scope->workspace), P(*integration)),
               &held));
    for (size_t i = 0; i < COUNT(steps); i++)
        TRY(db_exec(scope, steps[i],
                    PARAMS(P(scope->workspace), P(*integration), P(db_now(scope)), P(ARCHIVED)),
                    NULL));
    return end_windows(scope, *integration);
}

enum err integration_end(const struct scope *scope, struct uuid integration)
{
    return db_transaction(scope, end, &integration);
}
