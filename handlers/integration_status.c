/* The status page of an integration, in a constant number of statements on one snapshot. */
#include "base/base.h"

#include "handlers/connection_out.h"
#include "handlers/handlers.h"
#include "handlers/integrations.h"
#include "handlers/view.h"
#include "store/conservation.h"
#include "store/integration_status.h"

enum { WINDOWS_SHOWN = 10, PROBLEMS_SHOWN = 20 };

struct status {
    struct request *req;
    struct instant now;
    struct integration integration;
    struct integration_pair pair;
    struct rows streams;
    struct rows windows;
    struct rows problems;
    struct status_counts counts;
    int64_t items[ITEM_STATES];
    int64_t problems_open;
};

static enum err read_status(const struct scope *scope, void *arg)
{
    struct status *status = arg;
    struct uuid id = request_uuid(status->req, "integration_id");
    const struct window_filter windows = {.integration = id};
    const struct list_page newest = {.rows = WINDOWS_SHOWN};
    const struct problem_filter problems = {
        .state = "unresolved", .integration = id, .limit = PROBLEMS_SHOWN};
    TRY(integration_get(scope, id, &status->integration));
    TRY(integration_pair_get(scope, &status->integration, &status->pair));
    TRY(status_streams(scope, id, &status->streams));
    TRY(windows_list(scope, &windows, &newest, &status->windows));
    TRY(status_counts(scope, id, &status->counts));
    TRY(item_counts(scope, id, status->items));
    TRY(problem_list(scope, &problems, &status->problems));
    return problem_count_open(scope, id, &status->problems_open);
}

static void out_connection(struct json_out *out, const char *name,
                           const struct connection *connection)
{
    out_object(out, name);
    connection_out(out, connection, NULL);
    out_end(out);
}

static void out_streams(struct json_out *out, const struct status *status)
{
    const struct status_stream *streams = status->streams.at;
    out_array(out, "streams");
    for (size_t i = 0; i < status->streams.count; i++) {
        const struct status_stream *stream = &streams[i];
        int64_t lag_us = status->now.us - stream->last_complete_at.us;
        out_object(out, NULL);
        out_uuid(out, "connection_id", stream->connection_id);
        out_text(out, "role", stream->mirror ? "target" : "source");
        out_text(out, "stream", stream->name);
        out_bool(out, "livemode", stream->livemode);
        out_text(out, "marker", stream->marker);
        out_instant(out, "last_pull_at", stream->last_pull_at);
        if (stream->last_complete_at.us)
            out_int(out, "lag_s", lag_us > 0 ? lag_us / 1000000 : 0);
        else
            out_null(out, "lag_s");
        out_end(out);
    }
    out_end(out);
}

/* As fresh as the mirror that was read longest ago. */
static void out_ledger(struct json_out *out, const struct status *status)
{
    const struct status_stream *streams = status->streams.at;
    int64_t age_max_us = status->req->app->config->work_ledger_age_s * 1000000;
    size_t mirrors = 0;
    struct instant oldest = {INT64_MAX};
    for (size_t i = 0; i < status->streams.count; i++) {
        if (!streams[i].mirror)
            continue;
        mirrors++;
        if (streams[i].last_complete_at.us < oldest.us)
            oldest = streams[i].last_complete_at;
    }
    if (mirrors == 0)
        oldest.us = 0;
    out_object(out, "ledger");
    out_text(out, "origin", mirrors > 0 ? "mirrored" : "none");
    out_instant(out, "refreshed_at", oldest);
    out_bool(out, "stale", oldest.us == 0 || status->now.us - oldest.us > age_max_us);
    out_end(out);
}

static void out_windows(struct json_out *out, const struct rows *rows)
{
    const struct window_view *windows = rows->at;
    out_array(out, "windows");
    for (size_t i = 0; i < rows->count; i++)
        out_window(out, &windows[i]);
    out_end(out);
}

static void out_counts(struct json_out *out, const struct status *status)
{
    out_object(out, "bands");
    out_int(out, "flow", status->counts.flow);
    out_int(out, "hold", status->counts.hold);
    out_int(out, "stop", status->counts.stop);
    out_end(out);
    out_object(out, "items");
    for (unsigned state = 0; state < ITEM_STATES; state++)
        out_int(out, machine_name(&item_machine, state), status->items[state]);
    out_end(out);
    out_int(out, "unconfirmed", status->counts.unconfirmed);
}

static void out_problems(struct json_out *out, const struct status *status)
{
    const struct problem *problems = status->problems.at;
    out_int(out, "problems_open", status->problems_open);
    out_array(out, "problems");
    for (size_t i = 0; i < status->problems.count; i++) {
        out_object(out, NULL);
        out_problem(out, &problems[i]);
        out_end(out);
    }
    out_end(out);
}

enum err api_integration_status(struct request *req)
{
    struct status status = {.req = req, .now = req->now};
    TRY(db_snapshot(req->scope, read_status, &status));
    struct json_out out = reply_begin(req);
    out_uuid(&out, "integration_id", status.integration.id);
    out_text(&out, "state", machine_name(&integration_machine, status.integration.state));
    out_int(&out, "settings_version", status.integration.settings_version);
    out_instant(&out, "as_of", status.now);
    out_connection(&out, "source", &status.pair.source);
    out_connection(&out, "target", &status.pair.target);
    out_streams(&out, &status);
    out_ledger(&out, &status);
    out_windows(&out, &status.windows);
    out_counts(&out, &status);
    out_problems(&out, &status);
    return reply_end(req, 200, &out);
}
