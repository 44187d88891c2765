/* A server with a few plain handlers, and a client on a raw socket. */
#ifndef SLUICE_TEST_SERVED_H
#define SLUICE_TEST_SERVED_H

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "http/httpd.h"

enum { ANSWER_BYTES_MAX = 256 * 1024, WAIT_MS = 5000, BIG_REPLY_BYTES = 8 * 1024 * 1024 };

/* What the handlers of these tests share. */
struct world {
    struct httpd *httpd;
    struct clock clock;
    struct rand_source rand;
    struct log log;
    struct arena *arena;
    struct metrics *metrics;
    atomic_int handled, threads_open, gate; /* gate: handlers of /gate wait until it is 0 */
    char *big;
};

static inline size_t body_limit(void *context, enum http_method method, const char *path)
{
    (void)context, (void)method;
    return text_equal(path, "/large") ? 4u * 1024 * 1024 : 64;
}

static inline void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

static inline void handle(void *context, void *thread, struct arena *arena,
                          const struct http_request *request, struct http_reply *reply)
{
    struct world *world = context;
    assert(thread == world);
    atomic_fetch_add(&world->handled, 1);
    while (text_equal(request->path, "/gate") && atomic_load(&world->gate))
        pause_ms(1);
    if (text_equal(request->path, "/slow"))
        pause_ms(1500);
    const char *text = arena_format(arena, "%s %s [%s] %zu", http_method_name(request->method),
                                    request->path, request->query, request->body.n);
    reply->status = 200;
    reply->content_type = "text/plain";
    reply->body = text_equal(request->path, "/big")
                      ? (struct bytes){(const uint8_t *)world->big, BIG_REPLY_BYTES}
                      : unit_bytes(text);
}

static inline void finish(void *context, struct arena *arena, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)context, (void)arena, (void)request;
    http_reply_field(reply, "X-Finished", "yes");
}

static inline enum err thread_open(void *context, struct arena *arena, void **thread)
{
    struct world *world = context;
    (void)arena;
    atomic_fetch_add(&world->threads_open, 1);
    *thread = world;
    return OK;
}

static inline void thread_close(void *thread)
{
    atomic_fetch_sub(&((struct world *)thread)->threads_open, 1);
}

static inline struct httpd_settings settings_of(struct world *world)
{
    return (struct httpd_settings){
        .address = "127.0.0.1",
        .threads = 2,
        .queue_max = 4,
        .connections_max = 64,
        .connection_timeout_s = 10,
        .deadline_ms = 10000,
        .stop_ms = 3000,
        .log = &world->log,
        .clock = &world->clock,
        .rand = &world->rand,
        .metrics = world->metrics,
        .body_bytes_max = body_limit,
        .handle = handle,
        .finish = finish,
        .thread_open = thread_open,
        .thread_close = thread_close,
        .context = world,
    };
}

static inline struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    world->arena = arena_open();
    world->metrics = metrics_new(world->arena);
    rand_open(&world->rand, 1);
    world->log = (struct log){open("/dev/null", O_WRONLY), LOG_DEBUG, &world->clock};
    world->big = calloc(1, BIG_REPLY_BYTES);
    memset(world->big, 'x', BIG_REPLY_BYTES);
    return world;
}

static inline struct world *world_open(const struct httpd_settings *change)
{
    struct world *world = world_new();
    struct httpd_settings settings = settings_of(world);
    if (change && change->deadline_ms)
        settings.deadline_ms = change->deadline_ms;
    if (change && change->connection_timeout_s)
        settings.connection_timeout_s = change->connection_timeout_s;
    if (change && change->stop_ms)
        settings.stop_ms = change->stop_ms;
    assert_int_equal(httpd_open(world->arena, &settings, &world->httpd), OK);
    return world;
}

static inline void world_free(struct world *world)
{
    close(world->log.fd);
    rand_close(&world->rand);
    arena_close(world->arena);
    free(world->big);
    free(world);
}

static inline void world_close(struct world *world)
{
    httpd_close(world->httpd);
    assert_int_equal(atomic_load(&world->threads_open), 0);
    world_free(world);
}

/* ---- a client ---- */

static inline int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void send_bytes(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server closed: what it answered is read next */
        text += sent;
        n -= (size_t)sent;
    }
}

/* Reads until the other end closes or, after the first byte, has been silent for `silence_ms`. */
static inline char *receive(struct arena *arena, int fd, int silence_ms, bool *closed)
{
    char *answer = arena_alloc(arena, ANSWER_BYTES_MAX);
    size_t n = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    *closed = false;
    while (n < ANSWER_BYTES_MAX - 1 && poll(&wait, 1, n ? silence_ms : WAIT_MS) > 0) {
        ssize_t got = recv(fd, answer + n, ANSWER_BYTES_MAX - 1 - n, 0);
        if (got <= 0) {
            *closed = true;
            break;
        }
        n += (size_t)got;
        for (size_t i = 0; i < n; i++)
            answer[i] = answer[i] ? answer[i] : '0';
    }
    return answer;
}

static inline char *exchange_n(struct world *world, const char *request, size_t n, bool *closed)
{
    int fd = dial(httpd_port(world->httpd));
    send_bytes(fd, request, n);
    char *answer = receive(world->arena, fd, 300, closed);
    close(fd);
    return answer;
}

static inline char *ask(struct world *world, const char *request)
{
    bool closed;
    return exchange_n(world, request, strlen(request), &closed);
}

static inline int status_of(const char *answer)
{
    int64_t status = 0;
    char digits[4] = "";
    if (text_starts(answer, "HTTP/1.1 ") && strlen(answer) > 12)
        memcpy(digits, answer + 9, 3);
    return int64_parse(digits, 100, 599, &status) ? (int)status : 0;
}

static inline size_t answers_in(const char *text)
{
    size_t count = 0;
    while ((text = strstr(text, "HTTP/1.1 "))) {
        count++;
        text++;
    }
    return count;
}

#define GET(path)      "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_ONCE(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

#endif
