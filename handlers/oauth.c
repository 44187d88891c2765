/* The pages that a browser visits to authorise a connection. Nobody is signed in here: what may be
 * done is what the single-use token was made for (oauth_state.h). A link may have been sent to
 * somebody else than it was made by, so opening it does nothing yet but say who asks for what.
 * Coming back is checked in the order of OAuth 2.1 and RFC 9207: the state and its browser, the
 * issuer, and only then error or code. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/attempt.h"
#include "connectors/oauth/oauth.h"
#include "handlers/guard.h"
#include "handlers/handlers.h"
#include "handlers/oauth_page.h"
#include "handlers/oauth_state.h"
#include "net/url.h"
#include "store/audit.h"
#include "store/connection_take.h"
#include "store/queue.h"
#include "store/secrets.h"
#include "store/workspace.h"

/* One visit: who came, for which connection. */
struct visit {
    struct request *req;
    const struct provider *provider;
    struct oauth_state state;
    struct scope scope;
    struct provider_call call;
    struct credential credential;
};

static enum err visit_provider(struct request *req, struct visit *visit)
{
    *visit = (struct visit){.req = req, .provider = provider_find(request_name(req, "provider"))};
    req->query_read = true;
    if (!visit->provider || !visit->provider->authoriser)
        return arena_fail(req->arena, ERR_NOT_FOUND, NULL, "There is no such page.");
    return OK;
}

/* The workspace of the spent token, and the surroundings of calls to its provider. */
static enum err visit_enter(struct visit *visit)
{
    struct request *req = visit->req;
    TRY(guard_scope(req, visit->state.workspace_id, visit->state.region, &visit->scope));
    visit->call = (struct provider_call){
        .arena = req->arena,
        .keep = req->arena,
        .log = req->app->log,
        .clock = req->app->clock,
        .http = req->thread->http,
        .settings = req->app->provider_settings(req->app->provider_context, visit->provider->name),
        .credential = &visit->credential,
    };
    return OK;
}

static enum err refuse(struct visit *visit, const char *why)
{
    arena_failure_clear(visit->req->arena);
    log_event(visit->req->app->log, LOG_WARN, "oauth.refused",
              LOG_U("request", visit->req->http->id), LOG_T("provider", visit->provider->name),
              LOG_T("reason", why));
    return oauth_page_refused(visit->req);
}

/* To the frontend, or to a page of our own. `err` says why it failed. */
static enum err finish(struct visit *visit, enum oauth_outcome outcome, enum err err)
{
    struct request *req = visit->req;
    const char *id = uuid_format(req->arena, visit->state.connection_id);
    const char *names[] = {"outcome", "connection_id", "code"};
    const char *values[] = {oauth_outcome_name(outcome), id,
                            outcome == OUTCOME_FAILED ? err_slug(err) : NULL};
    struct tenant tenant = {.language = "en"};
    log_event(req->app->log, err == OK ? LOG_INFO : LOG_WARN, "oauth.finished",
              LOG_U("request", req->http->id), LOG_T("provider", visit->provider->name),
              LOG_U("workspace", visit->state.workspace_id), LOG_T("connection", id),
              LOG_T("outcome", values[0]), LOG_T("code", err == OK ? NULL : err_slug(err)),
              LOG_T("detail", arena_failure(req->arena)->detail));
    arena_failure_clear(req->arena);
    if (visit->state.return_to)
        return reply_redirect(
            req, url_with_query(req->arena, visit->state.return_to, names, values, COUNT(names)));
    TRY(tenant_get(&visit->scope, &tenant));
    return oauth_page_finished(req, outcome, visit->provider->title, tenant.language);
}

/* A provider that does not answer holds up those who go to it, not everybody. Nothing is spent: the
 * page can be loaded again. */
static enum err visit_in_turn(struct request *req, enum err (*visit)(struct request *req))
{
    if (!wait_begin(req))
        return arena_fail_retry(req->arena, ERR_BUSY, 1,
                                "Many connections are being authorised right now.");
    enum err err = visit(req);
    wait_end(req);
    return err;
}

/* ---- registered clients, kept for the whole region ---- */

static enum err client_find(void *context, const char *issuer, const char *redirect_uri,
                            struct client_registration *into)
{
    const struct visit *visit = context;
    const struct request *req = visit->req;
    struct registered_client client;
    enum err err =
        registered_client_get(&req->region, req->app->region_key, issuer, redirect_uri, &client);
    if (err == ERR_NOT_FOUND)
        return ERR_ABSENT;
    TRY(err);
    *into = (struct client_registration){client.client_id, client.secret};
    return OK;
}

