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
static json_t *response_of(struct mcp_exchange *exchange)
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
        return arena_fail(exchange->call->arena, ERR_PROTOCOL, NULL,
                          "%s answered a result that is no object.",
                          exchange->session->settings.name);
    return OK;
}
