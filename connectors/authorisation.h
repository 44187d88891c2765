/* How a connection is authorised, refreshed and revoked. One table per provider. */
#ifndef SLUICE_AUTHORISATION_H
#define SLUICE_AUTHORISATION_H

#include "connectors/provider.h"

/* One attempt to authorise: made when a person opens /oauth/{provider}/start, kept with the
 * single-use state until the callback. */
struct authorisation {
    const char *authorize_url;     /* to redirect the browser to */
    const struct secret *verifier; /* PKCE */
    const char *issuer;            /* pinned; NULL where the provider has none */
    bool iss_expected;             /* RFC 9207: the callback must carry iss */
    const char *client_id;
    const struct secret *client_secret;
    bool basic_auth; /* it travels in the Authorization header */
    const char *token_endpoint;
    const char *revocation_endpoint; /* NULL when there is none */
    const char *resource;            /* RFC 8707, or NULL */
    const char *scope;
};

struct token_set {
    const struct secret *access_token;
    const struct secret *refresh_token; /* NULL: keep the old one */
    int64_t expires_in_s;               /* 0: not said */
    const char *scope;                  /* NULL: as asked */
};

/* What the provider answered to one step of a revocation. */
struct revocation_step {
    const char *what; /* "refresh_token", "access_token", "consent" */
    int status;       /* 0: not reached */
    bool confirmed;
};
enum { REVOCATION_STEPS_MAX = 4 };
struct revocation {
    struct revocation_step steps[REVOCATION_STEPS_MAX];
    size_t count;
    bool complete; /* every step that matters was confirmed */
};

/* Registered clients, kept per (issuer, redirect URI) by the caller (RFC 7591). Callbacks may be
 * NULL. */
struct client_registration {
    const char *client_id;
    const struct secret *client_secret;
};
struct client_registry {
    enum err (*find)(void *context, const char *issuer, const char *redirect_uri,
                     struct client_registration *into); /* ERR_ABSENT when there is none */
    enum err (*store)(void *context, const char *issuer, const char *redirect_uri,
                      const struct client_registration *registration);
    void *context;
};

struct authoriser {
    const char *provider;
    bool describes_itself; /* to servers that take a client by its description */
    /* Discovery, registration, PKCE; makes no token. `state` is ours. */
    enum err (*start)(struct provider_call *call, const struct client_registry *clients,
                      const char *redirect_uri, const char *state,
                      struct authorisation *into) MUST_USE;
    enum err (*exchange)(struct provider_call *call, const struct authorisation *attempt,
                         const char *redirect_uri, const struct secret *code,
                         struct token_set *into) MUST_USE;
    /* `attempt` as stored with the connection. ERR_AUTH: refused for good. */
    enum err (*refresh)(struct provider_call *call, const struct authorisation *attempt,
                        struct token_set *into) MUST_USE;
    enum err (*revoke)(struct provider_call *call, const struct authorisation *attempt,
                       struct revocation *into) MUST_USE;
};

#endif
