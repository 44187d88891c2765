/* Job "revoke": tells the provider of a disconnected connection that its access ends, until it has
 * confirmed; then what was kept of the credentials is destroyed. Tried with growing pauses for as
 * long as a token of any provider lives. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/attempt.h"
#include "connectors/mcp/mcp_cache.h"
#include "jobs/kinds.h"
#include "jobs/session.h"
#include "store/connection.h"
#include "store/revocation.h"
#include "store/secrets.h"

enum {
    REVOKE_PAUSE_S_MIN = 5,
    REVOKE_PAUSE_S_MAX = 6 * 3600,
    REVOKE_DAYS_MAX = 90, /* the longest-lived refresh token is dead by then */
};

struct revoking {
    struct job_context *ctx;
    struct connection connection;
    const struct provider *provider;
    struct credential credential;
    struct authorisation attempt;
    struct revocation_entry entries[REVOCATION_STEPS_MAX];
    struct revocation_try tried;
};

static enum err kept(const struct scope *scope, const struct revoking *revoking, const char *field,
                     const struct secret **into)
{
    struct credential_place place = {revoking->ctx->job->subject, field};
    return credential_get_for_revocation(scope, revoking->ctx->env->region_key, place, into);
}

static enum err load(const struct scope *scope, void *arg)
{
    struct revoking *revoking = arg;
    struct credential *credential = &revoking->credential;
    TRY(connection_get(scope, revoking->ctx->job->subject, &revoking->connection));
    TRY(kept(scope, revoking, CREDENTIAL_ACCESS_TOKEN, &credential->access_token));
    TRY(kept(scope, revoking, CREDENTIAL_REFRESH_TOKEN, &credential->refresh_token));
    TRY(kept(scope, revoking, CREDENTIAL_CLIENT_SECRET, &credential->client_secret));
    return authorisation_read(scope->arena, revoking->connection.authorisation, &revoking->attempt);
}

static void make_call(struct revoking *revoking, struct provider_call *call)
{
    struct job_context *ctx = revoking->ctx;
    revoking->attempt.client_secret = revoking->credential.client_secret;
    revoking->credential.client_id = revoking->attempt.client_id;
    revoking->credential.issuer = revoking->attempt.issuer;
    revoking->credential.account = revoking->connection.account;
    revoking->credential.livemode = revoking->connection.livemode;
    *call = (struct provider_call){
        .arena = ctx->arena,
        .keep = ctx->arena,
        .log = ctx->env->log,
        .clock = ctx->env->clock,
        .http = ctx->http,
        .settings = ctx->env->provider_settings(ctx->env->settings, revoking->provider->name),
        .credential = &revoking->credential,
        .sessions = ctx->env->mcp_sessions,
        .connection = ctx->job->subject,
    };
}

static const char *status_of(const struct revocation_step *step)
{
    bool later = step->status == 0 || step->status == 429 || step->status >= 500;
    return step->confirmed ? "revoked" : later ? "pending" : "refused";
}

/* A step that only verifies is no revocation: the receipt does not name it. */
static void note_steps(struct revoking *revoking, const struct revocation *answered)
{
    static const char *const shown[] = {"refresh_token", "access_token", "consent"};
    struct revocation_try *tried = &revoking->tried;
    for (size_t i = 0; i < answered->count; i++) {
        const struct revocation_step *step = &answered->steps[i];
        for (size_t name = 0; name < COUNT(shown); name++) {
            if (text_equal(shown[name], step->what))
                revoking->entries[tried->count++] =
                    (struct revocation_entry){shown[name], status_of(step), step->status};
        }
    }
    tried->entries = revoking->entries;
    tried->complete = answered->complete;
}

static enum err note_try(const struct scope *scope, void *arg)
{
    const struct revoking *revoking = arg;
    return revocation_tried(scope, &revoking->tried);
}

static enum err destroy(const struct scope *scope, void *arg)
{
    const struct revoking *revoking = arg;
    const struct connection *connection = &revoking->connection;
    return connection_revocation_set(scope, connection->id, connection->revocation, true);
}

static int64_t waited_s(const struct revoking *revoking)
{
    struct instant now = clock_now(revoking->ctx->env->clock);
    return (now.us - revoking->connection.disconnected_at.us) / 1000000;
}

/* As long again as it has been tried already: pauses double by themselves. */
static int64_t pause_s(const struct revoking *revoking)
{
    int64_t waited = waited_s(revoking);
    int64_t pause = waited < REVOKE_PAUSE_S_MAX ? waited : REVOKE_PAUSE_S_MAX;
    return pause > REVOKE_PAUSE_S_MIN ? pause : REVOKE_PAUSE_S_MIN;
}

static void log_try(const struct revoking *revoking)
{
    const struct job_context *ctx = revoking->ctx;
    for (size_t i = 0; i < revoking->tried.count; i++)
        log_event(ctx->env->log, LOG_INFO, "connection.revocation",
                  LOG_U("workspace", ctx->job->workspace), LOG_U("connection", ctx->job->subject),
                  LOG_T("what", revoking->entries[i].what),
                  LOG_T("status", revoking->entries[i].status),
                  LOG_N("http_status", revoking->entries[i].http_status));
}

enum err job_revoke(struct job_context *ctx)
{
    struct revoking *revoking = arena_alloc(ctx->arena, sizeof *revoking);
    struct provider_call call;
    struct revocation answered = {0};
    revoking->ctx = ctx;
    TRY(job_database(ctx, load, revoking));
    revoking->provider = provider_find(revoking->connection.provider);
    revoking->tried.connection = revoking->connection.id;
    bool held = revoking->credential.access_token || revoking->credential.refresh_token;
    if (revoking->connection.state != CONNECTION_DISCONNECTED || !held || !revoking->provider)
        return job_finish(ctx, NULL, NULL);
    if (waited_s(revoking) > (int64_t)REVOKE_DAYS_MAX * 86400)
        return job_finish(ctx, destroy, revoking);
    make_call(revoking, &call);
    enum err error = revoking->provider->authoriser->revoke(&call, &revoking->attempt, &answered);
    mcp_cache_forget(ctx->env->mcp_sessions, ctx->job->subject);
    if (error != OK) { /* not even an answer: it is asked for as long as a token may live */
        log_event(ctx->env->log, LOG_WARN, "connection.revocation_failed",
                  LOG_U("workspace", ctx->job->workspace), LOG_U("connection", ctx->job->subject),
                  LOG_T("code", err_slug(error)),
                  LOG_T("detail", arena_failure(ctx->arena)->detail));
        return job_again(ctx, NULL, NULL, pause_s(revoking));
    }
    note_steps(revoking, &answered);
    log_try(revoking);
    if (revoking->tried.complete)
        return job_finish(ctx, note_try, revoking);
    return job_again(ctx, note_try, revoking, pause_s(revoking));
}
