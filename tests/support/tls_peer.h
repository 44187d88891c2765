/* A TLS server on a loopback port for tests of what goes out: the test says byte for byte what each
 * request is answered with, and how the connection ends. One thread per connection. */
#ifndef SLUICE_TLS_PEER_H
#define SLUICE_TLS_PEER_H

#include "base/base.h"

enum { TLS_PEER_REQUEST_BYTES_MAX = 256 * 1024 };

struct tls_peer;

struct tls_exchange {
    struct tls_peer *peer;
    int number; /* of the request, over all connections, from 1 */
    const char *method;
    const char *path;
    const char *head; /* the whole head */
    const char *body;
    void *ssl;
    int socket;
};

enum tls_end {
    TLS_KEEP,  /* the next request on this connection */
    TLS_CLOSE, /* an orderly end */
    TLS_CUT,   /* a reset, without goodbye */
};

/* Runs in a thread of the peer. */
typedef enum tls_end (*tls_serve)(void *context, struct tls_exchange *exchange);

/* `tls12_only`: speaks nothing newer than TLS 1.2. */
struct tls_peer *tls_peer_open(tls_serve serve, void *context, bool tls12_only);
void tls_peer_close(struct tls_peer *peer);
int tls_peer_port(const struct tls_peer *peer);
const char *tls_peer_origin(const struct tls_peer *peer);  /* "https://localhost:PORT" */
const char *tls_peer_allow(const struct tls_peer *peer);   /* "localhost:PORT" */
const char *tls_peer_ca_file(const struct tls_peer *peer); /* PEM */
int tls_peer_requests(struct tls_peer *peer);
int tls_peer_connections(struct tls_peer *peer);

void tls_send(struct tls_exchange *exchange, const char *text);
/* A whole answer with its Content-Length. `headers`: further lines, each with CRLF, or "". */
void tls_reply(struct tls_exchange *exchange, const char *status, const char *content_type,
               const char *headers, const char *body);

#endif
