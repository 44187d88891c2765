/* Connections: asking for one, choosing its account, disconnecting it with a receipt. No call to a
 * provider is made here: authorising is the browser's way (oauth.c), trying credentials and
 * revoking them are jobs. */
#include "base/base.h"

#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/oauth_state.h"
#include "store/audit.h"
#include "store/connection_take.h"
#include "store/queue.h"
#include "store/revocation.h"

enum {
    LABEL_CHARS_MAX = 120,
    PROVIDER_CHARS_MAX = 32,
    ACCOUNT_CHARS_MAX = 255,
    RECEIPT_WAIT_MS = 8000, /* for the provider's answer; then the receipt says pending */
    RECEIPT_LOOK_MS = 150,
};

static enum err reply_connection(struct request *req, int status,
                                 const struct connection *connection,
                                 const struct authorisation_link *link)
{
    struct json_out out = reply_begin(req);
    connection_out(&out, connection, link);
    return reply_end(req, status, &out);
}

static enum err audit(struct request *req, const char *action, struct uuid connection)
{
    return audit_append(req->scope, &(struct audit_entry){.action = action,
                                                          .subject_kind = "connection",
                                                          .subject = connection});
}

/* ---- create and reconnect ---- */

static const char *const role_words[] = {"source", "target", NULL};
enum { ROLE_SOURCE, ROLE_TARGET };

struct connection_input {
    const char *provider;
    int role;
    const char *label;
    const char *return_url;
};
static const struct input_field create_fields[] = {
    FIELD_TEXT("provider", struct connection_input, provider, 1, PROVIDER_CHARS_MAX, REQUIRED),
    FIELD_WORD("role", struct connection_input, role, role_words, REQUIRED),
    FIELD_TEXT("label", struct connection_input, label, 1, LABEL_CHARS_MAX, .nullable = true),
    FIELD_TEXT("return_url", struct connection_input, return_url, 1, RETURN_URL_CHARS_MAX,
               .nullable = true),
};

static enum err role_check(struct request *req, const struct connection_input *in)
{
    const struct provider *provider = provider_find(in->provider);
    if (!provider || !provider->authoriser)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "provider",
                          "There is no such provider; GET /v1/providers lists them.");
    if (in->role == ROLE_SOURCE ? !provider->source : !provider->target)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "role", "%s cannot be a %s.",
                          provider->title, role_words[in->role]);
    return OK;
}

enum err api_connection_create(struct request *req)
{
    struct connection_input in = {0};
    struct connection connection;
    struct authorisation_link link;
    TRY(json_read(req, create_fields, COUNT(create_fields), &in));
    TRY(role_check(req, &in));
    if (in.return_url)
        TRY(return_url_check(req, in.return_url));
    const struct connection_new wanted = {
        .provider = in.provider,
        .roles = {&role_words[in.role], 1},
        .method = "oauth",
        .label = in.label,
    };
    TRY(connection_add(req->scope, &wanted, &connection));
    TRY(authorisation_begin(req, &connection, in.return_url, &link));
    TRY(audit(req, "connection.created", connection.id));
    reply_location(req, "/v1/workspaces/%s/connections/%s",
                   uuid_format(req->arena, req->scope->workspace),
                   uuid_format(req->arena, connection.id));
    return reply_connection(req, 201, &connection, &link);
}

struct reconnect_input {
    const char *return_url;
};
static const struct input_field reconnect_fields[] = {
    FIELD_TEXT("return_url", struct reconnect_input, return_url, 1, RETURN_URL_CHARS_MAX,
               .nullable = true),
};

/* A disconnected connection cannot come back to an account that another one holds by now. */
static enum err account_free(struct request *req, const struct connection *connection)
{
    const struct connection_account account = {connection->provider, connection->account, NULL,
                                               connection->livemode};
    struct connection other;
    bool found = false;
    if (connection->account)
        TRY(connection_by_account(req->scope, &account, &other, &found));
    if (found && !uuid_equal(other.id, connection->id))
        return arena_fail(req->arena, ERR_CONFLICT, NULL,
                          "Another connection of this workspace uses the account.");
    return OK;
}

enum err api_connection_reconnect(struct request *req)
{
    struct reconnect_input in = {0};
    struct connection connection;
    struct authorisation_link link;
    TRY(json_read(req, reconnect_fields, COUNT(reconnect_fields), &in));
    TRY(connection_lock(req->scope, request_uuid(req, "connection_id"), &connection));
    if (in.return_url)
        TRY(return_url_check(req, in.return_url));
    if (connection.state == CONNECTION_SUSPENDED || !uuid_is_nil(connection.replaced_by))
        return arena_fail(req->arena, ERR_CONFLICT, NULL, "A connection that is %s stays so.",
                          connection.state == CONNECTION_SUSPENDED ? "suspended" : "replaced");
    TRY(account_free(req, &connection));
    TRY(authorisation_begin(req, &connection, in.return_url, &link));
    TRY(audit(req, "connection.reconnect_begun", connection.id));
    return reply_connection(req, 200, &connection, &link);
}

/* ---- reading ---- */

struct connection_query {
    struct page page;
    const char *provider;
    int state;
    bool state_given;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct connection_query, page),
    FIELD_TEXT("provider", struct connection_query, provider, 1, PROVIDER_CHARS_MAX, OPTIONAL),
    FIELD_WORD("state", struct connection_query, state, connection_machine.names,
               GIVEN(struct connection_query, state_given)),
};

