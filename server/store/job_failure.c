#include "store/job_failure.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/connection.h"
#include "store/delivery.h"
#include "store/document.h"

static const struct column failed_columns[] = {
    COLUMN(struct failed_job, id),        COLUMN(struct failed_job, kind),
    COLUMN(struct failed_job, workspace), COLUMN(struct failed_job, connection),
    COLUMN(struct failed_job, subject),   COLUMN(struct failed_job, attempts),
    COLUMN(struct failed_job, reason),
};
static const struct shape failed_shape = SHAPE(struct failed_job, failed_columns);

STATEMENT(job_failed_untold_sql,
          "SELECT id, kind, workspace_id AS workspace, connection_id AS connection,"
          " subject_id AS subject, attempts, reason FROM region.job_failed WHERE NOT told"
          " ORDER BY id LIMIT $1");
STATEMENT(job_failed_told_sql, "UPDATE region.job_failed SET told = true WHERE id = $1");

enum err job_failures_untold(const struct untenanted *queue, int limit, struct rows *into)
{
    return db_all(&queue->scope, &job_failed_untold_sql, PARAMS(P(limit)), &failed_shape, into);
}

enum err job_failure_told(const struct untenanted *queue, int64_t id)
{
    return db_exec(&queue->scope, &job_failed_told_sql, PARAMS(P(id)), NULL);
}

/* ---- telling ---- */

/* What the work was about, and what the problem names; no row when it is settled by now. */
struct failed_work {
    struct uuid delivery, item, stream, connection, integration;
};
static const struct column work_columns[] = {
    COLUMN(struct failed_work, delivery),    COLUMN(struct failed_work, item),
    COLUMN(struct failed_work, stream),      COLUMN(struct failed_work, connection),
    COLUMN(struct failed_work, integration),
};
static const struct shape work_shape = SHAPE(struct failed_work, work_columns);

#define WORK_SQL(delivery, item, stream, connection, integration)                                  \
    "SELECT " delivery "::uuid AS delivery, " item "::uuid AS item, " stream                       \
    "::uuid AS stream, " connection "::uuid AS connection, " integration "::uuid AS integration "

STATEMENT(failed_stream_sql,
          WORK_SQL("NULL", "NULL", "id", "connection_id",
                   "NULL") "FROM region.stream WHERE workspace_id = $1 AND id = $2");
STATEMENT(failed_window_sql,
          WORK_SQL("NULL", "NULL", "NULL", "NULL",
                   "integration_id") "FROM region.window WHERE workspace_id = $1 AND id = $2"
                                     " AND state IN ('collecting', 'scoring')");
STATEMENT(
    failed_delivery_sql,
    WORK_SQL("id", "item_id", "NULL", "connection_id",
             "integration_id") "FROM region.delivery WHERE workspace_id = $1 AND id = $2"
                               " AND state IN ('queued', 'sending', 'retrying', 'uncertain')");
STATEMENT(
    failed_approved_sql,
    WORK_SQL(
        "NULL", "id", "NULL", "NULL",
        "integration_id") "FROM region.item i WHERE workspace_id = $1 AND id = $2 AND state = "
                          "'queued'"
                          " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
                          " AND d.item_id = i.id AND d.state NOT IN ('rejected', 'canceled', "
                          "'bounced'))"
                          " FOR UPDATE OF i");
STATEMENT(failed_connect_sql, WORK_SQL("NULL", "NULL", "NULL", "id",
                                       "NULL") "FROM region.connection WHERE workspace_id = $1 AND "
                                               "id = $2 AND state = 'processing'");
STATEMENT(failed_revoke_sql,
          WORK_SQL("NULL", "NULL", "NULL", "id",
                   "NULL") "FROM region.connection WHERE workspace_id = $1 AND id = $2"
                           " AND state = 'disconnected'");

static const struct {
    const struct statement *work;
    const char *what; /* of the sentence */
    const char *action;
} failures[JOB_KIND_COUNT] = {
    [JOB_SYNC] = {&failed_stream_sql, "Reading a stream of the source", "retry"},
    [JOB_MIRROR] = {&failed_stream_sql, "Reading the books of the target", "retry"},
    [JOB_WINDOW] = {&failed_window_sql, "Deciding the records of a window", "retry"},
    [JOB_DELIVER] = {&failed_delivery_sql, "Sending a document", "retry"},
    [JOB_APPROVED] = {&failed_approved_sql, "Making the document of an approval", "retry"},
    [JOB_CONNECT] = {&failed_connect_sql, "Trying a new authorisation", "reconnect"},
    [JOB_REVOKE] = {&failed_revoke_sql, "Revoking the access of a disconnected connection", NULL},
};

