#include "connectors/oauth/oauth_internal.h"

#include "base/text.h"
#include "net/url.h"

#define OFFLINE_ACCESS "offline_access"

enum { CANDIDATES_MAX = 3, SCOPE_BYTES_MAX = 2048 };

/* What is looked for, and the places where it may be, in order. */
struct lookup {
    const char *what; /* in messages */
    const char *urls[CANDIDATES_MAX];
    size_t count;
};

static enum err document_get(struct provider_call *call, const struct oauth_profile *profile,
                             const char *url, struct http_answer *answer)
{
    const struct http_header accept = {.name = "Accept", .value = "application/json"};
    struct http_call http = {.method = "GET",
                             .url = url,
                             .headers = &accept,
                             .header_count = 1,
                             .connect_s = OAUTH_CALL_S,
                             .idle_s = OAUTH_CALL_S,
                             .total_s = OAUTH_CALL_S,
                             .tls12 = true};
    return oauth_call(call, profile, &http, answer);
}

/* The first candidate that exists. A server that fails is not passed over: the next place could be
 * somebody else's. */
static enum err document_find(struct provider_call *call, const struct oauth_profile *profile,
                              const struct lookup *lookup, json_t **into)
{
    struct arena *arena = call->arena;
    for (size_t i = 0; i < lookup->count; i++) {
        struct http_answer answer;
        if (!oauth_endpoint_valid(profile, lookup->urls[i]))
            return arena_fail(arena, ERR_EGRESS_REFUSED, lookup->what,
                              "%s: the address of the %s is not one that we may call.",
                              profile->name, lookup->what);
        TRY(document_get(call, profile, lookup->urls[i], &answer));
        if (answer.status == 200)
            return oauth_object(call, &answer, lookup->what, into);
        if (answer.status == 429 || answer.status >= 500)
            return arena_fail_retry(arena, ERR_TRANSIENT, answer.retry_after_s,
                                    "%s cannot tell its %s now (HTTP %d).", profile->name,
                                    lookup->what, answer.status);
        if (answer.status < 400)
            return arena_fail(arena, ERR_PROTOCOL, lookup->what,
                              "%s answered HTTP %d where its %s should be.", profile->name,
                              answer.status, lookup->what);
    }
    return arena_fail(arena, ERR_PROTOCOL, lookup->what, "%s tells no %s.", profile->name,
                      lookup->what);
}

/* RFC 9728 §3.3, with the tolerance that a lone trailing slash and a path above ours are the same
 * resource. */
static bool same_resource(struct arena *arena, const char *claimed, const char *called)
{
    struct url a, b;
    if (!url_parse(arena, claimed, &a) || !url_parse(arena, called, &b))
        return false;
    size_t n = strlen(a.path);
    while (n > 0 && a.path[n - 1] == '/')
        n--;
    bool above = strncmp(a.path, b.path, n) == 0 && (b.path[n] == '\0' || b.path[n] == '/');
    return above && text_equal(a.scheme, b.scheme) && text_equal(a.host, b.host) &&
           a.port == b.port && !a.query && !a.user && !a.fragment;
}

static bool list_holds(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (text_equal(json_string_value(json_array_get(list, i)), text))
            return true;
    }
    return false;
}

/* The words of a list with blanks between them, or NULL. Scopes are tokens without blanks. */
static const char *list_join(struct arena *arena, const json_t *list)
{
    struct buf words = buf_new(arena, SCOPE_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word && !strpbrk(word, " \t\r\n\"\\"))
            buf_format(&words, "%s%s", words.n ? " " : "", word);
    }
    return words.n && !words.overflowed ? words.data : NULL;
}

static enum err resource_find(struct provider_call *call, const struct oauth_profile *profile,
                              const char *resource_url, const struct oauth_challenge *challenge,
                              json_t **into)
{
    struct arena *arena = call->arena;
    struct url url;
    if (!url_parse(arena, resource_url, &url))
        return arena_fail(arena, ERR_CONFIG, "api_url", "%s: the address is not a URL.",
                          profile->name);
    struct lookup lookup = {.what = "resource metadata"};
    if (challenge && challenge->resource_metadata) {
        lookup.urls[lookup.count++] = challenge->resource_metadata;
    } else {
        const char *base =
            arena_format(arena, "%s/.well-known/oauth-protected-resource", url_origin(arena, &url));
        if (!text_equal(url.path, "/"))
            lookup.urls[lookup.count++] = arena_format(arena, "%s%s", base, url.path);
        lookup.urls[lookup.count++] = base;
    }
    TRY(document_find(call, profile, &lookup, into));
    const char *resource = json_text(*into, "resource");
    if (!resource || !same_resource(arena, resource, resource_url))
        return arena_fail(arena, ERR_PROTOCOL, "resource",
                          "%s: the resource metadata is about another server.", profile->name);
    return OK;
}

static void issuer_candidates(struct arena *arena, const struct url *issuer, struct lookup *into)
{
    const char *origin = url_origin(arena, issuer);
    size_t n = strlen(issuer->path);
    while (n > 0 && issuer->path[n - 1] == '/')
        n--;
    const char *path = arena_text_n(arena, issuer->path, n);
    into->urls[into->count++] =
        arena_format(arena, "%s/.well-known/oauth-authorization-server%s", origin, path);
    into->urls[into->count++] =
        arena_format(arena, "%s/.well-known/openid-configuration%s", origin, path);
    if (path[0])
        into->urls[into->count++] =
            arena_format(arena, "%s%s/.well-known/openid-configuration", origin, path);
}

