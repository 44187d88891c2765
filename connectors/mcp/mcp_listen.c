/* Streams of notices: that something changed, never what. */
#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static bool of_subscription(const struct mcp_exchange *exchange, const json_t *params)
{
    if (!exchange->session->dialect->typed_results)
        return true;
    const json_t *id = json_object_get(json_at(params, "_meta"), SUBSCRIPTION);
    int64_t number = json_is_integer(id) ? json_integer_value(id) : 0;
    if (json_is_string(id) && !int64_parse(json_string_value(id), 1, INT64_MAX, &number))
        number = 0;
    return number == exchange->id;
}

bool mcp_listen_take(struct mcp_exchange *exchange, const char *method, const json_t *params)
{
    struct mcp_listen *listen = exchange->listen;
    struct mcp_notice notice = {.uri = NULL};
    if (!of_subscription(exchange, params))
        return true;
    if (text_equal(method, "notifications/subscriptions/acknowledged")) {
        listen->acknowledged = true;
        return true;
    }
    if (text_equal(method, "notifications/tools/list_changed")) {
        notice.kind = MCP_NOTICE_TOOLS;
    } else if (text_equal(method, "notifications/resources/list_changed")) {
        notice.kind = MCP_NOTICE_RESOURCES;
    } else if (text_equal(method, "notifications/resources/updated")) {
        notice.kind = MCP_NOTICE_RESOURCE;
        notice.uri = json_text(params, "uri");
    } else {
        return true; /* of no concern, or of a later revision */
    }
    if (notice.kind == MCP_NOTICE_RESOURCE && !notice.uri)
        return true;
    return listen->on_notice(listen->context, &notice);
}

static json_t *listen_params(const struct mcp_listen *listen)
{
    json_t *wanted = json_object();
    if (listen->tools)
        json_object_set_new(wanted, "toolsListChanged", json_true());
    if (listen->resources)
        json_object_set_new(wanted, "resourcesListChanged", json_true());
    json_t *uris = json_array();
    for (size_t i = 0; i < listen->uri_count; i++)
        json_array_append_new(uris, json_string(listen->uris[i]));
    if (listen->uri_count > 0)
        json_object_set(wanted, "resourceSubscriptions", uris);
    json_decref(uris);
    return json_pack("{s:o}", "notifications", wanted);
}

/* The legacy era subscribes with requests of their own; a server without that refuses, and may tell
 * of its lists all the same. */
static enum err legacy_subscribe(struct mcp_session *session, struct provider_call *call,
                                 const struct mcp_listen *listen)
{
    for (size_t i = 0; i < listen->uri_count && !listen->last_id[0]; i++) {
        struct mcp_reply reply;
        const struct mcp_request request = {
            .method = "resources/subscribe",
            .params = json_keep(call->arena, json_pack("{s:s}", "uri", listen->uris[i])),
            .repeatable = true};
        TRY(mcp_send(session, call, &request, &reply));
        if (reply.channel != MCP_RESULT)
            log_event(call->log, LOG_INFO, "mcp.not_subscribed",
                      LOG_T("server", session->settings.name), LOG_N("code", reply.code));
    }
    return OK;
}

static enum err stream_once(struct mcp_session *session, struct provider_call *call,
                            struct mcp_listen *listen, struct mcp_exchange *into)
{
    TRY(mcp_open(session, call));
    if (session->dialect->era == MCP_ERA_MODERN) {
        const struct mcp_request request = {.method = "subscriptions/listen",
                                            .params = json_keep(call->arena, listen_params(listen)),
                                            .repeatable = true};
        mcp_request_make(session, call, &request, into);
        listen->last_id[0] = '\0';
        listen->acknowledged = false;
    } else {
        TRY(legacy_subscribe(session, call, listen));
        *into = (struct mcp_exchange){
            .session = session, .call = call, .http_method = "GET", .repeatable = true};
        listen->acknowledged = true;
    }
    into->listen = listen;
    return mcp_exchange_listen(into);
}

/* What a server says that opens no stream. */
static enum err no_stream(struct mcp_exchange *exchange, struct mcp_listen *listen)
{
    struct mcp_reply reply;
    listen->acknowledged = false;
    int status = exchange->http.status;
    const json_t *error = mcp_error_of(exchange);
    if (status == 405 || json_int(error, "code", 0) == MCP_CODE_METHOD_UNKNOWN) {
        listen->end = MCP_LISTEN_NOT_OFFERED;
        return OK;
    }
    TRY(mcp_reply_read(exchange, &reply));
    return arena_fail(exchange->call->arena, ERR_TRANSIENT, NULL, "%s opens no stream: %s",
                      exchange->session->settings.name,
                      mcp_excerpt(exchange->call->arena, reply.text));
}

/* Whether it was a stream, with or without its orderly end. */
static bool streamed(const struct mcp_exchange *exchange)
{
    return exchange->http.status == 200 &&
           (!exchange->response || json_at(exchange->response, "result"));
}

enum err mcp_listen(struct mcp_session *session, struct provider_call *call,
                    struct mcp_listen *listen)
{
    bool refreshed = false;
    bool reopened = false;
    assert(listen->total_s >= 1 && listen->total_s <= MCP_LISTEN_S_MAX);
    assert(listen->uri_count <= MCP_LISTEN_URIS_MAX);
    for (;;) {
        struct mcp_exchange exchange = {0};
        enum err err = stream_once(session, call, listen, &exchange);
        bool refused = err == ERR_AUTH || exchange.http.status == 401;
        if (err != OK && err != ERR_AUTH)
            return err;
        if (refused && !refreshed && call->refresh) {
            TRY(call->refresh(call->context, call->credential));
            refreshed = true;
        } else if (err == ERR_AUTH) {
            return err;
        } else if (streamed(&exchange)) {
            return OK;
        } else if (exchange.http.status == 400 && listen->last_id[0]) {
            listen->last_id[0] = '\0'; /* too old to go on from */
        } else if (!reopened && exchange.http.status != 405 &&
                   session->dialect->session_gone(session, &exchange)) {
            mcp_forget(session);
            listen->last_id[0] = '\0';
            reopened = true;
        } else {
            return no_stream(&exchange, listen);
        }
    }
}
