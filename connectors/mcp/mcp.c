#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

static void session_put_back(void *object)
{
    struct mcp_session *session = object;
    if (session->state.era != MCP_ERA_ANY)
        mcp_cache_put(session->cache, session->connection, &session->state);
}

/* A session that other tokens opened may be of another grant, or of one that was withdrawn: it is
 * ended, not used. Whoever replaced the tokens need not tell the caches of other processes. */
static void session_take(struct mcp_session *session, const struct credential *credential)
{
    struct mcp_saved saved;
    int64_t generation = credential ? credential->generation : 0;
    if (!mcp_cache_take(session->cache, session->connection, session->arena, &saved))
        return;
    session->state = saved;
    if (saved.generation != generation)
        session->state.left = true;
}

struct mcp_session *mcp_session_of(struct provider_call *call, const struct mcp_settings *settings)
{
    if (call->session)
        return call->session;
    struct arena *keep = call->keep ? call->keep : call->arena;
    struct mcp_session *session = arena_alloc(keep, sizeof *session);
    *session = (struct mcp_session){
        .arena = keep,
        .settings = *settings,
        .state = {.next_id = 1},
        .cache = call->sessions,
        .connection = call->connection,
    };
    if (session->cache) {
        session_take(session, call->credential);
        arena_defer(keep, session_put_back, session);
    }
    if (settings->era != MCP_ERA_ANY && session->state.era != settings->era)
        session->state = (struct mcp_saved){.next_id = session->state.next_id};
    mcp_era_set(session, session->state.era);
    call->session = session;
    return session;
}

const char *mcp_revision(const struct mcp_session *session)
{
    return session->state.revision;
}

const struct oauth_challenge *mcp_challenge(const struct mcp_session *session)
{
    return &session->challenge;
}

const char *mcp_era_name(const struct mcp_session *session)
{
    return session->state.opened ? session->dialect->name : "";
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

/* The second time of a request carries what the first was answered with. */
static json_t *params_of(const struct mcp_request *request, struct arena *arena)
{
    if (!request->input_responses && !request->request_state)
        return request->params;
    json_t *params = request->params ? json_copy(request->params) : json_object();
    json_object_set_new(params, "inputResponses",
                        request->input_responses ? json_incref(request->input_responses)
                                                 : json_object());
    if (request->request_state)
        json_object_set_new(params, "requestState", json_string(request->request_state));
    return json_keep(arena, params);
}

void mcp_request_make(struct mcp_session *session, struct provider_call *call,
                      const struct mcp_request *request, struct mcp_exchange *into)
{
    json_t *params =
        session->dialect->params(session, call->arena, params_of(request, call->arena));
    int64_t id = session->state.next_id++;
    json_t *message = json_pack("{s:s, s:I, s:s, s:O*}", "jsonrpc", "2.0", "id", (json_int_t)id,
                                "method", request->method, "params", params);
    *into = (struct mcp_exchange){
        .session = session,
        .call = call,
        .method = request->method,
        .message = message_text(call->arena, message),
        .params = params,
        .id = id,
        .repeatable = request->repeatable,
    };
}

enum err mcp_request_once(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_exchange *into)
{
    mcp_request_make(session, call, request, into);
    return mcp_exchange_run(into);
}

/* Opens the session if need be and sends. A 401 is worth one refresh, a lost session one new one;
 * in neither case was anything executed. */
static enum err send_once(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_reply *into)
{
    bool refreshed = false;
    bool reopened = false;
    for (;;) {
        struct mcp_exchange exchange = {0};
        enum err opened = mcp_open(session, call);
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
            mcp_forget(session);
            reopened = true;
        } else {
            return mcp_reply_read(&exchange, into);
        }
    }
}

enum err mcp_send(struct mcp_session *session, struct provider_call *call,
                  const struct mcp_request *request, struct mcp_reply *into)
{
    struct mcp_request again = *request;
    for (int round = 0; round <= MCP_STATE_ROUNDS_MAX; round++) {
        TRY(send_once(session, call, &again, into));
        if (into->channel != MCP_INPUT_REQUIRED || into->input_requests)
            return OK;
        again.request_state = into->request_state;
        again.input_responses = NULL;
    }
    return arena_fail(call->arena, ERR_PROTOCOL, NULL, "%s wants its state back without an end.",
                      session->settings.name);
}

void mcp_leave(struct mcp_session *session, struct provider_call *call)
{
    struct arena *arena = call->arena;
    struct failure before = *arena_failure(arena);
    int total_s = session->settings.total_s;
    session->settings.total_s = MCP_END_S;
    struct mcp_exchange exchange = {
        .session = session, .call = call, .http_method = "DELETE", .repeatable = true};
    if (session->state.id[0] && mcp_exchange_run(&exchange) == OK)
        log_event(call->log, LOG_INFO, "mcp.session_ended", LOG_T("server", session->settings.name),
                  LOG_N("status", exchange.http.status));
    if (before.code == OK)
        arena_failure_clear(arena);
    session->settings.total_s = total_s;
    session->state.left = false;
    mcp_forget(session);
}

