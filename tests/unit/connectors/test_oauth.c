/* OAuth: the parser of challenges, the rules of the callback, and discovery, registration, tokens
 * and revocation against a peer that answers what the test says. */
#include "base/base.h"

#include <setjmp.h>
#include <signal.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "connectors/oauth/oauth.h"
#include "crypto/crypto.h"
#include "net/egress.h"
#include "tls_peer.h"

enum { PAGES_MAX = 12, URI_BYTES = 200 };

struct page { /* "@" in the body stands for the peer's origin */
    const char *path;
    const char *status;
    const char *body;
};

struct world {
    struct arena *arena;
    struct tls_peer *peer;
    struct clock clock;
    struct log log;
    struct credential credential;
    struct provider_settings settings;
    struct provider_call call;
    struct oauth_profile profile;
    struct page pages[PAGES_MAX];
    char heard[8192];
};

static enum tls_end serve(void *context, struct tls_exchange *exchange)
{
    struct world *world = context;
    size_t n = strlen(world->heard);
    snprintf(world->heard + n, sizeof world->heard - n, "%s %s %s\n", exchange->method,
             exchange->path, exchange->body);
    const char *credential = strcasestr(exchange->head, "\nauthorization: ");
    n = strlen(world->heard);
    if (credential)
        snprintf(world->heard + n, sizeof world->heard - n, "%.*s\n",
                 (int)strcspn(credential + 1, "\r"), credential + 1);
    for (const struct page *page = world->pages; page->path; page++) {
        if (strcmp(page->path, exchange->path) != 0)
            continue;
        struct arena *arena = arena_open();
        struct buf body = buf_new(arena, 64 * 1024);
        for (const char *at = page->body; *at; at++) {
            if (*at == '@')
                buf_add_text(&body, tls_peer_origin(exchange->peer));
            else
                buf_add_char(&body, *at);
        }
        tls_reply(exchange, page->status, "application/json", "", body.data);
        arena_close(arena);
        return TLS_KEEP;
    }
    tls_reply(exchange, "404 Not Found", "text/html", "", "<html>");
    return TLS_KEEP;
}

static int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const struct egress *egress;
    world->arena = arena_open();
    world->peer = tls_peer_open(serve, world, false);
    const char *allow = tls_peer_allow(world->peer);
    assert_int_equal(egress_new(world->arena, &allow, 1, &egress), OK);
    const struct http_settings http = {.egress = egress,
                                       .user_agent = "test/1",
                                       .ca_file = tls_peer_ca_file(world->peer),
                                       .tls13 = true};
    world->log = (struct log){.fd = 2, .least = LOG_ERROR, .clock = &world->clock};
    world->profile = (struct oauth_profile){.name = "Peer", .hosts = allow};
    world->call = (struct provider_call){
        .arena = world->arena,
        .log = &world->log,
        .clock = &world->clock,
        .http = http_client_open(&http),
        .settings = &world->settings,
        .credential = &world->credential,
    };
    *state = world;
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    http_client_close(world->call.http);
    tls_peer_close(world->peer);
    arena_close(world->arena);
    free(world);
    return 0;
}

static const char *at_peer(struct world *world, const char *path)
{
    return arena_format(world->arena, "%s%s", tls_peer_origin(world->peer), path);
}

/* ---- challenges */

