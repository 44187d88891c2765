#include "http/httpd.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/text.h"
#include "http/framing.h"
#include "http/pool.h"
#include "http/problem.h"

enum { TICK_MS = 100, IDLE_TICK_MS = 1000, LISTEN_BACKLOG = 512, PEER_BYTES = 64 };

struct httpd {
    struct httpd_settings settings;
    struct MHD_Daemon *daemon; /* touched by the owning thread only, once it runs */
    struct pool *pool;
    pthread_t thread;
    int epoll_fd;
    int stop_fd;
    bool stopping;                      /* owning thread */
    size_t exchanges;                   /* whose answer has not been sent yet; owning thread */
    struct arena *scratch;              /* owning thread: replies to what was given up */
    struct counter *refused, *given_up; /* NULL without metrics */
};

/* What libmicrohttpd keeps for one request. */
struct visit {
    struct httpd *httpd;
    struct exchange *exchange;
    const char *target;
    bool begun;       /* the head was looked at */
    enum err refused; /* answered when the body has been drained */
    int64_t limit;
    uint64_t body_bytes_max;
    uint64_t drained;
    int64_t until_us; /* by when all of it must have come */
};

/* ---- answering ---- */

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct http_reply *reply,
                                  const char *request_id, enum MHD_ResponseMemoryMode memory)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.n, (void *)(uintptr_t)reply->body.at, memory);
    if (!response)
        return MHD_NO;
    if (reply->content_type)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->field_count; i++)
        MHD_add_response_header(response, reply->fields[i].name, reply->fields[i].value);
    MHD_add_response_header(response, "X-Request-Id", request_id);
    if (reply->close)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* An answer of the server itself, made in `arena` from its failure and copied out. */
static enum MHD_Result send_problem(struct visit *visit, struct arena *arena, enum err err,
                                    bool close)
{
    const struct httpd *httpd = visit->httpd;
    const struct http_request *request = &visit->exchange->request;
    struct http_reply reply;
    problem_reply_limit(arena, err, request->id, visit->limit, &reply);
    reply.close = close;
    if (httpd->settings.finish)
        httpd->settings.finish(httpd->settings.context, arena, request, &reply);
    if (httpd->refused)
        counter_add(httpd->refused, 1);
    log_event(httpd->settings.log, LOG_INFO, "http.refused", LOG_T("code", err_slug(err)),
              LOG_U("request", request->id), LOG_T("detail", arena_failure(arena)->detail));
    return send_reply(visit->exchange->connection, &reply, uuid_format(arena, request->id),
                      MHD_RESPMEM_MUST_COPY);
}

/* ---- the head ---- */

struct head {
    struct arena *arena;
    struct http_field *fields;
    size_t count;
};

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_n, const char *value, size_t value_n)
{
    struct head *head = context;
    (void)kind;
    if (head->count > FIELDS_MAX)
        return MHD_NO;
    char *lower = arena_text_n(head->arena, name, name_n);
    for (char *at = lower; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 'a' - 'A' : *at);
    head->fields[head->count++] =
        (struct http_field){lower, arena_text_n(head->arena, value ? value : "", value_n)};
    return MHD_YES;
}

static const char *peer_text(struct arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char text[PEER_BYTES] = "";
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                  sizeof text);
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
                  sizeof text);
    return arena_text(arena, text);
}

static enum err read_head(struct visit *visit, struct MHD_Connection *connection,
                          const char *version, uint64_t *content_length)
{
    struct exchange *exchange = visit->exchange;
    struct http_request *request = &exchange->request;
    struct head head = {.arena = exchange->arena};
    head.fields = arena_array(head.arena, FIELDS_MAX + 1, sizeof *head.fields);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_field, &head);
    request->fields = head.fields;
    request->field_count = head.count;
    const char *id = http_request_field(request, "x-request-id");
    if (!id || !uuid_parse(id, &request->id))
        request->id = uuid_v7(visit->httpd->settings.rand, clock_now(visit->httpd->settings.clock));
    bool current = text_equal(version, "HTTP/1.1");
    if (!current && !text_equal(version, "HTTP/1.0"))
        return arena_fail(head.arena, ERR_REQUEST_MALFORMED, NULL, "Speak HTTP/1.1.");
    if (current && !http_request_field(request, "host"))
        return arena_fail(head.arena, ERR_REQUEST_MALFORMED, "host", "Send the Host header.");
    TRY(framing_check(head.arena, head.fields, head.count, content_length));
    return framing_target(head.arena, visit->target, &request->path, &request->query);
}

