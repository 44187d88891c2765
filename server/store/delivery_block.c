#include "store/delivery_block.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/document.h"
#include "store/integration_pause.h"

enum { BLOCKED_MAX = 100000 }; /* deliveries of one connection that wait to be sent */

/* ---- the way ---- */

static const struct column way_columns[] = {
    COLUMN(struct delivery_way, integration),
    COLUMN(struct delivery_way, connection),
    COLUMN_ENUM(struct delivery_way, state, integration_machine.names),
    COLUMN(struct delivery_way, usable),
};
static const struct shape way_shape = SHAPE(struct delivery_way, way_columns);

STATEMENT(delivery_way_sql,
          "SELECT g.id AS integration, c.id AS connection, g.state,"
          " c.state IN ('enabled', 'degraded') AS usable FROM region.integration g"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.id = g.target_connection_id"
          " WHERE g.workspace_id = $1 AND g.id = $2 FOR SHARE");

enum err delivery_way_lock(const struct scope *scope, struct uuid integration,
                           struct delivery_way *into)
{
    return db_one(scope, &delivery_way_sql, PARAMS(P(scope->workspace), P(integration)), &way_shape,
                  into);
}

enum err deliveries_stop(const struct scope *scope, const struct delivery_way *way)
{
    switch (way->state) {
    case INTEGRATION_PAUSED:
        return integration_hold_back(scope, way->integration);
    case INTEGRATION_ARCHIVED:
        return integration_end(scope, way->integration);
    case INTEGRATION_ACTIVE:
    case INTEGRATION_STATES:
        break;
    }
    return way->usable ? OK : deliveries_block(scope, way->connection);
}

/* ---- what was moved, and what follows ---- */

struct moved {
    struct uuid id;
    struct uuid item;
    struct uuid integration;
    struct uuid window;
    bool queued;
};
static const struct column moved_columns[] = {
    COLUMN(struct moved, id),     COLUMN(struct moved, item),   COLUMN(struct moved, integration),
    COLUMN(struct moved, window), COLUMN(struct moved, queued),
};
static const struct shape moved_shape = SHAPE(struct moved, moved_columns);

static struct uuid_list ids_at(struct arena *arena, const struct rows *rows, size_t offset)
{
    struct uuid *ids = arena_array(arena, rows->count, sizeof *ids);
    const uint8_t *at = rows->at;
    for (size_t i = 0; i < rows->count; i++)
        memcpy(&ids[i], at + i * sizeof(struct moved) + offset, sizeof *ids);
    return (struct uuid_list){ids, rows->count};
}

STATEMENT(blocked_items_sql, "UPDATE region.item SET state = $3, state_changed_at = $5,"
                             " row_version = row_version + 1"
                             " WHERE workspace_id = $1 AND id = ANY($2) AND state = $4");

static enum err move_items(const struct scope *scope, struct uuid_list items, const char *from,
                           const char *to)
{
    return db_exec(scope, &blocked_items_sql,
                   PARAMS(P(scope->workspace), P(items), P(to), P(from), P(db_now(scope))), NULL);
}

/* The machine resolves by way of retrying. */
STATEMENT(blocked_retry_sql, "UPDATE region.problem SET state = 'retrying', state_changed_at = $3"
                             " WHERE workspace_id = $1 AND item_id = ANY($2) AND state = 'open'");
STATEMENT(blocked_resolve_sql,
          "UPDATE region.problem SET state = 'resolved', state_changed_at = $3, resolved_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND item_id = ANY($2) AND state = 'retrying'");

static enum err resolve_problems(const struct scope *scope, struct uuid_list items)
{
    const struct params *params = PARAMS(P(scope->workspace), P(items), P(db_now(scope)));
    TRY(db_exec(scope, &blocked_retry_sql, params, NULL));
    return db_exec(scope, &blocked_resolve_sql, params, NULL);
}

/* Locked first: of two that settle at the same moment, the later one must see what the earlier one
 * did. */
STATEMENT_ROWS(windows_lock_sql, BLOCKED_MAX,
               "SELECT count(*) FROM (SELECT FROM region.window WHERE workspace_id = $1"
               " AND id = ANY($2) ORDER BY id FOR UPDATE) AS held");
STATEMENT(windows_finish_sql,
          "UPDATE region.window w SET state = 'done', done_at = $3, row_version = row_version + 1"
          " WHERE w.workspace_id = $1 AND w.id = ANY($2) AND w.state = 'delivering'"
          " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
          " AND d.window_id = w.id AND (d.state = 'sending'"
          " OR (d.state = 'queued' AND d.attempts = 0)))");

enum err windows_finish(const struct scope *scope, struct uuid_list windows)
{
    int64_t held;
    TRY(db_int(scope, &windows_lock_sql, PARAMS(P(scope->workspace), P(windows)), &held));
    return db_exec(scope, &windows_finish_sql,
                   PARAMS(P(scope->workspace), P(windows), P(db_now(scope))), NULL);
}

static enum err note_audit(const struct scope *scope, const char *action, struct uuid connection,
                           size_t count)
{
    json_t *detail = json_keep(scope->arena, json_object());
    row_int(detail, "deliveries", (int64_t)count);
    return audit_append(scope, &(struct audit_entry){
                                   .action = action,
                                   .subject_kind = "connection",
                                   .subject = connection,
                                   .detail = json_write(scope->arena, detail),
                               });
}

/* ---- blocked ---- */

