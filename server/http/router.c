#include "http/router.h"

#include "base/buf.h"
#include "base/text.h"

enum node_kind { NODE_LITERAL, NODE_UUID, NODE_NAME };

struct node {
    enum node_kind kind;
    const char *text; /* the literal, or the parameter's name */
    size_t n;
    struct node *child;   /* literals first, then uuid, then name: the order of preference */
    struct node *sibling; /* of the same parent */
    const struct route *routes[METHOD_COUNT];
    const char *allow; /* NULL: no route ends here */
};

struct router {
    struct node root;
};

static const char *const access_names[ACCESS_COUNT] = {
    [ACCESS_UNSET] = "unset",       [ACCESS_PUBLIC] = "public", [ACCESS_USER] = "user",
    [ACCESS_OPERATOR] = "operator", [ACCESS_VIEWER] = "viewer", [ACCESS_REVIEWER] = "reviewer",
    [ACCESS_ADMIN] = "admin",       [ACCESS_OWNER] = "owner",
};

const char *access_name(enum access access)
{
    return access_names[access];
}

/* One segment of a row's path: a literal, "{name:uuid}" or "{name:name}". */
static struct node node_of(struct arena *arena, const char *segment, size_t n)
{
    if (segment[0] != '{')
        return (struct node){.text = arena_text_n(arena, segment, n), .n = n};
    const char *colon = memchr(segment, ':', n);
    assert(colon && segment[n - 1] == '}');
    char *kind = arena_text_n(arena, colon + 1, (size_t)(segment + n - 1 - (colon + 1)));
    assert(text_equal(kind, "uuid") || text_equal(kind, "name"));
    return (struct node){
        .kind = text_equal(kind, "uuid") ? NODE_UUID : NODE_NAME,
        .text = arena_text_n(arena, segment + 1, (size_t)(colon - segment - 1)),
        .n = (size_t)(colon - segment - 1),
    };
}

/* Finds or makes the child; a position has one parameter of a kind, under one name. */
static struct node *child_of(struct arena *arena, struct node *parent, const struct node *wanted)
{
    struct node **at = &parent->child;
    for (; *at; at = &(*at)->sibling) {
        struct node *child = *at;
        if (child->kind > wanted->kind)
            break;
        if (child->kind == wanted->kind && text_equal(child->text, wanted->text))
            return child;
        assert(child->kind == NODE_LITERAL || child->kind != wanted->kind);
    }
    struct node *made = arena_copy(arena, wanted, sizeof *wanted);
    made->sibling = *at;
    *at = made;
    return made;
}

static void add_route(struct arena *arena, struct router *router, const struct route *route)
{
    assert(route->access > ACCESS_UNSET && route->access < ACCESS_COUNT);
    assert(route->handle && route->path[0] == '/');
    assert(route->method <= METHOD_DELETE);
    struct node *node = &router->root;
    size_t parameters = 0;
    for (const char *at = route->path; *at == '/';) {
        at++;
        size_t n = strcspn(at, "/");
        assert(n > 0);
        struct node wanted = node_of(arena, at, n);
        parameters += wanted.kind != NODE_LITERAL;
        node = child_of(arena, node, &wanted);
        at += n;
    }
    assert(parameters <= ROUTE_PARAMETERS_MAX);
    assert(!node->routes[route->method]);
    node->routes[route->method] = route;
}

static void set_allow(struct arena *arena, struct node *node)
{
    struct buf allow = buf_new(arena, 256);
    for (size_t method = 0; method <= METHOD_DELETE; method++) {
        if (node->routes[method])
            buf_format(&allow, "%s, ", http_method_name((enum http_method)method));
    }
    if (node->routes[METHOD_GET])
        buf_add_text(&allow, "HEAD, ");
    if (allow.n > 0) {
        buf_add_text(&allow, "OPTIONS");
        node->allow = allow.data;
    }
    for (struct node *child = node->child; child; child = child->sibling)
        set_allow(arena, child); /* as deep as the longest row has segments */
}

