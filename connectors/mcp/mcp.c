#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

static void session_put_back(void *object)
{
    struct mcp_session *session = object;
    if (session->state.opened)
        mcp_cache_put(session->cache, session->connection, &session->state);
}

/* A session that other tokens opened may be of another grant, or of one that was withdrawn: it is
 * left alone. Whoever replaced the tokens need not tell the caches of other processes. */
static void session_take(struct mcp_session *session, const struct credential *credential)
{
    struct mcp_saved saved;
    int64_t generation = credential ? credential->generation : 0;
    if (mcp_cache_take(session->cache, session->connection, &saved) &&
        saved.generation == generation)
        session->state = saved;
}

struct mcp_session *mcp_session_of(struct provider_call *call, const struct mcp_settings *settings)
{
    if (call->session)
        return call->session;
    struct arena *keep = call->keep ? call->keep : call->arena;
    struct mcp_session *session = arena_alloc(keep, sizeof *session);
    *session = (struct mcp_session){
        .settings = *settings,
        .dialect = &mcp_legacy,
        .state = {.next_id = 1},
        .cache = call->sessions,
        .connection = call->connection,
    };
    if (session->cache) {
        session_take(session, call->credential);
        arena_defer(keep, session_put_back, session);
    }
    call->session = session;
    return session;
}

const char *mcp_revision(const struct mcp_session *session)
{
    return session->state.revision;
}

const char *mcp_excerpt(struct arena *arena, const char *text)
{
    struct buf words = buf_new(arena, MCP_TEXT_BYTES_MAX);
    for (const char *at = text ? text : ""; *at;) {
        size_t n = utf8_sequence(at);
        bool plain = n > 1 || (n == 1 && (unsigned char)*at >= ' ' && *at != 0x7f);
        bool added = plain ? buf_add(&words, at, n) : buf_add_char(&words, ' ');
        if (!added)
            break;
        at += n ? n : 1;
    }
    return words.data;
}

static const char *message_text(struct arena *arena, json_t *message)
{
    return json_write(arena, json_keep(arena, message));
}

enum err mcp_notify(struct mcp_session *session, struct provider_call *call, const char *method)
{
    struct mcp_exchange exchange = {
        .session = session,
        .call = call,
        .method = method,
        .message =
            message_text(call->arena, json_pack("{s:s, s:s}", "jsonrpc", "2.0", "method", method)),
        .repeatable = true,
    };
    struct mcp_reply reply;
    TRY(mcp_exchange_run(&exchange));
    return exchange.http.status / 100 == 2 ? OK : mcp_reply_read(&exchange, &reply);
}

enum err mcp_request_once(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_exchange *into)
{
    json_t *params = session->dialect->params(session, call->arena, request->params);
    int64_t id = session->state.next_id++;
    json_t *message = json_pack("{s:s, s:I, s:s, s:O*}", "jsonrpc", "2.0", "id", (json_int_t)id,
                                "method", request->method, "params", params);
    *into = (struct mcp_exchange){
        .session = session,
        .call = call,
        .method = request->method,
        .message = message_text(call->arena, message),
        .id = id,
        .repeatable = request->repeatable,
    };
    return mcp_exchange_run(into);
}

static enum err session_open(struct mcp_session *session, struct provider_call *call)
{
    if (session->state.opened)
        return OK;
    TRY(session->dialect->open(session, call));
    session->state.opened = true;
    return OK;
}

static void session_forget(struct mcp_session *session)
{
    session->state.opened = false;
    session->state.id[0] = '\0';
    session->state.revision[0] = '\0';
}

/* Opens the session if need be and sends. A 401 is worth one refresh, a lost session one new one;
 * in neither case was anything executed. */
enum err mcp_send(struct mcp_session *session, struct provider_call *call,
                  const struct mcp_request *request, struct mcp_reply *into)
{
    bool refreshed = false;
    bool reopened = false;
    for (;;) {
        struct mcp_exchange exchange = {0};
        enum err opened = session_open(session, call);
        if (opened == OK)
            TRY(mcp_request_once(session, call, request, &exchange));
        else if (opened != ERR_AUTH)
            return opened;
        bool refused = opened == ERR_AUTH || exchange.http.status == 401;
        if (refused && !refreshed && call->refresh) {
            TRY(call->refresh(call->context, call->credential));
            refreshed = true;
        } else if (refused && opened == ERR_AUTH) {
            return opened;
        } else if (!reopened && session->dialect->session_gone(session, &exchange)) {
            session_forget(session);
            reopened = true;
        } else {
            return mcp_reply_read(&exchange, into);
        }
    }
}

static const char *first_text(const json_t *result)
{
    const json_t *content = json_list(result, "content");
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *block = json_array_get(content, i);
        if (text_equal(json_text(block, "type"), "text"))
            return json_text(block, "text");
    }
    return NULL;
}

enum err mcp_tool(struct mcp_session *session, struct provider_call *call, const char *name,
                  json_t *arguments, bool repeatable, struct mcp_reply *into)
{
    json_t *params =
        json_keep(call->arena, json_pack("{s:s, s:O}", "name", name, "arguments", arguments));
    const struct mcp_request request = {
        .method = "tools/call", .params = params, .repeatable = repeatable};
    TRY(mcp_send(session, call, &request, into));
    if (into->channel != MCP_RESULT)
        return OK;
    into->text = first_text(into->result);
    if (json_bool(into->result, "isError", false))
        into->channel = MCP_TOOL_ERROR;
    return OK;
}

static enum err tools_add(struct mcp_session *session, struct provider_call *call,
                          const json_t *page, struct mcp_tools *into)
{
    const json_t *tools = json_list(page, "tools");
    if (!tools || json_array_size(tools) > MCP_TOOLS_MAX - into->count)
        return arena_fail(call->arena, ERR_PROTOCOL, "tools", "%s lists %s tools.",
                          session->settings.name, tools ? "too many" : "no");
    for (size_t i = 0; i < json_array_size(tools); i++)
        into->tools[into->count++] = json_array_get(tools, i);
    return OK;
}

/* A cursor is opaque and may be empty; only its absence ends the list. */
enum err mcp_tools_list(struct mcp_session *session, struct provider_call *call,
                        struct mcp_tools *into)
{
    const char *cursor = NULL;
    *into = (struct mcp_tools){.tools = arena_array(call->arena, MCP_TOOLS_MAX, sizeof(json_t *))};
    for (int page = 0; page < MCP_PAGES_MAX; page++) {
        struct mcp_reply reply;
        json_t *params = json_keep(call->arena, json_pack("{s:s*}", "cursor", cursor));
        const struct mcp_request request = {
            .method = "tools/list", .params = params, .repeatable = true};
        TRY(mcp_send(session, call, &request, &reply));
        if (reply.channel != MCP_RESULT)
            return arena_fail(call->arena, ERR_PROTOCOL, "tools", "%s does not list its tools: %s",
                              session->settings.name, mcp_excerpt(call->arena, reply.text));
        TRY(tools_add(session, call, reply.result, into));
        const char *next = json_text(reply.result, "nextCursor");
        if (!next)
            return OK;
        if (text_equal(next, cursor))
            break;
        cursor = next;
    }
    return arena_fail(call->arena, ERR_PROTOCOL, "tools", "%s lists its tools without an end.",
                      session->settings.name);
}