static enum err client_store(void *context, const char *issuer, const char *redirect_uri,
                             const struct client_registration *registration)
{
    const struct visit *visit = context;
    const struct registered_client client = {issuer, redirect_uri, registration->client_id,
                                             registration->client_secret};
    return registered_client_put(&visit->req->region, visit->req->app->region_key, &client);
}

/* The secret of the client that the attempt was begun with; NULL for a public one. */
static enum err client_secret(struct visit *visit, const char *redirect_uri,
                              struct authorisation *attempt)
{
    const struct provider_settings *settings = visit->call.settings;
    struct client_registration client;
    if (settings->client_id && text_equal(settings->client_id, attempt->client_id)) {
        attempt->client_secret = settings->client_secret;
        return OK;
    }
    if (!attempt->issuer)
        return OK;
    enum err err = client_find(visit, attempt->issuer, redirect_uri, &client);
    arena_failure_clear(visit->req->arena);
    if (err == OK && text_equal(client.client_id, attempt->client_id))
        attempt->client_secret = client.client_secret;
    return err == ERR_ABSENT ? OK : err;
}

/* ---- the page that asks ---- */

struct start_input {
    const char *attempt;
    const char *confirmation;
};
static const struct input_field start_fields[] = {
    FIELD_TEXT("attempt", struct start_input, attempt, 16, 200, REQUIRED),
};

enum err api_oauth_start(struct request *req)
{
    struct visit visit;
    struct start_input in = {0};
    struct tenant tenant;
    struct connection connection;
    struct oauth_asker asker;
    TRY(visit_provider(req, &visit));
    TRY(query_read(req, start_fields, COUNT(start_fields), &in));
    enum err err = authorisation_look(req, visit.provider, in.attempt, &visit.state);
    if (err == ERR_NOT_FOUND)
        return refuse(&visit, "attempt");
    TRY(err);
    TRY(visit_enter(&visit));
    TRY(tenant_get(&visit.scope, &tenant));
    TRY(connection_get(&visit.scope, visit.state.connection_id, &connection));
    TRY(oauth_asker_get(&req->directory, &visit.state, &asker));
    return oauth_page_ask(req, &(struct oauth_question){
                                   .provider = visit.provider->name,
                                   .title = visit.provider->title,
                                   .scope = visit.call.settings->scope,
                                   .roles = connection.roles,
                                   .tenant = &tenant,
                                   .asker = &asker,
                                   .until = visit.state.expires_at,
                                   .attempt = in.attempt,
                                   .confirmation = confirmation_new(req, in.attempt),
                               });
}

/* ---- its button ---- */

static const struct input_field confirm_fields[] = {
    FIELD_TEXT("attempt", struct start_input, attempt, 16, 200, REQUIRED),
    FIELD_TEXT("confirmation", struct start_input, confirmation, 64, 64, REQUIRED),
};

static enum err attempt_keep(struct visit *visit, const struct authorisation *begun,
                             const char *redirect_uri, const char *state)
{
    struct request *req = visit->req;
    struct oauth_attempt attempt = {
        .connection_id = visit->state.connection_id,
        .redirect_uri = redirect_uri,
        .authorisation = authorisation_write(req->arena, begun),
        .verifier = begun->verifier,
        .expires_at = instant_add_s(db_now(&visit->scope), AUTHORISATION_S),
    };
    TRY(oauth_attempt_add(&visit->scope, req->app->region_key, &attempt));
    return state_keep(req, state, &visit->state, attempt.id);
}

static enum err confirm(struct request *req)
{
    struct visit visit;
    struct start_input in = {0};
    struct authorisation begun;
    TRY(visit_provider(req, &visit));
    TRY(form_read(req, confirm_fields, COUNT(confirm_fields), &in));
    if (!confirmation_valid(req, in.attempt, in.confirmation))
        return refuse(&visit, "confirmation");
    enum err err = authorisation_open(req, visit.provider, in.attempt, &visit.state);
    if (err == ERR_NOT_FOUND)
        return refuse(&visit, "attempt");
    TRY(err);
    TRY(visit_enter(&visit));
    const struct client_registry clients = {client_find, client_store, &visit};
    const char *redirect_uri = redirect_uri_of(req, visit.provider);
    const char *state = state_new(req);
    err = visit.provider->authoriser->start(&visit.call, &clients, redirect_uri, state, &begun);
    if (err != OK)
        return finish(&visit, OUTCOME_FAILED, err);
    TRY(attempt_keep(&visit, &begun, redirect_uri, state));
    return reply_redirect(req, begun.authorize_url);
}

enum err api_oauth_confirm(struct request *req)
{
    return visit_in_turn(req, confirm);
}

