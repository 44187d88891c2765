/* What sources and targets share. A connector never sees the database, the store or our HTTP
 * server: it is given inputs and callbacks and returns records, entries and outcomes. Errors are
 * the one vocabulary of base/err.h: ERR_TRANSIENT (retry after), ERR_AUTH, ERR_SCOPE,
 * ERR_VALIDATION (field), ERR_ABSENT, ERR_DUPLICATE, ERR_UNCERTAIN, ERR_PROTOCOL,
 * ERR_EGRESS_REFUSED, ERR_APPROVAL. */
#ifndef SLUICE_PROVIDER_H
#define SLUICE_PROVIDER_H

#include "base/arena.h"
#include "base/log.h"
#include "base/money.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"
#include "json/json.h"
#include "net/http_client.h"

/* Addresses and registrations of a provider; from the configuration, so that nothing that is only
 * believed of a provider is compiled in. */
struct provider_settings {
    const char *api_url;   /* Stripe: the MCP endpoint; Qonto: REST base */
    const char *oauth_url; /* Qonto: OAuth base; Stripe: NULL (discovered) */
    const char *client_id; /* pre-registered client, or NULL (Stripe: DCR) */
    const struct secret *client_secret;
    const struct secret *staging_token; /* Qonto sandbox, or NULL */
    const char *scope;                  /* asked for at authorisation */
    const char *client_document; /* where servers find who we are (/oauth/{provider}/client), or
                                    NULL: it is not to be had over https */
    const char *mcp_era;         /* "legacy" or "modern" alone; else it is found out */
    const char *hosts; /* space-separated host or host:port that calls and discovered endpoints may
                          name; NULL: any that egress allows */
};

/* The credentials of one connection during one job. `access_token` is refreshed by the caller's
 * callback, which claims, calls and stores atomically; connectors never keep tokens. */
struct credential {
    const struct secret *access_token;
    const struct secret *refresh_token;
    struct instant access_expires_at;
    int64_t generation;    /* counts the tokens of the connection */
    const char *client_id; /* the registration that the tokens belong to */
    const struct secret *client_secret;
    const char *issuer;
    const char *account; /* provider account id, or NULL until it is chosen */
    bool livemode;
};

struct mcp_cache;

/* One call's surroundings. */
struct provider_call {
    struct arena *arena;        /* of the answers; may be reset between calls */
    struct arena *keep;         /* as long as this struct: what `session` needs. NULL: `arena` */
    void *session;              /* the connector's own, made in `keep`; NULL at first */
    struct mcp_cache *sessions; /* of the process (connectors/mcp/mcp_cache.h), or NULL */
    struct uuid connection;     /* whose session it is; needed with `sessions` only */
    const struct log *log;
    const struct clock *clock;
    struct http_client *http;
    const struct provider_settings *settings;
    struct credential *credential;
    /* Leases one request of the provider's rate budget; ERR_TRANSIENT with retry-after when spent.
     * May be NULL. */
    enum err (*lease_request)(void *context);
    /* After a 401: refreshes once and fills `credential` anew; ERR_AUTH when it is refused for
     * good. */
    enum err (*refresh)(void *context, struct credential *credential);
    /* A provider asked for a pause (429): nothing more is sent to it for this connection for so
     * long; 0: it did not say for how long. May be NULL. */
    void (*slow_down)(void *context, int64_t seconds);
    void *context;
};

/* To be called with every answer of the provider. */
static inline void provider_answered(const struct provider_call *call,
                                     const struct http_answer *answer)
{
    if (answer->status == 429 && call->slow_down)
        call->slow_down(call->context, answer->retry_after_s);
}

#endif
