/* What a running server consists of, as far as handlers may know it. Built once in app.c, passed
 * down, const after start. A request thread owns its database connections (struct request_thread);
 * nothing else is kept between requests. */
#ifndef SLUICE_APP_H
#define SLUICE_APP_H

#include "auth/jwt.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/secret.h"
#include "config/config.h"
#include "db/db.h"
#include "http/metrics.h"
#include "http/router.h"

struct http_client;       /* net/http_client.h */
struct http_settings;     /* net/http_client.h */
struct provider_settings; /* connectors/provider.h */
struct login_guard;       /* handlers/login_guard.h */

struct app {
    const struct config *config;
    const struct log *log;
    const struct clock *clock;
    struct rand_source *rand;
    const struct router *router;
    const struct jwt_keys *jwt_keys;
    const struct secret *cursor_key; /* the same in every process of an installation */
    const struct secret *region_key; /* wraps the data keys of the region's workspaces */
    const char *decoy_password_hash; /* checked when there is no such user */
    struct login_guard *login_guard;
    _Atomic int *waiting; /* request threads that wait for a provider; see wait_begin */
    struct metrics *metrics;
    const struct request_metrics *request_metrics;
    const struct http_settings *outgoing; /* of calls to providers */
    const struct provider_settings *(*provider_settings)(const void *context, const char *provider);
    const void *provider_context;
    struct db_settings directory_db;
    struct db_settings region_db;
    void (*wake)(void *wake_context); /* new work was committed; for region_db.wake */
    void *wake_context;
    const _Atomic bool *stopping; /* readyz says so */
};

/* What one request thread owns. */
struct request_thread {
    const struct app *app;
    struct db *directory;
    struct db *region;
    struct http_client *http; /* for the few handlers that call a provider (OAuth, disconnect) */
};

#endif