/* ---- callback ---- */

enum {
    CALLBACK_VALUE_BYTES_MAX = 4096,
    OUTCOME_WAIT_MS = 3000,
    OUTCOME_LOOK_MS = 100,
};

struct callback {
    const char *state;
    const char *code;
    const char *iss;
    const char *error;
    bool doubled; /* one of them came twice: RFC 6749 §3.1 */
};

static void callback_take(struct callback *into, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **at;
    } known[] = {
        {"state", &into->state},
        {"code", &into->code},
        {"iss", &into->iss},
        {"error", &into->error},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        if (!text_equal(known[i].name, name))
            continue;
        into->doubled = into->doubled || *known[i].at != NULL;
        *known[i].at = value;
    }
}

/* What we do not know is not ours to refuse: servers add parameters of their own. */
static void callback_read(const struct request *req, struct callback *into)
{
    *into = (struct callback){0};
    for (const char *at = req->http->query; *at;) {
        size_t n = strcspn(at, "&"), name_n = strcspn(at, "&=");
        const char *name = percent_decode(req->arena, at, name_n, true);
        size_t value_n = n > name_n ? n - name_n - 1 : 0;
        const char *value = percent_decode(req->arena, at + n - value_n, value_n, true);
        if (name && value && value[0] && value_n <= CALLBACK_VALUE_BYTES_MAX)
            callback_take(into, name, value);
        at += n + (at[n] == '&');
    }
}

/* Reads what the attempt was begun with; spends it. */
static enum err attempt_take(struct visit *visit, struct oauth_attempt *attempt,
                             struct authorisation *into)
{
    const struct request *req = visit->req;
    TRY(oauth_attempt_take(&visit->scope, req->app->region_key, visit->state.attempt_id, attempt));
    TRY(authorisation_read(req->arena, attempt->authorisation, into));
    into->verifier = attempt->verifier;
    return client_secret(visit, attempt->redirect_uri, into);
}

struct authorised {
    struct visit *visit;
    const struct authorisation *attempt;
    const struct token_set *tokens;
};

static enum err put_credentials(const struct scope *scope, const struct authorised *authorised)
{
    const struct token_set *tokens = authorised->tokens;
    const struct authorisation *attempt = authorised->attempt;
    const struct secret *region_key = authorised->visit->req->app->region_key;
    struct uuid id = authorised->visit->state.connection_id;
    const struct connection_tokens fresh = {
        .access_token = tokens->access_token,
        .refresh_token = tokens->refresh_token,
        .access_expires_at = tokens->expires_in_s
                                 ? instant_add_s(db_now(scope), tokens->expires_in_s)
                                 : (struct instant){0},
        .scopes = tokens->scope ? tokens->scope : attempt->scope,
        .authorisation = authorisation_write(scope->arena, attempt),
    };
    TRY(credential_destroy(scope, id)); /* nothing of an earlier client stays */
    TRY(connection_tokens_put(scope, region_key, id, &fresh));
    if (!attempt->client_secret)
        return OK;
    return credential_put(scope, region_key,
                          (struct credential_place){id, CREDENTIAL_CLIENT_SECRET},
                          attempt->client_secret);
}

/* Stored before they are used; what is left to do with them is the job's. */
static enum err authorise(const struct scope *scope, void *arg)
{
    const struct authorised *authorised = arg;
    struct uuid id = authorised->visit->state.connection_id;
    struct connection connection;
    TRY(connection_lock(scope, id, &connection));
    if (connection.state == CONNECTION_SUSPENDED || !uuid_is_nil(connection.replaced_by))
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The connection was suspended or replaced in the meantime.");
    TRY(put_credentials(scope, authorised));
    TRY(connection_choices_set(scope, id, NULL));
    TRY(connection_reprocess(scope, id, connection.state));
    TRY(queue_enqueue(scope, &(struct job_order){
                                 .kind = JOB_CONNECT,
                                 .subject = id,
                                 .dedupe = arena_format(scope->arena, "connect:%s",
                                                        uuid_format(scope->arena, id)),
                             }));
    return audit_append(scope, &(struct audit_entry){.action = "connection.authorised",
                                                     .subject_kind = "connection",
                                                     .subject = id});
}

/* A client that the server no longer knows would spoil every later attempt. */
static void forget_dead_client(struct visit *visit, const struct authorisation *attempt,
                               const char *redirect_uri)
{
    const char *field = arena_failure(visit->req->arena)->field;
    if (attempt->issuer &&
        (text_equal(field, "invalid_client") || text_equal(field, "unauthorized_client")) &&
        registered_client_forget(&visit->req->region, attempt->issuer, redirect_uri) != OK)
        log_event(visit->req->app->log, LOG_WARN, "oauth.client_not_forgotten",
                  LOG_T("provider", visit->provider->name));
}

