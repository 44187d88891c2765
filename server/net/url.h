/* URLs as libcurl reads them (CURLU), so that what is checked is what is called. */
#ifndef SLUICE_URL_H
#define SLUICE_URL_H

#include "base/arena.h"

struct url {
    const char *scheme; /* lower case */
    const char *host;   /* lower case; numbers in odd spellings made plain */
    const char *path;   /* "/" at least */
    const char *query;  /* NULL: none */
    const char *user;   /* NULL: none; somebody else's trick in most URLs */
    const char *fragment;
    int port;   /* the scheme's own where the URL names none */
    bool plain; /* the URL names no port, or the scheme's own */
};

/* False when the text is no absolute URL with a host. */
bool url_parse(struct arena *arena, const char *text, struct url *into);
/* "https://host" or "https://host:8443". */
const char *url_origin(struct arena *arena, const struct url *url);
/* `url` with parameters added to its query; values are percent-encoded, NULL values left out. NULL
 * when `url` is none. */
const char *url_with_query(struct arena *arena, const char *url, const char *const *names,
                           const char *const *values, size_t count);

#endif
