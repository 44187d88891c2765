#include "jobs/session.h"

#include "base/fault.h"
#include "base/text.h"
#include "jobs/budget.h"
#include "store/delivery_block.h"
#include "store/oauth.h"
#include "store/problem.h"
#include "store/secrets.h"

enum { REFRESH_AHEAD_S_MAX = 120, REFRESH_WAIT_S = 1 };

/* ---- reading ---- */

struct opening {
    struct session *session;
    struct uuid id;
};

static enum err read_secret(const struct scope *scope, const struct session *session,
                            const char *field, const struct secret **into)
{
    struct credential_place place = {session->connection.id, field};
    return credential_get(scope, session->ctx->env->region_key, place, into);
}

/* The endpoints and the registration that the tokens belong to, as stored when it was authorised.
 */
static enum err read_attempt(struct session *session)
{
    struct arena *arena = session->ctx->arena;
    const char *text = session->connection.authorisation;
    json_t *stored;
    if (!text)
        return OK;
    TRY(json_parse(arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &stored));
    session->attempt = (struct authorisation){
        .issuer = json_text(stored, "issuer"),
        .client_id = json_text(stored, "client_id"),
        .token_endpoint = json_text(stored, "token_endpoint"),
        .revocation_endpoint = json_text(stored, "revocation_endpoint"),
        .resource = json_text(stored, "resource"),
        .scope = json_text(stored, "scope"),
        .client_secret = session->credential.client_secret,
    };
    return OK;
}

static enum err read_credential(const struct scope *scope, struct session *session)
{
    struct credential *credential = &session->credential;
    TRY(read_secret(scope, session, CREDENTIAL_ACCESS_TOKEN, &credential->access_token));
    TRY(read_secret(scope, session, CREDENTIAL_REFRESH_TOKEN, &credential->refresh_token));
    TRY(read_secret(scope, session, CREDENTIAL_CLIENT_SECRET, &credential->client_secret));
    TRY(read_attempt(session));
    credential->generation = session->connection.credential_generation;
    credential->access_expires_at = session->connection.access_expires_at;
    credential->client_id = session->attempt.client_id;
    credential->issuer = session->attempt.issuer;
    credential->account = session->connection.account;
    credential->livemode = session->connection.livemode;
    return OK;
}

/* Everything that outlives a page lives in the job's arena, whoever asks. */
static enum err read_connection(const struct scope *scope, void *arg)
{
    struct opening *opening = arg;
    struct scope own = *scope;
    own.arena = opening->session->ctx->arena;
    TRY(connection_get(&own, opening->id, &opening->session->connection));
    return read_credential(&own, opening->session);
}

/* ---- refreshing: one process at a time, by compare-and-swap; losers read again ---- */

struct refreshing {
    struct session *session;
    struct connection_refresh refresh;
    struct connection_tokens tokens;
    bool claimed;
};

static enum err claim(const struct scope *scope, void *arg)
{
    struct refreshing *refreshing = arg;
    return connection_refresh_claim(scope, &refreshing->refresh, &refreshing->claimed);
}

static enum err store_tokens(const struct scope *scope, void *arg)
{
    struct refreshing *refreshing = arg;
    return connection_refresh_store(scope, refreshing->session->ctx->env->region_key,
                                    &refreshing->refresh, &refreshing->tokens);
}

static enum err release(const struct scope *scope, void *arg)
{
    struct refreshing *refreshing = arg;
    return connection_refresh_release(scope, &refreshing->refresh);
}

static enum err reread(struct session *session)
{
    struct opening opening = {session, session->connection.id};
    return job_database(session->ctx, read_connection, &opening);
}

/* Somebody else refreshes, or just did. Who waits for it holds no thread meanwhile. */
static enum err leave_refresh(struct session *session, int64_t generation)
{
    TRY(reread(session));
    session->waits = session->connection.credential_generation == generation;
    return session->waits ? arena_fail_retry(session->ctx->arena, ERR_BUSY, REFRESH_WAIT_S,
                                             "Another worker refreshes the credentials.")
                          : OK;
}

static enum err call_refresh(struct refreshing *refreshing)
{
    struct session *session = refreshing->session;
    struct token_set set = {0};
    const struct authoriser *authoriser = session->provider->authoriser;
    enum err error = authoriser->refresh(&session->call, &session->attempt, &set);
    if (error != OK) {
        enum err released = job_database(session->ctx, release, refreshing);
        return released == OK || error == ERR_AUTH ? error : released;
    }
    struct instant now = clock_now(session->ctx->env->clock);
    refreshing->tokens = (struct connection_tokens){
        .access_token = set.access_token,
        .refresh_token = set.refresh_token,
        .access_expires_at =
            set.expires_in_s > 0 ? instant_add_s(now, set.expires_in_s) : (struct instant){0},
        .scopes = set.scope,
    };
    if (fault_point(FAULT_TOKEN_RECEIVED))
        return job_cut(session->ctx);
    return job_database(session->ctx, store_tokens, refreshing); /* stored before it is used */
}

