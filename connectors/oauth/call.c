#include <ctype.h>

#include "connectors/oauth/oauth_internal.h"

#include "base/text.h"
#include "net/egress.h"
#include "net/url.h"

enum { FORM_BYTES_MAX = 128 * 1024, WORD_BYTES_MAX = 100 };

enum err oauth_call(struct provider_call *call, const struct oauth_profile *profile,
                    struct http_call *http, struct http_answer *answer)
{
    size_t count = profile->header_count + http->header_count;
    struct http_header *headers = arena_array(call->arena, count, sizeof *headers);
    if (http->header_count)
        memcpy(headers, http->headers, http->header_count * sizeof *headers);
    if (profile->header_count)
        memcpy(headers + http->header_count, profile->headers,
               profile->header_count * sizeof *headers);
    http->headers = headers;
    http->header_count = count;
    http->bytes_max = OAUTH_DOCUMENT_BYTES_MAX;
    http->hosts = profile->hosts;
    if (call->lease_request)
        TRY(call->lease_request(call->context));
    TRY(http_client_run(call->http, call->arena, http, answer));
    provider_answered(call, answer);
    return OK;
}

enum err oauth_object(struct provider_call *call, const struct http_answer *answer,
                      const char *what, json_t **into)
{
    json_t *value = NULL;
    if (json_parse(call->arena, answer->body, &value) != OK || !json_is_object(value))
        return arena_fail(call->arena, ERR_PROTOCOL, NULL,
                          "%s answered no JSON object (HTTP %d, %s).", what, answer->status,
                          oauth_word(call->arena, answer->content_type));
    *into = value;
    return OK;
}

static void add_encoded(struct buf *text, const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value[i];
        if (isalnum(c) || (c && strchr("-._~", c)))
            buf_add_char(text, (char)c);
        else
            buf_format(text, "%%%02X", c);
    }
}

static void form_add_bytes(struct oauth_form *form, const char *name, struct bytes value)
{
    if (!form->text.arena)
        form->text = buf_new(form->arena, FORM_BYTES_MAX);
    size_t capacity = form->text.n + strlen(name) + 3 * value.n + 3;
    struct buf grown = buf_new(form->arena, FORM_BYTES_MAX);
    grown.data = arena_alloc(form->arena, capacity); /* at once, so that no copy is left behind */
    grown.capacity = capacity;
    buf_add(&grown, form->text.data, form->text.n);
    memory_wipe(form->text.data, form->text.n);
    buf_format(&grown, "%s%s=", grown.n ? "&" : "", name);
    add_encoded(&grown, (const char *)value.at, value.n);
    form->text = grown;
}

void oauth_form_add(struct oauth_form *form, const char *name, const char *value)
{
    if (value)
        form_add_bytes(form, name, (struct bytes){(const uint8_t *)value, strlen(value)});
}

void oauth_form_add_secret(struct oauth_form *form, const char *name, const struct secret *value)
{
    if (value)
        form_add_bytes(form, name, secret_bytes(value));
}

const struct secret *oauth_form_end(struct oauth_form *form)
{
    assert(!form->text.overflowed);
    const struct secret *body = secret_new(form->arena, buf_bytes(&form->text));
    memory_wipe(form->text.data, form->text.n);
    return body;
}

const struct secret *oauth_basic(struct arena *arena, const char *id, const struct secret *secret)
{
    struct bytes word = secret_bytes(secret);
    size_t capacity = 3 * (strlen(id) + word.n) + 2;
    struct buf plain = buf_new(arena, capacity);
    plain.data = arena_alloc(arena, capacity); /* at once, so that no copy is left behind */
    plain.capacity = capacity;
    add_encoded(&plain, id, strlen(id));
    buf_add_char(&plain, ':');
    add_encoded(&plain, (const char *)word.at, word.n);
    char *coded = base64_encode(arena, buf_bytes(&plain));
    const struct secret *pair = secret_from_text(arena, coded);
    memory_wipe(coded, strlen(coded));
    memory_wipe(plain.data, plain.n);
    return pair;
}

static bool near(const struct oauth_profile *profile, const struct url *url)
{
    return profile->plain_loopback && text_equal(url->scheme, "http") &&
           (text_equal(url->host, "localhost") || text_equal(url->host, "127.0.0.1"));
}

bool oauth_endpoint_valid(const struct oauth_profile *profile, const char *text)
{
    struct arena *arena = arena_open();
    struct url url;
    bool valid = text && strlen(text) <= HTTP_URL_BYTES_MAX && url_parse(arena, text, &url) &&
                 (text_equal(url.scheme, "https") || near(profile, &url)) && !url.user &&
                 !url.fragment && egress_host_listed(profile->hosts, url.host, url.port);
    arena_close(arena);
    return valid;
}

const char *oauth_word(struct arena *arena, const char *text)
{
    size_t n = strnlen(text ? text : "", WORD_BYTES_MAX);
    char *word = arena_text_n(arena, text ? text : "", n);
    for (char *at = word; *at; at++)
        *at = isprint((unsigned char)*at) ? *at : '?';
    return word;
}
