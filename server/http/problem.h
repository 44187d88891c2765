/* Failures as application/problem+json (RFC 9457): type, title, status, code, detail, request_id,
 * and where it helps the field at fault or the limit that was reached. */
#ifndef SLUICE_PROBLEM_H
#define SLUICE_PROBLEM_H

#include "http/http.h"

/* Fills the reply from `err` and the arena's failure. What went wrong on our side (5xx without a
 * provider in it) is told in its general sentence only: the detail is for the log. 401 carries
 * WWW-Authenticate, 429 and 503 Retry-After. */
void problem_reply(struct arena *arena, enum err err, struct uuid request_id,
                   struct http_reply *reply);
/* The same with the limit that was reached, in its own unit. */
void problem_reply_limit(struct arena *arena, enum err err, struct uuid request_id, int64_t limit,
                         struct http_reply *reply);

#endif
