/* Authorising a connection: the single-use state of a redirect (directory), what the attempt needs
 * to go on (region, its verifier sealed), and the clients that we registered ourselves. */
#ifndef SLUICE_STORE_OAUTH_H
#define SLUICE_STORE_OAUTH_H

#include "base/secret.h"
#include "db/db.h"

struct oauth_state {
    struct bytes state_hash;   /* SHA-256 of the state that travels */
    struct bytes browser_hash; /* SHA-256 of the binding cookie */
    struct uuid workspace_id;
    const char *region;
    const char *provider;
    struct uuid connection_id;
    struct uuid attempt_id;
    const char *return_to;  /* the frontend's URL, or NULL */
    struct uuid asked_by;   /* the person, also where a key of theirs was used */
    struct uuid asked_with; /* the API key; nil: none */
    struct instant expires_at;
};
enum err oauth_state_add(const struct untenanted *directory,
                         const struct oauth_state *state) MUST_USE;
struct oauth_state_claim {
    struct bytes state_hash;
    struct bytes browser_hash;
    const char *provider;
};
/* What the state stands for, without spending it. ERR_NOT_FOUND: as oauth_state_take. */
enum err oauth_state_look(const struct untenanted *directory, const struct oauth_state_claim *claim,
                          struct oauth_state *into) MUST_USE;
/* Single use: the second call with the same state answers ERR_NOT_FOUND, as do an unknown or
 * expired one, another browser, another provider, and one whose asker may ask no more: no longer an
 * admin of the workspace, or with a key that was revoked. */
enum err oauth_state_take(const struct untenanted *directory, const struct oauth_state_claim *claim,
                          struct oauth_state *into) MUST_USE;

/* Spends a state that came back to the wrong browser: it has leaked. *found is false where there
 * was none to spend. */
enum err oauth_state_spoil(const struct untenanted *directory, struct bytes state_hash,
                           struct oauth_state *into, bool *found) MUST_USE;

struct oauth_asker {
    const char *email;
    const char *key_name; /* NULL: without a key */
};
enum err oauth_asker_get(const struct untenanted *directory, const struct oauth_state *state,
                         struct oauth_asker *into) MUST_USE;

struct oauth_attempt {
    struct uuid id; /* given by oauth_attempt_add */
    struct uuid connection_id;
    const char *redirect_uri;
    const char *authorisation;     /* JSON: issuer, endpoints, client id, scope; no secret */
    const struct secret *verifier; /* PKCE; sealed at rest; NULL: none */
    struct instant expires_at;
};
enum err oauth_attempt_add(const struct scope *scope, const struct secret *region_key,
                           struct oauth_attempt *attempt) MUST_USE;
/* Single use; ERR_NOT_FOUND when finished or expired. */
enum err oauth_attempt_take(const struct scope *scope, const struct secret *region_key,
                            struct uuid id, struct oauth_attempt *into) MUST_USE;

struct registered_client {
    const char *issuer;
    const char *redirect_uri;
    const char *client_id;
    const struct secret *secret; /* NULL: a public client */
};
/* ERR_NOT_FOUND when none is registered. */
enum err registered_client_get(const struct untenanted *region, const struct secret *region_key,
                               const char *issuer, const char *redirect_uri,
                               struct registered_client *into) MUST_USE;
/* The first one stays when two register at once: read it back with registered_client_get. */
enum err registered_client_put(const struct untenanted *region, const struct secret *region_key,
                               const struct registered_client *client) MUST_USE;
/* The same where only the client is known. */
enum err registered_client_forget_everywhere(const struct untenanted *region, const char *issuer,
                                             const char *client_id) MUST_USE;
/* The server no longer knows the client. */
enum err registered_client_forget(const struct untenanted *region, const char *issuer,
                                  const char *redirect_uri) MUST_USE;

#endif