/* A registered client that its server no longer knows would brick every later authorisation. */
static enum err forget_client(const struct scope *scope, void *arg)
{
    const struct session *session = arg;
    struct untenanted region = db_untenanted(scope->db, scope->arena);
    return registered_client_forget_everywhere(&region, session->attempt.issuer,
                                               session->attempt.client_id);
}

static enum err forget_dead_client(struct session *session, const char *oauth_error)
{
    bool dead =
        text_equal(oauth_error, "invalid_client") || text_equal(oauth_error, "unauthorized_client");
    return dead && session->attempt.issuer ? job_database(session->ctx, forget_client, session)
                                           : OK;
}

/* A refusal may be about tokens that another worker has replaced meanwhile: look before giving up.
 */
static enum err refused(struct session *session, int64_t generation)
{
    const struct failure failure = *arena_failure(session->ctx->arena);
    TRY(reread(session));
    if (session->connection.credential_generation != generation)
        return OK;
    TRY(forget_dead_client(session, failure.field));
    return arena_fail(session->ctx->arena, ERR_AUTH, failure.field, "%s",
                      failure.detail ? failure.detail : err_sentence(ERR_AUTH));
}

static enum err refresh_tokens(struct session *session)
{
    struct refreshing refreshing = {
        .session = session,
        .refresh = {.connection = session->connection.id,
                    .generation = session->connection.credential_generation,
                    .worker = session->ctx->job->worker},
    };
    if (!session->credential.refresh_token)
        return arena_fail(session->ctx->arena, ERR_AUTH, NULL,
                          "The provider gave no refresh token; the connection must be renewed.");
    session->waits = false;
    TRY(job_database(session->ctx, claim, &refreshing));
    if (!refreshing.claimed)
        return leave_refresh(session, refreshing.refresh.generation);
    struct arena *pages = session->call.arena;
    session->call.arena = session->ctx->arena;
    enum err error = call_refresh(&refreshing);
    session->call.arena = pages;
    if (error == ERR_AUTH)
        return refused(session, refreshing.refresh.generation);
    if (error != OK && error != ERR_LEASE_LOST) /* then another worker's tokens are newer */
        return error;
    return reread(session);
}

/* After a 401. The connector's credential is the session's. */
static enum err on_unauthorised(void *context, struct credential *credential)
{
    struct session *session = context;
    enum err error = refresh_tokens(session);
    if (error == ERR_BUSY) /* a connector knows what a provider may answer, not how busy we are */
        error = arena_fail_retry(session->ctx->arena, ERR_TRANSIENT, REFRESH_WAIT_S, "%s",
                                 arena_failure(session->ctx->arena)->detail);
    if (error != OK && session->call.arena != session->ctx->arena)
        return arena_failure_move(session->call.arena, session->ctx->arena, error);
    *credential = session->credential;
    return error;
}

static bool expires_soon(const struct session *session)
{
    int64_t left_us =
        session->credential.access_expires_at.us - clock_now(session->ctx->env->clock).us;
    return session->credential.access_expires_at.us != 0 &&
           left_us < (int64_t)REFRESH_AHEAD_S_MAX * 1000000;
}

/* ---- opening ---- */

static bool usable(enum connection_state state)
{
    return state == CONNECTION_ENABLED || state == CONNECTION_DEGRADED ||
           state == CONNECTION_PROCESSING;
}

static enum err lease_request(void *context)
{
    struct session *session = context;
    return budget_take(session->ctx->env->budgets, session->call.arena, session->provider->name,
                       session->connection.id);
}

struct slowing {
    struct uuid connection;
    int64_t seconds;
};

static enum err throttle(const struct scope *scope, void *arg)
{
    const struct slowing *slowing = arg;
    return queue_throttle(scope, slowing->connection, slowing->seconds);
}

/* At once, so that what runs beside this stops, too. In an arena of its own: why the call failed is
 * still to be said in the job's. */
static void slow_down(void *context, int64_t seconds)
{
    const struct session *session = context;
    struct job_context ctx = *session->ctx;
    struct slowing slowing = {session->connection.id, seconds > 0 ? seconds : SLOW_DOWN_S_DEFAULT};
    ctx.arena = arena_open();
    ctx.scope.arena = ctx.arena;
    enum err closed = budget_close(ctx.env->budgets, ctx.arena, session->provider->name,
                                   slowing.connection, slowing.seconds);
    enum err throttled = job_database(&ctx, throttle, &slowing);
    log_event(ctx.env->log, LOG_WARN, "provider.slow_down", LOG_U("workspace", ctx.job->workspace),
              LOG_U("connection", slowing.connection), LOG_N("seconds", slowing.seconds),
              LOG_T("bucket", err_slug(closed)), LOG_T("lane", err_slug(throttled)));
    arena_close(ctx.arena);
}

