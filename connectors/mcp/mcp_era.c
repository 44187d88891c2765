/* Which era a server speaks. The modern one is tried first, with a request that only describes the
 * server; what an earlier server says to that is told apart by status and error code. */
#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

enum finding {
    FOUND_MODERN,
    FOUND_LEGACY,
    FOUND_AGAIN,   /* it wants the revision that we spoke; once more */
    FOUND_NEITHER, /* a later era than we know, or an earlier one */
    FOUND_NOTHING, /* the HTTP status speaks for itself */
};

void mcp_era_set(struct mcp_session *session, enum mcp_era era)
{
    session->state.era = era;
    session->dialect = era == MCP_ERA_MODERN ? &mcp_modern : &mcp_legacy;
}

void mcp_forget(struct mcp_session *session)
{
    struct mcp_saved *state = &session->state;
    bool guessed = state->era == MCP_ERA_MODERN && !state->confirmed;
    if (state->era == MCP_ERA_MODERN && session->settings.era == MCP_ERA_ANY)
        mcp_era_set(session, guessed ? MCP_ERA_LEGACY : MCP_ERA_ANY);
    state->opened = false;
    state->confirmed = false;
    state->id[0] = '\0';
    state->revision[0] = '\0';
    state->rules = NULL;
    state->rules_until_us = 0;
}

static enum finding among(const json_t *revisions, enum finding modern)
{
    enum finding found = FOUND_NEITHER;
    for (size_t i = 0; i < json_array_size(revisions); i++) {
        const char *revision = json_string_value(json_array_get(revisions, i));
        if (text_equal(revision, mcp_modern_revision))
            return modern;
        if (mcp_legacy_revision_known(revision))
            found = FOUND_LEGACY;
    }
    return found;
}

static enum finding refusal_weigh(const json_t *error, int status)
{
    int64_t code = json_int(error, "code", 0);
    if (code == MCP_CODE_VERSION_UNSUPPORTED)
        return among(json_list(error, "data.supported"), FOUND_AGAIN);
    if (code == MCP_CODE_HEADER_MISMATCH || code == MCP_CODE_CAPABILITY_MISSING ||
        (code == MCP_CODE_METHOD_UNKNOWN && status == 404))
        return FOUND_MODERN;
    return FOUND_LEGACY;
}

static enum finding answer_weigh(struct mcp_session *session, struct mcp_exchange *exchange)
{
    int status = exchange->http.status;
    const json_t *result = json_object_at(exchange->response, "result");
    if (status / 100 == 2 && result) {
        enum finding found = among(json_list(result, "supportedVersions"), FOUND_MODERN);
        session->state.confirmed = found == FOUND_MODERN;
        return found == FOUND_NEITHER ? FOUND_LEGACY : found;
    }
    if (status / 100 == 2 || status == 400 || status == 404)
        return refusal_weigh(mcp_error_of(exchange), status);
    bool refuses =
        status == 405 || status == 406 || status == 415 || status == 500 || status == 501;
    return refuses ? FOUND_LEGACY : FOUND_NOTHING;
}

static enum err neither(struct mcp_session *session, struct provider_call *call)
{
    return arena_fail(call->arena, ERR_PROTOCOL, "protocolVersion",
                      "%s speaks no revision of MCP that we know.", session->settings.name);
}

/* Asks the server to describe itself, for no longer than it takes one that can. */
static enum err describe(struct mcp_session *session, struct provider_call *call,
                         struct mcp_exchange *into)
{
    const struct mcp_request request = {.method = "server/discover", .repeatable = true};
    int total_s = session->settings.total_s;
    session->dialect = &mcp_modern;
    session->settings.total_s = MCP_DISCOVER_S;
    enum err err = mcp_request_once(session, call, &request, into);
    session->settings.total_s = total_s;
    return err;
}

static enum err era_find(struct mcp_session *session, struct provider_call *call)
{
    enum finding found = FOUND_AGAIN;
    for (int round = 0; found == FOUND_AGAIN && round < MCP_VERSION_ROUNDS_MAX; round++) {
        struct mcp_exchange exchange = {0};
        struct mcp_reply unread;
        enum err err = describe(session, call, &exchange);
        bool mute = err == ERR_TRANSIENT && exchange.http.status == 200;
        if (err == ERR_PROTOCOL || mute) { /* whatever it is, it is not the modern era */
            arena_failure_clear(call->arena);
            found = FOUND_LEGACY;
            continue;
        }
        TRY(err);
        found = answer_weigh(session, &exchange);
        if (found == FOUND_NOTHING) {
            TRY(mcp_reply_read(&exchange, &unread));
            return neither(session, call);
        }
    }
    if (found == FOUND_NEITHER || found == FOUND_AGAIN)
        return neither(session, call);
    mcp_era_set(session, found == FOUND_MODERN ? MCP_ERA_MODERN : MCP_ERA_LEGACY);
    log_event(call->log, LOG_INFO, "mcp.era_found", LOG_T("server", session->settings.name),
              LOG_T("era", session->dialect->name));
    return OK;
}

enum err mcp_open(struct mcp_session *session, struct provider_call *call)
{
    struct mcp_saved *state = &session->state;
    if (state->left)
        mcp_leave(session, call);
    if (state->opened)
        return OK;
    bool remembered = state->era != MCP_ERA_ANY;
    if (!remembered && session->settings.era != MCP_ERA_ANY)
        mcp_era_set(session, session->settings.era);
    else if (!remembered)
        TRY(era_find(session, call));
    enum err err = session->dialect->open(session, call);
    if (err == ERR_PROTOCOL && remembered && session->settings.era == MCP_ERA_ANY) {
        arena_failure_clear(call->arena);
        TRY(era_find(session, call));
        err = session->dialect->open(session, call);
    }
    if (err != OK) {
        state->era = MCP_ERA_ANY; /* nothing was learned of the server */
        return err;
    }
    state->opened = true;
    return OK;
}
