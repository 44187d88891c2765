#include "store/problem_work.h"

#include "base/text.h"
#include "json/json.h"
#include "store/audit.h"
#include "store/job_failure.h"
#include "store/json_rows.h"
#include "store/overrides.h"
#include "store/queue.h"

struct working {
    struct uuid id;
    const struct corrected_field *fields;
    size_t count;
    const char *reason;
    struct problem *problem;
};

static enum err open_problem(const struct scope *scope, const struct working *working)
{
    TRY(problem_lock(scope, working->id, working->problem));
    if (working->problem->state == PROBLEM_OPEN)
        return OK;
    return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The problem is %s, not open.",
                      machine_name(&problem_machine, working->problem->state));
}

static enum err note_audit(const struct scope *scope, const struct working *working,
                           const char *action, json_t *detail)
{
    struct audit_entry entry = {
        .action = action,
        .subject_kind = "problem",
        .subject = working->id,
        .detail = json_write(scope->arena, detail),
    };
    return audit_append(scope, &entry);
}

/* ---- retry ---- */

static enum err refuse_field(const struct scope *scope, const char *name, const char *sentence)
{
    return arena_fail(scope->arena, ERR_FIELD_INVALID,
                      arena_format(scope->arena, "fields.%s", name), "%s", sentence);
}

/* Each name must be one that the problem lists, and that a document is made from. */
static enum err check_fields(const struct scope *scope, const struct working *working)
{
    json_t *known = json_keep(scope->arena, json_array());
    const char *text = working->problem->fields;
    if (text)
        TRY(json_parse(scope->arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &known));
    for (size_t i = 0; i < working->count; i++) {
        const char *name = working->fields[i].name;
        bool named = false;
        size_t at;
        json_t *field;
        json_array_foreach(known, at, field) named =
            named || text_equal(json_text(field, "name"), name);
        if (!named)
            return refuse_field(scope, name, "The problem does not name this field.");
        if (!override_known(name))
            return refuse_field(scope, name, "This field cannot be corrected here.");
    }
    return OK;
}

static enum err check_action(const struct scope *scope, const struct problem *problem)
{
    const char *action = problem->action;
    if (text_equal(action, "retry"))
        return OK;
    const char *instead = "There is nothing that could be tried again; it can be dismissed.";
    if (text_equal(action, "reconnect"))
        instead = "Reconnect the connection instead: what waits for it goes on by itself.";
    else if (text_equal(action, "choose_account"))
        instead = "Choose the account of the connection instead.";
    else if (text_equal(action, "resolve_delivery"))
        instead = "Say at the delivery whether it arrived or is to be sent again.";
    return arena_fail(scope->arena, ERR_CONFLICT, NULL, "%s", instead);
}

STATEMENT(problem_archived_sql,
          "SELECT count(*) FROM region.item i JOIN region.integration g ON g.workspace_id = $1"
          " AND g.id = i.integration_id AND g.state = 'archived'"
          " WHERE i.workspace_id = $1 AND i.id = $2");
static enum err refuse_archived(const struct scope *scope, struct uuid item, const char *instead)
{
    int64_t archived;
    TRY(db_int(scope, &problem_archived_sql, PARAMS(P(scope->workspace), P(item)), &archived));
    return archived
               ? arena_fail(scope->arena, ERR_CONFLICT, NULL,
                            "The integration is archived and sends nothing any more; %s.", instead)
               : OK;
}

STATEMENT(problem_item_requeue_sql,
          "UPDATE region.item SET state = 'queued', state_changed_at = $3,"
          " overrides = CASE WHEN $4::jsonb IS NULL THEN overrides"
          " ELSE coalesce(overrides, '{}') || $4 END, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'problem'");

static enum err retry_item(const struct scope *scope, const struct working *working)
{
    struct uuid item = working->problem->item_id;
    json_t *values = json_keep(scope->arena, json_object());
    for (size_t i = 0; i < working->count; i++)
        row_text(values, working->fields[i].name, working->fields[i].value);
    const char *overrides = working->count > 0 ? json_write(scope->arena, values) : NULL;
    int64_t moved;
    TRY(refuse_archived(scope, item, "the problem can be dismissed"));
    TRY(db_exec(scope, &problem_item_requeue_sql,
                PARAMS(P(scope->workspace), P(item), P(db_now(scope)), P_JSON(overrides)), &moved));
    if (moved != 1)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The item of this problem has moved on; there is nothing to retry.");
    struct job_order job = {
        .kind = JOB_APPROVED,
        .subject = item,
        .dedupe =
            arena_format(scope->arena, "retry:%s", uuid_format(scope->arena, db_new_id(scope))),
    };
    return queue_enqueue(scope, &job);
}

struct stream_lane {
    const char *purpose;
    struct uuid connection;
};
static const struct column lane_columns[] = {COLUMN(struct stream_lane, purpose),
                                             COLUMN(struct stream_lane, connection)};
static const struct shape lane_shape = SHAPE(struct stream_lane, lane_columns);

STATEMENT(problem_stream_sql, "SELECT purpose, connection_id AS connection FROM region.stream"
                              " WHERE workspace_id = $1 AND id = $2");

static enum err retry_stream(const struct scope *scope, const struct working *working)
{
    struct uuid stream = working->problem->stream_id;
    struct stream_lane lane;
    TRY(db_one(scope, &problem_stream_sql, PARAMS(P(scope->workspace), P(stream)), &lane_shape,
               &lane));
    bool mirror = text_equal(lane.purpose, "mirror");
    struct job_order job = {
        .kind = mirror ? JOB_MIRROR : JOB_SYNC,
        .connection = lane.connection,
        .subject = stream,
        .dedupe = arena_format(scope->arena, "%s:%s", mirror ? "mirror" : "sync",
                               uuid_format(scope->arena, stream)),
    };
    return queue_enqueue(scope, &job);
}