#define BLOCKED_TEXT                                                                               \
    "The connection to the target cannot be used now. This is sent by itself when it was "         \
    "connected again."

STATEMENT_ROWS(deliveries_block_sql, BLOCKED_MAX,
               "UPDATE region.delivery SET state = 'blocked', state_reason = NULL,"
               " state_changed_at = $3, next_at = NULL, failure_code = $4, failure_field = NULL,"
               " failure_detail = $5, row_version = row_version + 1"
               " WHERE workspace_id = $1 AND connection_id = $2 AND state IN ('queued', 'retrying')"
               " RETURNING id, item_id AS item, integration_id AS integration,"
               " window_id AS window, false AS queued");
/* In bulk what problem_open does for one. */
STATEMENT(blocked_problems_sql,
          "INSERT INTO region.problem (workspace_id, id, code, subject, severity, action, title,"
          " delivery_id, item_id, connection_id, integration_id, state_changed_at, created_at,"
          " last_seen_at) SELECT $1, x.id, $4, 'delivery:' || x.delivery, 'warning', 'reconnect',"
          " $5, x.delivery, x.item, x.connection, x.integration, $3, $3, $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, delivery uuid, item uuid, connection uuid,"
          " integration uuid)"
          " ON CONFLICT (workspace_id, code, subject) WHERE state IN ('open', 'retrying')"
          " DO NOTHING");

static enum err open_problems(const struct scope *scope, struct uuid connection,
                              const struct rows *blocked)
{
    const struct moved *moved = blocked->at;
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < blocked->count; i++) {
        json_t *row = rows_add(rows);
        row_uuid(scope->arena, row, "id", db_new_id(scope));
        row_uuid(scope->arena, row, "delivery", moved[i].id);
        row_uuid(scope->arena, row, "item", moved[i].item);
        row_uuid(scope->arena, row, "connection", connection);
        row_uuid(scope->arena, row, "integration", moved[i].integration);
    }
    return db_exec(scope, &blocked_problems_sql,
                   PARAMS(P(scope->workspace), P_JSON(rows_text(scope->arena, rows)),
                          P(db_now(scope)), P(err_slug(ERR_AUTH)), P(BLOCKED_TEXT)),
                   NULL);
}

static enum err block(const struct scope *scope, void *arg)
{
    const struct uuid *connection = arg;
    struct rows rows;
    TRY(db_all(scope, &deliveries_block_sql,
               PARAMS(P(scope->workspace), P(*connection), P(db_now(scope)), P(err_slug(ERR_AUTH)),
                      P(BLOCKED_TEXT)),
               &moved_shape, &rows));
    if (rows.count == 0)
        return OK;
    struct uuid_list items = ids_at(scope->arena, &rows, offsetof(struct moved, item));
    TRY(resolve_problems(scope, items)); /* what was retried is now about this */
    TRY(move_items(scope, items, "queued", "problem"));
    TRY(open_problems(scope, *connection, &rows));
    TRY(windows_finish(scope, ids_at(scope->arena, &rows, offsetof(struct moved, window))));
    return note_audit(scope, "deliveries.blocked", *connection, rows.count);
}

enum err deliveries_block(const struct scope *scope, struct uuid connection)
{
    return db_transaction(scope, block, &connection);
}

/* ---- queued again ---- */

/* The time that it was parked does not count as time of trying. */
STATEMENT_ROWS(
    deliveries_unblock_sql, BLOCKED_MAX,
    "UPDATE region.delivery d SET state = CASE g.state WHEN 'active' THEN 'queued' ELSE 'blocked'"
    " END, state_reason = CASE g.state WHEN 'active' THEN NULL ELSE 'paused' END,"
    " retry_until = d.retry_until + greatest($3 - d.state_changed_at, interval '0'),"
    " state_changed_at = $3, failure_code = NULL, failure_detail = NULL,"
    " row_version = d.row_version + 1 FROM region.integration g"
    " WHERE d.workspace_id = $1 AND d.connection_id = $2 AND d.state = 'blocked'"
    " AND d.state_reason IS DISTINCT FROM 'paused'"
    " AND g.workspace_id = $1 AND g.id = d.integration_id"
    " RETURNING d.id, d.item_id AS item, d.integration_id AS integration,"
    " d.window_id AS window, d.state = 'queued' AS queued");

struct unblocking {
    struct uuid connection;
    int64_t *count;
};

static enum err unblock(const struct scope *scope, void *arg)
{
    const struct unblocking *unblocking = arg;
    struct rows rows;
    TRY(db_all(scope, &deliveries_unblock_sql,
               PARAMS(P(scope->workspace), P(unblocking->connection), P(db_now(scope))),
               &moved_shape, &rows));
    const struct moved *moved = rows.at;
    *unblocking->count = (int64_t)rows.count;
    if (rows.count == 0)
        return OK;
    struct uuid_list items = ids_at(scope->arena, &rows, offsetof(struct moved, item));
    TRY(move_items(scope, items, "problem", "queued"));
    TRY(resolve_problems(scope, items));
    for (size_t i = 0; i < rows.count; i++) {
        if (moved[i].queued)
            TRY(delivery_enqueue(scope, moved[i].id, unblocking->connection));
    }
    return note_audit(scope, "deliveries.unblocked", unblocking->connection, rows.count);
}

enum err deliveries_unblock(const struct scope *scope, struct uuid connection, int64_t *count)
{
    struct unblocking unblocking = {connection, count};
    return db_transaction(scope, unblock, &unblocking);
}
