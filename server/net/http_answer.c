#include <ctype.h>

#include "net/http_exchange.h"

#include "base/text.h"

enum { LINGER_US = 200 * 1000 };

const char *http_answer_header(const struct http_answer *answer, const char *name, size_t n)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcmp(answer->headers[i].name, name) == 0 && n-- == 0)
            return answer->headers[i].value;
    }
    return NULL;
}

static char *lower(struct arena *arena, const char *text, size_t n)
{
    char *copy = arena_text_n(arena, text, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return copy;
}

static void answer_begin(struct http_exchange *exchange, const char *line, size_t n)
{
    int64_t status = 0;
    const char *space = memchr(line, ' ', n);
    char digits[4] = "";
    if (space && (size_t)(line + n - space) > 3)
        memcpy(digits, space + 1, 3);
    if (!int64_parse(digits, 100, 999, &status))
        status = 0;
    exchange->answer->status = (int)status;
    exchange->answer->header_count = 0;
    exchange->answer->content_type = "";
}

static bool header_add(struct http_exchange *exchange, const char *line, size_t n)
{
    struct http_answer *answer = exchange->answer;
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return true;
    if (answer->header_count >= HTTP_HEADERS_MAX)
        return false;
    const char *value = colon + 1;
    const char *end = line + n;
    while (value < end && isspace((unsigned char)*value))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    struct http_header *header = &answer->headers[answer->header_count++];
    header->name = lower(exchange->arena, line, (size_t)(colon - line));
    header->value = arena_text_n(exchange->arena, value, (size_t)(end - value));
    if (strcmp(header->name, "content-type") == 0 && answer->content_type[0] == '\0') {
        size_t type = strcspn(header->value, "; \t");
        answer->content_type = lower(exchange->arena, header->value, type);
    }
    return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    struct http_exchange *exchange = context;
    n *= size;
    exchange->header_bytes += n;
    if (exchange->header_bytes > HTTP_HEADER_BYTES_MAX) {
        exchange->too_large = true;
        return 0;
    }
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        answer_begin(exchange, line, n);
    } else if (!header_add(exchange, line, n)) {
        exchange->too_large = true;
        return 0;
    }
    return n;
}

static bool piece_pass_on(struct http_exchange *exchange, struct bytes piece)
{
    if (exchange->enough_at_us) /* what follows is not wanted */
        return true;
    const struct http_call *call = exchange->call;
    enum http_more more = call->on_data(call->context, exchange->answer, piece);
    if (more == HTTP_ENOUGH)
        exchange->enough_at_us = monotonic_us();
    if (more == HTTP_STOP)
        exchange->answer->ended_by_us = true;
    return more != HTTP_STOP;
}

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
    struct http_exchange *exchange = context;
    n *= size;
    exchange->received += n;
    if (exchange->received > exchange->call->bytes_max) {
        exchange->too_large = true;
        return 0;
    }
    if (exchange->call->on_data)
        return piece_pass_on(exchange, (struct bytes){(const uint8_t *)data, n}) ? n : 0;
    return buf_add(&exchange->body, data, n) ? n : 0;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    struct http_exchange *exchange = context;
    if (!exchange->enough_at_us || monotonic_us() - exchange->enough_at_us < LINGER_US)
        return 0;
    exchange->answer->ended_by_us = true;
    return 1;
}

/* libcurl tells the negotiated version only in its commentary. Everything else that it would tell,
 * headers with secrets among it, is not looked at. */
static int on_comment(CURL *easy, curl_infotype type, char *text, size_t n, void *context)
{
    (void)easy;
    static const char prefix[] = "SSL connection using ";
    struct http_exchange *exchange = context;
    size_t prefix_n = sizeof prefix - 1;
    if (type != CURLINFO_TEXT || n <= prefix_n || memcmp(text, prefix, prefix_n) != 0)
        return 0;
    const char *version = text + prefix_n;
    size_t version_n = 0;
    while (version_n < n - prefix_n && version[version_n] > ' ')
        version_n++;
    if (version_n < sizeof exchange->tls_version) {
        memcpy(exchange->tls_version, version, version_n);
        exchange->tls_version[version_n] = '\0';
    }
    return 0;
}

void http_answer_set(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct http_answer *answer = exchange->answer;
    *answer = (struct http_answer){.content_type = "", .tls_version = ""};
    answer->headers = arena_array(exchange->arena, HTTP_HEADERS_MAX, sizeof *answer->headers);
    exchange->body = buf_new(exchange->arena, exchange->call->bytes_max);
    if (exchange->call->answer_secret) { /* at once, so that growing leaves no copies behind */
        exchange->body.capacity = exchange->call->bytes_max + 1;
        exchange->body.data = arena_alloc(exchange->arena, exchange->body.capacity);
    }
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_comment);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

void http_answer_finish(struct http_exchange *exchange)
{
    curl_off_t retry_after = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after);
    exchange->answer->retry_after_s = retry_after < 0 ? 0
                                      : retry_after > HTTP_RETRY_AFTER_S_MAX
                                          ? HTTP_RETRY_AFTER_S_MAX
                                          : (int64_t)retry_after;
    exchange->answer->body = buf_bytes(&exchange->body);
    if (exchange->call->answer_secret) {
        exchange->answer->body = secret_bytes(secret_new(exchange->arena, exchange->answer->body));
        memory_wipe(exchange->body.data, exchange->body.n);
    }
}
