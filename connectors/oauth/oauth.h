/* OAuth 2.0 as a client (RFC 6749, 7591, 7636, 8414, 8707, 9207, 9728): one core, and what differs
 * between providers is data (struct oauth_profile). A provider whose endpoints are discovered calls
 * oauth_discover and oauth_client first; one with fixed endpoints fills struct oauth_server itself:
 *
 *     authoriser.start     oauth_discover (or a fixed server), oauth_client, oauth_start
 *     authoriser.exchange  oauth_exchange
 *     authoriser.refresh   oauth_refresh
 *     authoriser.revoke    oauth_revoke
 *
 * Client authentication is none where the attempt has no secret (a public client), else
 * client_secret_post, or client_secret_basic where the server's metadata offers nothing else.
 * Secrets travel in form bodies and in that header only, never in URLs, logs or failure texts.
 *
 * Errors of the token endpoint: ERR_AUTH (refused for good; the failure's field is the OAuth error
 * code: "invalid_grant": the connection must be authorised again; "invalid_client",
 * "unauthorized_client": a registered client is dead, forget its registration), ERR_SCOPE
 * (invalid_scope, invalid_target), ERR_TRANSIENT (5xx, 429, no connection), ERR_PROTOCOL (HTML, a
 * redirect, nonsense). A refresh whose answer was lost is ERR_TRANSIENT: the same refresh token is
 * tried again, and if it was used up the answer to that says so. */
#ifndef SLUICE_OAUTH_H
#define SLUICE_OAUTH_H

#include "connectors/authorisation.h"

enum {
    OAUTH_DOCUMENT_BYTES_MAX = 64 * 1024, /* of a metadata document or a token answer */
    OAUTH_TOKEN_BYTES_MAX = 16 * 1024,    /* of one token */
    OAUTH_CALL_S = 10,                    /* discovery and registration */
    OAUTH_TOKEN_CALL_S = 30,              /* token and revocation endpoints */
};

/* What differs between providers. */
struct oauth_profile {
    const char *name;                  /* in messages: "Stripe" */
    const struct http_header *headers; /* sent with every call to the server, or NULL */
    size_t header_count;
    const char *hosts; /* space-separated host or host:port that endpoints may name; NULL: any that
                          egress allows */
    bool plain_loopback; /* as in http_settings: endpoints of this machine need no TLS */
};

/* An authorisation server, discovered or fixed. */
struct oauth_server {
    const char *issuer; /* byte for byte as discovered; NULL where there is none */
    const char *authorization_endpoint;
    const char *token_endpoint;
    const char *registration_endpoint; /* NULL: no dynamic registration */
    const char *revocation_endpoint;   /* NULL: no revocation */
    const char *scopes_supported;      /* space separated, or NULL */
    bool iss_expected;                 /* RFC 9207 */
    bool takes_documents;    /* the address of a description is as good as a registration */
    const char *auth_method; /* of a client without a secret of its own, in its registration */
    bool basic_auth;         /* a secret travels in the Authorization header, not in the body */
};

/* What the 401 of a protected resource says. Absent parameters are NULL. */
struct oauth_challenge {
    const char *resource_metadata;
    const char *scope;
    const char *error;
};

/* Parses every WWW-Authenticate header of an answer, leniently: several challenges in one or in
 * many headers, quoted or bare parameter values. False when there is no Bearer challenge. */
bool oauth_challenge_parse(struct arena *arena, const struct http_answer *answer,
                           struct oauth_challenge *into);

/* A protected resource and its one authorisation server. */
struct oauth_discovery {
    const char *resource; /* as the metadata document spells it */
    const char *scope;    /* to ask for: of the challenge, else of the resource, else NULL; with
                             offline_access where the server offers that: we want refresh tokens */
    struct oauth_server server;
};

/* From the URL of a protected resource and its challenge (NULL: none was given) to its
 * authorisation server. Refuses a document about another resource, an issuer that is not byte for
 * byte the one asked for, endpoints that are not https or not among the profile's hosts, and a
 * server without S256. Carries no credentials. */
enum err oauth_discover(struct provider_call *call, const struct oauth_profile *profile,
                        const char *resource_url, const struct oauth_challenge *challenge,
                        struct oauth_discovery *into) MUST_USE;

/* The client to use at a server: the pre-registered one of the settings, else the address of our
 * description where the server takes such a thing (draft-ietf-oauth-client-id-metadata-document),
 * else the stored one, else a new registration (RFC 7591), which is stored. ERR_VALIDATION with
 * field "redirect_uri" when the server takes no such address. */
enum err oauth_client(struct provider_call *call, const struct oauth_profile *profile,
                      const struct oauth_server *server, const struct client_registry *clients,
                      const char *redirect_uri, struct client_registration *into) MUST_USE;

/* Our description, for servers to fetch from `address`, which is the client id: JSON. */
char *oauth_client_document(struct arena *arena, const char *address, const char *redirect_uri,
                            const char *scope);

/* What an authorisation asks for. */
struct oauth_request {
    const struct client_registration *client;
    const char *redirect_uri;
    const char *state;
    const char *scope;    /* NULL: not sent */
    const char *resource; /* NULL: not sent */
};

/* Makes a PKCE verifier and the URL to redirect the browser to. Sends nothing. */
enum err oauth_start(struct arena *arena, const struct oauth_server *server,
                     const struct oauth_request *request, struct authorisation *into) MUST_USE;

/* The parameters of our callback, as the browser brought them; NULL when absent. */
struct oauth_callback {
    const char *iss;
    const char *error;
    bool has_code;
};

/* To be called after `state` was found, unused, unexpired and of this browser. Order and rules of
 * RFC 9207: the issuer is compared byte for byte before anything else is looked at. ERR_PROTOCOL
 * (field "iss"): another server answered, show nothing of it. ERR_AUTH (field: the OAuth code): the
 * person or the server declined. ERR_SCOPE, ERR_TRANSIENT; ERR_REQUEST_MALFORMED: no code. */
enum err oauth_callback_check(struct arena *arena, const struct authorisation *attempt,
                              const struct oauth_callback *callback) MUST_USE;

enum err oauth_exchange(struct provider_call *call, const struct oauth_profile *profile,
                        const struct authorisation *attempt, const char *redirect_uri,
                        const struct secret *code, struct token_set *into) MUST_USE;

/* With call->credential->refresh_token. `into->refresh_token` is NULL when the old one stays. */
enum err oauth_refresh(struct provider_call *call, const struct oauth_profile *profile,
                       const struct authorisation *attempt, struct token_set *into) MUST_USE;

/* RFC 7009, with the tokens of call->credential: the refresh token first, then the access token.
 * Adds one step each to `into` (which may hold others) and clears `complete` when one was neither
 * confirmed nor settled by the server's word that it has nothing to revoke; the caller sets it to
 * true before. Not reaching the server is a step with status 0, not an error. No revocation
 * endpoint: no steps. */
enum err oauth_revoke(struct provider_call *call, const struct oauth_profile *profile,
                      const struct authorisation *attempt, struct revocation *into) MUST_USE;

#endif