static void make_call(struct session *session)
{
    struct job_context *ctx = session->ctx;
    session->call = (struct provider_call){
        .arena = ctx->arena,
        .keep = ctx->arena,
        .log = ctx->env->log,
        .clock = ctx->env->clock,
        .http = ctx->http,
        .settings = ctx->env->provider_settings(ctx->env->settings, session->provider->name),
        .credential = &session->credential,
        .sessions = ctx->env->mcp_sessions,
        .connection = session->connection.id,
        .lease_request = lease_request,
        .slow_down = slow_down,
        .refresh = on_unauthorised,
        .context = session,
    };
}

enum err session_open(struct job_context *ctx, struct uuid connection, struct session *into)
{
    *into = (struct session){.ctx = ctx};
    struct opening opening = {into, connection};
    TRY(job_database(ctx, read_connection, &opening));
    into->provider = provider_find(into->connection.provider);
    if (!into->provider)
        return arena_fail(ctx->arena, ERR_CONFIG, NULL, "There is no provider %s.",
                          into->connection.provider);
    make_call(into);
    if (!usable(into->connection.state) || !into->credential.access_token)
        return arena_fail(ctx->arena, ERR_AUTH, NULL, "The connection is %s.",
                          machine_name(&connection_machine, into->connection.state));
    if (!expires_soon(into))
        return OK;
    enum err error = refresh_tokens(into);
    if (error == ERR_AUTH)
        TRY(session_failed(into, ERR_AUTH));
    return error;
}

/* ---- what a failure means for the connection ---- */

struct failing {
    struct session *session;
    enum err error;
    const char *detail;
};

static enum err park(const struct scope *scope, const struct failing *failing)
{
    const struct session *session = failing->session;
    struct uuid id = session->connection.id;
    struct problem_order problem = {
        .code = "connection_need_reconnect",
        .text = arena_format(scope->arena,
                             "%s no longer accepts our credentials. Connect it again; everything "
                             "then goes on where it stopped.",
                             session->provider->title),
        .connection = id,
        .detail = failing->detail,
        .action = "reconnect",
    };
    TRY(connection_move(scope, id, CONNECTION_NEED_RECONNECT, "credentials_refused"));
    TRY(queue_park(scope, id, true));
    TRY(deliveries_block(scope, id));
    TRY(problem_open(scope, &problem));
    if (!problem.made) /* the owner was told already */
        return OK;
    struct notification notification = {
        .event = "connection_need_reconnect",
        .text = problem.text,
        .connection_id = id,
        .problem_id = problem.id,
    };
    return notification_add(scope, &notification);
}

static enum err degrade(const struct scope *scope, const struct failing *failing)
{
    struct connection current;
    TRY(connection_lock(scope, failing->session->connection.id, &current));
    if (current.state != CONNECTION_ENABLED)
        return OK;
    struct problem_order problem = {
        .code = err_slug(failing->error),
        .text = failing->detail ? failing->detail : err_sentence(failing->error),
        .connection = current.id,
        .action = "reconnect",
        .warning = true,
    };
    TRY(connection_move(scope, current.id, CONNECTION_DEGRADED, err_slug(failing->error)));
    return problem_open(scope, &problem);
}

static bool works(const struct connection *connection)
{
    return connection->state == CONNECTION_ENABLED || connection->state == CONNECTION_DEGRADED;
}

bool session_outdated(const struct session *session, const struct connection *now)
{
    const struct connection *then = &session->connection;
    return works(now) &&
           (!works(then) || now->credential_generation != then->credential_generation);
}

/* Credentials that were replaced meanwhile say nothing about those that are there now. */
static enum err fail_unit(const struct scope *scope, void *arg)
{
    const struct failing *failing = arg;
    struct connection now;
    TRY(connection_lock(scope, failing->session->connection.id, &now));
    bool replaced = now.credential_generation != failing->session->connection.credential_generation;
    if (replaced || session_outdated(failing->session, &now))
        return OK;
    TRY(connection_failed(scope, now.id, err_slug(failing->error)));
    if (failing->error == ERR_AUTH)
        return usable(now.state) ? park(scope, failing) : OK;
    if (failing->error == ERR_SCOPE || failing->error == ERR_APPROVAL)
        return degrade(scope, failing);
    return OK;
}

static enum err fail_in_transaction(const struct scope *scope, void *arg)
{
    return db_transaction(scope, fail_unit, arg);
}

enum err session_failed(struct session *session, enum err error)
{
    struct arena *arena = session->ctx->arena;
    struct failing failing = {session, error, arena_text(arena, arena_failure(arena)->detail)};
    return job_database(session->ctx, fail_in_transaction, &failing);
}
