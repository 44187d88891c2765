#include <errno.h>
#include <time.h>

#include "connectors/mcp/mcp_session.h"

#include "base/text.h"
#include "net/sse.h"

enum { RETRY_WAIT_MS_DEFAULT = 1000 };

/* The reading of one answer, over as many connections as it takes. */
struct reading {
    struct mcp_exchange *exchange;
    struct sse sse;
    struct buf body;
    size_t events;
    size_t server_requests;
    bool resumed;
    bool stopped; /* the one who listens has enough */
    bool full;    /* and so do we */
    enum err err;
};

static enum err malformed(struct mcp_exchange *exchange, const char *what)
{
    return arena_fail(exchange->call->arena, ERR_PROTOCOL, NULL, "%s answered %s.",
                      exchange->session->settings.name, what);
}

/* Sends one message without reading what comes back: the answer to a request of the server. */
static void answer_send(struct mcp_exchange *to, json_t *message)
{
    struct arena *arena = to->call->arena;
    struct mcp_exchange answer = {
        .session = to->session,
        .call = to->call,
        .message = json_write(arena, json_keep(arena, message)),
        .repeatable = true,
    };
    struct failure before = *arena_failure(arena);
    enum err sent = mcp_exchange_run(&answer);
    if (sent != OK || answer.http.status / 100 != 2)
        log_event(to->call->log, LOG_INFO, "mcp.answer_not_taken",
                  LOG_N("status", answer.http.status));
    if (before.code == OK)
        arena_failure_clear(arena);
}

/* We declare no capabilities: of what a server may ask, only ping has an answer. */
static void server_request_answer(struct reading *reading, const char *method, const json_t *id)
{
    if (++reading->server_requests > MCP_SERVER_REQUESTS_MAX) {
        reading->err = malformed(reading->exchange, "with too many requests of its own");
        return;
    }
    if (!reading->exchange->session->dialect->answers)
        return;
    json_t *message = strcmp(method, "ping") == 0
                          ? json_pack("{s:s, s:O, s:{}}", "jsonrpc", "2.0", "id", id, "result")
                          : json_pack("{s:s, s:O, s:{s:i, s:s}}", "jsonrpc", "2.0", "id", id,
                                      "error", "code", -32601, "message", "Method not found");
    answer_send(reading->exchange, message);
}

/* One JSON-RPC message: our response, a request of the server, or a notification. */
static void message_take(struct reading *reading, struct bytes text)
{
    struct mcp_exchange *exchange = reading->exchange;
    json_t *message = NULL;
    if (json_parse(exchange->call->arena, text, &message) != OK) {
        reading->err = malformed(exchange, "something that is no JSON");
        return;
    }
    if (!json_is_object(message)) { /* batches came and went with revision 2025-03-26 */
        reading->err = malformed(exchange, "JSON that is no JSON-RPC message");
        return;
    }
    const char *method = json_text(message, "method");
    const json_t *id = json_at(message, "id");
    bool failed = json_at(message, "error") != NULL;
    bool response = !method && (failed || json_at(message, "result"));
    bool ours = json_is_integer(id) && json_integer_value(id) == exchange->id;
    if (method && (json_is_integer(id) || json_is_string(id)))
        server_request_answer(reading, method, id);
    else if (method && exchange->listen)
        reading->stopped = !mcp_listen_take(exchange, method, json_at(message, "params"));
    else if (response && (ours || (failed && !id))) /* without id: ours could not even be read */
        exchange->response = message;
}

static bool on_event(void *context, const struct sse_event *event)
{
    struct reading *reading = context;
    if (++reading->events > MCP_EVENTS_MAX && reading->exchange->listen)
        reading->full = true; /* of a stream without an end it is only the end of this one */
    else if (reading->events > MCP_EVENTS_MAX)
        reading->err = malformed(reading->exchange, "with an endless stream");
    else if (strcmp(event->type, "message") == 0)
        message_take(reading, event->data);
    return reading->err == OK && !reading->exchange->response && !reading->stopped &&
           !reading->full;
}

static bool is_stream(const struct http_answer *http)
{
    return http->status == 200 && strcmp(http->content_type, "text/event-stream") == 0;
}

