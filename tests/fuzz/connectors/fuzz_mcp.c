/* Any JSON is an answer of an MCP server or is refused, in either era; what its tools want repeated
 * in headers is repeated within bounds, in characters that a header may hold; any notice is heard
 * or passed over. The first byte chooses era and status. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/mcp/mcp_session.h"

static bool hear(void *context, const struct mcp_notice *notice)
{
    size_t *heard = context;
    (*heard)++;
    assert(notice->kind != MCP_NOTICE_RESOURCE || notice->uri);
    return true;
}

static void headers_check(struct arena *arena, const json_t *tools)
{
    json_t *rules = json_keep(arena, json_object());
    for (size_t i = 0; i < json_array_size(tools); i++) {
        const json_t *tool = json_array_get(tools, i);
        const char *name = json_text(tool, "name");
        struct http_header headers[MCP_PARAM_HEADERS_MAX];
        if (!name || !mcp_rules_add(rules, tool))
            continue;
        json_t *params = json_keep(
            arena, json_pack("{s:s, s:O?}", "name", name, "arguments", json_at(tool, "arguments")));
        size_t count = mcp_rules_headers(arena, rules, params, headers);
        assert(count <= MCP_PARAM_HEADERS_MAX);
        for (size_t n = 0; n < count; n++) {
            for (const char *at = headers[n].value; *at; at++)
                assert(*at >= ' ' && *at <= '~');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 404, 405, 401, 403, 500, 202};
    if (size < 1)
        return 0;
    struct arena *arena = arena_open();
    struct provider_call call = {.arena = arena};
    struct mcp_session session = {.arena = arena,
                                  .settings = {.name = "Peer"},
                                  .dialect = data[0] & 8 ? &mcp_modern : &mcp_legacy};
    size_t heard = 0;
    struct mcp_listen listen = {.on_notice = hear, .context = &heard};
    struct mcp_exchange exchange = {.session = &session,
                                    .call = &call,
                                    .id = 1,
                                    .listen = &listen,
                                    .http = {.status = statuses[data[0] & 7]}};
    const struct bytes text = {
        (const uint8_t *)arena_text_n(arena, (const char *)data + 1, size - 1), size - 1};
    json_t *value = NULL;
    exchange.body = text;
    if (json_parse(arena, text, &value) == OK && json_is_object(value)) {
        const char *method = json_text(value, "method");
        exchange.response = data[0] & 16 ? value : NULL;
        headers_check(arena, json_list(value, "result.tools"));
        if (method)
            mcp_listen_take(&exchange, method, json_at(value, "params"));
    }
    struct mcp_reply reply = {.channel = MCP_RESULT};
    if (mcp_reply_read(&exchange, &reply) == OK) {
        assert(reply.channel != MCP_RESULT || reply.result);
        assert(reply.channel != MCP_INPUT_REQUIRED || reply.input_requests || reply.request_state);
        assert(reply.fresh_ms >= 0 && reply.fresh_ms <= MCP_FRESH_MS_MAX);
    }
    session.dialect->session_gone(&session, &exchange);
    mcp_excerpt(arena, reply.text);
    arena_close(arena);
    return 0;
}
