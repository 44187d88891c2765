/* Routes are rows. Everything that depends on which paths and methods exist (404, 405 with Allow,
 * HEAD, OPTIONS, `sluice routes`, the OpenAPI check, the isolation tests) reads the same table.
 *
 * A path is literal segments and parameters, each a whole segment: `{integration_id:uuid}` or
 * `{provider:name}`. A literal wins over a parameter. A uuid parameter that is no UUID matches
 * nothing, so that an impossible id is a 404 like an unknown one. Two rows of one method and shape,
 * two names for one parameter, and a row without access stop the program at start (assert). */
#ifndef SLUICE_ROUTER_H
#define SLUICE_ROUTER_H

#include "http/http.h"

/* Who may call, as the contract names it (x-access). From ACCESS_VIEWER on a route lies below
 * /v1/workspaces/{workspace_id:uuid} and needs a member of that workspace, or an API key of it,
 * with at least that role. */
enum access {
    ACCESS_UNSET, /* refused at start */
    ACCESS_PUBLIC,
    ACCESS_USER,     /* a signed-in person; no API key */
    ACCESS_OPERATOR, /* a signed-in person who runs this installation */
    ACCESS_VIEWER,
    ACCESS_REVIEWER,
    ACCESS_ADMIN,
    ACCESS_OWNER,
    ACCESS_COUNT
};
const char *access_name(enum access access); /* "viewer" */

enum route_idempotency {
    IDEMPOTENCY_NONE,   /* a method that is safe to repeat by itself, or login and tokens */
    IDEMPOTENCY_KEY,    /* needs an Idempotency-Key and replays its answer for 24 h */
    IDEMPOTENCY_SEALED, /* the same, and the answer is kept sealed: it holds a link that acts */
    IDEMPOTENCY_SECRET, /* as KEY, but the answer is shown once: a repeated call gets 409 */
};

struct request; /* handlers/request.h */
typedef enum err route_handler(struct request *req);

struct route {
    enum http_method method; /* HEAD is derived from GET, OPTIONS from all */
    const char *path;
    enum access access;
    enum route_idempotency idempotency;
    route_handler *handle;
    size_t body_bytes_max; /* 0: BODY_BYTES_MAX_DEFAULT */
};

enum { ROUTE_PARAMETERS_MAX = 6, SEGMENT_BYTES_MAX = 512, BODY_BYTES_MAX_DEFAULT = 64 * 1024 };

struct route_parameter {
    const char *name;
    const char *text; /* percent-decoded, valid UTF-8, without control characters, not empty */
    struct uuid uuid; /* of a uuid parameter */
};

struct route_match {
    const struct route *route;
    struct route_parameter parameters[ROUTE_PARAMETERS_MAX];
    size_t parameter_count;
    const char *allow; /* "GET, HEAD, OPTIONS": set when the path exists, whatever the method */
};

struct router;

struct router *router_new(struct arena *arena, const struct route *routes, size_t count);
/* OK; ERR_NOT_FOUND; ERR_METHOD_NOT_ALLOWED with `allow` set. OPTIONS on a known path is OK with
 * `route` NULL. Takes time in the length of the path, not in the number of routes. */
enum err router_match(const struct router *router, struct arena *arena, enum http_method method,
                      const char *path, struct route_match *into) MUST_USE;
/* What a body for this head may hold: the limit of its route, or a small one where there is none.
 * Called before anything of the body is taken in; makes no allocation. */
size_t router_body_bytes_max(const struct router *router, enum http_method method,
                             const char *path);

/* Decodes %XX into the arena; NULL where it is malformed, holds control characters or is no UTF-8.
 * In queries (`plus_is_space`) a plus is a blank. */
char *percent_decode(struct arena *arena, const char *text, size_t n, bool plus_is_space);

#endif