static void challenges_are_read_leniently(void **state)
{
    (void)state;
    static const struct {
        const char *header, *metadata, *scope, *error;
        bool bearer;
    } rows[] = {
        {"Bearer resource_metadata=https://mcp.stripe.com/.well-known/oauth-protected-resource",
         "https://mcp.stripe.com/.well-known/oauth-protected-resource", NULL, NULL, true},
        {"Bearer resource_metadata=\"https://a/b?c=d,e\", scope=\"a b\"", "https://a/b?c=d,e",
         "a b", NULL, true},
        {"bearer error=invalid_token,scope=mcp , resource_metadata = https://a/x", "https://a/x",
         "mcp", "invalid_token", true},
        {"Basic realm=\"x, Bearer y\", Bearer scope=mcp, Digest scope=other", NULL, "mcp", NULL,
         true},
        {"Negotiate YWJjZA==, Bearer error=\"a\\\"b\"", NULL, NULL, "a\"b", true},
        {"Bearer", NULL, NULL, NULL, true},
        {"Basic realm=\"simple\"", NULL, NULL, NULL, false},
        {"", NULL, NULL, NULL, false},
        {"Bearer scope=\"unterminated", NULL, "unterminated", NULL, true},
        {"===,,,\"\"", NULL, NULL, NULL, false},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_header header = {.name = "www-authenticate", .value = rows[i].header};
        const struct http_answer answer = {.headers = &header, .header_count = 1};
        struct oauth_challenge challenge;
        if (oauth_challenge_parse(arena, &answer, &challenge) != rows[i].bearer ||
            !text_equal(challenge.resource_metadata, rows[i].metadata) ||
            !text_equal(challenge.scope, rows[i].scope) ||
            !text_equal(challenge.error, rows[i].error))
            fail_msg("%s", rows[i].header);
    }
    struct http_header two[] = {{.name = "www-authenticate", .value = "Basic realm=x"},
                                {.name = "www-authenticate", .value = "Bearer scope=s"}};
    const struct http_answer answer = {.headers = two, .header_count = 2};
    struct oauth_challenge challenge;
    assert_true(oauth_challenge_parse(arena, &answer, &challenge));
    assert_string_equal(challenge.scope, "s");
    arena_close(arena);
}

/* ---- callback */

/* ---- discovery */

#define RESOURCE_PATH "/.well-known/oauth-protected-resource"
#define SERVER_PATH   "/.well-known/oauth-authorization-server/mcp"
#define RESOURCE                                                                                   \
    "{\"resource\":\"@\",\"authorization_servers\":[\"@/mcp\"],\"scopes_supported\":[\"mcp\"]}"
#define SERVER(issuer, methods, token)                                                             \
    "{\"issuer\":\"" issuer "\",\"authorization_endpoint\":\"@/auth\",\"token_endpoint\":\"" token \
    "\",\"registration_endpoint\":\"@/reg\",\"revocation_endpoint\":\"@/revoke\","                 \
    "\"code_challenge_methods_supported\":[" methods "]}"

static enum err discover(struct world *world, struct oauth_discovery *found)
{
    arena_failure_clear(world->arena);
    return oauth_discover(&world->call, &world->profile, tls_peer_origin(world->peer), NULL, found);
}

static void a_server_is_found_from_its_resource(void **state)
{
    struct world *world = *state;
    struct oauth_discovery found;
    world->pages[0] = (struct page){RESOURCE_PATH, "200 OK", RESOURCE};
    world->pages[1] =
        (struct page){SERVER_PATH, "200 OK", SERVER("@/mcp", "\"plain\",\"S256\"", "@/token")};
    assert_int_equal(discover(world, &found), OK);
    assert_string_equal(found.server.issuer, at_peer(world, "/mcp"));
    assert_string_equal(found.server.token_endpoint, at_peer(world, "/token"));
    assert_string_equal(found.scope, "mcp");
    assert_false(found.server.iss_expected);
    assert_null(strcasestr(world->heard, "authorization:"));
    const struct oauth_challenge challenge = {.resource_metadata = at_peer(world, RESOURCE_PATH),
                                              .scope = "other"};
    assert_int_equal(oauth_discover(&world->call, &world->profile, tls_peer_origin(world->peer),
                                    &challenge, &found),
                     OK);
    assert_string_equal(found.scope, "other");
}

#define METHODS(list) ",\"token_endpoint_auth_methods_supported\":[" list "]"

