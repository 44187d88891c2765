/* Items of a page: which integrations get which, in which state, and the window that they wait in.
 */
#include "base/text.h"
#include "store/collect_rows.h"
#include "store/json_rows.h"
#include "store/problem.h"
#include "store/queue.h"

static const struct column integration_columns[] = {
    COLUMN(struct collecting_integration, id),
    COLUMN(struct collecting_integration, settings),
    COLUMN(struct collecting_integration, settings_version),
    COLUMN(struct collecting_integration, live),
    COLUMN(struct collecting_integration, poll_period_s),
    COLUMN(struct collecting_integration, connection),
};
static const struct shape integration_shape =
    SHAPE(struct collecting_integration, integration_columns);

STATEMENT(integrations_of_stream_sql,
          "SELECT i.id, s.settings, i.settings_version, c.provider = 'stripe' AS live,"
          " coalesce((s.settings->>'poll_period_s')::bigint, 900) AS poll_period_s,"
          " i.target_connection_id AS connection"
          " FROM region.stream f"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.provider = f.provider"
          " AND c.account = f.account AND c.livemode = f.livemode"
          " JOIN region.integration i ON i.workspace_id = $1 AND i.source_connection_id = c.id"
          " AND i.state = 'active'"
          " JOIN region.integration_settings s ON s.workspace_id = $1 AND s.integration_id = i.id"
          " AND s.version = i.settings_version"
          " WHERE f.workspace_id = $1 AND f.id = $2 ORDER BY i.id FOR SHARE OF i");

enum err integrations_of_stream(const struct scope *scope, struct uuid stream, struct rows *into)
{
    return db_all(scope, &integrations_of_stream_sql, PARAMS(P(scope->workspace), P(stream)),
                  &integration_shape, into);
}

/* ---- routes ---- */

static bool posts_by_default(const char *kind)
{
    static const char *const kinds[] = {"charge",     "refund",           "payout",
                                        "dispute",    "supplier_invoice", "client_invoice",
                                        "credit_note"};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (text_equal(kinds[i], kind))
            return true;
    }
    return false;
}

static enum route default_route(const char *preset, const char *kind)
{
    if (text_equal(preset, "purchases_only"))
        return text_equal(kind, "fee") ? ROUTE_POST : ROUTE_IGNORE;
    if (posts_by_default(kind))
        return ROUTE_POST;
    return text_equal(kind, "fee") ? ROUTE_IGNORE : ROUTE_ENRICH;
}

static enum route route_named(const char *name, enum route otherwise)
{
    if (text_equal(name, "post"))
        return ROUTE_POST;
    if (text_equal(name, "enrich"))
        return ROUTE_ENRICH;
    return text_equal(name, "ignore") ? ROUTE_IGNORE : otherwise;
}

enum err route_of(const struct scope *scope, const char *settings, const char *kind,
                  enum route *into)
{
    json_t *value;
    struct bytes text = {(const uint8_t *)settings, strlen(settings)};
    TRY(json_parse(scope->arena, text, &value));
    enum route otherwise = default_route(json_text(value, "preset"), kind);
    const json_t *routes = json_object_at(value, "routes");
    *into = route_named(json_string_value(json_object_get(routes, kind)), otherwise);
    return OK;
}

/* ---- what a new version becomes ---- */

/* A correction of what never posted is nothing to post; whether it did is seen when it is scored.
 */
static enum err state_of(const struct scope *scope, const struct item_order *order,
                         const struct row_plan *plan, const char **into)
{
    const struct collected_record *record = plan->record;
    enum route route;
    TRY(route_of(scope, order->integration->settings, record->kind, &route));
    if (record->quarantine)
        *into = "problem";
    else if (route == ROUTE_IGNORE || text_equal(record->posting, "ignore"))
        *into = "ignored";
    else
        *into = route == ROUTE_ENRICH ? "enriched" : "waiting";
    return OK;
}

static bool makes_item(const struct row_plan *plan)
{
    return !plan->repeated && (plan->change == ROW_NEW || plan->change == ROW_CHANGED ||
                               plan->change == ROW_QUARANTINED);
}

static bool ready(const struct row_plan *plan)
{
    return text_equal(plan->record->posting, "post") ||
           text_equal(plan->record->posting, "correct");
}

static void add_item(const struct scope *scope, json_t *rows, const struct row_plan *plan,
                     const char *state, struct uuid window)
{
    struct arena *arena = scope->arena;
    json_t *row = rows_add(rows);
    bool in_window = text_equal(state, "waiting") && ready(plan);
    row_uuid(arena, row, "id", db_new_id(scope));
    row_uuid(arena, row, "record_id", plan->id);
    row_int(row, "version", plan->version);
    row_text(row, "kind", plan->record->kind);
    row_text(row, "state", state);
    row_uuid(arena, row, "window_id", in_window ? window : (struct uuid){{0}});
    row_text(row, "quarantine", plan->record->quarantine);
}