/* The first call for a request: its head is complete, nothing of its body was read. What cannot be
 * framed ends the connection; a body that is only too large is drained, so that the answer
 * arrives. */
static enum MHD_Result begin(struct visit *visit, struct MHD_Connection *connection,
                             const char *method, const char *version)
{
    const struct httpd_settings *settings = &visit->httpd->settings;
    struct exchange *exchange = visit->exchange;
    struct http_request *request = &exchange->request;
    uint64_t content_length = 0;
    visit->begun = true;
    exchange->connection = connection;
    request->method = http_method_parse(method);
    request->peer = peer_text(exchange->arena, connection);
    enum err err = read_head(visit, connection, version, &content_length);
    if (err != OK)
        return send_problem(visit, exchange->arena, err, true);
    visit->body_bytes_max =
        settings->body_bytes_max(settings->context, request->method, request->path);
    exchange->body = buf_new(exchange->arena, visit->body_bytes_max);
    if (content_length > visit->body_bytes_max) {
        visit->refused = ERR_BODY_TOO_LARGE;
        visit->limit = (int64_t)visit->body_bytes_max;
        if (content_length > DRAIN_BYTES_MAX)
            return send_problem(visit, exchange->arena, visit->refused, true);
    }
    return MHD_YES;
}

/* ---- the body, and what follows ---- */

static enum MHD_Result take_body(struct visit *visit, const char *data, size_t *n)
{
    struct exchange *exchange = visit->exchange;
    if (monotonic_us() > visit->until_us) /* byte by byte, it would hold a connection for weeks */
        return MHD_NO;
    visit->drained += *n;
    if (visit->refused == OK && !buf_add(&exchange->body, data, *n)) {
        visit->refused = ERR_BODY_TOO_LARGE;
        visit->limit = (int64_t)visit->body_bytes_max;
    }
    *n = 0;
    return visit->drained <= visit->body_bytes_max + DRAIN_BYTES_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result submit(struct visit *visit)
{
    struct httpd *httpd = visit->httpd;
    struct exchange *exchange = visit->exchange;
    if (visit->refused != OK)
        return send_problem(visit, exchange->arena, visit->refused, true);
    if (httpd->stopping)
        return send_problem(visit, exchange->arena, ERR_SHUTTING_DOWN, true);
    if (pool_full(httpd->pool))
        return send_problem(visit, exchange->arena, ERR_BUSY, false);
    exchange->request.body = buf_bytes(&exchange->body);
    exchange->request.deadline_us = monotonic_us() + (int64_t)httpd->settings.deadline_ms * 1000;
    /* Suspended first: a request thread may be done with it before pool_submit returns. */
    MHD_suspend_connection(exchange->connection);
    pool_submit(httpd->pool, exchange);
    return MHD_YES;
}

static enum MHD_Result answer(struct visit *visit)
{
    struct exchange *exchange = visit->exchange;
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_reply(exchange->connection, &exchange->reply,
                          uuid_format(exchange->arena, exchange->request.id),
                          MHD_RESPMEM_PERSISTENT);
    struct arena *scratch = visit->httpd->scratch; /* its own arena may still be in use */
    enum err err = visit->httpd->stopping ? ERR_SHUTTING_DOWN : ERR_DEADLINE;
    enum MHD_Result result = send_problem(visit, scratch, err, false);
    arena_reset(scratch);
    return result;
}

/* NOLINTNEXTLINE(readability-function-size): the library's shape */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **kept)
{
    struct visit *visit = *kept;
    (void)context, (void)url; /* the target as sent was kept by on_target */
    if (!visit->begun)
        return begin(visit, connection, method, version);
    if (*upload_n > 0)
        return take_body(visit, upload, upload_n);
    if (visit->exchange->state != EXCHANGE_RECEIVING)
        return answer(visit);
    return submit(visit);
}

