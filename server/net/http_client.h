/* HTTP out, over libcurl: https only, redirects never followed, no proxy from the environment, no
 * cookies, verified TLS, every address checked just before it is connected to (net/egress.h), every
 * answer bounded. One client per thread; it keeps connections alive between calls.
 *
 * Errors: ERR_EGRESS_REFUSED (nothing was sent), ERR_TRANSIENT (nothing can have been executed:
 * resolve, connect or TLS failed), ERR_UNCERTAIN (the request went out and the answer was lost, cut
 * or late), ERR_PROTOCOL (the answer is larger than `bytes_max` or is no HTTP). An HTTP status of
 * any kind is OK here: what it means is the connector's business. */
#ifndef SLUICE_HTTP_CLIENT_H
#define SLUICE_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/log.h"
#include "base/secret.h"

struct http_client;
struct egress; /* net/egress.h: which addresses may be reached */

struct http_header {
    const char *name;
    const char *value;           /* never a secret */
    const struct secret *secret; /* sent behind `value` (e.g. value "Bearer "), or NULL */
};

struct http_part { /* of multipart/form-data */
    const char *name;
    const char *file_name;    /* NULL: an ordinary field */
    const char *content_type; /* NULL: none sent */
    struct bytes data;
};

struct http_call {
    const char *method; /* "GET", "POST", "DELETE", "PUT", "PATCH" */
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    struct bytes body; /* n 0: none */
    const struct secret
        *form; /* application/x-www-form-urlencoded body that holds secrets, or NULL */
    const struct http_part *parts; /* multipart body, or NULL */
    size_t part_count;
    size_t bytes_max; /* of the answer's body; required */
    int connect_s;    /* 0: 10 */
    int idle_s;       /* no byte for so long: 0: 60 */
    int total_s;      /* the whole call; 0: 180 */
    /* Called with each piece of the answer's body as it arrives, when set; the answer's body stays
     * empty then. Return false to end the call (not an error). */
    bool (*on_data)(void *context, int status, struct bytes piece);
    void *context;
};

struct http_answer {
    int status;
    const char *content_type; /* lower-cased, without parameters; "" when absent */
    struct bytes body;        /* terminated with a zero that is not counted */
    const char *tls_version;
    struct http_header *headers; /* names lower-cased */
    size_t header_count;
    int64_t retry_after_s; /* from Retry-After (seconds or date), 0 when absent */
    bool ended_by_us;      /* on_data returned false */
};

struct http_client *http_client_open(const struct egress *egress, const char *user_agent);
void http_client_close(struct http_client *client);
enum err http_client_run(struct http_client *client, struct arena *arena,
                         const struct http_call *call, struct http_answer *into) MUST_USE;
/* The n-th (from 0) header of that lower-case name, or NULL. */
const char *http_answer_header(const struct http_answer *answer, const char *name, size_t n);

#endif
