/* What every job is given: built once in app.c, const after start, shared by all worker threads. */
#ifndef SLUICE_JOBS_ENVIRONMENT_H
#define SLUICE_JOBS_ENVIRONMENT_H

#include "connectors/registry.h"
#include "db/db.h"
#include "matcher/matcher.h"

struct environment {
    const struct log *log;
    const struct clock *clock;
    struct rand_source *rand;
    struct db_pool *pool;
    const struct secret *region_key;
    const struct provider_settings *(*provider_settings)(const void *settings,
                                                         const char *provider);
    const void *settings; /* for the callback */
    const struct http_settings *http;
    struct budgets *budgets;
    struct mcp_cache *mcp_sessions; /* kept between the jobs of a connection */
    const struct model_set *models;
    const char *redirect_base;   /* our public URL */
    int64_t ledger_age_max_s;    /* older mirrors count as stale */
    int64_t retry_s_max;         /* a delivery that fails for so long becomes a problem */
    int64_t live_window_s;       /* how long a window of a live source collects */
    int64_t initial_mirror_days; /* how far back the first mirror reaches */
    int attempt_s; /* the longest possible attempt of a delivery; 0: the target's own */
};

#endif
