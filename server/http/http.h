/* What arrives and what is answered, free of any library. A request is read only: it was received
 * whole, bounded and checked for ambiguous framing before anybody sees it (httpd.h). */
#ifndef SLUICE_HTTP_H
#define SLUICE_HTTP_H

#include "base/arena.h"
#include "base/uuid.h"

enum http_method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_OTHER, /* a word that no route takes */
    METHOD_COUNT
};

const char *http_method_name(enum http_method method); /* "GET"; "other" for METHOD_OTHER */
enum http_method http_method_parse(const char *name);

struct http_field {
    const char *name; /* lower case in requests */
    const char *value;
};

struct http_request {
    enum http_method method;
    const char *path;  /* as sent: still percent-encoded, without the query */
    const char *query; /* as sent, without the question mark; "" when there is none */
    const struct http_field *fields;
    size_t field_count;
    struct bytes body;   /* terminated with a zero that is not counted */
    struct uuid id;      /* the caller's X-Request-Id where that is a UUID, else ours (version 7) */
    const char *peer;    /* address of the other end of the connection, without its port */
    int64_t deadline_us; /* on monotonic_us: the answer is given up then */
};

/* The value of that field (lower-case name), or NULL. Fields whose repetition would be ambiguous
 * were refused; of any other the first counts. */
const char *http_request_field(const struct http_request *request, const char *name);

enum { HTTP_REPLY_FIELDS_MAX = 16 };

struct http_reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct bytes body;
    struct http_field fields[HTTP_REPLY_FIELDS_MAX];
    size_t field_count;
    bool close; /* end the connection after this answer */
};

/* Name and value must outlive the request; no CR, LF or other control byte may be in them. */
void http_reply_field(struct http_reply *reply, const char *name, const char *value);
/* RFC 9110 token; a value without control bytes other than a tab. */
bool http_token_valid(const char *text);
bool http_value_valid(const char *text);

#endif