/* The request line was read: the only place where the target is seen as it was sent. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct httpd *httpd = context;
    (void)connection;
    struct exchange *exchange = exchange_new();
    struct visit *visit = arena_alloc(exchange->arena, sizeof *visit);
    *visit = (struct visit){
        .httpd = httpd,
        .exchange = exchange,
        .until_us = monotonic_us() + (int64_t)httpd->settings.deadline_ms * 1000,
    };
    visit->target = arena_text_n(exchange->arena, target, strnlen(target, TARGET_BYTES_MAX + 1));
    httpd->exchanges++;
    return visit;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **kept,
                         enum MHD_RequestTerminationCode how)
{
    struct httpd *httpd = context;
    struct visit *visit = *kept;
    (void)connection, (void)how;
    if (!visit)
        return;
    httpd->exchanges--;
    *kept = NULL;
    exchange_release(httpd->pool, visit->exchange);
}

/* Decoding is ours (router.c): libmicrohttpd would turn %2F into a separator. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static void on_library_message(void *context, const char *format, va_list args) FORMAT_LIKE(2, 0);
static void on_library_message(void *context, const char *format, va_list args)
{
    const struct httpd *httpd = context;
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_event(httpd->settings.log, LOG_DEBUG, "http.library", LOG_T("message", text));
}

/* ---- the owning thread ---- */

static void resume_answered(struct httpd *httpd)
{
    eventfd_t ignored;
    eventfd_read(pool_answered_fd(httpd->pool), &ignored);
    struct exchange *exchange;
    while ((exchange = pool_take_answered(httpd->pool)))
        MHD_resume_connection(exchange->connection);
}

static void give_up_overdue(struct httpd *httpd, int64_t now_us)
{
    struct exchange *exchange;
    while ((exchange = pool_take_overdue(httpd->pool, now_us))) {
        if (httpd->given_up)
            counter_add(httpd->given_up, 1);
        log_event(httpd->settings.log, LOG_WARN, "http.given_up",
                  LOG_U("request", exchange->request.id));
        MHD_resume_connection(exchange->connection);
    }
}

static void wait_for_events(struct httpd *httpd)
{
    MHD_UNSIGNED_LONG_LONG library_ms;
    int wait_ms = httpd->exchanges ? TICK_MS : IDLE_TICK_MS;
    if (MHD_get_timeout(httpd->daemon, &library_ms) == MHD_YES && library_ms < (unsigned)wait_ms)
        wait_ms = (int)library_ms;
    struct epoll_event events[4];
    epoll_wait(httpd->epoll_fd, events, COUNT(events), wait_ms);
}

static bool stop_wanted(struct httpd *httpd)
{
    eventfd_t ignored;
    return eventfd_read(httpd->stop_fd, &ignored) == 0;
}

static void turn(struct httpd *httpd)
{
    wait_for_events(httpd);
    resume_answered(httpd);
    give_up_overdue(httpd, monotonic_us() - (int64_t)DEADLINE_GRACE_MS * 1000);
    MHD_run(httpd->daemon);
}

/* No new connections; what is under way may finish, for a while. Then everything that is still
 * suspended is given up: stopping the library with suspended connections is undefined. */
