/* Shared by the files of connectors/oauth. */
#ifndef SLUICE_OAUTH_INTERNAL_H
#define SLUICE_OAUTH_INTERNAL_H

#include "connectors/oauth/oauth.h"

/* One call with the profile's headers and hosts; the answer is bounded and its status is the
 * caller's business. */
enum err oauth_call(struct provider_call *call, const struct oauth_profile *profile,
                    struct http_call *http, struct http_answer *answer) MUST_USE;

/* The JSON object of an answer; ERR_PROTOCOL when it is none. */
enum err oauth_object(struct provider_call *call, const struct http_answer *answer,
                      const char *what, json_t **into) MUST_USE;

/* A form body that holds secrets: name=value pairs, percent-encoded. */
struct oauth_form {
    struct arena *arena;
    struct buf text;
};
void oauth_form_add(struct oauth_form *form, const char *name, const char *value); /* NULL: none */
void oauth_form_add_secret(struct oauth_form *form, const char *name, const struct secret *value);
/* The finished body; the working copy is wiped. */
const struct secret *oauth_form_end(struct oauth_form *form);

/* RFC 6749 §2.3.1: id and secret, each percent-encoded, for the Authorization header. */
const struct secret *oauth_basic(struct arena *arena, const char *id, const struct secret *secret);

/* An https URL without user, fragment and oddities, on one of the profile's hosts. */
bool oauth_endpoint_valid(const struct oauth_profile *profile, const char *url);

/* Text that is safe to show: printable ASCII of a bounded length. */
const char *oauth_word(struct arena *arena, const char *text);

#endif
