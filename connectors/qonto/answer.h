/* What an answer of Qonto's means: pure functions over status, content type and body.
 *
 * Failures come as {"errors":[{code, detail, source}]}, and with `message` or `details` for
 * `detail`, `errors` or `source` as object or array, flat, as {"message"}, as OAuth's {"error"},
 * as a blank, as HTML. All of these are read; none is trusted with its length or its content. */
#ifndef SLUICE_QONTO_ANSWER_H
#define SLUICE_QONTO_ANSWER_H

#include "json/json.h"
#include "net/http_client.h"

enum {
    QONTO_WORDS_BYTES_MAX = 300,    /* of a text of Qonto's that is shown */
    QONTO_EXCERPT_BYTES_MAX = 2048, /* of what is kept of an answer */
    QONTO_ERRORS_MAX = 20,          /* read of one answer */
};

struct qonto_error {
    const char *code;    /* "not_found"; "" when absent */
    const char *detail;  /* shown to people; "" when absent */
    const char *pointer; /* of JSON, or the name of a parameter; "" when absent */
};

struct qonto_errors {
    struct qonto_error items[QONTO_ERRORS_MAX];
    size_t count;
};

/* Text from outside, fit to be shown and logged: one line, bounded, and without the words that may
 * hold a secret (addresses, tokens). */
const char *qonto_words(struct arena *arena, const char *text, size_t bytes_max);

/* Reads the errors of a body that is an object; leaves `into` empty for anything else. */
void qonto_errors_read(struct arena *arena, const json_t *body, struct qonto_errors *into);

/* The field of ours that an error is about: "file", "idempotency_key", "filter[status]"; or NULL.
 */
const char *qonto_error_field(struct arena *arena, const struct qonto_error *error);

/* OK and the object of a 2xx answer; otherwise what the answer means, recorded as a failure:
 * ERR_AUTH (401), ERR_SCOPE (403: scope, role or price plan), ERR_ABSENT (404), ERR_VALIDATION with
 * field (400, 409, 412, 413, 422), ERR_APPROVAL (428), ERR_TRANSIENT with retry-after (408, 425,
 * 429, 5xx), ERR_PROTOCOL (a sign-in page, a redirect, anything that is no JSON object). */
enum err qonto_answer_read(struct arena *arena, const struct http_answer *answer,
                           json_t **into) MUST_USE;

/* One line for the attempt's row: status, trace id, errors, ids and file names; never an address.
 */
const char *qonto_excerpt(struct arena *arena, const struct http_answer *answer);

#endif
