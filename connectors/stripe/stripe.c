#include "connectors/stripe/stripe.h"

#include "base/text.h"
#include "connectors/oauth/oauth.h"
#include "connectors/stripe/stripe_call.h"
#include "connectors/stripe/stripe_probe.h"
#include "connectors/stripe/stripe_pull.h"

enum { CADENCE_S = 3 };

static const struct stream_info infos[] = {
    {
        .name = "stripe.charges",
        .kind = KIND_CHARGE,
        .history_days_max = STRIPE_HISTORY_DAYS,
        .cadence_s = CADENCE_S,
    },
    {
        .name = "stripe.refunds",
        .kind = KIND_REFUND,
        .history_days_max = STRIPE_HISTORY_DAYS,
        .cadence_s = CADENCE_S,
    },
};

static const struct stripe_stream charges = {
    .info = &infos[0],
    .list_operation = "GetCharges",
    .read_operation = "GetChargesCharge",
    .id_prefixes = {"ch_", "py_"},
    .expand = {"balance_transaction", "customer", "customer.tax_ids"},
};

static const struct stripe_stream refunds = {
    .info = &infos[1],
    .list_operation = "GetRefunds",
    .read_operation = "GetRefundsRefund",
    .id_prefixes = {"re_", "pyr_"},
    .expand = {"balance_transaction", "charge", "charge.customer", "charge.customer.tax_ids"},
};

const struct stripe_stream *stripe_stream_find(const char *name)
{
    return text_equal(name, charges.info->name)   ? &charges
           : text_equal(name, refunds.info->name) ? &refunds
                                                  : NULL;
}

static enum err no_attachment(struct provider_call *call, const struct source_record *record,
                              struct bytes *into, const char **content_type)
{
    (void)record, (void)into, (void)content_type;
    return arena_fail(call->arena, ERR_ABSENT, NULL,
                      "Stripe keeps no document of charges and refunds.");
}

const struct source stripe_source = {
    .provider = "stripe",
    .streams = infos,
    .stream_count = COUNT(infos),
    .probe = stripe_probe,
    .pull = stripe_pull,
    .attachment = no_attachment,
};

static struct oauth_profile profile(const struct provider_call *call)
{
    return (struct oauth_profile){.name = "Stripe", .hosts = call->settings->hosts};
}

/* Calls the MCP server without a token, to be told where tokens come from. *given: it told. */
static enum err challenge_get(struct provider_call *call, struct oauth_challenge *into, bool *given)
{
    static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}";
    const struct http_header headers[] = {
        {.name = "Content-Type", .value = "application/json"},
        {.name = "Accept", .value = "application/json, text/event-stream"},
    };
    const struct http_call http = {
        .method = "POST",
        .url = call->settings->api_url,
        .headers = headers,
        .header_count = COUNT(headers),
        .body = {(const uint8_t *)body, sizeof body - 1},
        .bytes_max = OAUTH_DOCUMENT_BYTES_MAX,
        .total_s = OAUTH_CALL_S,
        .hosts = call->settings->hosts,
        .repeatable = true,
    };
    struct http_answer answer;
    TRY(http_client_run(call->http, call->arena, &http, &answer));
    if (answer.status == 429 || answer.status >= 500)
        return arena_fail_retry(call->arena, ERR_TRANSIENT, answer.retry_after_s,
                                "Stripe cannot answer now (HTTP %d).", answer.status);
    *given = answer.status == 401 && oauth_challenge_parse(call->arena, &answer, into);
    return OK;
}

static enum err start(struct provider_call *call, const struct client_registry *clients,
                      const char *redirect_uri, const char *state, struct authorisation *into)
{
    const struct oauth_profile stripe = profile(call);
    const char *url = call->settings->api_url;
    struct oauth_challenge challenge = {0};
    struct oauth_discovery found;
    struct client_registration client;
    bool challenged = false;
    TRY(challenge_get(call, &challenge, &challenged));
    TRY(oauth_discover(call, &stripe, url, challenged ? &challenge : NULL, &found));
    TRY(oauth_client(call, &stripe, &found.server, clients, redirect_uri, &client));
    const struct oauth_request request = {
        .client = &client,
        .redirect_uri = redirect_uri,
        .state = state,
        .scope = call->settings->scope ? call->settings->scope : found.scope,
        .resource = found.resource,
    };
    return oauth_start(call->arena, &found.server, &request, into);
}

static enum err exchange(struct provider_call *call, const struct authorisation *attempt,
                         const char *redirect_uri, const struct secret *code,
                         struct token_set *into)
{
    const struct oauth_profile stripe = profile(call);
    return oauth_exchange(call, &stripe, attempt, redirect_uri, code, into);
}

static enum err refresh(struct provider_call *call, const struct authorisation *attempt,
                        struct token_set *into)
{
    const struct oauth_profile stripe = profile(call);
    return oauth_refresh(call, &stripe, attempt, into);
}

static enum err revoke(struct provider_call *call, const struct authorisation *attempt,
                       struct revocation *into)
{
    const struct oauth_profile stripe = profile(call);
    *into = (struct revocation){.complete = true};
    if (call->sessions)
        mcp_session_end(stripe_session(call), call); /* while the token is still taken */
    return oauth_revoke(call, &stripe, attempt, into);
}

const struct authoriser stripe_authoriser = {
    .provider = "stripe",
    .describes_itself = true,
    .start = start,
    .exchange = exchange,
    .refresh = refresh,
    .revoke = revoke,
};