/* ---- the window ---- */

STATEMENT(window_open_sql,
          "INSERT INTO region.window (workspace_id, id, integration_id, kind, state, opened_at,"
          " closes_at, settings_version) VALUES ($1, $2, $3, $4, 'collecting', $5, $6, $7)"
          " ON CONFLICT (workspace_id, integration_id, kind) WHERE state = 'collecting'"
          " DO NOTHING");
STATEMENT(window_share_sql,
          "SELECT id FROM region.window WHERE workspace_id = $1 AND integration_id = $2"
          " AND kind = $3 AND state = 'collecting' FOR SHARE");

struct window_id {
    struct uuid id;
};
static const struct column window_id_columns[] = {COLUMN(struct window_id, id)};
static const struct shape window_id_shape = SHAPE(struct window_id, window_id_columns);

static enum err enqueue_window(const struct scope *scope, const struct item_order *order,
                               struct uuid window, struct instant closes_at)
{
    struct job_order job = {
        .kind = JOB_WINDOW,
        .subject = window,
        .run_at = closes_at,
        .dedupe = arena_format(scope->arena, "window:%s", uuid_format(scope->arena, window)),
    };
    (void)order;
    return queue_enqueue(scope, &job);
}

/* The collecting window, opened with its job when there is none; share-locked, so that it cannot
 * close before the items are in it. */
enum err window_collecting(const struct scope *scope, struct item_order *order, struct uuid *into)
{
    const struct collecting_integration *integration = order->integration;
    const char *kind = integration->live ? "live" : "poll";
    int64_t period_s = integration->live ? order->live_window_s : integration->poll_period_s;
    struct instant now = db_now(scope), closes_at = instant_add_s(now, period_s);
    struct uuid id = db_new_id(scope);
    int64_t opened = 0;
    TRY(db_exec(scope, &window_open_sql,
                PARAMS(P(scope->workspace), P(id), P(integration->id), P(kind), P(now),
                       P(closes_at), P(integration->settings_version)),
                &opened));
    if (opened)
        TRY(enqueue_window(scope, order, id, closes_at));
    struct window_id found;
    TRY(db_one(scope, &window_share_sql, PARAMS(P(scope->workspace), P(integration->id), P(kind)),
               &window_id_shape, &found));
    *into = found.id;
    return OK;
}

/* ---- writes ---- */

STATEMENT(items_insert_sql,
          "INSERT INTO region.item (workspace_id, id, integration_id, record_id, version, kind,"
          " window_id, state, state_changed_at, amount_minor, currency, date, counterparty_name,"
          " collected_at)"
          " SELECT $1, x.id, $3, x.record_id, x.version, x.kind, x.window_id, x.state, $4,"
          " v.amount_minor, v.currency, v.date, v.party_name, $4"
          " FROM jsonb_to_recordset($2) AS x(id uuid, record_id uuid, version int, kind text,"
          " window_id uuid, state text)"
          " JOIN region.record_version v ON v.workspace_id = $1 AND v.record_id = x.record_id"
          " AND v.version = x.version"
          " ON CONFLICT (workspace_id, integration_id, record_id, version) DO NOTHING");
/* What was not sent yet gives way to the newer version. */
STATEMENT(items_supersede_sql,
          "UPDATE region.item i SET state = 'superseded', row_version = i.row_version + 1,"
          " state_changed_at = $4"
          " FROM jsonb_to_recordset($2) AS x(record_id uuid, version int)"
          " WHERE i.workspace_id = $1 AND i.integration_id = $3 AND i.record_id = x.record_id"
          " AND i.version < x.version AND i.state IN ('waiting', 'held', 'stopped')");
/* The source has made up its mind about a version that waited. */
STATEMENT(items_wake_sql,
          "UPDATE region.item i SET window_id = $4"
          " FROM jsonb_to_recordset($2) AS x(record_id uuid, version int)"
          " WHERE i.workspace_id = $1 AND i.integration_id = $3 AND i.record_id = x.record_id"
          " AND i.version = x.version AND i.state = 'waiting' AND i.window_id IS NULL");
STATEMENT(items_ignore_sql,
          "UPDATE region.item i SET state = 'ignored', row_version = i.row_version + 1,"
          " state_changed_at = $4"
          " FROM jsonb_to_recordset($2) AS x(record_id uuid, version int)"
          " WHERE i.workspace_id = $1 AND i.integration_id = $3 AND i.record_id = x.record_id"
          " AND i.version = x.version AND i.state = 'waiting'");