static void stop_gracefully(struct httpd *httpd)
{
    httpd->stopping = true;
    MHD_socket listening = MHD_quiesce_daemon(httpd->daemon);
    int64_t until_us = monotonic_us() + (int64_t)httpd->settings.stop_ms * 1000;
    while (httpd->exchanges > 0 && monotonic_us() < until_us)
        turn(httpd);
    give_up_overdue(httpd, INT64_MAX);
    resume_answered(httpd);
    MHD_run(httpd->daemon);
    MHD_stop_daemon(httpd->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
}

static void *serve(void *argument)
{
    struct httpd *httpd = argument;
    while (!stop_wanted(httpd))
        turn(httpd);
    stop_gracefully(httpd);
    return NULL;
}

/* ---- life ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool address_parse(const char *text, int port, union address *into)
{
    *into = (union address){0};
    if (inet_pton(AF_INET, text, &into->v4.sin_addr) == 1) {
        into->v4.sin_family = AF_INET;
        into->v4.sin_port = htons((uint16_t)port);
        return true;
    }
    into->v6.sin6_family = AF_INET6;
    into->v6.sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, text, &into->v6.sin6_addr) == 1;
}

static struct MHD_Daemon *start_daemon(struct httpd *httpd, const union address *address)
{
    const struct httpd_settings *settings = &httpd->settings;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (address->any.sa_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, httpd, MHD_OPTION_EXTERNAL_LOGGER, on_library_message,
        httpd, MHD_OPTION_SOCK_ADDR, &address->any, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)settings->connection_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)LISTEN_BACKLOG,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, httpd, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, httpd, MHD_OPTION_END);
}

static bool watch(const struct httpd *httpd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(httpd->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum err start(struct arena *arena, struct httpd *httpd)
{
    const struct httpd_settings *settings = &httpd->settings;
    union address address;
    if (!address_parse(settings->address, settings->port, &address))
        return arena_fail(arena, ERR_CONFIG, "listen.address", "%s is no IPv4 or IPv6 address.",
                          settings->address);
    httpd->daemon = start_daemon(httpd, &address);
    if (!httpd->daemon)
        return arena_fail(arena, ERR_CONFIG, "listen.port",
                          "Port %d of %s cannot be listened on: it may be in use.", settings->port,
                          settings->address);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    httpd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    httpd->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool watching = info && httpd->epoll_fd >= 0 && watch(httpd, info->epoll_fd) &&
                    watch(httpd, httpd->stop_fd) && watch(httpd, pool_answered_fd(httpd->pool));
    if (!watching || pthread_create(&httpd->thread, NULL, serve, httpd) != 0)
        return arena_fail(arena, ERR_LIMIT, NULL, "The system refuses what a server needs.");
    return OK;
}

static void release(struct httpd *httpd)
{
    if (httpd->pool)
        pool_close(httpd->pool);
    if (httpd->epoll_fd >= 0)
        close(httpd->epoll_fd);
    if (httpd->stop_fd >= 0)
        close(httpd->stop_fd);
    arena_close(httpd->scratch);
    free(httpd);
}

static int64_t read_queue_length(void *pool)
{
    return (int64_t)pool_queued(pool);
}

static void declare_metrics(struct httpd *httpd)
{
    struct metrics *metrics = httpd->settings.metrics;
    if (!metrics)
        return;
    metrics_gauge(metrics, "sluice_http_queue_length", "Requests that wait for a thread.",
                  read_queue_length, httpd->pool);
    httpd->refused = metrics_counter(metrics, "sluice_http_refused_total", NULL,
                                     "Requests that the server answered before any handler.");
    httpd->given_up = metrics_counter(metrics, "sluice_http_given_up_total", NULL,
                                      "Requests whose deadline passed before their answer.");
}

enum err httpd_open(struct arena *arena, const struct httpd_settings *settings, struct httpd **into)
{
    struct httpd *httpd = calloc(1, sizeof *httpd);
    if (!httpd)
        abort();
    *httpd = (struct httpd){.settings = *settings, .epoll_fd = -1, .stop_fd = -1};
    httpd->scratch = arena_open();
    enum err err = pool_open(arena, settings, &httpd->pool);
    if (err == OK) {
        declare_metrics(httpd);
        err = start(arena, httpd);
    }
    if (err != OK) {
        if (httpd->daemon)
            MHD_stop_daemon(httpd->daemon);
        release(httpd);
        return err;
    }
    *into = httpd;
    return OK;
}

int httpd_port(const struct httpd *httpd)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

size_t httpd_queue_length(struct httpd *httpd)
{
    return pool_queued(httpd->pool);
}

void httpd_close(struct httpd *httpd)
{
    eventfd_write(httpd->stop_fd, 1);
    pthread_join(httpd->thread, NULL);
    release(httpd);
}
