#include "store/integration_pause.h"

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
    TRY(db_all(scope, &integration_queue_deliveries_sql,
               PARAMS(P(scope->workspace), P(*integration), P(now)), &held_shape, &deliveries));
    TRY(enqueue(scope, JOB_DELIVER, "deliver", &deliveries));
    TRY(db_all(scope, &integration_windows_sql, PARAMS(P(scope->workspace), P(*integration)),
               &held_shape, &windows));
    return enqueue(scope, JOB_WINDOW, "window", &windows);
}

enum err integration_let_go(const struct scope *scope, struct uuid integration)
{
    return db_transaction(scope, let_go, &integration);
}
