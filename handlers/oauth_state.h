/* The single-use tokens of an authorisation. The first ("attempt") stands in the link that begins
 * it; opening the link spends it for the second ("state"), which travels to the provider and back
 * and is bound to the browser by a cookie. Both name the region before the dot; stored is only
 * their hash, each kind under a hash of its own, so that one cannot stand in for the other. */
#ifndef SLUICE_OAUTH_STATE_H
#define SLUICE_OAUTH_STATE_H

#include "connectors/registry.h"
#include "handlers/connection_out.h"
#include "handlers/request.h"
#include "store/oauth.h"

enum { AUTHORISATION_S = 15 * 60, RETURN_URL_CHARS_MAX = 2000 };

/* ERR_FIELD_INVALID (return_url) unless its origin is one that the installation allows. */
enum err return_url_check(struct request *req, const char *return_url) MUST_USE;

/* Makes the link that begins an authorisation of the connection. */
enum err authorisation_begin(struct request *req, const struct connection *connection,
                             const char *return_url, struct authorisation_link *into) MUST_USE;
/* Spends the token of a link. ERR_NOT_FOUND: unknown, used or too old. */
enum err authorisation_open(struct request *req, const struct provider *provider,
                            const char *attempt, struct oauth_state *into) MUST_USE;

/* A new state, to be sent to the provider. */
const char *state_new(struct request *req);
/* Stores the state for the attempt, bound to this browser: sets its cookie. `opened` is what
 * authorisation_open gave. */
enum err state_keep(struct request *req, const char *state, const struct oauth_state *opened,
                    struct uuid attempt) MUST_USE;
/* Spends a state that came back. ERR_NOT_FOUND: unknown, used, too old, or of another browser. */
enum err state_take(struct request *req, const struct provider *provider, const char *state,
                    struct oauth_state *into) MUST_USE;

const char *redirect_uri_of(const struct request *req, const struct provider *provider);

#endif
