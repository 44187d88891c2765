#include "handlers/edge.h"

#include "base/text.h"
#include "handlers/guard.h"
#include "handlers/idempotency.h"
#include "handlers/request.h"
#include "http/problem.h"
#include "net/http_client.h"

/* ---- counting and logging ---- */

struct request_metrics *request_metrics_new(struct arena *arena, struct metrics *metrics,
                                            const struct route *routes, size_t count)
{
    struct request_metrics *made = arena_alloc(arena, sizeof *made);
    *made = (struct request_metrics){.routes = routes, .route_count = count};
    made->counters = arena_array(arena, count + 1, sizeof *made->counters);
    for (size_t i = 0; i < (count + 1) * STATUS_CLASSES; i++) {
        size_t row = i / STATUS_CLASSES, class = i % STATUS_CLASSES;
        const char *method = row < count ? http_method_name(routes[row].method) : "other";
        const char *path = row < count ? routes[row].path : "none";
        made->counters[row][class] =
            metrics_counter(metrics, "sluice_requests_total",
                            arena_format(arena, "method=\"%s\",route=\"%s\",status=\"%zuxx\"",
                                         method, path, class + 1),
                            "Requests answered, by route and class of status.");
    }
    made->seconds = metrics_histogram(metrics, "sluice_request_seconds",
                                      "Seconds from the last byte of a request to its reply.");
    return made;
}

static void count_request(const struct request *req, int64_t took_us)
{
    const struct request_metrics *metrics = req->app->request_metrics;
    size_t row =
        req->match.route ? (size_t)(req->match.route - metrics->routes) : metrics->route_count;
    int class = req->reply->status / 100 - 1;
    assert(row <= metrics->route_count && class >= 0 && class < STATUS_CLASSES);
    counter_add(metrics->counters[row][class], 1);
    histogram_observe_us(metrics->seconds, took_us);
}

/* A failure is logged here and nowhere else. */
static void log_request(const struct request *req, enum err err, int64_t took_us)
{
    const struct failure *failure = arena_failure(req->arena);
    bool told = failure->code == err && err != OK;
    bool ours = err_status(err) >= 500 && err != ERR_BUSY;
    log_event(
        req->app->log, ours ? LOG_ERROR : LOG_INFO, "http.request", LOG_U("request", req->http->id),
        LOG_T("method", http_method_name(req->http->method)),
        LOG_T("route", req->match.route ? req->match.route->path : NULL),
        LOG_N("status", req->reply->status), LOG_N("us", took_us),
        LOG_T("workspace", req->scope ? uuid_format(req->arena, req->scope->workspace) : NULL),
        LOG_T("principal", req->principal.kind == PRINCIPAL_NONE
                               ? NULL
                               : uuid_format(req->arena, req->principal.id)),
        LOG_T("code", err == OK ? NULL : err_slug(err)),
        LOG_T("field", told ? failure->field : NULL),
        LOG_T("detail", told ? failure->detail : NULL));
}

/* ---- one request ---- */

static enum err preflight(struct request *req)
{
    reply_field(req, "Allow", req->match.allow);
    return reply_empty(req, 204);
}

/* What nobody reads must not be there: a parameter that is misspelt would silently do nothing. */
static enum err refuse_unread_query(struct request *req)
{
    bool safe = req->http->method == METHOD_GET || req->http->method == METHOD_HEAD;
    if (req->query_read || !safe)
        return OK;
    return query_read(req, NULL, 0, NULL);
}

static enum err answer(struct request *req)
{
    TRY(router_match(req->app->router, req->arena, req->http->method, req->http->path,
                     &req->match));
    if (!req->match.route)
        return preflight(req);
    TRY(guard_admit(req));
    TRY(req->match.route->idempotency == IDEMPOTENCY_NONE ? req->match.route->handle(req)
                                                          : idempotency_run(req));
    return refuse_unread_query(req);
}