struct router *router_new(struct arena *arena, const struct route *routes, size_t count)
{
    struct router *router = arena_alloc(arena, sizeof *router);
    for (size_t i = 0; i < count; i++)
        add_route(arena, router, &routes[i]);
    set_allow(arena, &router->root);
    return router;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *percent_decode(struct arena *arena, const char *text, size_t n, bool plus_is_space)
{
    char *decoded = arena_alloc(arena, n + 1);
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 1 < n ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < n ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return NULL;
        decoded[out++] = c;
    }
    decoded[out] = '\0';
    return utf8_valid(decoded, out) ? decoded : NULL;
}

static bool uuid_segment(const char *at, size_t n, struct uuid *into)
{
    char text[UUID_TEXT_BYTES];
    if (n != UUID_TEXT_BYTES - 1)
        return false;
    memcpy(text, at, n);
    text[n] = '\0';
    return uuid_parse(text, into);
}

static bool node_takes(const struct node *node, const char *segment, size_t n)
{
    struct uuid ignored;
    switch (node->kind) {
    case NODE_LITERAL:
        return node->n == n && memcmp(node->text, segment, n) == 0;
    case NODE_UUID:
        return uuid_segment(segment, n, &ignored);
    case NODE_NAME:
        return n > 0 && n <= SEGMENT_BYTES_MAX;
    }
    return false;
}

/* Never goes back: siblings are disjoint, or the first that takes the segment wins. */
static const struct node *descend(const struct node *parent, const char *segment, size_t n)
{
    for (const struct node *child = parent->child; child; child = child->sibling) {
        if (node_takes(child, segment, n))
            return child;
    }
    return NULL;
}

static bool keep_parameter(struct arena *arena, const struct node *node, const char *segment,
                           size_t n, struct route_match *into)
{
    if (node->kind == NODE_LITERAL)
        return true;
    struct route_parameter *parameter = &into->parameters[into->parameter_count++];
    parameter->name = node->text;
    parameter->text = percent_decode(arena, segment, n, false);
    if (node->kind == NODE_UUID)
        uuid_segment(segment, n, &parameter->uuid);
    return parameter->text != NULL;
}

/* The node where the path ends, or NULL. Without `into` the parameters are not kept. */
static const struct node *walk(const struct router *router, struct arena *arena, const char *path,
                               struct route_match *into)
{
    const struct node *node = &router->root;
    const char *at = path;
    while (node && *at == '/') {
        at++;
        size_t n = strcspn(at, "/");
        node = descend(node, at, n);
        if (node && into && !keep_parameter(arena, node, at, n, into))
            return NULL;
        at += n;
    }
    return node && *at == '\0' && node->allow ? node : NULL;
}

static const struct route *route_at(const struct node *node, enum http_method method)
{
    return node->routes[method == METHOD_HEAD ? METHOD_GET : method];
}

enum err router_match(const struct router *router, struct arena *arena, enum http_method method,
                      const char *path, struct route_match *into)
{
    *into = (struct route_match){0};
    const struct node *node = walk(router, arena, path, into);
    if (!node)
        return arena_fail(arena, ERR_NOT_FOUND, NULL, "There is nothing at this path.");
    into->allow = node->allow;
    into->route = route_at(node, method);
    if (!into->route && method != METHOD_OPTIONS)
        return arena_fail(arena, ERR_METHOD_NOT_ALLOWED, NULL, "This path takes %s.", node->allow);
    return OK;
}

size_t router_body_bytes_max(const struct router *router, enum http_method method, const char *path)
{
    const struct node *node = walk(router, NULL, path, NULL);
    const struct route *route = node ? route_at(node, method) : NULL;
    return route && route->body_bytes_max ? route->body_bytes_max : BODY_BYTES_MAX_DEFAULT;
}
