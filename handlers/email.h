/* E-mail addresses of people, as far as they can be judged without writing to them. */
#ifndef SLUICE_EMAIL_H
#define SLUICE_EMAIL_H

#include "base/arena.h"

enum { EMAIL_BYTES_MAX = 254 };

/* One @, something before it, a dotted domain behind it, no blanks, quotes or control bytes.
 * ERR_FIELD_INVALID names `field`. */
enum err email_check(struct arena *arena, const char *field, const char *email) MUST_USE;
char *email_lower(struct arena *arena, const char *email); /* ASCII letters only */

#endif
