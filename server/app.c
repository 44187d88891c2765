#include "app.h"

#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "db/migrate.h"
#include "handlers/edge.h"
#include "handlers/login_guard.h"
#include "handlers/routes.h"
#include "http/httpd.h"
#include "connectors/mcp/mcp_cache.h"
#include "jobs/budget.h"
#include "jobs/worker.h"
#include "net/egress.h"
#include "store/upkeep.h"
#include "store/workspace.h"

enum { PASSWORD_CHECKS_AT_ONCE = 2 };

struct program {
    struct arena *arena; /* everything that lives as long as the program */
    const struct config *config;
    unsigned roles;
    struct log log;
    struct clock clock;
    struct rand_source rand;
    struct http_settings outgoing;
    struct provider_settings stripe, qonto;
    struct jwt_keys jwt_keys;
    struct app app;
    _Atomic bool stopping;
    struct wakeup *wakeup;
    struct db_settings queue_db;
    struct environment env;
    struct worker *worker;
    struct httpd *httpd;
    const char *url;
};

/* ---- configuration made usable ---- */

static struct provider_settings provider_of(const struct config_provider *configured)
{
    return (struct provider_settings){
        .api_url = configured->api_url,
        .oauth_url = configured->oauth_url,
        .client_id = configured->client_id,
        .client_secret = configured->client_secret,
        .staging_token = configured->staging_token,
        .scope = configured->scope,
        .mcp_era = configured->mcp_era,
    };
}

static const struct provider_settings *provider_settings(const void *context, const char *provider)
{
    const struct program *program = context;
    return text_equal(provider, "stripe") ? &program->stripe : &program->qonto;
}

static struct db_settings database(struct program *program, const char *conninfo,
                                   const char *application)
{
    return (struct db_settings){
        .conninfo = conninfo,
        .application = application,
        .clock = &program->clock,
        .rand = &program->rand,
        .log = &program->log,
        .wake = wakeup_signal,
        .wake_context = program->wakeup,
    };
}

static void open_databases(struct program *program)
{
    const struct config *config = program->config;
    const char *queue_url =
        config->region_queue_url ? config->region_queue_url : config->region_database_url;
    program->app.directory_db =
        database(program, config->directory_database_url, "sluice directory");
    program->app.region_db = database(program, config->region_database_url, "sluice region");
    program->queue_db = database(program, queue_url, "sluice queue");
}

static enum err open_outgoing(struct program *program)
{
    const struct config *config = program->config;
    const struct egress *egress;
    TRY(egress_new(program->arena, config->egress_allow.at, config->egress_allow.n, &egress));
    program->outgoing = (struct http_settings){
        .egress = egress,
        .user_agent = "sluice/" SLUICE_VERSION,
        .ca_file = config->egress_ca_file,
        .tls13 = true,
    };
    program->stripe = provider_of(&config->stripe);
    program->stripe.hosts = config->stripe.hosts;
    if (text_starts(config->public_url, "https://"))
        program->stripe.client_document =
            arena_format(program->arena, "%s/oauth/stripe/client", config->public_url);
    program->qonto = provider_of(&config->qonto);
    return OK;
}

/* Different uses, different keys: the cursor key follows from the signing key. */
static const struct secret *derive_key(struct program *program, const char *use)
{
    uint8_t key[SHA256_BYTES];
    hmac_sha256(secret_bytes(program->config->jwt_key),
                (struct bytes){(const uint8_t *)use, strlen(use)}, key);
    const struct secret *secret = secret_new(program->arena, (struct bytes){key, sizeof key});
    memory_wipe(key, sizeof key);
    return secret;
}

static enum err open_app(struct program *program)
{
    struct arena *arena = program->arena;
    struct app *app = &program->app;
    char *decoy;
    TRY(access_keys_read(arena, program->config->jwt_key, &program->jwt_keys));
    TRY(password_hash(arena, random_token(arena), &decoy));
    app->config = program->config;
    app->log = &program->log;
    app->clock = &program->clock;
    app->rand = &program->rand;
    app->router = router_new(arena, routes, route_count);
    app->jwt_keys = &program->jwt_keys;
    app->cursor_key = derive_key(program, "cursor");
    app->region_key = program->config->region_key;
    app->decoy_password_hash = decoy;
    app->login_guard = login_guard_open(PASSWORD_CHECKS_AT_ONCE);
    app->waiting = arena_alloc(arena, sizeof *app->waiting);
    app->metrics = metrics_new(arena);
    app->request_metrics = request_metrics_new(arena, app->metrics, routes, route_count);
    app->outgoing = &program->outgoing;
    app->provider_settings = provider_settings;
    app->provider_context = program;
    app->wake = wakeup_signal;
    app->wake_context = program->wakeup;
    app->stopping = &program->stopping;
    return OK;
}

static enum err open_environment(struct program *program)
{
    const struct config *config = program->config;
    struct model_set *models;
    TRY(model_set_new(program->arena, &models));
    program->env = (struct environment){
        .log = &program->log,
        .clock = &program->clock,
        .rand = &program->rand,
        .region_key = config->region_key,
        .provider_settings = provider_settings,
        .settings = program,
        .http = &program->outgoing,
        .models = models,
        .redirect_base = config->public_url,
        .ledger_age_max_s = config->work_ledger_age_s,
        .retry_s_max = config->work_retry_s,
        .live_window_s = config->work_window_s,
        .initial_mirror_days = config->work_mirror_days,
        .attempt_s = (int)config->work_attempt_s,
    };
    return OK;
}

