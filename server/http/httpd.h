/* The HTTP server. The only file that includes libmicrohttpd.
 *
 * One thread owns libmicrohttpd: it receives requests whole and bounded, refuses ambiguous framing
 * (framing.h), suspends the connection and puts the request on a bounded queue. Request threads,
 * each with an arena and a context of its own (its database connections), run a blocking handler
 * and hand the reply back; only the owning thread resumes. A slow client costs memory, never a
 * request thread.
 *
 * Limits, each an ordinary answer: body (413), headers (431), queue full (503 busy), stopping (503
 * shutting_down), deadline passed in the queue or in the handler (504). libmicrohttpd itself
 * answers 431 and 400 with a page of its own where the head does not fit into
 * CONNECTION_MEMORY_BYTES. A handler that overruns its deadline is not killed: its answer is
 * dropped when it comes. */
#ifndef SLUICE_HTTPD_H
#define SLUICE_HTTPD_H

#include "base/log.h"
#include "http/http.h"
#include "http/metrics.h"

enum {
    CONNECTION_MEMORY_BYTES = 32 * 1024, /* head of a request, and the read buffer */
    DRAIN_BYTES_MAX = 1024 * 1024, /* of a body that is refused, read so that the answer arrives */
    DEADLINE_GRACE_MS = 500,       /* for the handler to answer its own deadline first */
};

struct httpd;

struct httpd_settings {
    const char *address; /* IPv4 or IPv6 */
    int port;            /* 0: any; httpd_port tells */
    size_t threads;
    size_t queue_max;
    size_t connections_max;
    int connection_timeout_s; /* without a byte, in either direction */
    int deadline_ms;          /* from the last byte of the request to the answer */
    int stop_ms;              /* how long a graceful stop waits for what is under way */
    const struct log *log;
    const struct clock *clock;
    struct rand_source *rand;
    struct metrics *metrics; /* gets a gauge and counters of the server's own; may be NULL */

    /* In the owning thread, before the body is taken in: how large it may be. */
    size_t (*body_bytes_max)(void *context, enum http_method method, const char *path);
    /* In a request thread. `arena` ends after the reply was copied. */
    void (*handle)(void *context, void *thread, struct arena *arena,
                   const struct http_request *request, struct http_reply *reply);
    /* For every reply, also those that the server makes itself: security and CORS headers. In any
     * thread. May be NULL. */
    void (*finish)(void *context, struct arena *arena, const struct http_request *request,
                   struct http_reply *reply);
    enum err (*thread_open)(void *context, struct arena *arena, void **thread); /* may be NULL */
    void (*thread_close)(void *thread);                                         /* may be NULL */
    void *context;
};

/* Listens and serves until httpd_close. `arena` takes the failure only. ERR_CONFIG when the address
 * cannot be listened on, or what thread_open answered. */
enum err httpd_open(struct arena *arena, const struct httpd_settings *settings,
                    struct httpd **into) MUST_USE;
int httpd_port(const struct httpd *httpd);
size_t httpd_queue_length(struct httpd *httpd);
/* Graceful: takes no new connection, answers 503 to new requests, waits up to stop_ms for those
 * under way, then ends. */
void httpd_close(struct httpd *httpd);

#endif
