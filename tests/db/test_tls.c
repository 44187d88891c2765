/* What the connection string does not say: a server over the network is spoken to with verified
 * TLS 1.3 or not at all. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"
#include "base/text.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open_empty(&fixture, "test_tls");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* A server that has no TLS: it says so, and keeps what it is told nevertheless. */
struct plain_server {
    int listening;
    int port;
    size_t told; /* bytes behind the question for TLS */
    pthread_t thread;
};

enum { TLS_QUESTION_BYTES = 8 };

static void *answer_no(void *arg)
{
    struct plain_server *server = arg;
    uint8_t bytes[256];
    int client = accept(server->listening, NULL, NULL);
    ssize_t n = recv(client, bytes, TLS_QUESTION_BYTES, MSG_WAITALL);
    bool asked = n == TLS_QUESTION_BYTES && memcmp(bytes, "\0\0\0\10\4\322\26\57", 8) == 0;
    if (!asked)
        server->told += n > 0 ? (size_t)n : 0;
    if (send(client, "N", 1, MSG_NOSIGNAL) != 1)
        abort();
    while ((n = recv(client, bytes, sizeof bytes, 0)) > 0) {
        server->told += (size_t)n;
        shutdown(client, SHUT_RDWR);
    }
    close(client);
    return NULL;
}

static void server_start(struct plain_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct sockaddr *any = (struct sockaddr *)(void *)&address;
    *server = (struct plain_server){.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(server->listening, any, sizeof address), 0);
    assert_int_equal(listen(server->listening, 1), 0);
    assert_int_equal(getsockname(server->listening, any, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, answer_no, server), 0);
}

static size_t told_with(const char *more)
{
    struct plain_server server;
    struct db *db = NULL;
    server_start(&server);
    struct db_settings settings = fixture_settings(&fixture, "sluice_app");
    settings.conninfo = arena_format(
        fixture.arena, "host=127.0.0.1 port=%d user=sluice_app dbname=x %s", server.port, more);
    assert_err(&fixture, ERR_DB_DOWN, db_open(fixture.arena, &settings, &db));
    pthread_join(server.thread, NULL);
    close(server.listening);
    return server.told;
}

static void a_server_without_tls_is_told_nothing(void **state)
{
    (void)state;
    assert_int_equal(told_with(""), 0);
    assert_int_equal(told_with("sslmode=require"), 0);
}

static void who_wants_it_in_the_clear_says_so(void **state)
{
    (void)state;
    assert_true(told_with("sslmode=prefer") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_without_tls_is_told_nothing),
        cmocka_unit_test(who_wants_it_in_the_clear_says_so),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