static enum http_more on_data(void *context, const struct http_answer *head, struct bytes piece)
{
    struct reading *reading = context;
    if (reading->exchange->id == 0 && !reading->exchange->listen)
        return HTTP_ENOUGH; /* whatever is said to an answer of ours is not for us */
    if (!is_stream(head)) {
        if (!buf_add(&reading->body, piece.at, piece.n))
            reading->err = malformed(reading->exchange, "with more than is taken");
        return reading->err == OK ? HTTP_CONTINUE : HTTP_STOP;
    }
    if (!sse_feed(&reading->sse, piece))
        reading->err = malformed(reading->exchange, "with an event larger than is taken");
    if (reading->err != OK || reading->stopped || reading->full)
        return HTTP_STOP;
    if (!reading->exchange->response)
        return HTTP_CONTINUE;
    return reading->exchange->session->state.leaves_streams_open ? HTTP_STOP : HTTP_ENOUGH;
}

static size_t headers_fill(struct reading *reading, bool post, struct http_header *headers)
{
    struct mcp_exchange *exchange = reading->exchange;
    const struct credential *credential = exchange->call->credential;
    size_t n = 0;
    if (post)
        headers[n++] = (struct http_header){.name = "Content-Type", .value = "application/json"};
    else if (reading->sse.last_id[0])
        headers[n++] = (struct http_header){.name = "Last-Event-ID", .value = reading->sse.last_id};
    headers[n++] = (struct http_header){.name = "Accept",
                                        .value = post ? "application/json, text/event-stream"
                                                      : "text/event-stream"};
    if (credential && credential->access_token)
        headers[n++] = (struct http_header){
            .name = "Authorization", .value = "Bearer ", .secret = credential->access_token};
    n += exchange->session->dialect->headers(exchange->session, exchange, headers + n);
    assert(n <= MCP_HEADERS_MAX);
    return n;
}

static enum err connection_run(struct reading *reading, const char *method, int total_s)
{
    struct mcp_exchange *exchange = reading->exchange;
    struct provider_call *call = exchange->call;
    struct http_header headers[MCP_HEADERS_MAX];
    bool post = strcmp(method, "POST") == 0;
    struct http_call http = {
        .method = method,
        .url = exchange->session->settings.url,
        .headers = headers,
        .header_count = headers_fill(reading, post, headers),
        .bytes_max = MCP_STREAM_BYTES_MAX,
        .connect_s = MCP_CONNECT_S,
        .idle_s = exchange->listen ? MCP_LISTEN_IDLE_S : MCP_IDLE_S,
        .total_s = total_s,
        .hosts = exchange->session->settings.hosts,
        .repeatable = exchange->repeatable,
        .on_data = on_data,
        .context = reading,
    };
    if (exchange->message && post)
        http.body = (struct bytes){(const uint8_t *)exchange->message, strlen(exchange->message)};
    exchange->session->state.generation = call->credential ? call->credential->generation : 0;
    if (call->lease_request)
        TRY(call->lease_request(call->context));
    enum err err = http_client_run(call->http, call->arena, &http, &exchange->http);
    provider_answered(call, &exchange->http);
    if (exchange->http.status == 401 || exchange->http.status == 403)
        oauth_challenge_parse(exchange->session->arena, &exchange->http,
                              &exchange->session->challenge);
    if (reading->err != OK)
        return reading->err;
    if (exchange->http.ended_by_us && exchange->response)
        exchange->session->state.leaves_streams_open = true;
    return err;
}

static void wait_ms(int64_t ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
}

static enum err stream_lost(const struct mcp_exchange *exchange)
{
    return arena_fail(exchange->call->arena, exchange->repeatable ? ERR_TRANSIENT : ERR_UNCERTAIN,
                      NULL, "The stream of %s ended before the answer.",
                      exchange->session->settings.name);
}

/* A stream that ended, by plan or by accident, before our response came: it goes on behind the last
 * event that we have, after the pause that the server asked for. */
static enum err stream_resume(struct reading *reading, int64_t deadline_us)
{
    struct mcp_exchange *exchange = reading->exchange;
    int64_t pause_ms = reading->sse.retry_ms >= 0 ? reading->sse.retry_ms : RETRY_WAIT_MS_DEFAULT;
    int64_t left_s = (deadline_us - monotonic_us()) / 1000000 - pause_ms / 1000;
    if (pause_ms > MCP_RETRY_WAIT_MS_MAX || left_s < 1)
        return stream_lost(exchange);
    wait_ms(pause_ms);
    reading->sse.line.n = 0; /* half an event was lost with the connection */
    reading->sse.data.n = 0;
    reading->sse.after_cr = false;
    reading->resumed = true;
    return connection_run(reading, "GET", (int)left_s);
}

