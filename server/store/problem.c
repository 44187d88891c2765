#include "store/problem.h"

#include "base/text.h"
#include "store/json_rows.h"

static const struct column problem_columns[] = {
    COLUMN(struct problem, id),
    COLUMN(struct problem, code),
    COLUMN_ENUM(struct problem, state, problem_machine.names),
    COLUMN(struct problem, warning),
    COLUMN(struct problem, action),
    COLUMN(struct problem, integration_id),
    COLUMN(struct problem, connection_id),
    COLUMN(struct problem, stream_id),
    COLUMN(struct problem, record_id),
    COLUMN(struct problem, item_id),
    COLUMN(struct problem, delivery_id),
    COLUMN(struct problem, source_id),
    COLUMN(struct problem, text),
    COLUMN(struct problem, detail),
    COLUMN(struct problem, fields),
    COLUMN(struct problem, occurrences),
    COLUMN(struct problem, dismissed_reason),
    COLUMN(struct problem, row_version),
    COLUMN(struct problem, created_at),
    COLUMN(struct problem, updated_at)};
static const struct shape problem_shape = SHAPE(struct problem, problem_columns);

/* One unresolved problem of a code about one thing: the narrowest that is given. */
static const char *subject_of(const struct scope *scope, const struct problem_order *order)
{
    const struct {
        const char *kind;
        struct uuid id;
    } subjects[] = {{"delivery", order->delivery},     {"item", order->item},
                    {"record", order->record},         {"stream", order->stream},
                    {"connection", order->connection}, {"integration", order->integration}};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        if (!uuid_is_nil(subjects[i].id))
            return arena_format(scope->arena, "%s:%s", subjects[i].kind,
                                uuid_format(scope->arena, subjects[i].id));
    }
    return "workspace";
}

struct opened {
    struct uuid id;
    bool made;
};
static const struct column opened_columns[] = {COLUMN(struct opened, id),
                                               COLUMN(struct opened, made)};
static const struct shape opened_shape = SHAPE(struct opened, opened_columns);

STATEMENT(problem_open_sql,
          "INSERT INTO region.problem (workspace_id, id, code, subject, severity, action, title,"
          " detail, fields, delivery_id, item_id, record_id, stream_id, connection_id,"
          " integration_id, state_changed_at, created_at, last_seen_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16,"
          " $16) ON CONFLICT (workspace_id, code, subject) WHERE state IN ('open', 'retrying')"
          " DO UPDATE SET occurrences = problem.occurrences + 1, last_seen_at = $16,"
          " state_changed_at = CASE WHEN problem.state = 'open' THEN problem.state_changed_at"
          "  ELSE $16 END, state = 'open', title = excluded.title, detail = excluded.detail,"
          " fields = excluded.fields, delivery_id = coalesce(excluded.delivery_id,"
          " problem.delivery_id), row_version = problem.row_version + 1"
          " RETURNING id, xmax = 0 AS made");

const char *problem_field(const struct scope *scope, const char *name, const char *reason)
{
    if (!name)
        return NULL;
    json_t *rows = rows_new(scope->arena);
    json_t *row = rows_add(rows);
    row_text(row, "name", name);
    row_text(row, "value", NULL);
    row_text(row, "reason", reason);
    return rows_text(scope->arena, rows);
}

enum err problem_open(const struct scope *scope, struct problem_order *order)
{
    struct opened opened;
    TRY(db_one(scope, &problem_open_sql,
               PARAMS(P(scope->workspace), P(db_new_id(scope)), P(order->code),
                      P(subject_of(scope, order)), P(order->warning ? "warning" : "error"),
                      P(order->action ? order->action : "none"), P(order->text), P(order->detail),
                      P_JSON(order->fields), P(order->delivery), P(order->item), P(order->record),
                      P(order->stream), P(order->connection), P(order->integration),
                      P(db_now(scope))),
               &opened_shape, &opened));
    order->id = opened.id;
    order->made = opened.made;
    return OK;
}

