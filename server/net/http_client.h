/* HTTP out, over libcurl: https only, redirects never followed, no proxy from the environment, no
 * cookies, verified TLS, every address checked just before it is connected to (net/egress.h), every
 * answer bounded. One client per thread; it keeps connections alive between calls.
 *
 * Errors: ERR_EGRESS_REFUSED (nothing was sent: the address, scheme or host is not allowed),
 * ERR_VALIDATION (nothing was sent: the URL or a header is malformed), ERR_TRANSIENT (nothing can
 * have been executed: resolve, connect or TLS failed; or the answer was lost and the call is
 * repeatable), ERR_UNCERTAIN (the request went out and the answer was lost, cut or late),
 * ERR_PROTOCOL (the answer is larger than `bytes_max` or is no HTTP). An HTTP status of any kind is
 * OK here: what it means is the connector's business.
 *
 * The trap: libcurl sends a request again by itself when a kept connection turns out to be dead,
 * also a POST. A call that is not repeatable therefore gets a connection of its own. */
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

enum http_more {
    HTTP_CONTINUE,
    HTTP_ENOUGH, /* what was wanted is here: wait a moment for the end, to keep the connection */
    HTTP_STOP,   /* end the call now and close the connection */
};

struct http_answer;

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
    size_t bytes_max;  /* of the answer's body; required */
    int connect_s;     /* 0: 10 */
    int idle_s;        /* no byte for so long: 0: 60 */
    int total_s;       /* the whole call; 0: 180 */
    const char *hosts; /* space-separated host or host:port that `url` may name; NULL: any */
    bool repeatable;   /* executing it twice does no harm although the method says otherwise (a POST
                          that only reads); GET, HEAD, PUT and DELETE are so anyway */
    bool answer_secret; /* the answer holds secrets: its memory is wiped with the arena */
    bool tls12;         /* carries no credential: TLS 1.2 is enough whatever the settings say */
    /* Called with each piece of the answer's body as it arrives, when set; the answer's body stays
     * empty then. `head` has status and headers. May run another call on the same client. */
    enum http_more (*on_data)(void *context, const struct http_answer *head, struct bytes piece);
    void *context;
};

struct http_answer {
    int status;
    const char *content_type; /* lower-cased, without parameters; "" when absent */
    struct bytes body;        /* terminated with a zero that is not counted */
    const char *tls_version;
    struct http_header *headers; /* names lower-cased */
    size_t header_count;
    int64_t retry_after_s; /* from Retry-After (seconds or date), at most
                              HTTP_RETRY_AFTER_S_MAX; 0 when absent */
    bool ended_by_us;      /* the call ended by on_data, not by the end of the answer */
};

struct http_settings {
    const struct egress *egress; /* outlives the client */
    const char *user_agent;
    const char *ca_file; /* PEM; NULL: the system's authorities */
    bool tls13;          /* refuse anything older than TLS 1.3 */
    bool plain_loopback; /* http: too, to any port of this machine and nowhere else: for peers of
                            tests that speak no TLS. The server never sets it. */
};

enum {
    HTTP_HEADERS_MAX = 100,            /* of an answer */
    HTTP_HEADER_BYTES_MAX = 64 * 1024, /* of an answer, together */
    HTTP_URL_BYTES_MAX = 8 * 1024,
    HTTP_RETRY_AFTER_S_MAX = 3600, /* nobody makes us wait longer without being asked again */
    HTTP_NESTING_MAX = 2,          /* calls within on_data of a call */
};

struct http_client *http_client_open(const struct http_settings *settings);
void http_client_close(struct http_client *client);
enum err http_client_run(struct http_client *client, struct arena *arena,
                         const struct http_call *call, struct http_answer *into) MUST_USE;
/* The n-th (from 0) header of that lower-case name, or NULL. */
const char *http_answer_header(const struct http_answer *answer, const char *name, size_t n);

#endif