STATEMENT(failed_item_sql, "UPDATE region.item SET state = 'problem', state_changed_at = $3,"
                           " row_version = row_version + 1"
                           " WHERE workspace_id = $1 AND id = $2 AND state = 'queued'");

static enum err tell(const struct scope *scope, void *arg)
{
    const struct failed_job *failed = arg;
    struct failed_work work;
    bool found;
    TRY(db_maybe(scope, failures[failed->kind].work,
                 PARAMS(P(scope->workspace), P(failed->subject)), &work_shape, &work, &found));
    if (!found)
        return OK;
    if (failed->kind == JOB_APPROVED)
        TRY(db_exec(scope, &failed_item_sql,
                    PARAMS(P(scope->workspace), P(work.item), P(db_now(scope))), NULL));
    if (failed->kind == JOB_CONNECT)
        TRY(connection_move(scope, work.connection, CONNECTION_ERROR, failed->reason));
    struct problem_order problem = {
        .code = JOB_GAVE_UP,
        .text = arena_format(scope->arena, "%s failed %d times (%s) and was given up.",
                             failures[failed->kind].what, failed->attempts, failed->reason),
        .delivery = work.delivery,
        .item = work.item,
        .stream = work.stream,
        .connection = work.connection,
        .integration = work.integration,
        .action = failures[failed->kind].action,
    };
    return problem_open(scope, &problem);
}

enum err job_failure_tell(const struct scope *scope, const struct failed_job *failed)
{
    struct failed_job copy = *failed;
    if (failed->kind < 0 || failed->kind >= JOB_KIND_COUNT || uuid_is_nil(failed->subject))
        return OK;
    return db_transaction(scope, tell, &copy);
}

/* ---- trying again ---- */

struct waiting_window {
    struct uuid id;
    struct instant closes_at;
};
static const struct column window_columns[] = {COLUMN(struct waiting_window, id),
                                               COLUMN(struct waiting_window, closes_at)};
static const struct shape window_shape = SHAPE(struct waiting_window, window_columns);

STATEMENT(failed_windows_sql, "SELECT id, closes_at FROM region.window WHERE workspace_id = $1"
                              " AND integration_id = $2 AND state IN ('collecting', 'scoring')");

static enum err retry_windows(const struct scope *scope, struct uuid integration)
{
    struct rows rows;
    TRY(db_all(scope, &failed_windows_sql, PARAMS(P(scope->workspace), P(integration)),
               &window_shape, &rows));
    const struct waiting_window *windows = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        const struct job_order job = {
            .kind = JOB_WINDOW,
            .subject = windows[i].id,
            .run_at = windows[i].closes_at,
            .dedupe =
                arena_format(scope->arena, "window:%s", uuid_format(scope->arena, windows[i].id)),
        };
        TRY(queue_enqueue(scope, &job));
    }
    return OK;
}

static enum err retry_delivery(const struct scope *scope, struct uuid id)
{
    struct delivery delivery;
    TRY(delivery_get(scope, id, &delivery));
    return delivery_enqueue(scope, id, delivery.connection);
}

STATEMENT(failed_resolved_sql,
          "UPDATE region.problem SET state = 'resolved', state_changed_at = $3, resolved_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'retrying'");

enum err job_failure_retry(const struct scope *scope, const struct problem *problem)
{
    assert(text_equal(problem->code, JOB_GAVE_UP));
    if (!uuid_is_nil(problem->delivery_id))
        TRY(retry_delivery(scope, problem->delivery_id));
    else if (!uuid_is_nil(problem->integration_id))
        TRY(retry_windows(scope, problem->integration_id));
    TRY(problem_retrying(scope, problem->id));
    return db_exec(scope, &failed_resolved_sql,
                   PARAMS(P(scope->workspace), P(problem->id), P(db_now(scope))), NULL);
}