static void a_secret_travels_as_the_server_takes_it(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *methods; /* in the metadata */
        bool basic;
        const char *registered_as;
    } rows[] = {
        {"", true, "none"}, /* RFC 8414: nothing said is client_secret_basic */
        {METHODS("\"client_secret_basic\""), true, "client_secret_basic"},
        {METHODS("\"client_secret_post\""), false, "client_secret_post"},
        {METHODS("\"client_secret_basic\",\"client_secret_post\",\"none\""), false, "none"},
    };
    static const char metadata[] = SERVER("@/mcp", "\"S256\"", "@/token");
    struct oauth_discovery found;
    world->pages[0] = (struct page){RESOURCE_PATH, "200 OK", RESOURCE};
    world->pages[1] = (struct page){SERVER_PATH, "200 OK", ""};
    for (size_t i = 0; i < COUNT(rows); i++) {
        world->pages[1].body =
            arena_format(world->arena, "%.*s%s,\"scopes_supported\":[\"offline_access\"]}",
                         (int)sizeof metadata - 2, metadata, rows[i].methods);
        assert_int_equal(discover(world, &found), OK);
        assert_int_equal(found.server.basic_auth, rows[i].basic);
        assert_string_equal(found.server.auth_method, rows[i].registered_as);
        assert_string_equal(found.scope, "mcp offline_access");
    }
}

static void the_places_of_metadata_are_tried_in_order(void **state)
{
    struct world *world = *state;
    struct oauth_discovery found;
    world->pages[0] = (struct page){RESOURCE_PATH, "200 OK", RESOURCE};
    world->pages[1] = (struct page){"/mcp/.well-known/openid-configuration", "200 OK",
                                    SERVER("@/mcp", "\"S256\"", "@/token")};
    assert_int_equal(
        oauth_discover(&world->call, &world->profile, at_peer(world, "/deep/path"), NULL, &found),
        OK);
    assert_string_equal(world->heard, "GET /.well-known/oauth-protected-resource/deep/path \n"
                                      "GET /.well-known/oauth-protected-resource \n"
                                      "GET /.well-known/oauth-authorization-server/mcp \n"
                                      "GET /.well-known/openid-configuration/mcp \n"
                                      "GET /mcp/.well-known/openid-configuration \n");
}

static void metadata_that_must_not_be_trusted_is_refused(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *resource, *resource_status, *server, *server_status;
        enum err err;
        const char *field;
    } rows[] = {
        {"{\"resource\":\"https://other.example\",\"authorization_servers\":[\"@/mcp\"]}", "200 OK",
         "", "200 OK", ERR_PROTOCOL, "resource"},
        {"{\"resource\":\"@/deeper\",\"authorization_servers\":[\"@/mcp\"]}", "200 OK", "",
         "200 OK", ERR_PROTOCOL, "resource"},
        {"{\"resource\":\"@/\"}", "200 OK", "", "200 OK", ERR_PROTOCOL, "authorization_servers"},
        {"{\"resource\":\"@\",\"authorization_servers\":[\"https://evil.example\"]}", "200 OK", "",
         "200 OK", ERR_EGRESS_REFUSED, "issuer"},
        {"{\"resource\":\"@\",\"authorization_servers\":[\"http://localhost/\"]}", "200 OK", "",
         "200 OK", ERR_EGRESS_REFUSED, "issuer"},
        {"<html>", "200 OK", "", "200 OK", ERR_PROTOCOL, NULL},
        {"", "500 No", "", "200 OK", ERR_TRANSIENT, NULL},
        {"", "302 Found", "", "200 OK", ERR_PROTOCOL, "resource metadata"},
        {RESOURCE, "200 OK", SERVER("@/mcp/", "\"S256\"", "@/token"), "200 OK", ERR_PROTOCOL,
         "issuer"},
        {RESOURCE, "200 OK", SERVER("https://other.example", "\"S256\"", "@/token"), "200 OK",
         ERR_PROTOCOL, "issuer"},
        {RESOURCE, "200 OK", SERVER("@/mcp", "\"plain\"", "@/token"), "200 OK", ERR_PROTOCOL,
         "code_challenge_methods_supported"},
        {RESOURCE, "200 OK", SERVER("@/mcp", "\"S256\"", "http://localhost/token"), "200 OK",
         ERR_EGRESS_REFUSED, "token_endpoint"},
        {RESOURCE, "200 OK", SERVER("@/mcp", "\"S256\"", "https://10.0.0.1/token"), "200 OK",
         ERR_EGRESS_REFUSED, "token_endpoint"},
        {RESOURCE, "200 OK", "{\"issuer\":\"@/mcp\"}", "200 OK", ERR_PROTOCOL, "token_endpoint"},
        {RESOURCE, "200 OK", "", "503 No", ERR_TRANSIENT, NULL},
        {RESOURCE, "200 OK", "", "404 No", ERR_PROTOCOL, "authorisation server metadata"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct oauth_discovery found;
        world->heard[0] = '\0';
        world->pages[0] = (struct page){RESOURCE_PATH, rows[i].resource_status, rows[i].resource};
        world->pages[1] = (struct page){SERVER_PATH, rows[i].server_status, rows[i].server};
        enum err err = discover(world, &found);
        if (err != rows[i].err || !text_equal(arena_failure(world->arena)->field, rows[i].field))
            fail_msg("row %zu: %s, %s", i, err_slug(err), arena_failure(world->arena)->detail);
    }
}

