/* The server over a raw socket: what a client may send, what it gets, and who waits for whom. */
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
    atomic_int handled, threads_open, gate; /* gate: handlers of /gate wait until it is 0 */
    char *big;
};

static size_t body_limit(void *context, enum http_method method, const char *path)
{
    (void)context, (void)method;
    return text_equal(path, "/large") ? 4u * 1024 * 1024 : 64;
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

static void handle(void *context, void *thread, struct arena *arena,
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

static void finish(void *context, struct arena *arena, const struct http_request *request,
                   struct http_reply *reply)
{
    (void)context, (void)arena, (void)request;
    http_reply_field(reply, "X-Finished", "yes");
}

static enum err thread_open(void *context, struct arena *arena, void **thread)
{
    struct world *world = context;
    (void)arena;
    atomic_fetch_add(&world->threads_open, 1);
    *thread = world;
    return OK;
}

static void thread_close(void *thread)
{
    atomic_fetch_sub(&((struct world *)thread)->threads_open, 1);
}

static struct httpd_settings settings_of(struct world *world)
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
        .body_bytes_max = body_limit,
        .handle = handle,
        .finish = finish,
        .thread_open = thread_open,
        .thread_close = thread_close,
        .context = world,
    };
}

static struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    world->arena = arena_open();
    rand_open(&world->rand, 1);
    world->log = (struct log){open("/dev/null", O_WRONLY), LOG_DEBUG, &world->clock};
    world->big = calloc(1, BIG_REPLY_BYTES);
    memset(world->big, 'x', BIG_REPLY_BYTES);
    return world;
}

static struct world *world_open(const struct httpd_settings *change)
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

static void world_free(struct world *world)
{
    close(world->log.fd);
    rand_close(&world->rand);
    arena_close(world->arena);
    free(world->big);
    free(world);
}

static void world_close(struct world *world)
{
    httpd_close(world->httpd);
    assert_int_equal(atomic_load(&world->threads_open), 0);
    world_free(world);
}

/* ---- a client ---- */

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_bytes(int fd, const char *text, size_t n)
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
static char *receive(struct arena *arena, int fd, int silence_ms, bool *closed)
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

static char *exchange_n(struct world *world, const char *request, size_t n, bool *closed)
{
    int fd = dial(httpd_port(world->httpd));
    send_bytes(fd, request, n);
    char *answer = receive(world->arena, fd, 300, closed);
    close(fd);
    return answer;
}

static char *ask(struct world *world, const char *request)
{
    bool closed;
    return exchange_n(world, request, strlen(request), &closed);
}

static int status_of(const char *answer)
{
    int64_t status = 0;
    char digits[4] = "";
    if (text_starts(answer, "HTTP/1.1 ") && strlen(answer) > 12)
        memcpy(digits, answer + 9, 3);
    return int64_parse(digits, 100, 599, &status) ? (int)status : 0;
}

static size_t answers_in(const char *text)
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

/* ---- framing ---- */

struct raw_case {
    const char *what;
    const char *request;
    int status;
};

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