/* The versions for which `wanted` holds, or NULL. */
static const char *versions_json(struct arena *arena, const struct item_order *order,
                                 bool (*wanted)(const struct row_plan *plan))
{
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < order->count; i++) {
        const struct row_plan *plan = &order->plans[i];
        if (plan->repeated || !wanted(plan))
            continue;
        json_t *row = rows_add(rows);
        row_uuid(arena, row, "record_id", plan->id);
        row_int(row, "version", plan->version);
    }
    return rows_text(arena, rows);
}

static bool is_changed(const struct row_plan *plan)
{
    return plan->change == ROW_CHANGED;
}

static bool is_ready_now(const struct row_plan *plan)
{
    return plan->change == ROW_TOUCHED && ready(plan);
}

static bool is_ignored_now(const struct row_plan *plan)
{
    return plan->change == ROW_TOUCHED && text_equal(plan->record->posting, "ignore");
}

static bool any(const struct item_order *order, bool (*wanted)(const struct row_plan *plan))
{
    for (size_t i = 0; i < order->count; i++) {
        if (!order->plans[i].repeated && wanted(&order->plans[i]))
            return true;
    }
    return false;
}

static bool starts_waiting(const struct row_plan *plan)
{
    return makes_item(plan) && ready(plan) && !plan->record->quarantine;
}

static enum err move_known(const struct scope *scope, const struct item_order *order,
                           struct uuid window)
{
    struct uuid integration = order->integration->id;
    const char *changed = versions_json(scope->arena, order, is_changed);
    const char *ready_now = versions_json(scope->arena, order, is_ready_now);
    const char *ignored_now = versions_json(scope->arena, order, is_ignored_now);
    struct instant now = db_now(scope);
    if (changed)
        TRY(db_exec(scope, &items_supersede_sql,
                    PARAMS(P(scope->workspace), P_JSON(changed), P(integration), P(now)), NULL));
    if (ready_now)
        TRY(db_exec(scope, &items_wake_sql,
                    PARAMS(P(scope->workspace), P_JSON(ready_now), P(integration), P(window)),
                    NULL));
    if (ignored_now)
        TRY(db_exec(scope, &items_ignore_sql,
                    PARAMS(P(scope->workspace), P_JSON(ignored_now), P(integration), P(now)),
                    NULL));
    return OK;
}

static enum err open_problems(const struct scope *scope, const struct item_order *order,
                              const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        struct problem_order problem = {.integration = order->integration->id};
        const char *reason = json_text(row, "quarantine");
        if (!reason)
            continue;
        problem.code = "row_quarantined";
        problem.text =
            arena_format(scope->arena, "A row of the source could not be read: %s", reason);
        if (!uuid_parse(json_text(row, "id"), &problem.item))
            return arena_fail(scope->arena, ERR_INTERNAL, NULL, "An item has no id.");
        TRY(problem_open(scope, &problem));
    }
    return OK;
}

enum err items_insert(const struct scope *scope, struct item_order *order)
{
    struct uuid window = {{0}};
    if (any(order, starts_waiting) || any(order, is_ready_now))
        TRY(window_collecting(scope, order, &window));
    TRY(move_known(scope, order, window));
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < order->count; i++) {
        const char *state;
        if (!makes_item(&order->plans[i]))
            continue;
        TRY(state_of(scope, order, &order->plans[i], &state));
        add_item(scope, rows, &order->plans[i], state, window);
    }
    if (json_array_size(rows) == 0)
        return OK;
    TRY(db_exec(scope, &items_insert_sql,
                PARAMS(P(scope->workspace), P_JSON(json_write(scope->arena, rows)),
                       P(order->integration->id), P(order->now)),
                &order->inserted));
    return open_problems(scope, order, rows);
}

/* ---- counts ---- */

STATEMENT(page_insert_sql,
          "INSERT INTO region.page (workspace_id, id, stream_id, rows_received, records_new,"
          " records_unchanged, records_quarantined, more, committed_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
STATEMENT(page_count_insert_sql,
          "INSERT INTO region.page_count (workspace_id, page_id, integration_id, items,"
          " unchanged, quarantined) SELECT $1, $2, id, $4, $5, $6 FROM unnest($3::uuid[]) AS id");

enum err page_counts_insert(const struct scope *scope, const struct page_counts *counts,
                            const struct collecting_integration *integrations, size_t count)
{
    struct uuid *ids = arena_array(scope->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = integrations[i].id;
    TRY(db_exec(scope, &page_insert_sql,
                PARAMS(P(scope->workspace), P(counts->page), P(counts->stream),
                       P(counts->rows_received), P(counts->inserted), P(counts->unchanged),
                       P(counts->quarantined), P(counts->more), P(counts->now)),
                NULL));
    struct uuid_list list = {ids, count};
    return db_exec(scope, &page_count_insert_sql,
                   PARAMS(P(scope->workspace), P(counts->page), P(list), P(counts->inserted),
                          P(counts->unchanged), P(counts->quarantined)),
                   NULL);
}
