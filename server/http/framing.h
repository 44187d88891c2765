/* The guard against ambiguous framing, run on the head of every request before anything else is
 * believed. libmicrohttpd 0.9.75 takes the first of two Content-Lengths, lets Transfer-Encoding win
 * over Content-Length, and ignores a field whose name ends in a blank: each of these lets a proxy
 * and us disagree about where a request ends. We refuse whatever two readers could read in two
 * ways. Bare line feeds and folded lines in the head never reach us through the front proxy: nginx
 * reads a bare line feed as the end of a line and writes the head anew, and refuses folded lines
 * (deploy/nginx, tests/e2e). */
#ifndef SLUICE_FRAMING_H
#define SLUICE_FRAMING_H

#include "http/http.h"

enum { FIELDS_MAX = 64, TARGET_BYTES_MAX = 8192 };

/* `fields` with lower-case names. ERR_REQUEST_MALFORMED or, for any Transfer-Encoding,
 * ERR_LENGTH_REQUIRED; `content_length` is 0 when there is none. The connection must be closed
 * after a refusal. */
enum err framing_check(struct arena *arena, const struct http_field *fields, size_t count,
                       uint64_t *content_length) MUST_USE;
/* The request target: an absolute path with an optional query, without fragment, control bytes or
 * blanks. Splits it at the question mark. */
enum err framing_target(struct arena *arena, const char *target, const char **path,
                        const char **query) MUST_USE;

#endif
