/* One call in flight. Internal to net/: shared by http_client.c (running), http_request.c (what is
 * sent) and http_answer.c (what comes back). */
#ifndef SLUICE_HTTP_EXCHANGE_H
#define SLUICE_HTTP_EXCHANGE_H

#include "net/curl_common.h"
#include "net/http_client.h"

#include "base/buf.h"

struct http_exchange {
    CURL *easy;
    struct arena *arena;
    const struct http_call *call;
    struct http_answer *answer;
    struct egress_gate gate;
    struct buf body;
    size_t received;     /* bytes of the body */
    size_t header_bytes; /* of the answer */
    bool repeatable;
    bool plain_loopback; /* of the client's settings */
    bool sent;           /* at least a part of the request left */
    bool too_large;
    int64_t enough_at_us; /* when on_data had what it wanted; 0: not yet */
    curl_mime *mime;
    char tls_version[8]; /* as the handshake told; empty on a kept connection */
};

/* Checks the call without sending anything: scheme, host, header syntax. Fills gate.host. */
enum err http_request_check(struct http_exchange *exchange);
/* Sets method, URL, headers and body on the handle. */
void http_request_set(struct http_exchange *exchange);
/* Sets the callbacks that collect the answer. */
void http_answer_set(struct http_exchange *exchange);
/* After the transfer. */
void http_answer_finish(struct http_exchange *exchange);

#endif
