/* What we ask of a new password (NIST SP 800-63B-4 §3.1.1): length, and that nobody would try it
 * first. No rules about kinds of characters. */
#ifndef SLUICE_PASSWORD_H
#define SLUICE_PASSWORD_H

#include "base/secret.h"

enum { PASSWORD_BYTES_MIN = 12, PASSWORD_BYTES_MAX = 256 };

/* ERR_FIELD_INVALID with the field "password" and the reason. `email` and `name` may be NULL. */
enum err password_check(struct arena *arena, const struct secret *password, const char *email,
                        const char *name) MUST_USE;

#endif