void mcp_session_end(struct mcp_session *session, struct provider_call *call)
{
    mcp_leave(session, call);
    mcp_era_set(session, MCP_ERA_ANY);
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

/* The tools are listed again where the server says that headers are missing, and where what they
 * told of headers has grown old. */
static enum err tool_send(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_reply *into)
{
    struct mcp_tools tools;
    bool old = session->state.rules && monotonic_us() > session->state.rules_until_us;
    if (old)
        TRY(mcp_tools_list(session, call, &tools));
    TRY(mcp_send(session, call, request, into));
    bool lacks = into->channel == MCP_RPC_ERROR && into->code == MCP_CODE_HEADER_MISMATCH;
    if (!lacks || old || !session->dialect->typed_results)
        return OK;
    TRY(mcp_tools_list(session, call, &tools));
    return mcp_send(session, call, request, into);
}

enum err mcp_tool(struct mcp_session *session, struct provider_call *call, const char *name,
                  json_t *arguments, bool repeatable, struct mcp_reply *into)
{
    json_t *params =
        json_keep(call->arena, json_pack("{s:s, s:O}", "name", name, "arguments", arguments));
    const struct mcp_request request = {
        .method = "tools/call", .params = params, .repeatable = repeatable};
    TRY(tool_send(session, call, &request, into));
    if (into->channel != MCP_RESULT)
        return OK;
    into->text = first_text(into->result);
    if (json_bool(into->result, "isError", false))
        into->channel = MCP_TOOL_ERROR;
    return OK;
}

/* The tools of one reading of the list, and what they say of headers. */
struct listing {
    struct mcp_session *session;
    struct provider_call *call;
    struct mcp_tools *tools;
    json_t *rules;
    int64_t fresh_ms;
};

static enum err tools_add(struct listing *listing, const json_t *page)
{
    struct provider_call *call = listing->call;
    struct mcp_tools *into = listing->tools;
    const json_t *tools = json_list(page, "tools");
    if (!tools || json_array_size(tools) > MCP_TOOLS_MAX - into->count)
        return arena_fail(call->arena, ERR_PROTOCOL, "tools", "%s lists %s tools.",
                          listing->session->settings.name, tools ? "too many" : "no");
    for (size_t i = 0; i < json_array_size(tools); i++) {
        const json_t *tool = json_array_get(tools, i);
        const char *name = json_text(tool, "name");
        bool kept = !listing->session->dialect->typed_results ||
                    (name && mcp_rules_add(listing->rules, tool));
        if (kept)
            into->tools[into->count++] = tool;
        else
            log_event(call->log, LOG_WARN, "mcp.tool_dropped",
                      LOG_T("tool", mcp_excerpt(call->arena, name)));
    }
    return OK;
}

/* What the tools say of headers is kept as long as the server says, and a minute at least. */
static enum err rules_keep(struct listing *listing)
{
    struct mcp_session *session = listing->session;
    const char *text = json_write(listing->call->arena, listing->rules);
    bool any = json_object_size(listing->rules) > 0;
    if (strlen(text) > MCP_RULES_BYTES_MAX)
        return arena_fail(listing->call->arena, ERR_PROTOCOL, "tools",
                          "%s wants more in headers than can be kept.", session->settings.name);
    int64_t fresh_ms =
        listing->fresh_ms > MCP_RULES_FRESH_MS_MIN ? listing->fresh_ms : MCP_RULES_FRESH_MS_MIN;
    session->state.rules = any ? arena_text(session->arena, text) : NULL;
    session->state.rules_until_us = monotonic_us() + fresh_ms * 1000;
    return OK;
}

static enum err tools_page(struct listing *listing, const char *cursor, const char **next)
{
    struct mcp_session *session = listing->session;
    struct arena *arena = listing->call->arena;
    struct mcp_reply reply;
    json_t *params = json_keep(arena, json_pack("{s:s*}", "cursor", cursor));
    const struct mcp_request request = {
        .method = "tools/list", .params = params, .repeatable = true};
    TRY(mcp_send(session, listing->call, &request, &reply));
    if (reply.channel != MCP_RESULT)
        return arena_fail(arena, ERR_PROTOCOL, "tools", "%s does not list its tools: %s",
                          session->settings.name, mcp_excerpt(arena, reply.text));
    TRY(tools_add(listing, reply.result));
    if (!cursor || reply.fresh_ms < listing->fresh_ms)
        listing->fresh_ms = reply.fresh_ms;
    *next = json_text(reply.result, "nextCursor");
    return OK;
}

/* A cursor is opaque and may be empty; only its absence ends the list. */
enum err mcp_tools_list(struct mcp_session *session, struct provider_call *call,
                        struct mcp_tools *into)
{
    const char *cursor = NULL;
    *into = (struct mcp_tools){.tools = arena_array(call->arena, MCP_TOOLS_MAX, sizeof(json_t *))};
    struct listing listing = {.session = session,
                              .call = call,
                              .tools = into,
                              .rules = json_keep(call->arena, json_object())};
    for (int page = 0; page < MCP_PAGES_MAX; page++) {
        const char *next = NULL;
        TRY(tools_page(&listing, cursor, &next));
        if (!next)
            return session->dialect->typed_results ? rules_keep(&listing) : OK;
        if (text_equal(next, cursor))
            break;
        cursor = next;
    }
    return arena_fail(call->arena, ERR_PROTOCOL, "tools", "%s lists its tools without an end.",
                      session->settings.name);
}