/* Most of these libmicrohttpd 0.9.75 takes as it stands, or two readers may frame differently. */
/* clang-format off */
static const struct raw_case raw_cases[] = {
    {"equal lengths",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" SMUGGLED,
     400},
    {"different lengths",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" SMUGGLED,
     400},
    {"length and chunked",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     411},
    {"chunked and length",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     411},
    {"chunked", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
    {"a blank before the colon",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     400},
    {"chunked in HTTP/1.0",
     "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     411},
    {"an unknown encoding",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
     411},
    {"chunked, bare line feeds",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n" SMUGGLED,
     411},
    {"two hosts", "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"two authorizations",
     "GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nauthorization: Bearer y\r\n\r\n",
     400},
    {"two content types",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: "
     "c/d\r\nContent-Length: 0\r\n\r\n",
     400},
    {"two idempotency keys",
     "POST /a HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nIdempotency-Key: "
     "2\r\nContent-Length: 0\r\n\r\n",
     400},
    {"two if-matches",
     "PATCH /a HTTP/1.1\r\nHost: a\r\nIf-Match: \"1\"\r\nIf-Match: "
     "\"2\"\r\nContent-Length: 0\r\n\r\n",
     400},
    {"a bare carriage return in a value", "GET /a HTTP/1.1\r\nHost: a\r\nX: a\rb: c\r\n\r\n", 400},
    {"a control byte in a value", "GET /a HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400},
    {"a name that is no token", "GET /a HTTP/1.1\r\nHost: a\r\nX(y): a\r\n\r\n", 400},
    {"a length that is no number",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\nabc",
     400},
    {"a signed length", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
    {"two lengths in one", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400},
    {"an absolute target", "GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"bytes beyond ASCII in the target", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
};
/* clang-format on */

static void ambiguous_framing_is_refused_and_nothing_is_smuggled(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    for (size_t i = 0; i < COUNT(raw_cases); i++) {
        const struct raw_case *raw = &raw_cases[i];
        bool closed;
        char *answer = exchange_n(world, raw->request, strlen(raw->request), &closed);
        if (status_of(answer) != raw->status || !closed)
            fail_msg("%s: %d, closed %d\n%s", raw->what, status_of(answer), closed, answer);
    }
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

static void requests_may_follow_each_other(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer =
        ask(world,
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET("/b") GET_ONCE("/c"));
    assert_int_equal(answers_in(answer), 3);
    assert_non_null(strstr(answer, "POST /a [] 3"));
    assert_non_null(strstr(answer, "GET /b [] 0"));
    assert_non_null(strstr(answer, "GET /c [] 0"));
    world_close(world);
}

static void a_host_is_needed(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer = ask(world, "GET /a HTTP/1.1\r\n\r\n");
    assert_int_equal(status_of(answer), 400);
    assert_non_null(strstr(answer, "\"field\":\"host\""));
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    struct buf request = buf_new(world->arena, 100000);
    buf_add_text(&request, "GET /a HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 64; i++)
        buf_format(&request, "X-%d: y\r\n", i);
    buf_add_text(&request, "\r\n");
    assert_int_equal(status_of(ask(world, request.data)), 400);
    world_close(world);
}

static void a_head_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *value = arena_alloc(world->arena, 100001);
    memset(value, 'v', 100000);
    char *header = arena_format(world->arena, "GET /a HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", value);
    assert_int_equal(status_of(ask(world, header)), 431);
    char *target = arena_format(world->arena, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", value);
    assert_in_range(status_of(ask(world, target)), 400, 431);
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

/* ---- replies ---- */

static void a_request_gets_its_reply(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer =
        ask(world,
            "POST /a%2Fb?x=%20y&z HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
            "Connection: close\r\nX-Request-Id: 0193478E-1111-7abc-8def-0123456789ab\r\n\r\nabc");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nPOST /a%2Fb [x=%20y&z] 3"));
    assert_non_null(strstr(answer, "X-Request-Id: 0193478e-1111-7abc-8def-0123456789ab\r\n"));
    assert_non_null(strstr(answer, "X-Finished: yes\r\n"));
    char *other = ask(world, "GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\r\n\r\n");
    assert_null(strstr(other, "forged"));
    assert_non_null(strstr(other, "X-Request-Id: "));
    world_close(world);
}

static void head_is_get_without_its_body(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer = ask(world, "HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Length: 14\r\n"));
    assert_true(text_ends(answer, "\r\n\r\n"));
    world_close(world);
}

static void a_body_beyond_its_limit_is_refused_in_words(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *body = arena_alloc(world->arena, 3000001);
    memset(body, 'b', 3000000);
    char *small = arena_format(
        world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n%.65s", body);
    char *answer = ask(world, small);
    assert_int_equal(status_of(answer), 413);
    assert_non_null(strstr(answer, "\"code\":\"body_too_large\""));
    assert_non_null(strstr(answer, "\"limit\":64"));
    char *drained = arena_format(
        world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n%.900000s",
        body);
    assert_int_equal(status_of(ask(world, drained)), 413);
    char *expecting =
        arena_format(world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n"
                                   "Expect: 100-continue\r\n\r\n");
    assert_int_equal(status_of(ask(world, expecting)), 413);
    assert_int_equal(atomic_load(&world->handled), 0);
    char *large = arena_format(
        world->arena, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n%s", body);
    assert_non_null(strstr(ask(world, large), "POST /large [] 3000000"));
    world_close(world);
}

/* ---- who waits for whom ---- */

static void slow_clients_hold_up_nobody(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    int port = httpd_port(world->httpd), slow[20];
    for (size_t i = 0; i < COUNT(slow); i++) { /* more than there are request threads */
        slow[i] = dial(port);
        static const char head[] = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab";
        if (i % 2)
            send_bytes(slow[i], head, sizeof head - 1); /* never sends the rest */
        else
            send_bytes(slow[i], GET("/big"), strlen(GET("/big"))); /* never reads */
    }
    pause_ms(300);
    int64_t start_us = monotonic_us();
    for (int i = 0; i < 20; i++) {
        int fd = dial(port);
        send_bytes(fd, GET("/quick"), strlen(GET("/quick")));
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 1000), 1);
        close(fd);
    }
    assert_true(monotonic_us() - start_us < 1000000);
    for (size_t i = 0; i < COUNT(slow); i++)
        close(slow[i]);
    world_close(world);
}

static void wait_until_handled(struct world *world, int count)
{
    for (int i = 0; i < WAIT_MS && atomic_load(&world->handled) < count; i++)
        pause_ms(1);
    assert_int_equal(atomic_load(&world->handled), count);
}

static void a_full_queue_answers_at_once(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    atomic_store(&world->gate, 1);
    int fds[6]; /* two run, four wait */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
        if (i == 1)
            wait_until_handled(world, 2);
    }
    for (int i = 0; i < WAIT_MS && httpd_queue_length(world->httpd) < 4; i++)
        pause_ms(1);
    char *refused = ask(world, GET_ONCE("/one-more"));
    assert_int_equal(status_of(refused), 503);
    assert_non_null(strstr(refused, "\"code\":\"busy\""));
    assert_non_null(strstr(refused, "Retry-After: 1\r\n"));
    assert_non_null(strstr(refused, "X-Finished: yes\r\n"));
    atomic_store(&world->gate, 0);
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        assert_int_equal(status_of(receive(world->arena, fds[i], 500, &closed)), 200);
        close(fds[i]);
    }
    world_close(world);
}

static void a_deadline_that_passed_is_answered_for_the_handler(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.deadline_ms = 200});
    atomic_store(&world->gate, 1);
    int fds[4]; /* two overrun in the handler, two in the queue */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        char *answer = receive(world->arena, fds[i], 1500, &closed);
        assert_int_equal(status_of(answer), 504);
        assert_non_null(strstr(answer, "\"code\":\"deadline\""));
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&world->handled), 2);
    atomic_store(&world->gate, 0); /* the late answers are dropped, the threads live on */
    assert_int_equal(status_of(ask(world, GET_ONCE("/a"))), 200);
    world_close(world);
}

static void a_client_that_leaves_harms_nobody(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    atomic_store(&world->gate, 1);
    for (int i = 0; i < 5; i++) {
        int fd = dial(httpd_port(world->httpd));
        send_bytes(fd, GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
        pause_ms(20);
        struct linger now = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* a reset, not a farewell */
        close(fd);
    }
    atomic_store(&world->gate, 0);
    pause_ms(100);
    assert_int_equal(status_of(ask(world, GET_ONCE("/a"))), 200);
    world_close(world);
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.connection_timeout_s = 1});
    int fd = dial(httpd_port(world->httpd));
    bool closed;
    receive(world->arena, fd, 4000, &closed);
    assert_true(closed);
    close(fd);
    world_close(world);
}

