#include "connectors/stripe/stripe_probe.h"

#include "base/text.h"
#include "connectors/stripe/stripe.h"
#include "connectors/stripe/stripe_call.h"

/* The operations that matter, and what their absence means. */
struct operation {
    const char *id;
    bool needed; /* without it this source cannot work */
};

static const struct operation operations[] = {
    {"GetCharges", true},
    {"GetChargesCharge", true},
    {"GetRefunds", true},
    {"GetRefundsRefund", true},
    {"GetBalanceTransactions", true},
    {"GetEvents", false}, /* would be the better driver; absent as of 2026-09 */
};

static const char *const read_arguments[] = {"stripe_api_operation_id", "parameters",
                                             "stripe_context", "livemode"};

static bool sent_by_us(const char *argument)
{
    for (size_t i = 0; i < COUNT(read_arguments); i++) {
        if (text_equal(read_arguments[i], argument))
            return true;
    }
    return false;
}

/* stripe_api_read must exist and need nothing that we do not send. */
static enum err tools_check(struct provider_call *call, json_t *capabilities)
{
    struct mcp_tools tools;
    const json_t *read = NULL;
    json_t *names = json_array();
    json_object_set_new(capabilities, "tools", names);
    TRY(mcp_tools_list(stripe_session(call), call, &tools));
    for (size_t i = 0; i < tools.count; i++) {
        const char *name = json_text(tools.tools[i], "name");
        if (text_equal(name, "stripe_api_read"))
            read = tools.tools[i];
        if (name)
            json_array_append_new(names, json_string(mcp_excerpt(call->arena, name)));
    }
    if (!read)
        return arena_fail(call->arena, ERR_SCOPE, "stripe_api_read",
                          "This Stripe authorisation offers no tool to read objects.");
    const json_t *required = json_list(read, "inputSchema.required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *argument = json_string_value(json_array_get(required, i));
        if (!sent_by_us(argument))
            return arena_fail(call->arena, ERR_PROTOCOL, "stripe_api_read",
                              "Stripe's read tool wants an argument that we do not know: %s",
                              mcp_excerpt(call->arena, argument));
    }
    return OK;
}

/* Single accounts only: an organisation is a context too, but holds no charges of its own. */
static enum err accounts_take(struct provider_call *call, struct probe_result *into)
{
    struct arena *arena = call->arena;
    const char *text = NULL;
    json_t *answer = NULL;
    TRY(stripe_tool(call, "list_available_accounts_or_orgs", json_object(), &text));
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    const json_t *list =
        json_parse(arena, bytes, &answer) == OK ? json_list(answer, "accounts") : NULL;
    if (!list)
        return arena_fail(arena, ERR_PROTOCOL, "accounts", "Stripe lists no accounts.");
    into->accounts = arena_array(arena, STRIPE_ACCOUNTS_MAX, sizeof *into->accounts);
    for (size_t i = 0; i < json_array_size(list) && into->count < STRIPE_ACCOUNTS_MAX; i++) {
        const json_t *row = json_array_get(list, i);
        const char *id = json_text(row, "stripe_context");
        if (!text_starts(id, "acct_") || strlen(id) > STRIPE_ID_BYTES_MAX)
            continue;
        into->accounts[into->count++] = (struct account_choice){
            .account = id,
            .livemode = json_bool(row, "livemode", false),
            .name = json_text(row, "name"),
        };
    }
    if (into->count == 0)
        return arena_fail(arena, ERR_SCOPE, "accounts",
                          "The Stripe authorisation covers no account.");
    return OK;
}

/* Whether an operation is served: asked for by its description, which reads nothing. */
static enum err operation_check(struct provider_call *call, const struct account_choice *account,
                                const struct operation *operation, json_t *into)
{
    struct arena *arena = call->arena;
    const char *text = NULL;
    json_t *arguments =
        json_pack("{s:s, s:s, s:b}", "stripe_api_operation_id", operation->id, "stripe_context",
                  account->account, "livemode", (int)account->livemode);
    enum err err = stripe_tool(call, "stripe_api_details", arguments, &text);
    const struct failure *failure = arena_failure(arena);
    bool refused = err == ERR_SCOPE || err == ERR_VALIDATION;
    if (err != OK && !refused)
        return err;
    json_object_set_new(into, operation->id,
                        json_pack("{s:b, s:s*}", "available", !refused, "reason",
                                  refused ? failure->detail : NULL));
    /* where descriptions are not to be had, nothing is known, and the first pull will tell */
    bool gated = refused && text_equal(failure->field, "operation");
    if (gated && operation->needed)
        return arena_fail(arena, ERR_SCOPE, operation->id,
                          "This Stripe authorisation does not serve %s.", operation->id);
    return OK;
}

enum err stripe_probe(struct provider_call *call, struct probe_result *into)
{
    struct arena *arena = call->arena;
    json_t *capabilities = json_keep(arena, json_object());
    json_t *served = json_object();
    *into = (struct probe_result){.scopes = call->settings->scope};
    json_object_set_new(capabilities, "operations", served);
    mcp_session_end(stripe_session(call),
                    call); /* what was learned of the server is learned anew */
    TRY(tools_check(call, capabilities));
    TRY(accounts_take(call, into));
    for (size_t i = 0; i < COUNT(operations); i++)
        TRY(operation_check(call, &into->accounts[0], &operations[i], served));
    json_object_set_new(capabilities, "mcp_revision",
                        json_string(mcp_revision(stripe_session(call))));
    json_object_set_new(capabilities, "mcp_era", json_string(mcp_era_name(stripe_session(call))));
    json_object_set_new(capabilities, "driver", json_string("object_deltas"));
    json_object_set_new(capabilities, "push", json_false());
    into->capabilities = json_write(arena, capabilities);
    return OK;
}