static void fail(struct request *req, enum err err)
{
    int64_t limit = err == ERR_BODY_TOO_LARGE && req->match.route
                        ? (int64_t)req->match.route->body_bytes_max
                        : 0;
    problem_reply_limit(req->arena, err, req->http->id, limit, req->reply);
    if (err == ERR_METHOD_NOT_ALLOWED)
        reply_field(req, "Allow", req->match.allow);
}

void edge_handle(void *context, void *thread, struct arena *arena,
                 const struct http_request *request, struct http_reply *reply)
{
    const struct app *app = context;
    struct request_thread *own = thread;
    struct request req = {
        .arena = arena,
        .app = app,
        .thread = own,
        .http = request,
        .now = clock_now(app->clock),
        .directory = db_untenanted(own->directory, arena),
        .region = db_untenanted(own->region, arena),
        .reply = reply,
    };
    int64_t start_us = monotonic_us();
    enum err err = answer(&req);
    if (err != OK)
        fail(&req, err);
    assert(reply->status >= 200);
    int64_t took_us = monotonic_us() - start_us;
    count_request(&req, took_us);
    log_request(&req, err, took_us);
}

/* ---- every reply ---- */

static bool origin_allowed(const struct config_list *origins, const char *origin)
{
    for (size_t i = 0; i < origins->n; i++) {
        if (text_equal(origins->at[i], origin))
            return true;
    }
    return false;
}

static void allow_origin(const struct app *app, const struct http_request *request,
                         struct http_reply *reply)
{
    const char *origin = http_request_field(request, "origin");
    if (app->config->cors_origins.n > 0)
        http_reply_field(reply, "Vary", "Origin");
    if (!origin || !origin_allowed(&app->config->cors_origins, origin))
        return;
    http_reply_field(reply, "Access-Control-Allow-Origin", origin);
    http_reply_field(reply, "Access-Control-Expose-Headers",
                     "ETag, Idempotency-Replayed, Location, Retry-After, X-Request-Id");
    if (request->method != METHOD_OPTIONS)
        return;
    http_reply_field(reply, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    http_reply_field(reply, "Access-Control-Allow-Headers",
                     "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id");
    http_reply_field(reply, "Access-Control-Max-Age", "600");
}

static bool has_field(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->field_count; i++) {
        if (strcasecmp(reply->fields[i].name, name) == 0)
            return true;
    }
    return false;
}

void edge_finish(void *context, struct arena *arena, const struct http_request *request,
                 struct http_reply *reply)
{
    const struct app *app = context;
    (void)arena;
    http_reply_field(reply, "X-Content-Type-Options", "nosniff");
    if (!has_field(reply, "Cache-Control"))
        http_reply_field(reply, "Cache-Control", "no-store");
    if (!has_field(reply, "Content-Security-Policy"))
        http_reply_field(reply, "Content-Security-Policy",
                         "default-src 'none'; frame-ancestors 'none'");
    http_reply_field(reply, "Referrer-Policy", "no-referrer");
    if (app->config->production)
        http_reply_field(reply, "Strict-Transport-Security", "max-age=31536000");
    allow_origin(app, request, reply);
}

size_t edge_body_bytes_max(void *context, enum http_method method, const char *path)
{
    const struct app *app = context;
    return router_body_bytes_max(app->router, method, path);
}

/* ---- request threads ---- */

enum err edge_thread_open(void *context, struct arena *arena, void **thread)
{
    const struct app *app = context;
    struct request_thread *own = calloc(1, sizeof *own);
    if (!own)
        abort();
    *own = (struct request_thread){.app = app};
    enum err err = db_open(arena, &app->directory_db, &own->directory);
    if (err == OK)
        err = db_open(arena, &app->region_db, &own->region);
    if (err != OK) {
        edge_thread_close(own);
        return err;
    }
    own->http = http_client_open(app->outgoing);
    *thread = own;
    return OK;
}

void edge_thread_close(void *thread)
{
    struct request_thread *own = thread;
    if (own->http)
        http_client_close(own->http);
    if (own->region)
        db_close(own->region);
    if (own->directory)
        db_close(own->directory);
    free(own);
}