/* ---- stopping ---- */

static void a_stop_lets_finish_what_is_under_way(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    int port = httpd_port(world->httpd);
    int fd = dial(port);
    send_bytes(fd, GET("/slow"), strlen(GET("/slow")));
    wait_until_handled(world, 1);
    httpd_close(world->httpd);
    bool closed;
    char *answer = receive(world->arena, fd, 300, &closed);
    assert_int_equal(status_of(answer), 200);
    assert_true(closed);
    close(fd);
    assert_int_equal(atomic_load(&world->threads_open), 0);
    world_free(world);
}

static void *open_gate_later(void *argument)
{
    struct world *world = argument;
    pause_ms(800);
    atomic_store(&world->gate, 0);
    return NULL;
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.stop_ms = 200});
    atomic_store(&world->gate, 1);
    int fds[5]; /* two run, three wait */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
    }
    wait_until_handled(world, 2);
    pthread_t opener;
    pthread_create(&opener, NULL, open_gate_later, world);
    int64_t start_us = monotonic_us();
    httpd_close(world->httpd);
    assert_true(monotonic_us() - start_us < 2000000);
    pthread_join(opener, NULL);
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        char *answer = receive(world->arena, fds[i], 300, &closed);
        assert_true(closed);
        assert_true(status_of(answer) == 503 || answer[0] == '\0');
        close(fds[i]);
    }
    world_free(world);
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    struct world *world = world_open(NULL), *second = world_new();
    struct httpd_settings settings = settings_of(second);
    settings.port = httpd_port(world->httpd);
    assert_int_equal(httpd_open(second->arena, &settings, &second->httpd), ERR_CONFIG);
    assert_string_equal(arena_failure(second->arena)->field, "listen.port");
    settings.address = "localhost";
    assert_int_equal(httpd_open(second->arena, &settings, &second->httpd), ERR_CONFIG);
    assert_int_equal(atomic_load(&second->threads_open), 0);
    world_free(second);
    world_close(world);
}