/* ---- registration */

struct kept {
    struct arena *arena;
    struct client_registration registration;
    char issuer[URI_BYTES];
    int stored;
};

static enum err kept_find(void *context, const char *issuer, const char *redirect_uri,
                          struct client_registration *into)
{
    struct kept *kept = context;
    (void)redirect_uri;
    if (!text_equal(issuer, kept->issuer))
        return ERR_ABSENT;
    *into = kept->registration;
    return OK;
}

static enum err kept_store(void *context, const char *issuer, const char *redirect_uri,
                           const struct client_registration *registration)
{
    struct kept *kept = context;
    (void)redirect_uri;
    snprintf(kept->issuer, sizeof kept->issuer, "%s", issuer);
    kept->registration = *registration;
    kept->stored++;
    return OK;
}

static void a_client_is_registered_once_per_issuer(void **state)
{
    struct world *world = *state;
    struct kept kept = {.arena = world->arena};
    const struct client_registry registry = {kept_find, kept_store, &kept};
    const struct oauth_server server = {.issuer = "https://a",
                                        .registration_endpoint = at_peer(world, "/reg")};
    struct client_registration client;
    world->settings.scope = "mcp";
    world->pages[0] = (struct page){"/reg", "200 OK", "{\"client_id\":\"c1\"}"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(oauth_client(&world->call, &world->profile, &server, &registry,
                                      "https://us/callback", &client),
                         OK);
        assert_string_equal(client.client_id, "c1");
        assert_null(client.client_secret);
    }
    assert_int_equal(kept.stored, 1);
    assert_int_equal(tls_peer_requests(world->peer), 1);
    assert_non_null(strstr(world->heard, "\"application_type\":\"web\""));
    assert_non_null(strstr(world->heard, "\"token_endpoint_auth_method\":\"none\""));
    assert_non_null(strstr(world->heard, "\"scope\":\"mcp\""));
    world->settings.client_id = "ours";
    assert_int_equal(oauth_client(&world->call, &world->profile, &server, &registry,
                                  "https://us/callback", &client),
                     OK);
    assert_string_equal(client.client_id, "ours");
}

/* No registration where the address of a description will do; a client that was given to us comes
 * before either. */
