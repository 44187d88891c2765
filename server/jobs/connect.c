/* Job "connect": tries the credentials of a connection that was just authorised, finds its account
 * or leaves the choice to a person, and lets everything that depends on it begin or go on. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/offer.h"
#include "jobs/kinds.h"
#include "jobs/session.h"
#include "store/audit.h"
#include "store/connection_take.h"
#include "store/delivery.h"
#include "store/delivery_block.h"
#include "store/integration.h"
#include "store/problem.h"
#include "store/secrets.h"
#include "store/stream_start.h"

struct connecting;
/* One way to end; `connection` is locked and still being connected. */
typedef enum err ending(const struct scope *scope, const struct connecting *connecting,
                        const struct connection *connection);

struct connecting {
    struct job_context *ctx;
    ending *end;
    struct session session;
    struct probe_result probe;
    const struct account_choice *account; /* NULL: a person chooses, or there is none */
    const char *reason;                   /* of a refusal */
    const char *text;
    struct connection_account wanted;
    bool unwanted; /* the credentials are of another account: they are not kept */
};

/* ---- what depends on a connection ---- */

static struct stream stream_of(const struct connection *connection,
                               const struct stream_offer *offer)
{
    return (struct stream){
        .connection = connection->id,
        .provider = connection->provider,
        .account = connection->account,
        .livemode = connection->livemode,
        .name = offer->name,
        .period_s = offer->period_s,
        .reach = offer->reach,
    };
}

static enum err start_side(const struct scope *scope, const struct connection *connection,
                           const struct stream_need *need, const char *purpose)
{
    const struct provider *provider = provider_find(connection->provider);
    struct stream_offer offers[OFFERS_MAX];
    size_t count = text_equal(purpose, PURPOSE_COLLECT) ? source_offers(provider, need, offers)
                                                        : mirror_offers(provider, need, offers);
    for (size_t i = 0; i < count; i++) {
        struct stream wanted = stream_of(connection, &offers[i]);
        TRY(stream_start(scope, &wanted, purpose));
    }
    return OK;
}

static enum err start_integration(const struct scope *scope, const struct environment *env,
                                  const struct connection *connection,
                                  const struct integration *integration)
{
    json_t *settings;
    const char *text = integration->settings;
    TRY(json_parse(scope->arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &settings));
    const struct stream_need need = {
        .start = integration->starts_at,
        .backfill_days = json_int(settings, "backfill_days", 0),
        .poll_period_s = json_int(settings, "poll_period_s", 900),
        .mirror_days = env->initial_mirror_days,
        .ledger_age_s = env->ledger_age_max_s,
    };
    if (integration->state != INTEGRATION_ACTIVE)
        return OK;
    if (uuid_equal(integration->source_connection_id, connection->id))
        TRY(start_side(scope, connection, &need, PURPOSE_COLLECT));
    if (uuid_equal(integration->target_connection_id, connection->id))
        TRY(start_side(scope, connection, &need, PURPOSE_MIRROR));
    return OK;
}

static enum err start_integrations(const struct scope *scope, const struct environment *env,
                                   const struct connection *connection)
{
    struct rows rows;
    TRY(integration_of_connection(scope, connection->id, &rows));
    const struct integration *integrations = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        TRY(start_integration(scope, env, connection, &integrations[i]));
    return OK;
}

/* What was open about the connection itself. */
static enum err resolve_problems(const struct scope *scope, struct uuid connection)
{
    static const char *const codes[] = {"connection_need_reconnect", "connection_error",
                                        "provider_scope", "provider_approval"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        int64_t resolved;
        TRY(problem_resolve(scope,
                            &(struct problem_subject){.connection = connection, .code = codes[i]},
                            &resolved));
    }
    return OK;
}

static enum err note(const struct scope *scope, const char *action, struct uuid connection)
{
    return audit_append(scope, &(struct audit_entry){.action = action,
                                                     .subject_kind = "connection",
                                                     .subject = connection});
}

/* ---- the ways it ends, each one transaction with the end of the job ---- */

/* Nothing is done when it was disconnected meanwhile. */
static enum err end_connecting(const struct scope *scope, void *arg)
{
    const struct connecting *connecting = arg;
    struct connection connection;
    TRY(connection_lock(scope, connecting->session.connection.id, &connection));
    if (connection.state != CONNECTION_PROCESSING)
        return OK;
    return connecting->end(scope, connecting, &connection);
}