static enum err exchange(struct visit *visit, const struct callback *callback,
                         const struct oauth_attempt *kept, const struct authorisation *attempt)
{
    struct token_set tokens = {0};
    const struct secret *code = secret_from_text(visit->req->arena, callback->code);
    enum err err = visit->provider->authoriser->exchange(&visit->call, attempt, kept->redirect_uri,
                                                         code, &tokens);
    if (err == ERR_AUTH)
        forget_dead_client(visit, attempt, kept->redirect_uri);
    TRY(err);
    struct authorised authorised = {visit, attempt, &tokens};
    return db_transaction(&visit->scope, authorise, &authorised);
}

/* The job that tries the tokens takes a moment; whoever waits in the browser is told what came of
 * it, where that is known soon enough. */
static enum err await_outcome(struct visit *visit, enum oauth_outcome *outcome)
{
    struct connection connection;
    const struct timespec pause = {.tv_nsec = OUTCOME_LOOK_MS * 1000000L};
    int64_t until_us = monotonic_us() + OUTCOME_WAIT_MS * INT64_C(1000);
    *outcome = OUTCOME_CONNECTED;
    do {
        nanosleep(&pause, NULL);
        TRY(connection_get(&visit->scope, visit->state.connection_id, &connection));
    } while (connection.state == CONNECTION_PROCESSING && monotonic_us() < until_us);
    if (connection.state == CONNECTION_TO_CONFIGURE)
        *outcome = OUTCOME_CHOOSE_ACCOUNT;
    if (connection.state != CONNECTION_NEED_RECONNECT)
        return OK;
    *outcome = OUTCOME_FAILED;
    return text_equal(connection.state_reason, err_slug(ERR_SCOPE)) ? ERR_SCOPE : ERR_AUTH;
}

static enum err conclude(struct visit *visit, const struct callback *callback,
                         const struct oauth_attempt *kept, const struct authorisation *attempt)
{
    struct arena *arena = visit->req->arena;
    const struct oauth_callback answered = {callback->iss, callback->error, callback->code != NULL};
    enum err err = oauth_callback_check(arena, attempt, &answered);
    const char *field = arena_failure(arena)->field;
    if (err == ERR_PROTOCOL && text_equal(field, "iss"))
        return refuse(visit, "issuer");
    if (err == ERR_AUTH && text_equal(field, "access_denied"))
        return finish(visit, OUTCOME_DENIED, err);
    enum oauth_outcome outcome = OUTCOME_FAILED;
    if (err == OK)
        err = exchange(visit, callback, kept, attempt);
    if (err == OK)
        err = await_outcome(visit, &outcome);
    return finish(visit, outcome, err);
}

/* The workspace learns of a state that came back where it must not: once, since it is spent. */
static enum err refuse_state(struct visit *visit, const char *state)
{
    struct request *req = visit->req;
    const char *why = NULL;
    bool found;
    TRY(state_spoil(req, state, &visit->state, &found, &why));
    if (!found)
        return refuse(visit, "state");
    TRY(visit_enter(visit));
    TRY(audit_append(
        &visit->scope,
        &(struct audit_entry){.action = "connection.authorisation_refused",
                              .subject_kind = "connection",
                              .subject = visit->state.connection_id,
                              .detail = arena_format(req->arena, "{\"reason\":\"%s\"}", why)}));
    return refuse(visit, why);
}

static enum err come_back(struct request *req)
{
    struct visit visit;
    struct callback callback;
    struct oauth_attempt kept;
    struct authorisation attempt;
    TRY(visit_provider(req, &visit));
    /* Whatever looks at an address ahead of the person must not spend what stands in it. */
    if (req->http->method == METHOD_HEAD)
        return arena_fail(req->arena, ERR_NOT_FOUND, NULL, "There is no such page.");
    callback_read(req, &callback);
    if (!callback.state || callback.doubled)
        return refuse(&visit, "parameters");
    enum err err = state_take(req, visit.provider, callback.state, &visit.state);
    if (err == ERR_NOT_FOUND)
        return refuse_state(&visit, callback.state);
    TRY(err);
    TRY(visit_enter(&visit));
    err = attempt_take(&visit, &kept, &attempt);
    if (err == ERR_NOT_FOUND)
        return refuse(&visit, "attempt");
    TRY(err);
    return conclude(&visit, &callback, &kept, &attempt);
}

enum err api_oauth_callback(struct request *req)
{
    return visit_in_turn(req, come_back);
}