static void a_description_is_a_client_where_the_server_takes_one(void **state)
{
    struct world *world = *state;
    static const char address[] = "https://us.example/oauth/x/client";
    static const char redirect[] = "https://us.example/oauth/x/callback";
    struct oauth_server server = {.issuer = "https://a",
                                  .registration_endpoint = at_peer(world, "/reg"),
                                  .takes_documents = true};
    struct client_registration client;
    json_t *document = NULL;
    world->pages[0] = (struct page){"/reg", "201 Created", "{\"client_id\":\"registered\"}"};
    world->settings.client_document = address;
    assert_int_equal(oauth_client(&world->call, &world->profile, &server, NULL, redirect, &client),
                     OK);
    assert_string_equal(client.client_id, address);
    assert_null(client.client_secret);
    assert_string_equal(world->heard, "");
    server.takes_documents = false;
    assert_int_equal(oauth_client(&world->call, &world->profile, &server, NULL, redirect, &client),
                     OK);
    assert_string_equal(client.client_id, "registered");
    server.takes_documents = true;
    world->settings.client_id = "given";
    assert_int_equal(oauth_client(&world->call, &world->profile, &server, NULL, redirect, &client),
                     OK);
    assert_string_equal(client.client_id, "given");
    const char *text = oauth_client_document(world->arena, address, redirect, "mcp");
    const struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    assert_int_equal(json_parse(world->arena, bytes, &document), OK);
    assert_string_equal(json_text(document, "client_id"), address);
    assert_string_equal(json_string_value(json_array_get(json_list(document, "redirect_uris"), 0)),
                        redirect);
    assert_string_equal(json_text(document, "token_endpoint_auth_method"), "none");
}

static void a_registration_that_fails_says_what_to_do(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *status, *body;
        enum err err;
        const char *field;
    } rows[] = {
        {"400 No", "{\"error\":\"invalid_redirect_uri\"}", ERR_VALIDATION, "redirect_uri"},
        {"400 No", "{\"error\":\"invalid_client_metadata\"}", ERR_VALIDATION, "client_id"},
        {"403 No", "{\"error\":\"access_denied\"}", ERR_VALIDATION, "client_id"},
        {"429 No", "", ERR_TRANSIENT, NULL},
        {"500 No", "", ERR_TRANSIENT, NULL},
        {"403 No", "<html>", ERR_PROTOCOL, NULL},
        {"201 Yes", "{}", ERR_PROTOCOL, "client_id"},
        {"201 Yes", "{\"client_id\":17}", ERR_PROTOCOL, "client_id"},
    };
    struct oauth_server server = {.issuer = "https://a",
                                  .registration_endpoint = at_peer(world, "/reg")};
    struct client_registration client;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world->pages[0] = (struct page){"/reg", rows[i].status, rows[i].body};
        arena_failure_clear(world->arena);
        enum err err = oauth_client(&world->call, &world->profile, &server, NULL,
                                    "http://127.0.0.1:1/callback", &client);
        if (err != rows[i].err || !text_equal(arena_failure(world->arena)->field, rows[i].field))
            fail_msg("row %zu: %s", i, err_slug(err));
    }
    assert_non_null(strstr(world->heard, "\"application_type\":\"native\""));
    server.registration_endpoint = NULL;
    assert_int_equal(
        oauth_client(&world->call, &world->profile, &server, NULL, "https://us/c", &client),
        ERR_CONFIG);
}

/* ---- tokens */

static struct authorisation attempt_of(struct world *world)
{
    return (struct authorisation){
        .client_id = "c1",
        .client_secret = secret_from_text(world->arena, "s&1"),
        .verifier = secret_from_text(world->arena, "verify"),
        .token_endpoint = at_peer(world, "/token"),
        .revocation_endpoint = at_peer(world, "/revoke"),
        .resource = "https://r",
    };
}