static enum err finish(struct connecting *connecting, ending *end)
{
    connecting->end = end;
    return job_finish(connecting->ctx, end_connecting, connecting);
}

static enum err enable(const struct scope *scope, const struct connecting *connecting,
                       const struct connection *newer)
{
    const struct environment *env = connecting->ctx->env;
    const struct probe_result *probe = &connecting->probe;
    struct connection connection;
    struct uuid holder; /* the one that has the account in the end */
    int64_t unblocked;
    TRY(connection_capabilities_set(scope, newer->id, probe->scopes ? probe->scopes : newer->scopes,
                                    probe->capabilities));
    TRY(connection_take_account(scope, env->region_key, newer->id, &connecting->wanted, &holder));
    TRY(connection_lock(scope, holder, &connection));
    if (connection.state != CONNECTION_PROCESSING) /* the older one is suspended */
        return OK;
    TRY(connection_move(scope, connection.id, CONNECTION_ENABLED, NULL));
    TRY(connection_succeeded(scope, connection.id));
    TRY(queue_park(scope, connection.id, false));
    TRY(resolve_problems(scope, connection.id));
    TRY(deliveries_unblock(scope, connection.id, &unblocked));
    TRY(start_integrations(scope, env, &connection));
    return note(scope, "connection.enabled", connection.id);
}

static const char *choices_text(struct arena *arena, const struct probe_result *probe)
{
    json_t *choices = json_keep(arena, json_array());
    for (size_t i = 0; i < probe->count; i++) {
        const struct account_choice *choice = &probe->accounts[i];
        json_array_append_new(choices,
                              json_pack("{s:s, s:b, s:s?}", "account", choice->account, "livemode",
                                        (int)choice->livemode, "name", choice->name));
    }
    return json_write(arena, choices);
}

static enum err leave_choice(const struct scope *scope, const struct connecting *connecting,
                             const struct connection *connection)
{
    TRY(connection_choices_set(scope, connection->id,
                               choices_text(scope->arena, &connecting->probe)));
    TRY(connection_move(scope, connection->id, CONNECTION_TO_CONFIGURE, "several_accounts"));
    return note(scope, "connection.account_open", connection->id);
}

static enum err tell_owner(const struct scope *scope, const struct connecting *connecting,
                           const char *code)
{
    struct uuid id = connecting->session.connection.id;
    bool theirs = text_equal(code, "connection_need_reconnect");
    struct problem_order problem = {
        .code = code,
        .text = connecting->text,
        .connection = id,
        .action = theirs ? "reconnect" : NULL,
    };
    TRY(problem_open(scope, &problem));
    if (!problem.made)
        return OK;
    struct notification notification = {
        .event = code, .text = problem.text, .connection_id = id, .problem_id = problem.id};
    return notification_add(scope, &notification);
}

/* The person has to connect again. */
static enum err refuse(const struct scope *scope, const struct connecting *connecting,
                       const struct connection *connection)
{
    TRY(connection_move(scope, connection->id, CONNECTION_NEED_RECONNECT, connecting->reason));
    TRY(connection_failed(scope, connection->id, connecting->reason));
    if (connecting->unwanted)
        TRY(credential_destroy(scope, connection->id));
    TRY(tell_owner(scope, connecting, "connection_need_reconnect"));
    return note(scope, "connection.refused", connection->id);
}

/* Tried often enough: somebody has to look into it. */
static enum err give_up(const struct scope *scope, const struct connecting *connecting,
                        const struct connection *connection)
{
    TRY(connection_move(scope, connection->id, CONNECTION_ERROR, connecting->reason));
    TRY(connection_failed(scope, connection->id, connecting->reason));
    TRY(tell_owner(scope, connecting, "connection_error"));
    return note(scope, "connection.failed", connection->id);
}

/* ---- trying ---- */

static enum err probe(struct connecting *connecting)
{
    struct session *session = &connecting->session;
    const struct provider *provider = session->provider;
    for (size_t i = 0; i < session->connection.roles.n; i++) {
        bool source = text_equal(session->connection.roles.at[i], "source");
        if (source && provider->source)
            return provider->source->probe(&session->call, &connecting->probe);
        if (!source && provider->target)
            return provider->target->probe(&session->call, &connecting->probe);
    }
    return arena_fail(connecting->ctx->arena, ERR_CONFIG, NULL, "%s has none of the roles.",
                      provider->title);
}

