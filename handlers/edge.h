/* The edge of the API: what happens around every handler. Match the route, let in who may come in
 * (guard.h), replay what was done already (idempotency.h), run the handler, turn a failure into a
 * problem reply, and log and count it once. These functions are what httpd.h asks for. */
#ifndef SLUICE_EDGE_H
#define SLUICE_EDGE_H

#include "handlers/app.h"
#include "http/httpd.h"

enum { STATUS_CLASSES = 5 }; /* 1xx .. 5xx */

/* A counter for each route and class of status; the last row is for paths that do not exist. */
struct request_metrics {
    const struct route *routes;
    size_t route_count;
    struct counter *(*counters)[STATUS_CLASSES];
    struct histogram *seconds;
};

struct request_metrics *request_metrics_new(struct arena *arena, struct metrics *metrics,
                                            const struct route *routes, size_t count);

/* The callbacks of struct httpd_settings; `context` is const struct app *. */
size_t edge_body_bytes_max(void *context, enum http_method method, const char *path);
void edge_handle(void *context, void *thread, struct arena *arena,
                 const struct http_request *request, struct http_reply *reply);
void edge_finish(void *context, struct arena *arena, const struct http_request *request,
                 struct http_reply *reply);
enum err edge_thread_open(void *context, struct arena *arena, void **thread);
void edge_thread_close(void *thread);

#endif
