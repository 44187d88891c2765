#include "base/base.h"

#include "connectors/qonto/call.h"

#include "base/text.h"

enum {
    PATH_BYTES_MAX = 4096,
    HEADERS_MAX = 3,
    CONNECT_S = 10,
    LEAST_S = 5, /* no request is begun with less time than this */
};

const char qonto_staging_header[] = "X-Qonto-Staging-Token";

struct qonto_path qonto_path_new(struct arena *arena, const char *path)
{
    struct qonto_path made = {.text = buf_new(arena, PATH_BYTES_MAX)};
    buf_add_text(&made.text, path);
    return made;
}

/* RFC 3986: everything but the unreserved characters. */
static void add_encoded(struct buf *into, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || strchr("-._~", c))
            buf_add_char(into, (char)c);
        else
            buf_format(into, "%%%02X", c);
    }
}

void qonto_path_add(struct qonto_path *path, const char *name, const char *value)
{
    buf_add_char(&path->text, path->queried ? '&' : '?');
    path->queried = true;
    add_encoded(&path->text, name);
    buf_add_char(&path->text, '=');
    add_encoded(&path->text, value);
}

void qonto_path_segment(struct qonto_path *path, const char *segment)
{
    buf_add_char(&path->text, '/');
    add_encoded(&path->text, segment);
}

static enum err lease(struct provider_call *call)
{
    return call->lease_request ? call->lease_request(call->context) : OK;
}

/* Answers of 401 count against everybody behind our address, so that a token is not used until
 * it is refused. */
static enum err refresh_when_due(struct provider_call *call)
{
    struct instant ends = call->credential->access_expires_at;
    if (!call->refresh || ends.us == 0)
        return OK;
    struct instant due = instant_add_s(clock_now(call->clock), QONTO_REFRESH_AHEAD_S);
    return due.us < ends.us ? OK : call->refresh(call->context, call->credential);
}

static const char *url_of(struct provider_call *call, const char *path)
{
    const char *base = call->settings->api_url;
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    return arena_format(call->arena, "%.*s%s", (int)n, base, path);
}

static enum err run_once(struct provider_call *call, const struct qonto_request *request,
                         int total_s, struct http_answer *answer)
{
    struct http_header headers[HEADERS_MAX] = {
        {.name = "Accept", .value = "application/json"},
        {.name = "Authorization", .value = "Bearer ", .secret = call->credential->access_token},
    };
    size_t count = 2;
    if (call->settings->staging_token)
        headers[count++] = (struct http_header){
            .name = qonto_staging_header, .value = "", .secret = call->settings->staging_token};
    struct http_call http = {
        .method = request->method,
        .url = url_of(call, request->path),
        .headers = headers,
        .header_count = count,
        .parts = request->parts,
        .part_count = request->part_count,
        .bytes_max = request->bytes_max,
        .connect_s = CONNECT_S,
        .total_s = total_s,
    };
    TRY(lease(call));
    TRY(http_client_run(call->http, call->arena, &http, answer));
    provider_answered(call, answer);
    return OK;
}

static void log_answer(struct provider_call *call, const struct qonto_request *request,
                       const struct http_answer *answer)
{
    size_t bare = strcspn(request->path, "?"); /* the query may name a document */
    enum log_level level = answer->status < 400 ? LOG_DEBUG : LOG_WARN;
    log_event(call->log, level, "qonto.answer", LOG_T("method", request->method),
              LOG_T("path", arena_text_n(call->arena, request->path, bare)),
              LOG_N("status", answer->status),
              LOG_T("trace", http_answer_header(answer, "x-tyk-trace-id", 0)));
}

/* Whole seconds left of the attempt, never more than one request may take. */
static int seconds_left(int64_t started_us, const struct qonto_request *request)
{
    int each = request->part_count > 0 ? QONTO_UPLOAD_S : QONTO_READ_S;
    int64_t left = QONTO_ATTEMPT_S_MAX - (monotonic_us() - started_us + 999999) / 1000000;
    return left < each ? (int)left : each;
}

enum err qonto_send(struct provider_call *call, const struct qonto_request *request,
                    struct http_answer *answer)
{
    if (!call->settings->api_url)
        return arena_fail(call->arena, ERR_CONFIG, "api_url", "Qonto's API has no address.");
    if (!call->credential->access_token)
        return arena_fail(call->arena, ERR_AUTH, NULL, "The connection has no access token.");
    TRY(refresh_when_due(call));
    int64_t started_us = monotonic_us();
    TRY(run_once(call, request, seconds_left(started_us, request), answer));
    log_answer(call, request, answer);
    if (answer->status != 401 || !call->refresh)
        return OK;
    TRY(call->refresh(call->context, call->credential));
    int left = seconds_left(started_us, request);
    if (left < LEAST_S)
        return arena_fail(call->arena, ERR_TRANSIENT, NULL,
                          "The access token was refreshed, which took the time of the attempt.");
    TRY(run_once(call, request, left, answer));
    log_answer(call, request, answer);
    return OK;
}

enum err qonto_get(struct provider_call *call, const char *path, size_t bytes_max, json_t **into)
{
    struct qonto_request request = {.method = "GET", .path = path, .bytes_max = bytes_max};
    struct http_answer answer;
    TRY(qonto_send(call, &request, &answer));
    return qonto_answer_read(call->arena, &answer, into);
}
