/* The single-use tokens of an authorisation. The first ("attempt") stands in the link that begins
 * it. Opening the link shows who asks for what; the button of that page spends it for the second
 * ("state"), which travels to the provider and back and is bound to the browser by a cookie. Both
 * name the region before the dot; stored is only their hash, each kind under a hash of its own, so
 * that one cannot stand in for the other. */
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
/* What a link stands for. ERR_NOT_FOUND: unknown, used, too old, or its asker may ask no more. */
enum err authorisation_look(struct request *req, const struct provider *provider,
                            const char *attempt, struct oauth_state *into) MUST_USE;
/* Shows that this browser was shown the page about the link: what its form sends back. Without it a
 * page of somebody else's could press the button. Sets the browser's cookie. */
const char *confirmation_new(struct request *req, const char *attempt);
bool confirmation_valid(struct request *req, const char *attempt, const char *confirmation);
/* Spends the token of a link. ERR_NOT_FOUND: as authorisation_look. */
enum err authorisation_open(struct request *req, const struct provider *provider,
                            const char *attempt, struct oauth_state *into) MUST_USE;

/* A new state, to be sent to the provider. */
const char *state_new(struct request *req);
/* Stores the state for the attempt, bound to this browser: sets its cookie. `opened` is what
 * authorisation_open gave. */
enum err state_keep(struct request *req, const char *state, const struct oauth_state *opened,
                    struct uuid attempt) MUST_USE;
/* Spends a state that came back. ERR_NOT_FOUND: unknown, used, too old, of another browser, or its
 * asker may ask no more. */
enum err state_take(struct request *req, const struct provider *provider, const char *state,
                    struct oauth_state *into) MUST_USE;
/* Spends a state that state_take refused, where it is one at all; *why as a code. */
enum err state_spoil(struct request *req, const char *state, struct oauth_state *into, bool *found,
                     const char **why) MUST_USE;

const char *redirect_uri_of(const struct request *req, const struct provider *provider);

#endif
