/* An authorisation as it is stored: with the attempt until the callback, and with the connection as
 * long as its tokens live. JSON without any secret; verifier and client secret are kept sealed,
 * apart from it. */
#ifndef SLUICE_ATTEMPT_H
#define SLUICE_ATTEMPT_H

#include "connectors/authorisation.h"

char *authorisation_write(struct arena *arena, const struct authorisation *authorisation);
/* Secrets are NULL, and so is the address for the browser. A NULL text reads as an empty one. */
enum err authorisation_read(struct arena *arena, const char *stored,
                            struct authorisation *into) MUST_USE;

#endif