static void tokens_are_exchanged_and_refreshed(void **state)
{
    struct world *world = *state;
    struct authorisation attempt = attempt_of(world);
    struct token_set tokens;
    world->pages[0] =
        (struct page){"/token", "200 OK",
                      "{\"access_token\":\"at1\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\","
                      "\"refresh_token\":\"rt1\",\"scope\":\"mcp\"}"};
    assert_int_equal(oauth_exchange(&world->call, &world->profile, &attempt, "https://us/c",
                                    secret_from_text(world->arena, "c/d"), &tokens),
                     OK);
    assert_string_equal(world->heard,
                        "POST /token grant_type=authorization_code&code=c%2Fd&redirect_uri=https%3A"
                        "%2F%2Fus%2Fc&code_verifier=verify&client_id=c1&client_secret=s%261&"
                        "resource=https%3A%2F%2Fr\n");
    assert_string_equal(secret_text(tokens.access_token), "at1");
    assert_string_equal(secret_text(tokens.refresh_token), "rt1");
    assert_int_equal(tokens.expires_in_s, 3600);
    assert_string_equal(tokens.scope, "mcp");
    assert_int_equal(oauth_refresh(&world->call, &world->profile, &attempt, &tokens), ERR_AUTH);
    world->credential.refresh_token = secret_from_text(world->arena, "rt1");
    world->pages[0].body = "{\"access_token\":\"at2\"}";
    assert_int_equal(oauth_refresh(&world->call, &world->profile, &attempt, &tokens), OK);
    assert_null(tokens.refresh_token);
    assert_int_equal(tokens.expires_in_s, 0);
    assert_non_null(strstr(world->heard, "grant_type=refresh_token&refresh_token=rt1&client_id"));
}

#define BASIC "uthorization: Basic aWQlM0ExOmElMjBi\n"

static void a_secret_in_the_header_is_in_no_body(void **state)
{
    struct world *world = *state;
    struct authorisation attempt = attempt_of(world);
    struct token_set tokens;
    struct revocation revocation = {.complete = true};
    attempt.client_id = "id:1";
    attempt.client_secret = secret_from_text(world->arena, "a b");
    attempt.basic_auth = true;
    world->credential.refresh_token = secret_from_text(world->arena, "rt1");
    world->pages[0] = (struct page){"/token", "200 OK", "{\"access_token\":\"at\"}"};
    world->pages[1] = (struct page){"/revoke", "200 OK", ""};
    assert_int_equal(oauth_refresh(&world->call, &world->profile, &attempt, &tokens), OK);
    assert_int_equal(oauth_revoke(&world->call, &world->profile, &attempt, &revocation), OK);
    const char *header = strstr(world->heard, BASIC);
    assert_true(header && strstr(header + 1, BASIC)); /* id%3A1:a%20b */
    assert_null(strstr(world->heard, "client_secret"));
}

static void what_the_token_endpoint_refuses_has_its_error(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *status, *body;
        enum err err;
        const char *field;
    } rows[] = {
        {"400 No", "{\"error\":\"invalid_grant\"}", ERR_AUTH, "invalid_grant"},
        {"401 No", "{\"error\":\"invalid_client\"}", ERR_AUTH, "invalid_client"},
        {"401 No", "{\"error\":\"something_new\"}", ERR_AUTH, "something_new"},
        {"400 No", "{\"error\":\"something_new\"}", ERR_PROTOCOL, "something_new"},
        {"400 No", "{\"error\":\"invalid_target\"}", ERR_SCOPE, "invalid_target"},
        {"400 No", "{\"error\":\"invalid_request\"}", ERR_VALIDATION, "invalid_request"},
        {"503 No", "{\"error\":\"invalid_grant\"}", ERR_TRANSIENT, NULL},
        {"429 No", "", ERR_TRANSIENT, NULL},
        {"302 Found", "", ERR_PROTOCOL, NULL},
        {"200 OK", "<html>login</html>", ERR_PROTOCOL, NULL},
        {"200 OK", "{}", ERR_PROTOCOL, "access_token"},
        {"200 OK", "{\"access_token\":\"a b\"}", ERR_PROTOCOL, "access_token"},
        {"200 OK", "{\"access_token\":\"\"}", ERR_PROTOCOL, "access_token"},
        {"200 OK", "{\"access_token\":\"a\",\"token_type\":\"mac\"}", ERR_PROTOCOL, "access_token"},
        {"200 OK", "{\"access_token\":\"a\",\"refresh_token\":\"x\\r\\ny\"}", ERR_PROTOCOL,
         "access_token"},
    };
    struct authorisation attempt = attempt_of(world);
    struct token_set tokens;
    world->credential.refresh_token = secret_from_text(world->arena, "rt-s3cret");
    for (size_t i = 0; i < COUNT(rows); i++) {
        world->pages[0] = (struct page){"/token", rows[i].status, rows[i].body};
        arena_failure_clear(world->arena);
        enum err err = oauth_refresh(&world->call, &world->profile, &attempt, &tokens);
        const struct failure *failure = arena_failure(world->arena);
        if (err != rows[i].err || !text_equal(failure->field, rows[i].field))
            fail_msg("row %zu: %s %s", i, err_slug(err), failure->detail);
        assert_null(strstr(failure->detail, "s3cret"));
    }
    attempt.token_endpoint = "https://10.1.2.3/token";
    assert_int_equal(oauth_refresh(&world->call, &world->profile, &attempt, &tokens),
                     ERR_EGRESS_REFUSED);
}

