#include <ctype.h>

#include <curl/curl.h>

#include "net/url.h"

#include "base/text.h"

static void url_release(void *url)
{
    curl_url_cleanup(url);
}

static CURLU *url_open(struct arena *arena)
{
    CURLU *url = curl_url();
    if (!url)
        abort();
    arena_defer(arena, url_release, url);
    return url;
}

static char *part(struct arena *arena, CURLU *url, CURLUPart which, unsigned int flags)
{
    char *text = NULL;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = arena_text(arena, text);
    curl_free(text);
    return copy;
}

bool url_parse(struct arena *arena, const char *text, struct url *into)
{
    CURLU *url = url_open(arena);
    if (!text || curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return false;
    *into = (struct url){
        .scheme = part(arena, url, CURLUPART_SCHEME, 0),
        .path = part(arena, url, CURLUPART_PATH, 0),
        .query = part(arena, url, CURLUPART_QUERY, 0),
        .user = part(arena, url, CURLUPART_USER, 0),
        .fragment = part(arena, url, CURLUPART_FRAGMENT, 0),
    };
    char *host = part(arena, url, CURLUPART_HOST, 0);
    char *port = part(arena, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    int64_t number;
    if (!host || !host[0] || !port || !int64_parse(port, 1, UINT16_MAX, &number))
        return false;
    for (char *at = host; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    into->host = host;
    into->port = (int)number;
    into->plain =
        !part(arena, url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT); /* default ports count as none */
    return true;
}

const char *url_origin(struct arena *arena, const struct url *url)
{
    if (url->plain)
        return arena_format(arena, "%s://%s", url->scheme, url->host);
    return arena_format(arena, "%s://%s:%d", url->scheme, url->host, url->port);
}

const char *url_with_query(struct arena *arena, const char *text, const char *const *names,
                           const char *const *values, size_t count)
{
    CURLU *url = url_open(arena);
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!values[i])
            continue;
        char *value = curl_easy_escape(NULL, values[i], (int)strlen(values[i]));
        char *pair = arena_format(arena, "%s=%s", names[i], value);
        curl_free(value);
        if (curl_url_set(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY) != CURLUE_OK)
            return NULL;
    }
    return part(arena, url, CURLUPART_URL, 0);
}
