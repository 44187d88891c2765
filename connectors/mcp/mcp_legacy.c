/* Revisions 2025-03-26 to 2025-11-25: a handshake, an optional session, resumable streams. */
#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

static const char *const revisions[] = {"2025-11-25", "2025-06-18", "2025-03-26"};

bool mcp_legacy_revision_known(const char *revision)
{
    for (size_t i = 0; i < COUNT(revisions); i++) {
        if (text_equal(revisions[i], revision))
            return true;
    }
    return false;
}

static json_t *legacy_params(const struct mcp_session *session, struct arena *arena, json_t *params)
{
    (void)session, (void)arena;
    return params;
}

static size_t legacy_headers(const struct mcp_session *session, const struct mcp_exchange *exchange,
                             struct http_header *into)
{
    size_t n = 0;
    (void)exchange;
    if (session->state.revision[0])
        into[n++] =
            (struct http_header){.name = "MCP-Protocol-Version", .value = session->state.revision};
    if (session->state.id[0])
        into[n++] = (struct http_header){.name = "Mcp-Session-Id", .value = session->state.id};
    return n;
}

/* By the book 404; some servers say 400 and tell it in the text of a JSON-RPC error. One that has
 * left the era behind refuses our revision. */
static bool legacy_session_gone(const struct mcp_session *session,
                                const struct mcp_exchange *exchange)
{
    int status = exchange->http.status;
    const json_t *error = mcp_error_of(exchange);
    if (status == 400 && json_int(error, "code", 0) == MCP_CODE_VERSION_UNSUPPORTED)
        return true;
    if (!session->state.id[0])
        return false;
    return status == 404 ||
           (status == 400 && text_contains_ci(json_text(error, "message"), "session"));
}

static enum err session_id_take(struct mcp_session *session, struct provider_call *call,
                                const char *id)
{
    size_t n = id ? strlen(id) : 0;
    if (n > MCP_SESSION_ID_BYTES_MAX)
        return arena_fail(call->arena, ERR_PROTOCOL, "mcp-session-id",
                          "%s gave a session id that is too long.", session->settings.name);
    for (size_t i = 0; i < n; i++) {
        if (id[i] < 0x21 || id[i] > 0x7e)
            return arena_fail(call->arena, ERR_PROTOCOL, "mcp-session-id",
                              "%s gave a session id that is no visible ASCII.",
                              session->settings.name);
    }
    if (n)
        memcpy(session->state.id, id, n);
    session->state.id[n] = '\0';
    return OK;
}

static enum err legacy_open(struct mcp_session *session, struct provider_call *call)
{
    struct mcp_exchange exchange;
    struct mcp_reply reply;
    json_t *params = json_keep(
        call->arena, json_pack("{s:s, s:{}, s:{s:s, s:s}}", "protocolVersion", revisions[0],
                               "capabilities", "clientInfo", "name", "sluice", "version", "1"));
    const struct mcp_request request = {
        .method = "initialize", .params = params, .repeatable = true};
    TRY(mcp_request_once(session, call, &request, &exchange));
    TRY(mcp_reply_read(&exchange, &reply));
    const char *revision = json_text(reply.result, "protocolVersion");
    if (reply.channel != MCP_RESULT || !mcp_legacy_revision_known(revision))
        return arena_fail(call->arena, ERR_PROTOCOL, "protocolVersion",
                          "%s speaks no revision of MCP that we know: %s", session->settings.name,
                          mcp_excerpt(call->arena, revision ? revision : reply.text));
    TRY(session_id_take(session, call, http_answer_header(&exchange.http, "mcp-session-id", 0)));
    memcpy(session->state.revision, revision, strlen(revision) + 1);
    return mcp_notify(session, call, "notifications/initialized");
}

const struct mcp_dialect mcp_legacy = {
    .name = "legacy",
    .era = MCP_ERA_LEGACY,
    .open = legacy_open,
    .headers = legacy_headers,
    .params = legacy_params,
    .session_gone = legacy_session_gone,
    .resumable = true,
    .answers = true,
};
