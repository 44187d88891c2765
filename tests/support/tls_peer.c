#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls_peer.h"

enum { CONNECTIONS_MAX = 256 };

struct tls_peer {
    tls_serve serve;
    void *context;
    SSL_CTX *tls;
    int listener;
    int port;
    char origin[64];
    char ca_file[64];
    pthread_t accepting;
    pthread_mutex_t lock;
    pthread_t threads[CONNECTIONS_MAX];
    int sockets[CONNECTIONS_MAX];
    int connections;
    int requests;
};

struct connection {
    struct tls_peer *peer;
    int socket;
};

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "tls_peer: %s\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static void extension_add(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(certificate, extension, -1), "extension");
    X509_EXTENSION_free(extension);
}

static void certificate_make(struct tls_peer *peer)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test peer", -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    extension_add(certificate, NID_basic_constraints, "critical,CA:TRUE");
    extension_add(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    must(X509_sign(certificate, key, EVP_sha256()) > 0, "sign");
    must(SSL_CTX_use_certificate(peer->tls, certificate) == 1, "use certificate");
    must(SSL_CTX_use_PrivateKey(peer->tls, key) == 1, "use key");
    snprintf(peer->ca_file, sizeof peer->ca_file, "/tmp/tls-peer-XXXXXX");
    int fd = mkstemp(peer->ca_file);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    must(file && PEM_write_X509(file, certificate), "write certificate");
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static size_t content_length(const char *head)
{
    const char *header = strcasestr(head, "\r\ncontent-length:");
    return header ? strtoul(header + sizeof "\r\ncontent-length:" - 1, NULL, 10) : 0;
}

/* Reads one request into `into`; false at the end of the connection. The head ends with a zero in
 * place of the last line feed; *body points behind it. */
static bool request_read(SSL *ssl, char *into, char **body)
{
    size_t n = 0, wanted = SIZE_MAX;
    *body = NULL;
    while (n < wanted) {
        must(n < TLS_PEER_REQUEST_BYTES_MAX, "request too large");
        int got = SSL_read(ssl, into + n, (int)(TLS_PEER_REQUEST_BYTES_MAX - n));
        if (got <= 0)
            return false;
        n += (size_t)got;
        into[n] = '\0';
        char *end = *body ? NULL : strstr(into, "\r\n\r\n");
        if (end) {
            end[3] = '\0';
            *body = end + 4;
            wanted = (size_t)(*body - into) + content_length(into);
        }
    }
    return true;
}

static enum tls_end exchange_run(struct tls_peer *peer, SSL *ssl, int fd, char *memory)
{
    char *body, *rest = NULL;
    if (!request_read(ssl, memory, &body))
        return TLS_CLOSE;
    char *head = strdup(memory);
    struct tls_exchange exchange = {
        .peer = peer, .head = head, .body = body, .ssl = ssl, .socket = fd};
    exchange.method = strtok_r(memory, " ", &rest);
    exchange.path = strtok_r(NULL, " ", &rest);
    pthread_mutex_lock(&peer->lock);
    exchange.number = ++peer->requests;
    pthread_mutex_unlock(&peer->lock);
    enum tls_end end = peer->serve(peer->context, &exchange);
    free(head);
    return end;
}

static void *connection_run(void *argument)
{
    struct connection *connection = argument;
    struct tls_peer *peer = connection->peer;
    int fd = connection->socket;
    char *memory = malloc(TLS_PEER_REQUEST_BYTES_MAX + 1);
    SSL *ssl = SSL_new(peer->tls);
    free(connection);
    must(memory && ssl && SSL_set_fd(ssl, fd) == 1, "connection");
    enum tls_end end = SSL_accept(ssl) == 1 ? TLS_KEEP : TLS_CUT;
    while (end == TLS_KEEP)
        end = exchange_run(peer, ssl, fd, memory);
    if (end == TLS_CLOSE) {
        SSL_shutdown(ssl);
    } else {
        struct linger reset = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    SSL_free(ssl);
    free(memory);
    pthread_mutex_lock(&peer->lock);
    for (int i = 0; i < peer->connections; i++) {
        if (peer->sockets[i] == fd)
            peer->sockets[i] = -1;
    }
    close(fd);
    pthread_mutex_unlock(&peer->lock);
    return NULL;
}

static void *accept_run(void *argument)
{
    struct tls_peer *peer = argument;
    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct connection *connection = malloc(sizeof *connection);
        must(connection && peer->connections < CONNECTIONS_MAX, "too many connections");
        *connection = (struct connection){peer, fd};
        pthread_mutex_lock(&peer->lock);
        int at = peer->connections++;
        peer->sockets[at] = fd;
        must(pthread_create(&peer->threads[at], NULL, connection_run, connection) == 0, "thread");
        pthread_mutex_unlock(&peer->lock);
    }
}

struct tls_peer *tls_peer_open(tls_serve serve, void *context, bool tls12_only)
{
    struct tls_peer *peer = calloc(1, sizeof *peer);
    must(peer != NULL, "memory");
    peer->serve = serve;
    peer->context = context;
    pthread_mutex_init(&peer->lock, NULL);
    peer->tls = SSL_CTX_new(TLS_server_method());
    if (tls12_only)
        SSL_CTX_set_max_proto_version(peer->tls, TLS1_2_VERSION);
    certificate_make(peer);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(peer->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(peer->listener, CONNECTIONS_MAX) == 0, "listen");
    must(getsockname(peer->listener, (struct sockaddr *)&address, &n) == 0, "name");
    peer->port = ntohs(address.sin_port);
    snprintf(peer->origin, sizeof peer->origin, "https://localhost:%d", peer->port);
    must(pthread_create(&peer->accepting, NULL, accept_run, peer) == 0, "thread");
    return peer;
}

void tls_peer_close(struct tls_peer *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->accepting, NULL);
    close(peer->listener);
    pthread_mutex_lock(&peer->lock);
    for (int i = 0; i < peer->connections; i++) {
        if (peer->sockets[i] >= 0)
            shutdown(peer->sockets[i], SHUT_RDWR);
    }
    pthread_mutex_unlock(&peer->lock);
    for (int i = 0; i < peer->connections; i++)
        pthread_join(peer->threads[i], NULL);
    SSL_CTX_free(peer->tls);
    unlink(peer->ca_file);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

int tls_peer_port(const struct tls_peer *peer)
{
    return peer->port;
}

const char *tls_peer_origin(const struct tls_peer *peer)
{
    return peer->origin;
}

const char *tls_peer_allow(const struct tls_peer *peer)
{
    return peer->origin + sizeof "https://" - 1;
}

const char *tls_peer_ca_file(const struct tls_peer *peer)
{
    return peer->ca_file;
}

int tls_peer_requests(struct tls_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    int requests = peer->requests;
    pthread_mutex_unlock(&peer->lock);
    return requests;
}

int tls_peer_connections(struct tls_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    int connections = peer->connections;
    pthread_mutex_unlock(&peer->lock);
    return connections;
}

void tls_send(struct tls_exchange *exchange, const char *text)
{
    size_t n = strlen(text);
    if (n > 0)
        SSL_write(exchange->ssl, text, (int)n);
}

void tls_reply(struct tls_exchange *exchange, const char *status, const char *content_type,
               const char *headers, const char *body)
{
    char head[4096];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
             status, content_type, strlen(body), headers);
    tls_send(exchange, head);
    tls_send(exchange, body);
}