/* An endpoint of the metadata: NULL when it is absent and may be. */
static enum err endpoint_take(struct provider_call *call, const struct oauth_profile *profile,
                              const json_t *metadata, const char *name, const char **into)
{
    *into = json_text(metadata, name);
    if (*into && !oauth_endpoint_valid(profile, *into))
        return arena_fail(call->arena, ERR_EGRESS_REFUSED, name,
                          "%s: the %s is not an address that we may call.", profile->name, name);
    return OK;
}

/* RFC 8414 §2: a server that does not say takes the Authorization header. Public clients are asked
 * for where they are taken: there is no secret to keep. */
static void auth_methods_take(const json_t *metadata, struct oauth_server *into)
{
    const json_t *methods = json_list(metadata, "token_endpoint_auth_methods_supported");
    bool post = list_holds(methods, "client_secret_post");
    bool basic = !methods || list_holds(methods, "client_secret_basic");
    bool public = !methods || list_holds(methods, "none") || (!post && !basic);
    into->basic_auth = basic && !post;
    into->auth_method = public ? "none" : post ? "client_secret_post" : "client_secret_basic";
}

static enum err server_check(struct provider_call *call, const struct oauth_profile *profile,
                             const json_t *metadata, const struct oauth_server *server)
{
    struct arena *arena = call->arena;
    if (!text_equal(json_text(metadata, "issuer"), server->issuer))
        return arena_fail(arena, ERR_PROTOCOL, "issuer",
                          "%s: the authorisation server goes by another name than the one that "
                          "was asked for.",
                          profile->name);
    if (!server->authorization_endpoint || !server->token_endpoint)
        return arena_fail(arena, ERR_PROTOCOL, "token_endpoint",
                          "%s: the authorisation server names no endpoints.", profile->name);
    if (!list_holds(json_list(metadata, "code_challenge_methods_supported"), "S256"))
        return arena_fail(arena, ERR_PROTOCOL, "code_challenge_methods_supported",
                          "%s: the authorisation server does not offer PKCE with S256.",
                          profile->name);
    return OK;
}

static enum err server_find(struct provider_call *call, const struct oauth_profile *profile,
                            const char *issuer, struct oauth_server *into)
{
    struct arena *arena = call->arena;
    struct url url;
    if (!oauth_endpoint_valid(profile, issuer) || !url_parse(arena, issuer, &url) || url.query)
        return arena_fail(arena, ERR_EGRESS_REFUSED, "issuer",
                          "%s: the authorisation server is not one that we may call.",
                          profile->name);
    struct lookup lookup = {.what = "authorisation server metadata"};
    issuer_candidates(arena, &url, &lookup);
    json_t *metadata = NULL;
    TRY(document_find(call, profile, &lookup, &metadata));
    *into = (struct oauth_server){
        .issuer = issuer,
        .scopes_supported = list_join(arena, json_list(metadata, "scopes_supported")),
        .iss_expected =
            json_bool(metadata, "authorization_response_iss_parameter_supported", false),
        .takes_documents = json_bool(metadata, "client_id_metadata_document_supported", false),
    };
    auth_methods_take(metadata, into);
    TRY(endpoint_take(call, profile, metadata, "authorization_endpoint",
                      &into->authorization_endpoint));
    TRY(endpoint_take(call, profile, metadata, "token_endpoint", &into->token_endpoint));
    TRY(endpoint_take(call, profile, metadata, "registration_endpoint",
                      &into->registration_endpoint));
    TRY(endpoint_take(call, profile, metadata, "revocation_endpoint", &into->revocation_endpoint));
    return server_check(call, profile, metadata, into);
}

static bool scope_holds(const char *scopes, const char *wanted)
{
    size_t n = strlen(wanted);
    for (const char *at = scopes; at && *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == n && strncmp(at, wanted, n) == 0)
            return true;
        at += word;
    }
    return false;
}

enum err oauth_discover(struct provider_call *call, const struct oauth_profile *profile,
                        const char *resource_url, const struct oauth_challenge *challenge,
                        struct oauth_discovery *into)
{
    json_t *resource = NULL;
    TRY(resource_find(call, profile, resource_url, challenge, &resource));
    const json_t *servers = json_list(resource, "authorization_servers");
    const char *issuer = json_string_value(json_array_get(servers, 0));
    if (!issuer)
        return arena_fail(call->arena, ERR_PROTOCOL, "authorization_servers",
                          "%s: the resource names no authorisation server.", profile->name);
    *into = (struct oauth_discovery){.resource = json_text(resource, "resource")};
    into->scope = challenge && challenge->scope
                      ? challenge->scope
                      : list_join(call->arena, json_list(resource, "scopes_supported"));
    TRY(server_find(call, profile, issuer, &into->server));
    if (into->scope && scope_holds(into->server.scopes_supported, OFFLINE_ACCESS) &&
        !scope_holds(into->scope, OFFLINE_ACCESS))
        into->scope = arena_format(call->arena, "%s %s", into->scope, OFFLINE_ACCESS);
    return OK;
}
