/* Revision 2026-07-28: no handshake and no sessions; every request says for itself who asks, in
 * which revision and, in headers, what. */
#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

#define META "io.modelcontextprotocol/"

const char mcp_modern_revision[] = "2026-07-28";

static json_t *modern_params(const struct mcp_session *session, struct arena *arena, json_t *params)
{
    (void)session;
    json_t *sent = json_keep(arena, params ? json_copy(params) : json_object());
    json_t *given = json_object_get(sent, "_meta");
    json_t *meta = json_is_object(given) ? json_copy(given) : json_object();
    json_object_set_new(meta, META "protocolVersion", json_string(mcp_modern_revision));
    json_object_set_new(meta, META "clientCapabilities", json_object());
    json_object_set_new(meta, META "clientInfo",
                        json_pack("{s:s, s:s}", "name", "sluice", "version", "1"));
    json_object_set_new(sent, "_meta", meta);
    return sent;
}

/* What the request is about, for the methods that are about something. */
static const char *subject(const struct mcp_exchange *exchange)
{
    if (text_equal(exchange->method, "tools/call") || text_equal(exchange->method, "prompts/get"))
        return json_text(exchange->params, "name");
    return text_equal(exchange->method, "resources/read") ? json_text(exchange->params, "uri")
                                                          : NULL;
}

static size_t modern_headers(const struct mcp_session *session, const struct mcp_exchange *exchange,
                             struct http_header *into)
{
    struct arena *arena = exchange->call->arena;
    const char *about = subject(exchange);
    size_t n = 0;
    into[n++] = (struct http_header){.name = "MCP-Protocol-Version", .value = mcp_modern_revision};
    if (exchange->method)
        into[n++] = (struct http_header){.name = "Mcp-Method", .value = exchange->method};
    if (about)
        into[n++] =
            (struct http_header){.name = "Mcp-Name", .value = mcp_header_value(arena, about)};
    json_t *rules = NULL;
    const char *text = session->state.rules;
    if (text && text_equal(exchange->method, "tools/call") &&
        json_parse(arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &rules) == OK)
        n += mcp_rules_headers(arena, rules, exchange->params, into + n);
    return n;
}

/* A server that once spoke this era and does no more answers in the words of the earlier one: no
 * route, no session, a version that it does not have. */
static bool modern_gone(const struct mcp_session *session, const struct mcp_exchange *exchange)
{
    int status = exchange->http.status;
    (void)session;
    if (status == 405)
        return true;
    if (status != 400 && status != 404)
        return false;
    const json_t *error = mcp_error_of(exchange);
    int64_t code = json_int(error, "code", 0);
    return error ? code == MCP_CODE_VERSION_UNSUPPORTED || code == -32000 || code == -32001
                 : status == 404;
}

/* Nothing to agree on: mcp_era.c has asked the server to describe itself. */
static enum err modern_open(struct mcp_session *session, struct provider_call *call)
{
    (void)call;
    memcpy(session->state.revision, mcp_modern_revision, strlen(mcp_modern_revision) + 1);
    return OK;
}

const struct mcp_dialect mcp_modern = {
    .name = "modern",
    .era = MCP_ERA_MODERN,
    .open = modern_open,
    .headers = modern_headers,
    .params = modern_params,
    .session_gone = modern_gone,
    .typed_results = true,
};
