#include "handlers/request.h"

#include "base/text.h"

enum { LIST_NAME_BYTES_MAX = 16 * 1024 };

/* ---- reading ---- */

static const struct route_parameter *parameter_named(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->match.parameter_count; i++) {
        if (text_equal(req->match.parameters[i].name, name))
            return &req->match.parameters[i];
    }
    abort(); /* a bug: the row's path has no such parameter */
}

struct uuid request_uuid(const struct request *req, const char *name)
{
    return parameter_named(req, name)->uuid;
}

const char *request_name(const struct request *req, const char *name)
{
    return parameter_named(req, name)->text;
}

enum err json_read(struct request *req, const struct input_field *fields, size_t count, void *into)
{
    static const uint8_t nothing[] = "{}";
    struct bytes body = req->http->body;
    req->body_read = true;
    if (body.n == 0)
        return input_read_json(req->arena, (struct bytes){nothing, 2}, fields, count, into);
    if (!media_type_json(http_request_field(req->http, "content-type")))
        return arena_fail(req->arena, ERR_MEDIA_TYPE, "content-type",
                          "Send the body as application/json.");
    return input_read_json(req->arena, body, fields, count, into);
}

enum err form_read(struct request *req, const struct input_field *fields, size_t count, void *into)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = http_request_field(req->http, "content-type");
    req->body_read = true;
    if (!type || strncasecmp(type, form, sizeof form - 1) != 0)
        return arena_fail(req->arena, ERR_MEDIA_TYPE, "content-type", "Send the form of the page.");
    struct bytes body = req->http->body;
    const char *text = body.n ? (const char *)body.at : "";
    if (strlen(text) != body.n)
        return arena_fail(req->arena, ERR_REQUEST_MALFORMED, NULL, "A form holds no NUL.");
    return input_read_query(req->arena, text, fields, count, into);
}

enum err json_read_nothing(struct request *req)
{
    return json_read(req, NULL, 0, NULL);
}

enum err query_read(struct request *req, const struct input_field *fields, size_t count, void *into)
{
    req->query_read = true;
    return input_read_query(req->arena, req->http->query, fields, count, into);
}

/* What a cursor is bound to: the path, and the query without its page. */
static const char *list_name(const struct request *req)
{
    struct buf name = buf_new(req->arena, LIST_NAME_BYTES_MAX);
    buf_add_text(&name, req->http->path);
    for (const char *at = req->http->query; *at;) {
        size_t n = strcspn(at, "&");
        if (n > 0 && !text_starts(at, "cursor=") && !text_starts(at, "limit=")) {
            buf_add_char(&name, '&');
            buf_add(&name, at, n);
        }
        at += n + (at[n] == '&');
    }
    return name.data;
}

enum err list_read(struct request *req, const struct input_field *fields, size_t count, void *into,
                   struct page *page)
{
    TRY(query_read(req, fields, count, into));
    if (!page->cursor)
        return OK;
    return cursor_decode(req->arena, req->app->cursor_key, list_name(req), page->cursor,
                         &page->after);
}

size_t page_shown(const struct page *page, size_t rows)
{
    return rows < (size_t)page->limit ? rows : (size_t)page->limit;
}

enum err if_match_read_optional(struct request *req, bool *given, int64_t *version)
{
    const char *value = http_request_field(req->http, "if-match");
    *given = value != NULL;
    if (!value)
        return OK;
    size_t n = strlen(value);
    bool quoted = n > 2 && value[0] == '"' && value[n - 1] == '"';
    if (!quoted || !int64_parse(arena_text_n(req->arena, value + 1, n - 2), 0, INT64_MAX, version))
        return arena_fail(req->arena, ERR_STALE, "if-match",
                          "Send the ETag as it came, with its quotes.");
    return OK;
}

enum err if_match_read(struct request *req, int64_t *version)
{
    bool given;
    TRY(if_match_read_optional(req, &given, version));
    return given ? OK
                 : arena_fail(req->arena, ERR_PRECONDITION_REQUIRED, "if-match",
                              "Send If-Match with the ETag that you read.");
}

static bool behind_tls(const struct request *req)
{
    return text_starts(req->app->config->public_url, "https://");
}

/* A browser takes the prefix from https alone. */
static const char *cookie_name(const struct request *req, const char *name)
{
    return behind_tls(req) ? arena_format(req->arena, "__Host-%s", name) : name;
}

const char *cookie_read(const struct request *req, const char *name)
{
    const char *at = http_request_field(req->http, "cookie");
    name = cookie_name(req, name);
    size_t name_n = strlen(name);
    while (at && *at) {
        at += strspn(at, "; ");
        size_t n = strcspn(at, ";");
        if (n > name_n && strncmp(at, name, name_n) == 0 && at[name_n] == '=')
            return arena_text_n(req->arena, at + name_n + 1, n - name_n - 1);
        at += n;
    }
    return NULL;
}

/* ---- waiting ---- */

bool wait_begin(struct request *req)
{
    int threads = (int)req->app->config->http_threads;
    int kept_free = (threads + 3) / 4;
    int most = threads > 1 ? threads - kept_free : 1;
    bool may = atomic_fetch_add(req->app->waiting, 1) < most;
    if (!may)
        wait_end(req);
    return may;
}

void wait_end(struct request *req)
{
    atomic_fetch_sub(req->app->waiting, 1);
}

/* ---- replying ---- */

struct json_out reply_begin(struct request *req)
{
    struct json_out out = json_out_new(req->arena, REPLY_BYTES_MAX);
    out_object(&out, NULL);
    return out;
}

enum err reply_end(struct request *req, int status, struct json_out *out)
{
    out_end(out);
    if (!json_out_complete(out))
        return arena_fail(req->arena, ERR_LIMIT, NULL, "The reply is larger than %d bytes.",
                          REPLY_BYTES_MAX);
    req->reply->status = status;
    req->reply->content_type = "application/json";
    req->reply->body = buf_bytes(&out->buf);
    return OK;
}

struct json_out list_begin(struct request *req)
{
    struct json_out out = reply_begin(req);
    out_array(&out, "data");
    return out;
}

const char *list_cursor(const struct request *req, const struct cursor *next)
{
    return cursor_encode(req->arena, req->app->cursor_key, list_name(req), next);
}

enum err list_end(struct request *req, struct json_out *out, const struct cursor *next)
{
    out_end(out);
    out_text(out, "next_cursor", next ? list_cursor(req, next) : NULL);
    return reply_end(req, 200, out);
}

enum err reply_empty(struct request *req, int status)
{
    req->reply->status = status;
    return OK;
}

enum err reply_bytes(struct request *req, const char *content_type, struct bytes bytes)
{
    req->reply->status = 200;
    req->reply->content_type = content_type;
    req->reply->body = bytes;
    return OK;
}

enum err reply_redirect(struct request *req, const char *location)
{
    reply_field(req, "Location", location);
    return reply_empty(req, req->http->method == METHOD_POST ? 303 : 302);
}

void reply_field(struct request *req, const char *name, const char *value)
{
    http_reply_field(req->reply, name, value);
}

void reply_etag(struct request *req, int64_t version)
{
    reply_field(req, "ETag", arena_format(req->arena, "\"%" PRId64 "\"", version));
}

void reply_location(struct request *req, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    reply_field(req, "Location", arena_vformat(req->arena, format, args));
    va_end(args);
}

void reply_cookie(struct request *req, const char *name, const char *value, int64_t max_age_s)
{
    reply_field(
        req, "Set-Cookie",
        arena_format(req->arena, "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s",
                     cookie_name(req, name), value, max_age_s, behind_tls(req) ? "; Secure" : ""));
}
