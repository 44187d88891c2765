#include "connectors/stripe/stripe_call.h"

#include "base/text.h"

struct sentence {
    const char *words; /* anywhere in the text, case ignored */
    enum err err;
    const char *field;
};

/* Most specific first. The words are those of Stripe's MCP server as it was seen in 2026. */
static const struct sentence sentences[] = {
    {"required permissions", ERR_SCOPE, "permissions"},
    {"No account found", ERR_SCOPE, "account"},
    {"is a sandbox account", ERR_VALIDATION, "livemode"},
    {"is a live account", ERR_VALIDATION, "livemode"},
    {"is not available", ERR_VALIDATION, "operation"},
    {"cannot be expanded", ERR_VALIDATION, "expand"},
    {"No such ", ERR_ABSENT, NULL},
    {"rate limit", ERR_TRANSIENT, "rate"},
    {"Too many requests", ERR_TRANSIENT, "rate"},
    {"Invalid API Key", ERR_AUTH, NULL},
    {"Expired API Key", ERR_AUTH, NULL},
    {"MCP error -32602", ERR_VALIDATION, "tool"},
    {"Received unknown parameter", ERR_VALIDATION, "parameters"},
    {"Missing required", ERR_VALIDATION, "parameters"},
    {"Invalid ", ERR_VALIDATION, "parameters"},
    {"Your account is not set up to", ERR_SCOPE, "account"},
};

/* The server wants an answer from a person, or a client that could get one. Nothing was done. */
static enum err wants_a_person(struct arena *arena, const struct mcp_reply *reply)
{
    const char *key;
    json_t *request;
    const char *message = NULL;
    json_t *requests = json_at(reply->result, "inputRequests");
    json_object_foreach(requests, key, request) message = json_text(request, "params.message");
    if (!message)
        message = reply->text;
    return arena_fail(arena, ERR_APPROVAL, NULL,
                      "Stripe wants a person to answer before it does this%s%s",
                      message ? ": " : ".", mcp_excerpt(arena, message));
}

enum err stripe_classify(struct arena *arena, const struct mcp_reply *reply)
{
    const char *text = mcp_excerpt(arena, reply->text);
    bool unable = reply->channel == MCP_RPC_ERROR && reply->code == MCP_CODE_CAPABILITY_MISSING;
    if (reply->channel == MCP_INPUT_REQUIRED || unable)
        return wants_a_person(arena, reply);
    for (size_t i = 0; i < COUNT(sentences); i++) {
        if (text_contains_ci(text, sentences[i].words))
            return arena_fail(arena, sentences[i].err, sentences[i].field, "Stripe says: %s", text);
    }
    if (reply->channel == MCP_REFUSED)
        return arena_fail(arena, ERR_PROTOCOL, NULL,
                          "Stripe refused the call (HTTP %" PRId64 "): %s", reply->code, text);
    if (reply->channel == MCP_RPC_ERROR &&
        (reply->code == MCP_CODE_METHOD_UNKNOWN || reply->code == MCP_CODE_PARAMS_INVALID))
        return arena_fail(arena, ERR_VALIDATION, "tool", "Stripe does not take the call: %s", text);
    return arena_fail(arena, ERR_TRANSIENT, "stripe", "Stripe says: %s", text);
}

static enum mcp_era era_of(const char *configured)
{
    return text_equal(configured, "legacy")   ? MCP_ERA_LEGACY
           : text_equal(configured, "modern") ? MCP_ERA_MODERN
                                              : MCP_ERA_ANY;
}

struct mcp_session *stripe_session(struct provider_call *call)
{
    const struct mcp_settings settings = {
        .era = era_of(call->settings->mcp_era),
        .name = "Stripe",
        .url = call->settings->api_url,
        .hosts = call->settings->hosts,
    };
    return mcp_session_of(call, &settings);
}

/* Text first: it is what Stripe wrote, byte for byte. */
static const char *result_text(struct arena *arena, const struct mcp_reply *reply)
{
    if (!text_blank(reply->text))
        return reply->text;
    const json_t *structured = json_at(reply->result, "structuredContent");
    return structured ? json_write(arena, structured) : NULL;
}

/* Stripe's own limit comes in words, with a status that knows nothing of it. */
static enum err refused(const struct provider_call *call, enum err err)
{
    bool rate = err == ERR_TRANSIENT && text_equal(arena_failure(call->arena)->field, "rate");
    if (rate && call->slow_down)
        call->slow_down(call->context, 0);
    return err;
}

enum err stripe_tool(struct provider_call *call, const char *tool, json_t *arguments,
                     const char **into)
{
    struct arena *arena = call->arena;
    struct mcp_reply reply;
    json_keep(arena, arguments);
    TRY(mcp_tool(stripe_session(call), call, tool, arguments, true, &reply));
    if (reply.channel != MCP_RESULT)
        return refused(call, stripe_classify(arena, &reply));
    *into = result_text(arena, &reply);
    if (!*into)
        return arena_fail(arena, ERR_PROTOCOL, NULL, "Stripe's %s answered nothing.", tool);
    return OK;
}

enum err stripe_read(struct provider_call *call, const char *operation, json_t *parameters,
                     const char **into)
{
    json_t *arguments = json_pack(
        "{s:s, s:o, s:s, s:b}", "stripe_api_operation_id", operation, "parameters", parameters,
        "stripe_context", call->credential->account, "livemode", (int)call->credential->livemode);
    const char *text = "";
    TRY(stripe_tool(call, "stripe_api_read", arguments, &text));
    if (strstr(text, "\"approval_request_id\"") && !strstr(text, "\"object\""))
        return arena_fail(call->arena, ERR_APPROVAL, NULL,
                          "Stripe wants a person to approve this in its dashboard.");
    *into = text;
    return OK;
}