/* ---- databases that are not behind ---- */

static enum err check_schema(struct program *program, struct arena *arena,
                             const struct db_settings *settings, enum schema schema)
{
    const char *name = schema == SCHEMA_DIRECTORY ? "directory" : "region";
    struct db *db;
    bool behind = true;
    TRY(db_open(arena, settings, &db));
    enum err error = migrate_behind(
        db, arena, schema,
        arena_format(arena, "%s/%s", program->config->migrations_directory, name), &behind);
    if (error == OK && schema == SCHEMA_REGION) {
        struct untenanted region = db_untenanted(db, arena);
        int64_t offset_us = 0;
        error = clock_offset_get(&region, &offset_us);
        clock_set_offset(&program->clock, offset_us);
    }
    db_close(db);
    TRY(error);
    if (behind)
        return arena_fail(arena, ERR_CONFIG, NULL,
                          "The %s database is behind this program; run `sluice migrate`.", name);
    return OK;
}

/* The region is known to the directory from its first start on. */
static enum err announce_region(struct program *program, struct arena *arena)
{
    struct db *db;
    TRY(db_open(arena, &program->app.directory_db, &db));
    struct untenanted directory = db_untenanted(db, arena);
    enum err error = region_ensure(&directory, &(struct region){
                                                   .code = program->config->region_name,
                                                   .name = program->config->region_title,
                                                   .hosted_in = program->config->region_hosted_in,
                                               });
    db_close(db);
    return error;
}

/* ---- roles ---- */

static enum err open_worker(struct program *program)
{
    program->env.pool =
        db_pool_open(&program->app.region_db, (size_t)program->config->work_threads + 1);
    program->env.budgets = budgets_open(&program->queue_db);
    program->env.mcp_sessions = mcp_cache_open();
    program->worker = worker_open(&(struct worker_settings){
        .env = &program->env,
        .clock = &program->clock,
        .queue = &program->queue_db,
        .app = &program->app.region_db,
        .directory = &program->app.directory_db,
        .wakeup = program->wakeup,
        .threads = (int)program->config->work_threads,
    });
    return OK;
}

static enum err open_http(struct program *program, struct arena *arena)
{
    const struct config *config = program->config;
    struct httpd_settings settings = {
        .address = config->listen_address,
        .port = (int)config->listen_port,
        .threads = (size_t)config->http_threads,
        .queue_max = (size_t)config->http_queue_max,
        .connections_max = (size_t)config->http_connections_max,
        .connection_timeout_s = (int)config->http_idle_s,
        .deadline_ms = (int)config->http_deadline_s * 1000,
        .stop_ms = (int)config->http_stop_s * 1000,
        .log = &program->log,
        .clock = &program->clock,
        .rand = &program->rand,
        .metrics = program->app.metrics,
        .body_bytes_max = edge_body_bytes_max,
        .handle = edge_handle,
        .finish = edge_finish,
        .thread_open = edge_thread_open,
        .thread_close = edge_thread_close,
        .context = &program->app,
    };
    TRY(httpd_open(arena, &settings, &program->httpd));
    bool v6 = strchr(config->listen_address, ':') != NULL;
    program->url = arena_format(program->arena, v6 ? "http://[%s]:%d" : "http://%s:%d",
                                config->listen_address, httpd_port(program->httpd));
    log_event(&program->log, LOG_INFO, "http.listening", LOG_T("url", program->url));
    return OK;
}

static enum err open_parts(struct program *program, struct arena *arena)
{
    open_databases(program);
    TRY(check_schema(program, arena, &program->app.directory_db, SCHEMA_DIRECTORY));
    TRY(check_schema(program, arena, &program->app.region_db, SCHEMA_REGION));
    TRY(announce_region(program, arena));
    TRY(open_outgoing(program));
    TRY(open_environment(program));
    wakeup_start(program->wakeup, &program->queue_db);
    if (program->roles & ROLE_WORK)
        TRY(open_worker(program));
    if (!(program->roles & ROLE_SERVE))
        return OK;
    TRY(open_app(program));
    return open_http(program, arena);
}

enum err program_open(struct arena *arena, const struct config *config, unsigned roles,
                      struct program **into)
{
    struct arena *own = arena_open();
    struct program *program = arena_alloc(own, sizeof *program);
    program->arena = own;
    program->config = config;
    program->roles = roles;
    program->log =
        (struct log){.fd = STDERR_FILENO, .least = config->log_level, .clock = &program->clock};
    rand_open(&program->rand, 0);
    program->wakeup = wakeup_open();
    enum err error = open_parts(program, arena);
    if (error != OK) {
        program_close(program);
        return error;
    }
    *into = program;
    return OK;
}

const char *program_url(const struct program *program)
{
    return program->url;
}

void program_wait(struct program *program)
{
    sigset_t signals;
    int received;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigwait(&signals, &received);
    atomic_store(&program->stopping, true);
    log_event(&program->log, LOG_INFO, "program.stopping", LOG_N("signal", received));
}

void program_close(struct program *program)
{
    if (program->httpd)
        httpd_close(program->httpd);
    if (program->worker)
        worker_close(program->worker);
    if (program->env.budgets)
        budgets_close(program->env.budgets);
    if (program->env.mcp_sessions)
        mcp_cache_close(program->env.mcp_sessions);
    if (program->env.pool)
        db_pool_close(program->env.pool);
    wakeup_close(program->wakeup);
    if (program->app.login_guard)
        login_guard_close(program->app.login_guard);
    rand_close(&program->rand);
    arena_close(program->arena);
}
