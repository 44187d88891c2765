#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

/* The text of a refusal outside JSON-RPC: {"error": "…"} or {"error": {"message": "…"}}. */
static const char *refusal_text(struct mcp_exchange *exchange)
{
    json_t *body = NULL;
    if (json_parse(exchange->call->arena, exchange->body, &body) != OK)
        return NULL;
    const char *text = json_text(body, "error");
    if (!text)
        text = json_text(body, "error.message");
    return text ? text : json_text(body, "message");
}

static enum err unavailable(struct mcp_exchange *exchange)
{
    const struct http_answer *http = &exchange->http;
    bool executed = !exchange->repeatable && (http->status == 500 || http->status == 502 ||
                                              http->status == 504 || http->status == 408);
    return arena_fail_retry(exchange->call->arena, executed ? ERR_UNCERTAIN : ERR_TRANSIENT,
                            http->retry_after_s, "%s cannot answer now (HTTP %d).",
                            exchange->session->settings.name, http->status);
}

/* An HTTP status that carries no JSON-RPC response. */
static enum err status_read(struct mcp_exchange *exchange, struct mcp_reply *into)
{
    struct arena *arena = exchange->call->arena;
    const char *name = exchange->session->settings.name;
    int status = exchange->http.status;
    if (status == 401)
        return arena_fail(arena, ERR_AUTH, NULL, "%s does not accept the access token.", name);
    const char *scope = exchange->session->challenge.scope;
    if (status == 403 && scope &&
        text_equal(exchange->session->challenge.error, "insufficient_scope"))
        return arena_fail(arena, ERR_SCOPE, "scope", "%s wants the scope \"%s\" for this.", name,
                          mcp_excerpt(arena, scope));
    if (status == 403)
        return arena_fail(arena, ERR_SCOPE, NULL, "%s does not allow this with the authorisation.",
                          name);
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return unavailable(exchange);
    const char *text = status / 100 == 4 ? refusal_text(exchange) : NULL;
    if (!text)
        return arena_fail(arena, ERR_PROTOCOL, NULL, "%s answered HTTP %d where MCP is spoken.",
                          name, status);
    *into = (struct mcp_reply){.channel = MCP_REFUSED, .code = status, .text = text};
    return OK;
}

/* A 4xx may carry the JSON-RPC error of our request. */
static json_t *response_of(const struct mcp_exchange *exchange)
{
    json_t *body = NULL;
    if (exchange->response)
        return exchange->response;
    if (exchange->http.status / 100 != 4 ||
        json_parse(exchange->call->arena, exchange->body, &body) != OK)
        return NULL;
    return text_equal(json_text(body, "jsonrpc"), "2.0") && json_object_at(body, "error") ? body
                                                                                          : NULL;
}

const json_t *mcp_error_of(const struct mcp_exchange *exchange)
{
    return json_object_at(response_of(exchange), "error");
}

static enum err malformed(struct mcp_exchange *exchange, const char *what)
{
    return arena_fail(exchange->call->arena, ERR_PROTOCOL, NULL, "%s answered %s.",
                      exchange->session->settings.name, what);
}

/* A result says whether it is one, or whether the server wants something first. */
static enum err result_read(struct mcp_exchange *exchange, struct mcp_reply *into)
{
    const json_t *result = into->result;
    const json_t *type = json_at(result, "resultType");
    int64_t ttl_ms = json_int(result, "ttlMs", 0);
    into->fresh_ms = ttl_ms < 0 ? 0 : ttl_ms > MCP_FRESH_MS_MAX ? MCP_FRESH_MS_MAX : ttl_ms;
    if (!type || text_equal(json_string_value(type), "complete"))
        return OK;
    if (!text_equal(json_string_value(type), "input_required"))
        return malformed(exchange, "a result of a type that we do not know");
    const json_t *state = json_at(result, "requestState");
    into->channel = MCP_INPUT_REQUIRED;
    into->input_requests = json_object_at(result, "inputRequests");
    into->request_state = json_string_value(state);
    if (json_object_size(into->input_requests) == 0)
        into->input_requests = NULL;
    if ((state && !into->request_state) || (!into->request_state && !into->input_requests))
        return malformed(exchange, "that it wants something, but not what");
    return OK;
}

enum err mcp_reply_read(struct mcp_exchange *exchange, struct mcp_reply *into)
{
    int status = exchange->http.status;
    const json_t *response = status == 401 || status == 403 || status == 429 || status == 408
                                 ? NULL
                                 : response_of(exchange);
    if (!response)
        return status_read(exchange, into);
    const json_t *error = json_object_at(response, "error");
    *into = (struct mcp_reply){.channel = MCP_RESULT, .result = json_object_at(response, "result")};
    if (error) {
        *into = (struct mcp_reply){
            .channel = MCP_RPC_ERROR,
            .code = json_int(error, "code", 0),
            .text = json_text(error, "message"),
        };
        return OK;
    }
    if (!into->result)
        return malformed(exchange, "a result that is no object");
    return exchange->session->dialect->typed_results ? result_read(exchange, into) : OK;
}