static void a_revocation_says_what_was_confirmed(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *status, *body;
        bool confirmed, complete;
        int code;
    } rows[] = {
        {"200 OK", "", true, true, 200},
        {"503 No", "", false, false, 503},
        {"401 No", "{\"error\":\"invalid_client\"}", false, true, 401},
        {"400 No", "{\"error\":\"unsupported_token_type\"}", false, true, 400},
        {"400 No", "{\"error\":\"invalid_request\"}", false, false, 400},
    };
    struct authorisation attempt = attempt_of(world);
    world->credential.refresh_token = secret_from_text(world->arena, "rt1");
    world->credential.access_token = secret_from_text(world->arena, "at1");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct revocation revocation = {.complete = true};
        world->pages[0] = (struct page){"/revoke", rows[i].status, rows[i].body};
        world->heard[0] = '\0';
        assert_int_equal(oauth_revoke(&world->call, &world->profile, &attempt, &revocation), OK);
        assert_int_equal(revocation.count, 2);
        assert_string_equal(revocation.steps[0].what, "refresh_token");
        assert_int_equal(revocation.steps[0].status, rows[i].code);
        assert_int_equal(revocation.steps[1].confirmed, rows[i].confirmed);
        assert_int_equal(revocation.complete, rows[i].complete);
        assert_non_null(strstr(world->heard, "token=rt1&token_type_hint=refresh_token&client_id"));
        assert_non_null(strstr(world->heard, "token=at1&token_type_hint=access_token&client_id"));
    }
    attempt.revocation_endpoint = "https://10.1.2.3/revoke";
    struct revocation revocation = {.complete = true};
    assert_int_equal(oauth_revoke(&world->call, &world->profile, &attempt, &revocation), OK);
    assert_int_equal(revocation.steps[0].status, 0);
    assert_false(revocation.complete);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_are_read_leniently),
        WORLD_TEST(a_server_is_found_from_its_resource),
        WORLD_TEST(a_secret_travels_as_the_server_takes_it),
        WORLD_TEST(the_places_of_metadata_are_tried_in_order),
        WORLD_TEST(metadata_that_must_not_be_trusted_is_refused),
        WORLD_TEST(a_client_is_registered_once_per_issuer),
        WORLD_TEST(a_description_is_a_client_where_the_server_takes_one),
        WORLD_TEST(a_registration_that_fails_says_what_to_do),
        WORLD_TEST(tokens_are_exchanged_and_refreshed),
        WORLD_TEST(a_secret_in_the_header_is_in_no_body),
        WORLD_TEST(what_the_token_endpoint_refuses_has_its_error),
        WORLD_TEST(a_revocation_says_what_was_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