static bool resumable(const struct reading *reading, enum err err)
{
    const struct mcp_exchange *exchange = reading->exchange;
    bool broken = err == OK || err == ERR_TRANSIENT || err == ERR_UNCERTAIN;
    return broken && reading->err == OK && !exchange->response && exchange->id != 0 &&
           is_stream(&exchange->http) && reading->sse.last_id[0] &&
           exchange->session->dialect->resumable;
}

/* What the last connection brought, when it was no stream. */
static enum err body_take(struct reading *reading)
{
    struct mcp_exchange *exchange = reading->exchange;
    if (exchange->id == 0 || exchange->response)
        return OK;
    if (reading->resumed || is_stream(&exchange->http))
        return stream_lost(exchange);
    exchange->body = buf_bytes(&reading->body);
    if (exchange->http.status != 200)
        return OK;
    if (strcmp(exchange->http.content_type, "application/json") != 0)
        return malformed(exchange, arena_format(exchange->call->arena, "%s where MCP is spoken",
                                                exchange->http.content_type[0]
                                                    ? mcp_excerpt(exchange->call->arena,
                                                                  exchange->http.content_type)
                                                    : "nothing readable"));
    message_take(reading, exchange->body);
    if (reading->err == OK && !exchange->response)
        return malformed(exchange, "without the response to our request");
    return reading->err;
}

enum err mcp_exchange_run(struct mcp_exchange *exchange)
{
    struct arena *arena = exchange->call->arena;
    struct reading reading = {.exchange = exchange, .body = buf_new(arena, MCP_ANSWER_BYTES_MAX)};
    reading.sse = sse_new(arena, MCP_ANSWER_BYTES_MAX, on_event, &reading);
    const struct mcp_settings *settings = &exchange->session->settings;
    int total_s = settings->total_s ? settings->total_s : MCP_TOTAL_S;
    int64_t deadline_us = monotonic_us() + (int64_t)total_s * 1000000;
    const char *method = exchange->http_method ? exchange->http_method : "POST";
    enum err err = connection_run(&reading, method, total_s);
    for (int i = 0; i < MCP_RESUMES_MAX && resumable(&reading, err); i++)
        err = stream_resume(&reading, deadline_us);
    if (err != OK)
        return err;
    return body_take(&reading);
}

/* What of a stream came with this connection, whether it ended well, badly, or because it was told
 * to: the next call goes on behind it. */
enum err mcp_exchange_listen(struct mcp_exchange *exchange)
{
    struct arena *arena = exchange->call->arena;
    struct mcp_listen *listen = exchange->listen;
    struct reading reading = {.exchange = exchange, .body = buf_new(arena, MCP_ANSWER_BYTES_MAX)};
    reading.sse = sse_new(arena, MCP_ANSWER_BYTES_MAX, on_event, &reading);
    memcpy(reading.sse.last_id, listen->last_id, sizeof listen->last_id);
    memcpy(reading.sse.id_next, listen->last_id, sizeof listen->last_id);
    const char *method = exchange->http_method ? exchange->http_method : "POST";
    enum err err = connection_run(&reading, method, listen->total_s);
    memcpy(listen->last_id, reading.sse.last_id, sizeof listen->last_id);
    if (reading.sse.retry_ms >= 0)
        listen->retry_ms = reading.sse.retry_ms;
    listen->end = reading.stopped ? MCP_LISTEN_STOPPED : MCP_LISTEN_CLOSED;
    if (reading.err != OK)
        return reading.err;
    if (is_stream(&exchange->http)) {
        arena_failure_clear(arena);
        return OK;
    }
    TRY(err);
    exchange->body = buf_bytes(&reading.body);
    if (exchange->http.status == 200)
        listen->end = MCP_LISTEN_NOT_OFFERED; /* an answer, but no stream */
    if (exchange->http.status == 200 && exchange->id != 0)
        message_take(&reading, exchange->body);
    return reading.err;
}
