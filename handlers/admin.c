/* For the operator of the installation: lanes, workers, connections of all workspaces. */
#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "store/admin_read.h"
#include "store/machines.h"

enum { REGION_CHARS_MAX = 32 };

struct admin_query {
    struct page page;
    const char *region;
    int state;
};
#define ADMIN_FIELDS                                                                               \
    PAGE_FIELDS(struct admin_query, page),                                                         \
        FIELD_TEXT("region", struct admin_query, region, 1, REGION_CHARS_MAX, OPTIONAL)
static const struct input_field list_fields[] = {ADMIN_FIELDS};

/* This process serves one region: of any other it has nothing to show. */
static bool of_region(const struct request *req, const struct admin_query *query)
{
    return !query->region || text_equal(query->region, req->app->config->region_name);
}

static enum err nothing(struct request *req)
{
    struct json_out out = list_begin(req);
    return list_end(req, &out, NULL);
}

static void out_lane(struct json_out *out, const struct request *req, const struct admin_lane *lane)
{
    bool waiting = lane->oldest_due_at.us != 0;
    int64_t age_us = req->now.us - lane->oldest_due_at.us;
    out_object(out, NULL);
    out_int(out, "id", lane->id);
    out_text(out, "region", req->app->config->region_name);
    out_uuid_or_null(out, "workspace_id", lane->workspace);
    out_uuid_or_null(out, "connection_id", lane->connection);
    out_int(out, "ready", lane->ready);
    out_int(out, "scheduled", lane->scheduled);
    out_int(out, "running", lane->running);
    out_int(out, "running_max", lane->running_max);
    out_instant(out, "next_at", lane->next_at);
    out_instant(out, "oldest_due_at", lane->oldest_due_at);
    if (waiting)
        out_int(out, "oldest_age_s", age_us > 0 ? age_us / 1000000 : 0);
    else
        out_null(out, "oldest_age_s");
    out_end(out);
}

/* The cursor's text is the lane's id: ids of the queue are numbers. */
static struct admin_page page_after(const struct admin_query *query)
{
    struct admin_page page = {
        .rows = query->page.limit + 1,
        .after = query->page.after.given,
        .after_order = query->page.after.number,
    };
    if (page.after && !int64_parse(query->page.after.text, 0, INT64_MAX, &page.after_id))
        page.after_id = 0;
    return page;
}

enum err api_admin_lane_list(struct request *req)
{
    struct admin_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    if (!of_region(req, &query))
        return nothing(req);
    struct admin_page page = page_after(&query);
    TRY(admin_lanes(&req->region, &page, &rows));
    const struct admin_lane *lanes = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_lane(&out, req, &lanes[i]);
    struct cursor next = {0};
    if (shown < rows.count)
        next = (struct cursor){.number = lanes[shown - 1].order,
                               .text = arena_format(req->arena, "%" PRId64, lanes[shown - 1].id)};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static void out_worker(struct json_out *out, const struct request *req,
                       const struct admin_worker *worker)
{
    out_object(out, NULL);
    out_int(out, "id", worker->id);
    out_text(out, "region", req->app->config->region_name);
    out_text(out, "host", worker->host);
    out_bool(out, "alive", worker->alive);
    out_int(out, "running", worker->running);
    out_instant(out, "started_at", worker->started_at);
    out_instant(out, "lease_until", worker->lease_until);
    out_end(out);
}

enum err api_admin_worker_list(struct request *req)
{
    struct admin_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    if (!of_region(req, &query))
        return nothing(req);
    struct admin_page page = {.rows = query.page.limit + 1,
                              .after = query.page.after.given,
                              .after_id = query.page.after.number};
    TRY(admin_workers(&req->region, &page, &rows));
    const struct admin_worker *workers = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_worker(&out, req, &workers[i]);
    struct cursor next = {.number = shown ? workers[shown - 1].id : 0};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static void out_connection(struct json_out *out, const struct request *req,
                           const struct admin_connection *connection)
{
    out_object(out, NULL);
    out_uuid(out, "id", connection->id);
    out_text(out, "region", req->app->config->region_name);
    out_uuid(out, "workspace_id", connection->workspace);
    out_text(out, "provider", connection->provider);
    out_text(out, "state", connection->state);
    out_instant(out, "last_success_at", connection->last_success_at);
    out_instant(out, "updated_at", connection->updated_at);
    out_end(out);
}

enum err api_admin_connection_list(struct request *req)
{
    const struct input_field fields[] = {
        ADMIN_FIELDS,
        FIELD_WORD("state", struct admin_query, state, connection_machine.names, OPTIONAL),
    };
    struct admin_query query = {.page = PAGE_DEFAULT, .state = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, fields, COUNT(fields), &query, &query.page));
    if (!of_region(req, &query))
        return nothing(req);
    struct list_page page = list_page_of(&query.page);
    TRY(admin_connections(&req->region, word_or_null(connection_machine.names, query.state), &page,
                          &rows));
    const struct admin_connection *connections = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_connection(&out, req, &connections[i]);
    struct cursor next = {.id = shown ? connections[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}