/* A connection that has an account already keeps it, whatever else the authorisation covers. */
static const struct account_choice *account_of(const struct connecting *connecting)
{
    const struct connection *connection = &connecting->session.connection;
    const struct probe_result *found = &connecting->probe;
    if (!connection->account)
        return found->count == 1 ? &found->accounts[0] : NULL;
    for (size_t i = 0; i < found->count; i++) {
        if (text_equal(found->accounts[i].account, connection->account) &&
            found->accounts[i].livemode == connection->livemode)
            return &found->accounts[i];
    }
    return NULL;
}

static enum err end_refused(struct connecting *connecting, const char *reason, const char *text)
{
    connecting->reason = reason;
    connecting->text = text;
    arena_failure_clear(connecting->ctx->arena);
    return finish(connecting, refuse);
}

/* What was given by mistake is given back, as far as the provider can be reached. */
static enum err end_other_account(struct connecting *connecting)
{
    struct session *session = &connecting->session;
    struct revocation ignored;
    enum err error =
        session->provider->authoriser->revoke(&session->call, &session->attempt, &ignored);
    log_event(connecting->ctx->env->log, LOG_INFO, "connection.other_account",
              LOG_U("workspace", connecting->ctx->job->workspace),
              LOG_U("connection", session->connection.id), LOG_T("revoked", err_slug(error)));
    connecting->unwanted = true;
    return end_refused(connecting, "other_account",
                       arena_format(connecting->ctx->arena,
                                    "%s was authorised for another account than the one of this "
                                    "connection. Connect again and choose that one.",
                                    session->provider->title));
}

static enum err end_probed(struct connecting *connecting)
{
    struct arena *arena = connecting->ctx->arena;
    const struct connection *connection = &connecting->session.connection;
    const char *title = connecting->session.provider->title;
    const struct account_choice *account = account_of(connecting);
    if (account) {
        connecting->wanted = (struct connection_account){connection->provider, account->account,
                                                         account->name, account->livemode};
        return finish(connecting, enable);
    }
    if (connecting->probe.count == 0)
        return end_refused(
            connecting, "no_account",
            arena_format(arena, "The authorisation at %s covers no account.", title));
    if (connection->account)
        return end_other_account(connecting);
    return finish(connecting, leave_choice);
}

static enum err end_failed(struct connecting *connecting, enum err error)
{
    struct job_context *ctx = connecting->ctx;
    const char *detail = arena_failure(ctx->arena)->detail;
    const char *text = arena_text(ctx->arena, detail ? detail : err_sentence(error));
    const struct claimed_job *job = ctx->job;
    log_event(ctx->env->log, LOG_WARN, "connection.not_connected",
              LOG_U("workspace", job->workspace), LOG_U("connection", job->subject),
              LOG_N("attempt", job->attempt), LOG_T("code", err_slug(error)),
              LOG_T("detail", text));
    if (error == ERR_BUSY || error == ERR_DB_DOWN) /* nothing was tried */
        return error;
    if (error == ERR_AUTH)
        return end_refused(connecting, "credentials_refused", text);
    if (error == ERR_SCOPE)
        return end_refused(connecting, err_slug(error), text);
    if (job->attempt < job->max_attempts)
        return error; /* tried again later */
    connecting->reason = err_slug(error);
    connecting->text = text;
    return finish(connecting, give_up);
}

enum err job_connect(struct job_context *ctx)
{
    struct connecting *connecting = arena_alloc(ctx->arena, sizeof *connecting);
    connecting->ctx = ctx;
    enum err error = session_open(ctx, ctx->job->subject, &connecting->session);
    const struct connection *connection = &connecting->session.connection;
    if (error != OK && error != ERR_NOT_FOUND && uuid_is_nil(connection->id))
        return error; /* not even read */
    if (error == ERR_NOT_FOUND || connection->state != CONNECTION_PROCESSING)
        return job_finish(ctx, NULL, NULL); /* decided already, or disconnected meanwhile */
    if (error == OK)
        error = probe(connecting);
    return error == OK ? end_probed(connecting) : end_failed(connecting, error);
}
