#include "net/http_exchange.h"

#include "base/text.h"
#include "net/url.h"

static enum err url_check(struct http_exchange *exchange)
{
    struct arena *arena = exchange->arena;
    const char *text = exchange->call->url;
    struct url url;
    if (!text || strlen(text) > HTTP_URL_BYTES_MAX || !url_parse(arena, text, &url) || url.user)
        return arena_fail(arena, ERR_VALIDATION, "url", "The address is not a URL.");
    exchange->gate.loopback_only = text_equal(url.scheme, "http");
    if (!text_equal(url.scheme, "https") &&
        !(exchange->plain_loopback && exchange->gate.loopback_only))
        return arena_fail(arena, ERR_EGRESS_REFUSED, "url", "Only https addresses are called.");
    if (!egress_host_listed(exchange->call->hosts, url.host, url.port))
        return arena_fail(arena, ERR_EGRESS_REFUSED, "url", "%s is not a host of this provider.",
                          url.host);
    exchange->gate.host = url.host;
    return OK;
}

static bool value_clean(const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool header_clean(const struct http_header *header)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *name = header->name;
    const char *value = header->value ? header->value : "";
    struct bytes secret = header->secret ? secret_bytes(header->secret) : (struct bytes){0};
    return name[0] && name[strspn(name, token)] == '\0' && value_clean(value, strlen(value)) &&
           value_clean((const char *)secret.at, secret.n);
}

static enum err headers_check(const struct http_exchange *exchange)
{
    for (size_t i = 0; i < exchange->call->header_count; i++) {
        const struct http_header *header = &exchange->call->headers[i];
        if (!header_clean(header))
            return arena_fail(exchange->arena, ERR_VALIDATION, header->name,
                              "The header holds a character that no header may hold.");
    }
    return OK;
}

enum err http_request_check(struct http_exchange *exchange)
{
    assert(exchange->call->bytes_max > 0);
    TRY(url_check(exchange));
    return headers_check(exchange);
}

/* The list is made by hand, in the arena: libcurl reads it in place, so that a secret is copied
 * once and wiped with the arena. */
static struct curl_slist *list_add(struct arena *arena, struct curl_slist *before, const char *line)
{
    struct curl_slist *node = arena_alloc(arena, sizeof *node);
    const struct secret *kept = secret_from_text(arena, line);
    memcpy(&node->data, &(const char *){secret_text(kept)}, sizeof node->data);
    node->next = before;
    return node;
}

static struct curl_slist *header_list(struct http_exchange *exchange)
{
    struct arena *arena = exchange->arena;
    struct curl_slist *list = list_add(arena, NULL, "Expect:");
    for (size_t i = 0; i < exchange->call->header_count; i++) {
        const struct http_header *header = &exchange->call->headers[i];
        bool empty = !header->secret && (!header->value || header->value[0] == '\0');
        char *line = arena_format(
            arena, "%s%s%s%s", header->name, empty ? ";" : ": ", /* so libcurl wants an empty one */
            header->value ? header->value : "", header->secret ? secret_text(header->secret) : "");
        list = list_add(arena, list, line);
        memory_wipe(line, strlen(line));
    }
    return list;
}

static void parts_set(struct http_exchange *exchange)
{
    const struct http_call *call = exchange->call;
    exchange->mime = curl_mime_init(exchange->easy);
    for (size_t i = 0; i < call->part_count; i++) {
        const struct http_part *part = &call->parts[i];
        curl_mimepart *into = curl_mime_addpart(exchange->mime);
        curl_mime_name(into, part->name);
        curl_mime_data(into, (const char *)part->data.at, part->data.n);
        if (part->file_name)
            curl_mime_filename(into, part->file_name);
        if (part->content_type)
            curl_mime_type(into, part->content_type);
    }
    curl_easy_setopt(exchange->easy, CURLOPT_MIMEPOST, exchange->mime);
}

static void body_set(struct http_exchange *exchange)
{
    const struct http_call *call = exchange->call;
    struct bytes body = call->form ? secret_bytes(call->form) : call->body;
    if (call->part_count > 0) {
        parts_set(exchange);
    } else if (body.n > 0 || text_equal(call->method, "POST")) {
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, body.n ? (const char *)body.at : "");
    }
}

void http_request_set(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    const struct http_call *call = exchange->call;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, exchange->gate.loopback_only ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_list(exchange));
    body_set(exchange);
    if (text_equal(call->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    if (!exchange->repeatable)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 30L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)(call->connect_s ? call->connect_s : 10));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)(call->total_s ? call->total_s : 180));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(call->idle_s ? call->idle_s : 60));
}