/* A job that gave up about an item has left no delivery: its document is made anew. */
static enum err retry_subject(const struct scope *scope, const struct working *working)
{
    const struct problem *problem = working->problem;
    bool job = text_equal(problem->code, JOB_GAVE_UP) &&
               (uuid_is_nil(problem->item_id) || !uuid_is_nil(problem->delivery_id));
    if (!uuid_is_nil(problem->stream_id))
        TRY(retry_stream(scope, working));
    else if (!uuid_is_nil(problem->item_id) && !job)
        TRY(retry_item(scope, working));
    else if (!job)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "There is nothing that could be tried again; it can be dismissed.");
    return job ? job_failure_retry(scope, problem) : problem_retrying(scope, working->id);
}

static enum err retry(const struct scope *scope, void *arg)
{
    const struct working *working = arg;
    const struct problem *problem = working->problem;
    TRY(open_problem(scope, working));
    TRY(check_action(scope, problem));
    TRY(check_fields(scope, working));
    TRY(retry_subject(scope, working));
    json_t *detail = json_keep(scope->arena, json_object()), *names = json_array();
    for (size_t i = 0; i < working->count; i++)
        json_array_append_new(names, json_string(working->fields[i].name));
    json_object_set_new(detail, "corrected", names);
    TRY(note_audit(scope, working, "problem.retry", detail));
    return problem_get(scope, working->id, working->problem);
}

enum err problem_work_retry(const struct scope *scope, struct uuid id,
                            const struct corrected_field *fields, size_t count,
                            struct problem *into)
{
    struct working working = {.id = id, .fields = fields, .count = count, .problem = into};
    return db_transaction(scope, retry, &working);
}

/* ---- dismiss ---- */

STATEMENT(problem_uncertain_sql,
          "SELECT count(*) FROM region.delivery WHERE workspace_id = $1 AND item_id = $2"
          " AND state IN ('sending', 'uncertain')");
STATEMENT(problem_cancel_sql,
          "UPDATE region.delivery SET state = 'canceled', state_changed_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND item_id = $2 AND state IN ('queued', 'blocked')");
STATEMENT(problem_item_dismiss_sql,
          "UPDATE region.item SET state = 'dismissed', state_changed_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'problem'");

static enum err dismiss_item(const struct scope *scope, struct uuid item)
{
    int64_t uncertain;
    TRY(db_int(scope, &problem_uncertain_sql, PARAMS(P(scope->workspace), P(item)), &uncertain));
    if (uncertain > 0)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "Nobody knows yet whether its delivery arrived: resolve that first.");
    const struct params *params = PARAMS(P(scope->workspace), P(item), P(db_now(scope)));
    TRY(db_exec(scope, &problem_cancel_sql, params, NULL));
    return db_exec(scope, &problem_item_dismiss_sql, params, NULL);
}

static enum err dismiss(const struct scope *scope, void *arg)
{
    const struct working *working = arg;
    TRY(open_problem(scope, working));
    if (!uuid_is_nil(working->problem->item_id))
        TRY(dismiss_item(scope, working->problem->item_id));
    TRY(problem_dismiss(scope, working->id, working->reason));
    json_t *detail = json_keep(scope->arena, json_object());
    row_text(detail, "reason", working->reason);
    TRY(note_audit(scope, working, "problem.dismiss", detail));
    return problem_get(scope, working->id, working->problem);
}

enum err problem_work_dismiss(const struct scope *scope, struct uuid id, const char *reason,
                              struct problem *into)
{
    struct working working = {.id = id, .reason = reason, .problem = into};
    return db_transaction(scope, dismiss, &working);
}

/* ---- reopen ---- */

STATEMENT(problem_item_reopen_sql,
          "UPDATE region.item SET state = 'problem', state_changed_at = $3,"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'dismissed'");
/* What waited for a reconnection was canceled when it was put aside: nothing is left that could go
 * on by itself. */
STATEMENT(problem_reopened_sql,
          "UPDATE region.problem p SET action = 'retry' WHERE p.workspace_id = $1 AND p.id = $2"
          " AND p.action = 'reconnect' AND p.item_id IS NOT NULL"
          " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
          " AND d.item_id = p.item_id AND d.state NOT IN ('rejected', 'canceled', 'bounced'))");

static enum err reopen(const struct scope *scope, void *arg)
{
    const struct working *working = arg;
    struct problem *problem = working->problem;
    TRY(problem_lock(scope, working->id, problem));
    if (problem->state != PROBLEM_DISMISSED)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The problem is %s, not dismissed.",
                          machine_name(&problem_machine, problem->state));
    TRY(refuse_archived(scope, problem->item_id, "its problems stay as they are"));
    TRY(problem_reopen(scope, working->id));
    const struct params *params =
        PARAMS(P(scope->workspace), P(problem->item_id), P(db_now(scope)));
    TRY(db_exec(scope, &problem_item_reopen_sql, params, NULL));
    TRY(db_exec(scope, &problem_reopened_sql, PARAMS(P(scope->workspace), P(working->id)), NULL));
    TRY(note_audit(scope, working, "problem.reopen", json_keep(scope->arena, json_object())));
    return problem_get(scope, working->id, problem);
}

enum err problem_work_reopen(const struct scope *scope, struct uuid id, struct problem *into)
{
    struct working working = {.id = id, .problem = into};
    return db_transaction(scope, reopen, &working);
}
