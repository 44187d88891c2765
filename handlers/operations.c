/* Health and metrics, for whoever runs the installation. */
#include "handlers/client.h"
#include "handlers/guard.h"
#include "handlers/handlers.h"
#include "handlers/request.h"
#include "store/health.h"

enum { METRICS_BYTES_MAX = 4 * 1024 * 1024 };

enum err api_healthz(struct request *req)
{
    struct json_out out = reply_begin(req);
    out_text(&out, "status", "ok");
    return reply_end(req, 200, &out);
}

static bool check(struct json_out *out, const char *name, bool good, const char *detail)
{
    out_object(out, NULL);
    out_text(out, "name", name);
    out_bool(out, "ok", good);
    out_text(out, "detail", good ? NULL : detail);
    out_end(out);
    return good;
}

static bool check_database(struct request *req, struct json_out *out, const char *name,
                           const struct untenanted *database)
{
    bool good = store_ping(database) == OK;
    arena_failure_clear(req->arena);
    return check(out, name, good, "The database does not answer.");
}

/* "region.eu": the codes of the API hold no hyphen. */
static const char *region_check_name(struct request *req)
{
    char *name = arena_format(req->arena, "region.%s", req->app->config->region_name);
    for (char *at = name; *at; at++)
        *at = (char)(*at == '-' ? '_' : *at);
    return name;
}

enum err api_readyz(struct request *req)
{
    struct json_out out = reply_begin(req);
    bool ready = true;
    out_array(&out, "checks");
    ready &= check_database(req, &out, "directory", &req->directory);
    ready &= check_database(req, &out, region_check_name(req), &req->region);
    ready &= check(&out, "running", !atomic_load(req->app->stopping), "The process is stopping.");
    out_end(&out);
    out_text(&out, "status", ready ? "ready" : "not_ready");
    return reply_end(req, ready ? 200 : 503, &out);
}

/* What is counted tells how busy whom: without a token it is for this host alone. Behind a proxy
 * everybody seems to be the proxy, so there it takes a token. */
static enum err admit_reader(struct request *req)
{
    const struct secret *token = req->app->config->metrics_token;
    const char *given = bearer_read(req);
    if (!token)
        return client_local(req)
                   ? OK
                   : arena_fail(req->arena, ERR_FORBIDDEN, NULL,
                                "Metrics are for this host alone; set metrics.token for others.");
    if (given && secret_equal(secret_from_text(req->arena, given), token))
        return OK;
    return arena_fail(req->arena, ERR_UNAUTHENTICATED, NULL,
                      "Send the token of the metrics: Authorization: Bearer …");
}

enum err api_metrics(struct request *req)
{
    TRY(admit_reader(req));
    struct buf text = buf_new(req->arena, METRICS_BYTES_MAX);
    metrics_write(req->app->metrics, &text);
    if (text.overflowed)
        return arena_fail(req->arena, ERR_LIMIT, NULL, "There are more metrics than %d bytes.",
                          METRICS_BYTES_MAX);
    return reply_bytes(req, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(&text));
}