#define PROBLEM_SELECT                                                                             \
    "SELECT p.*, p.title AS text, p.severity = 'warning' AS warning,"                              \
    " nullif(p.raw_action, 'none') AS action, p.state_changed_at AS updated_at,"                   \
    " (SELECT r.source_id FROM region.record AS r WHERE r.workspace_id = p.workspace_id"           \
    "  AND r.id = p.record_id) AS source_id"                                                       \
    " FROM (SELECT workspace_id, id, code, state, severity, action AS raw_action,"                 \
    "  title, integration_id, connection_id, stream_id, coalesce(record_id, (SELECT i.record_id"   \
    "   FROM region.item AS i WHERE i.workspace_id = problem.workspace_id"                         \
    "   AND i.id = problem.item_id)) AS record_id, item_id, delivery_id, detail,"                  \
    "  fields, occurrences, dismissed_reason, row_version, created_at, state_changed_at"           \
    "  FROM region.problem) AS p"

STATEMENT(problem_list_sql, PROBLEM_SELECT
          " WHERE p.workspace_id = $1 AND ($2::text IS NULL OR p.state = $2"
          "  OR ($2 = 'unresolved' AND p.state IN ('open', 'retrying')))"
          " AND ($3::uuid IS NULL OR p.integration_id = $3 OR p.connection_id IN"
          "  (SELECT unnest(ARRAY[source_connection_id, target_connection_id])"
          "   FROM region.integration WHERE workspace_id = $1 AND id = $3))"
          " AND ($4::uuid IS NULL OR p.connection_id = $4) AND ($5::text IS NULL OR p.code = $5)"
          " AND ($6::uuid IS NULL OR p.id < $6) AND ($8::uuid IS NULL OR p.item_id = $8)"
          " ORDER BY p.id DESC LIMIT $7");

enum err problem_list(const struct scope *scope, const struct problem_filter *filter,
                      struct rows *into)
{
    return db_all(scope, &problem_list_sql,
                  PARAMS(P(scope->workspace), P(filter->state), P(filter->integration),
                         P(filter->connection), P(filter->code), P(filter->before),
                         P(filter->limit), P(filter->item)),
                  &problem_shape, into);
}

STATEMENT(problem_get_sql, PROBLEM_SELECT " WHERE p.workspace_id = $1 AND p.id = $2");
STATEMENT(problem_hold_sql, "SELECT count(*) FROM (SELECT FROM region.problem"
                            " WHERE workspace_id = $1 AND id = $2 FOR UPDATE) AS held");

enum err problem_get(const struct scope *scope, struct uuid id, struct problem *into)
{
    return db_one(scope, &problem_get_sql, PARAMS(P(scope->workspace), P(id)), &problem_shape,
                  into);
}

enum err problem_lock(const struct scope *scope, struct uuid id, struct problem *into)
{
    int64_t held;
    TRY(db_int(scope, &problem_hold_sql, PARAMS(P(scope->workspace), P(id)), &held));
    return problem_get(scope, id, into);
}

STATEMENT(problem_count_sql,
          "SELECT count(*) FROM region.problem AS p WHERE p.workspace_id = $1"
          " AND p.state IN ('open', 'retrying') AND (p.integration_id = $2 OR p.connection_id IN"
          "  (SELECT unnest(ARRAY[source_connection_id, target_connection_id])"
          "   FROM region.integration WHERE workspace_id = $1 AND id = $2))");

enum err problem_count_open(const struct scope *scope, struct uuid integration, int64_t *into)
{
    return db_int(scope, &problem_count_sql, PARAMS(P(scope->workspace), P(integration)), into);
}

/* ---- moves ---- */

STATEMENT(problem_move_sql,
          "UPDATE region.problem SET state = $3, state_changed_at = $4, actor = $5,"
          " dismissed_reason = $6, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = ANY ($7)");

static enum err problem_move(const struct scope *scope, struct uuid id, enum problem_state to,
                             const char *reason)
{
    struct text_list from;
    struct problem problem;
    int64_t moved;
    machine_sources(&problem_machine, to, scope->arena, &from);
    TRY(db_exec(scope, &problem_move_sql,
                PARAMS(P(scope->workspace), P(id), P(machine_name(&problem_machine, to)),
                       P(db_now(scope)), P(scope->actor), P(reason), P(from)),
                &moved));
    if (moved == 1)
        return OK;
    TRY(problem_get(scope, id, &problem));
    return arena_fail(scope->arena, ERR_CONFLICT, "state", "A problem that is %s cannot be %s.",
                      machine_name(&problem_machine, problem.state),
                      machine_name(&problem_machine, to));
}