/* ---- under load ---- */

enum { LOAD_CLIENTS = 8, LOAD_REQUESTS = 400 };

struct load {
    int port;
    int good;
    int64_t worst_us;
};

static bool one_round(int fd)
{
    char answer[1024];
    size_t n = 0;
    send_bytes(fd, GET("/load"), strlen(GET("/load")));
    while (n < sizeof answer - 1) {
        ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        answer[n] = '\0';
        if (strstr(answer, "GET /load [] 0"))
            return status_of(answer) == 200;
    }
    return false;
}

static void *load_client(void *argument)
{
    struct load *load = argument;
    int fd = dial(load->port);
    for (int i = 0; i < LOAD_REQUESTS; i++) {
        int64_t start_us = monotonic_us();
        load->good += one_round(fd);
        int64_t took_us = monotonic_us() - start_us;
        load->worst_us = took_us > load->worst_us ? took_us : load->worst_us;
    }
    close(fd);
    return NULL;
}

/* A connection that is skipped while another is suspended shows as a stall of a second or more. */
static void no_request_stalls_under_load(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct httpd_settings settings = settings_of(world);
    settings.queue_max = 64;
    assert_int_equal(httpd_open(world->arena, &settings, &world->httpd), OK);
    struct load loads[LOAD_CLIENTS] = {{0}};
    pthread_t threads[LOAD_CLIENTS];
    for (size_t i = 0; i < LOAD_CLIENTS; i++) {
        loads[i].port = httpd_port(world->httpd);
        pthread_create(&threads[i], NULL, load_client, &loads[i]);
    }
    for (size_t i = 0; i < LOAD_CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(loads[i].good, LOAD_REQUESTS);
        assert_true(loads[i].worst_us < 1000000);
    }
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ambiguous_framing_is_refused_and_nothing_is_smuggled),
        cmocka_unit_test(requests_may_follow_each_other),
        cmocka_unit_test(a_host_is_needed),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(a_head_that_does_not_fit_is_refused),
        cmocka_unit_test(a_request_gets_its_reply),
        cmocka_unit_test(head_is_get_without_its_body),
        cmocka_unit_test(a_body_beyond_its_limit_is_refused_in_words),
        cmocka_unit_test(slow_clients_hold_up_nobody),
        cmocka_unit_test(a_full_queue_answers_at_once),
        cmocka_unit_test(a_deadline_that_passed_is_answered_for_the_handler),
        cmocka_unit_test(a_client_that_leaves_harms_nobody),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_stop_lets_finish_what_is_under_way),
        cmocka_unit_test(a_stop_does_not_wait_for_ever),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(no_request_stalls_under_load),
    };
    return RUN(tests);
}