enum err api_connection_list(struct request *req)
{
    struct connection_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    if (query.provider && !provider_find(query.provider))
        return arena_fail(req->arena, ERR_PARAMETER_INVALID, "provider",
                          "There is no such provider; GET /v1/providers lists them.");
    const struct connection_filter filter = {
        .provider = query.provider,
        .state = query.state_given ? connection_machine.names[query.state] : NULL,
        .before = query.page.after.id,
        .limit = query.page.limit + 1,
    };
    TRY(connection_list(req->scope, &filter, &rows));
    const struct connection *connections = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        connection_out(&out, &connections[i], NULL);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? connections[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, rows.count > shown ? &next : NULL);
}

/* One that handed its credentials to an older connection of the same account is that one now. */
enum err api_connection_get(struct request *req)
{
    struct connection connection;
    TRY(connection_get(req->scope, request_uuid(req, "connection_id"), &connection));
    if (!uuid_is_nil(connection.replaced_by))
        TRY(connection_get(req->scope, connection.replaced_by, &connection));
    return reply_connection(req, 200, &connection, NULL);
}

/* ---- the account ---- */

struct choice_input {
    const char *account;
    bool livemode;
};
static const struct input_field choice_fields[] = {
    FIELD_TEXT("account", struct choice_input, account, 1, ACCOUNT_CHARS_MAX, REQUIRED),
    FIELD_BOOL("livemode", struct choice_input, livemode, REQUIRED),
};

static enum err choice_find(struct request *req, const struct connection *connection,
                            const struct choice_input *in, struct connection_account *into)
{
    json_t *choices;
    const char *text = connection->account_choices;
    TRY(json_parse(req->arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &choices));
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = json_array_get(choices, i);
        if (!text_equal(json_text(choice, "account"), in->account) ||
            json_bool(choice, "livemode", true) != in->livemode)
            continue;
        *into = (struct connection_account){connection->provider, in->account,
                                            json_text(choice, "name"), in->livemode};
        return OK;
    }
    return arena_fail(req->arena, ERR_FIELD_INVALID, "account",
                      "Choose one of the connection's accounts, with its livemode.");
}

enum err api_connection_account_choose(struct request *req)
{
    struct choice_input in = {0};
    struct connection connection;
    struct connection_account account;
    struct uuid id = request_uuid(req, "connection_id");
    TRY(json_read(req, choice_fields, COUNT(choice_fields), &in));
    TRY(connection_lock(req->scope, id, &connection));
    if (connection.state != CONNECTION_TO_CONFIGURE || !connection.account_choices)
        return arena_fail(req->arena, ERR_CONFLICT, NULL, "There is no account to choose.");
    TRY(choice_find(req, &connection, &in, &account));
    TRY(connection_reprocess(req->scope, id, connection.state));
    TRY(connection_take_account(req->scope, req->app->region_key, id, &account, &id));
    TRY(queue_enqueue(req->scope, &(struct job_order){
                                      .kind = JOB_CONNECT,
                                      .subject = id,
                                      .dedupe = arena_format(req->arena, "connect:%s",
                                                             uuid_format(req->arena, id)),
                                  }));
    TRY(audit(req, "connection.account_chosen", id));
    TRY(connection_get(req->scope, id, &connection));
    return reply_connection(req, 200, &connection, NULL);
}

/* ---- disconnecting ---- */

struct disconnecting {
    struct request *req;
    struct uuid id;
    struct connection connection; /* as it is afterwards */
    bool begun;                   /* now: not by an earlier call */
};

static enum err disconnect(const struct scope *scope, void *arg)
{
    struct disconnecting *disconnecting = arg;
    struct connection *connection = &disconnecting->connection;
    TRY(connection_lock(scope, disconnecting->id, connection));
    disconnecting->begun = connection->state != CONNECTION_DISCONNECTED;
    if (!disconnecting->begun)
        return OK;
    TRY(revocation_begin(scope, disconnecting->req->app->region_key, disconnecting->id));
    TRY(audit(disconnecting->req, "connection.disconnected", disconnecting->id));
    return connection_get(scope, disconnecting->id, connection);
}

/* The flow has stopped and the job is on its way: most providers answer within a moment. */
static enum err await_answer(struct request *req, struct connection *connection)
{
    const char *begun = connection->revocation;
    int64_t until_us = monotonic_us() + (int64_t)RECEIPT_WAIT_MS * 1000;
    const struct timespec pause = {.tv_nsec = RECEIPT_LOOK_MS * 1000000L};
    if (until_us > req->http->deadline_us - 1000000)
        until_us = req->http->deadline_us - 1000000;
    while (begun && strstr(begun, "pending") && text_equal(begun, connection->revocation) &&
           monotonic_us() < until_us) {
        nanosleep(&pause, NULL);
        TRY(connection_get(req->scope, connection->id, connection));
    }
    return OK;
}

enum err api_connection_disconnect(struct request *req)
{
    struct disconnecting disconnecting = {.req = req, .id = request_uuid(req, "connection_id")};
    struct connection *connection = &disconnecting.connection;
    TRY(db_transaction(req->scope, disconnect, &disconnecting));
    if (disconnecting.begun && wait_begin(req)) {
        enum err err = await_answer(req, connection);
        wait_end(req);
        TRY(err);
    }
    struct instant at = connection->disconnected_at; /* none where another one took its place */
    struct json_out out = reply_begin(req);
    out_uuid(&out, "connection_id", connection->id);
    out_text(&out, "provider", connection->provider);
    out_text(&out, "state", machine_name(&connection_machine, connection->state));
    out_instant(&out, "disconnected_at", at.us ? at : connection->state_changed_at);
    out_json(&out, "revoked", connection->revocation ? connection->revocation : "[]");
    return reply_end(req, 200, &out);
}