enum err problem_retrying(const struct scope *scope, struct uuid id)
{
    return problem_move(scope, id, PROBLEM_RETRYING, NULL);
}

enum err problem_dismiss(const struct scope *scope, struct uuid id, const char *reason)
{
    return problem_move(scope, id, PROBLEM_DISMISSED, reason);
}

enum err problem_reopen(const struct scope *scope, struct uuid id)
{
    return problem_move(scope, id, PROBLEM_OPEN, NULL);
}

/* The machine resolves by way of retrying. */
#define ABOUT_SQL                                                                                  \
    " WHERE workspace_id = $1 AND ($2::uuid IS NULL OR delivery_id = $2)"                          \
    " AND ($3::uuid IS NULL OR item_id = $3) AND ($4::uuid IS NULL OR stream_id = $4)"             \
    " AND ($5::uuid IS NULL OR connection_id = $5) AND ($6::text IS NULL OR code = $6)"
STATEMENT(problem_retry_about_sql, "UPDATE region.problem SET state = 'retrying',"
                                   " state_changed_at = $7" ABOUT_SQL " AND state = 'open'");
STATEMENT(problem_resolve_about_sql,
          "UPDATE region.problem SET state = 'resolved', state_changed_at = $7,"
          " resolved_at = $7, row_version = row_version + 1" ABOUT_SQL " AND state = 'retrying'");

struct resolution_order {
    const struct problem_subject *about;
    int64_t resolved;
};

static enum err resolve(const struct scope *scope, void *arg)
{
    struct resolution_order *order = arg;
    const struct problem_subject *about = order->about;
    const struct params *params =
        PARAMS(P(scope->workspace), P(about->delivery), P(about->item), P(about->stream),
               P(about->connection), P(about->code), P(db_now(scope)));
    TRY(db_exec(scope, &problem_retry_about_sql, params, NULL));
    return db_exec(scope, &problem_resolve_about_sql, params, &order->resolved);
}

enum err problem_resolve(const struct scope *scope, const struct problem_subject *about,
                         int64_t *resolved)
{
    struct resolution_order order = {about, 0};
    assert(!uuid_is_nil(about->delivery) || !uuid_is_nil(about->item) ||
           !uuid_is_nil(about->stream) || !uuid_is_nil(about->connection));
    TRY(db_transaction(scope, resolve, &order));
    if (resolved)
        *resolved = order.resolved;
    return OK;
}

/* ---- notifications ---- */

static const struct column notification_columns[] = {COLUMN(struct notification, id),
                                                     COLUMN(struct notification, event),
                                                     COLUMN(struct notification, text),
                                                     COLUMN(struct notification, user_id),
                                                     COLUMN(struct notification, integration_id),
                                                     COLUMN(struct notification, connection_id),
                                                     COLUMN(struct notification, item_id),
                                                     COLUMN(struct notification, problem_id),
                                                     COLUMN(struct notification, created_at)};
static const struct shape notification_shape = SHAPE(struct notification, notification_columns);

STATEMENT(notification_insert_sql,
          "INSERT INTO region.notification (workspace_id, id, event, text, user_id,"
          " integration_id, connection_id, item_id, problem_id, created_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

enum err notification_add(const struct scope *scope, struct notification *notification)
{
    notification->id = db_new_id(scope);
    notification->created_at = db_now(scope);
    return db_exec(scope, &notification_insert_sql,
                   PARAMS(P(scope->workspace), P(notification->id), P(notification->event),
                          P(notification->text), P(notification->user_id),
                          P(notification->integration_id), P(notification->connection_id),
                          P(notification->item_id), P(notification->problem_id),
                          P(notification->created_at)),
                   NULL);
}

STATEMENT(notification_list_sql,
          "SELECT id, event, text, user_id, integration_id, connection_id, item_id, problem_id,"
          " created_at FROM region.notification WHERE workspace_id = $1"
          " AND (user_id IS NULL OR user_id = $2) AND ($3::uuid IS NULL OR id < $3)"
          " ORDER BY id DESC LIMIT $4");

enum err notification_list(const struct scope *scope, struct uuid user, struct uuid before,
                           int64_t limit, struct rows *into)
{
    return db_all(scope, &notification_list_sql,
                  PARAMS(P(scope->workspace), P(user), P(before), P(limit)), &notification_shape,
                  into);
}
