/* Signing in, workspaces, members, invitations, API keys, and repeated calls: what people see. */
#include "caller.h"

#include "handlers/login_guard.h"

#include "base/text.h"

static struct world world;
static struct uuid ada;
static const char *token, *workspace;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, "people");
    ada = person(&world, "ada@example.com", false);
    token = token_of(&world, ada);
    workspace = workspace_of(&world, token, "First");
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const char *at(const char *ending)
{
    return arena_format(world.arena, "/v1/workspaces/%s%s", workspace, ending);
}

static struct answer login(const char *email, const char *password)
{
    return call(&world, &(struct call){.method = "POST",
                                       .path = "/v1/auth/login",
                                       .body = arena_format(
                                           world.arena, "{\"email\":\"%s\",\"password\":\"%s\"}",
                                           email, password)});
}

static struct answer with_refresh_token(const char *path, const char *refresh_token)
{
    return call(&world,
                &(struct call){.method = "POST",
                               .path = path,
                               .body = arena_format(world.arena, "{\"refresh_token\":\"%s\"}",
                                                    refresh_token)});
}

/* ---- sessions ---- */

static void signing_in_gives_tokens_that_work(void **state)
{
    (void)state;
    struct answer in = login("Ada@Example.com", PASSWORD);
    assert_answer(in, 200);
    assert_string_equal(json_text(in.json, "token_type"), "Bearer");
    assert_int_equal(json_int(in.json, "expires_in", 0), 900);
    struct answer me = get(&world, json_text(in.json, "access_token"), "/v1/me");
    assert_answer(me, 200);
    assert_string_equal(json_text(me.json, "user.email"), "ada@example.com");
    assert_int_equal(json_array_size(json_list(me.json, "memberships")), 1);
    assert_answer(with_refresh_token("/v1/auth/logout", json_text(in.json, "refresh_token")), 204);
    assert_problem(with_refresh_token("/v1/auth/refresh", json_text(in.json, "refresh_token")), 401,
                   "unauthenticated");
    assert_answer(with_refresh_token("/v1/auth/logout", "srt_unknown"), 204);
}

static void a_refresh_token_works_once(void **state)
{
    (void)state;
    struct answer in = login("ada@example.com", PASSWORD);
    const char *first = json_text(in.json, "refresh_token");
    struct answer again = with_refresh_token("/v1/auth/refresh", first);
    assert_answer(again, 200);
    const char *second = json_text(again.json, "refresh_token");
    assert_answer(get(&world, json_text(again.json, "access_token"), "/v1/me"), 200);
    assert_problem(with_refresh_token("/v1/auth/refresh", first), 401, "unauthenticated");
    /* a copy was about: the whole session is over */
    assert_problem(with_refresh_token("/v1/auth/refresh", second), 401, "unauthenticated");
}

static void access_ends_after_fifteen_minutes(void **state)
{
    (void)state;
    const char *old = token_of(&world, ada);
    world_pass_time(&world, 901);
    assert_problem(get(&world, old, "/v1/me"), 401, "unauthenticated");
    token = token_of(&world, ada);
    assert_answer(get(&world, token, "/v1/me"), 200);
}

static void guessing_is_slowed_down_whether_or_not_there_is_somebody(void **state)
{
    (void)state;
    person(&world, "target@example.com", false);
    for (int i = 0; i < 10; i++) {
        struct answer real = login("target@example.com", "wrong"), none = login("no@one.it", "w");
        assert_problem(real, 401, "login_refused");
        assert_problem(none, 401, "login_refused");
        assert_string_equal(json_text(real.json, "detail"), json_text(none.json, "detail"));
    }
    struct answer real = login("target@example.com", PASSWORD), none = login("no@one.it", "w");
    assert_problem(real, 429, "rate_limited");
    assert_problem(none, 429, "rate_limited");
    assert_non_null(answer_field(&none, "Retry-After"));
    world_pass_time(&world, 16 * 60);
    token = token_of(&world, ada);
    assert_answer(login("target@example.com", PASSWORD), 200);
}

/* ---- workspaces ---- */

static struct answer patch(const char *if_match, const char *body)
{
    return call(
        &world,
        &(struct call){
            .method = "PATCH", .path = at(""), .token = token, .if_match = if_match, .body = body});
}

static void a_workspace_is_changed_by_who_read_it_last(void **state)
{
    (void)state;
    struct answer read = get(&world, token, at(""));
    assert_answer(read, 200);
    const char *etag = answer_field(&read, "ETag");
    assert_string_equal(json_text(read.json, "role"), "owner");
    assert_string_equal(json_text(read.json, "region"), REGION);
    assert_problem(patch(NULL, "{\"name\":\"x\"}"), 428, "precondition_required");
    assert_problem(patch("\"99\"", "{\"name\":\"x\"}"), 412, "stale");
    assert_problem(patch("W/\"1\"", "{\"name\":\"x\"}"), 412, "stale");
    assert_problem(patch(etag, "{\"region\":\"eu\"}"), 422, "field_unknown");
    assert_problem(patch(etag, "{}"), 422, "field_missing");
    assert_problem(patch(etag, "{\"time_zone\":\"../etc/passwd\"}"), 422, "field_invalid");
    struct answer changed = patch(etag, "{\"language\":\"fr\",\"time_zone\":\"Europe/Paris\"}");
    assert_answer(changed, 200);
    assert_string_equal(json_text(changed.json, "language"), "fr");
    assert_string_equal(json_text(changed.json, "name"), "First");
    assert_problem(patch(etag, "{\"name\":\"x\"}"), 412, "stale");
}

static void a_workspace_lives_in_a_region_that_is_served(void **state)
{
    (void)state;
    assert_problem(post(&world, token, "/v1/workspaces", "{\"name\":\"x\",\"region\":\"mars\"}"),
                   422, "field_invalid");
}

static void making_a_workspace_twice_makes_one(void **state)
{
    (void)state;
    struct call make = {.method = "POST",
                        .path = "/v1/workspaces",
                        .token = token,
                        .body = "{\"name\":\"Again\",\"region\":\"" REGION "\"}"};
    assert_problem(call(&world, &make), 400, "idempotency_key_missing");
    make.key = "the same";
    assert_problem(call(&world, &make), 400, "parameter_invalid");
    make.key = "the-same";
    struct answer first = call(&world, &make), second = call(&world, &make);
    assert_answer(first, 201);
    assert_answer(second, 201);
    assert_string_equal(first.text, second.text);
    assert_string_equal(answer_field(&first, "Location"), answer_field(&second, "Location"));
    assert_string_equal(answer_field(&first, "ETag"), answer_field(&second, "ETag"));
    make.body = "{\"name\":\"Other\",\"region\":\"" REGION "\"}";
    assert_problem(call(&world, &make), 422, "idempotency_key_reused");
    struct uuid other = person(&world, "same-key@example.com", false);
    make.token = token_of(&world, other); /* another principal, another key */
    assert_answer(call(&world, &make), 201);
    world_pass_time(&world, 25 * 3600);
    make.token = token = token_of(&world, ada);
    assert_answer(call(&world, &make), 201);
}

static void a_call_that_failed_frees_its_key(void **state)
{
    (void)state;
    struct call make = {.method = "POST",
                        .path = "/v1/workspaces",
                        .token = token,
                        .key = "try-again",
                        .body = "{\"name\":\"x\"}"};
    assert_problem(call(&world, &make), 422, "field_missing");
    make.body = "{\"name\":\"x\",\"region\":\"" REGION "\"}";
    assert_answer(call(&world, &make), 201);
}

static void lists_come_in_pages(void **state)
{
    (void)state;
    struct answer page = get(&world, token, "/v1/workspaces?limit=2");
    assert_answer(page, 200);
    size_t seen = json_array_size(json_list(page.json, "data"));
    assert_int_equal(seen, 2);
    const char *cursor = json_text(page.json, "next_cursor");
    assert_non_null(cursor);
    const char *first = json_text(json_array_get(json_list(page.json, "data"), 0), "id");
    while (cursor) {
        page = get(&world, token,
                   arena_format(world.arena, "/v1/workspaces?limit=2&cursor=%s", cursor));
        assert_answer(page, 200);
        seen += json_array_size(json_list(page.json, "data"));
        assert_string_not_equal(json_text(json_array_get(json_list(page.json, "data"), 0), "id"),
                                first);
        const char *next = json_text(page.json, "next_cursor");
        if (!next)
            break;
        cursor = next;
    }
    assert_true(seen >= 3);
    assert_problem(
        get(&world, token, arena_format(world.arena, "%s?cursor=%s", at("/members"), cursor)), 400,
        "cursor_invalid");
    assert_problem(get(&world, token, "/v1/workspaces?cursor=AAAA"), 400, "cursor_invalid");
    assert_problem(get(&world, token, "/v1/workspaces?limit=101"), 400, "parameter_invalid");
    assert_problem(get(&world, token, "/v1/me?verbose=1"), 400, "parameter_invalid");
}

/* ---- members and invitations ---- */

static struct answer set_role(const char *by, struct uuid user, const char *role)
{
    return call(&world,
                &(struct call){.method = "PUT",
                               .path = arena_format(world.arena, "%s/%s", at("/members"),
                                                    uuid_format(world.arena, user)),
                               .token = by,
                               .body = arena_format(world.arena, "{\"role\":\"%s\"}", role)});
}

static struct answer remove_member(const char *by, struct uuid user)
{
    return call(&world, &(struct call){.method = "DELETE",
                                       .path = arena_format(world.arena, "%s/%s", at("/members"),
                                                            uuid_format(world.arena, user)),
                                       .token = by});
}

static void owners_are_made_and_unmade_by_owners(void **state)
{
    (void)state;
    struct uuid admin = person(&world, "admin@example.com", false);
    struct uuid clerk = person(&world, "clerk@example.com", false);
    join(&world, workspace, admin, "admin");
    join(&world, workspace, clerk, "viewer");
    const char *by_admin = token_of(&world, admin);
    assert_answer(set_role(by_admin, clerk, "reviewer"), 200);
    assert_problem(set_role(by_admin, clerk, "owner"), 403, "forbidden");
    assert_problem(set_role(by_admin, ada, "viewer"), 403, "forbidden");
    assert_problem(remove_member(by_admin, ada), 403, "forbidden");
    assert_problem(set_role(token, ada, "viewer"), 409, "conflict");
    assert_problem(remove_member(token, ada), 409, "conflict");
    assert_problem(set_role(token, clerk, "king"), 422, "field_invalid");
    assert_answer(set_role(token, clerk, "owner"), 200);
    assert_answer(remove_member(token, clerk), 204);
    assert_problem(remove_member(token, clerk), 404, "not_found");
    assert_problem(get(&world, token_of(&world, clerk), at("")), 404, "not_found");
    struct answer members = get(&world, token, at("/members"));
    assert_int_equal(json_array_size(json_list(members.json, "data")), 2);
}

static void who_is_disabled_is_out_at_once(void **state)
{
    (void)state;
    struct uuid leaver = person(&world, "leaver@example.com", false);
    join(&world, workspace, leaver, "admin");
    const char *by_leaver = token_of(&world, leaver);
    assert_answer(get(&world, by_leaver, at("")), 200);
    fixture_superuser(&world.directory, "UPDATE directory.app_user SET state = 'disabled'"
                                        " WHERE email = 'leaver@example.com'");
    assert_problem(get(&world, by_leaver, at("")), 404, "not_found");
    assert_problem(get(&world, by_leaver, "/v1/me"), 401, "unauthenticated");
    assert_problem(get(&world, by_leaver, "/v1/workspaces"), 401, "unauthenticated");
    assert_problem(login("leaver@example.com", PASSWORD), 401, "login_refused");
    assert_answer(remove_member(token, leaver), 204);
}

static struct answer accept(const char *invitation, const char *name, const char *password)
{
    return call(&world, &(struct call){.method = "POST",
                                       .path = "/v1/invitations/accept",
                                       .body = arena_format(world.arena,
                                                            "{\"token\":\"%s\",\"name\":\"%s\","
                                                            "\"password\":\"%s\"}",
                                                            invitation, name, password)});
}

static void an_invited_person_comes_in_once(void **state)
{
    (void)state;
    struct call invite = {.method = "POST",
                          .path = at("/invitations"),
                          .token = token,
                          .key = "invite-grace",
                          .body = "{\"email\":\"Grace@Example.com\",\"role\":\"reviewer\"}"};
    struct answer made = call(&world, &invite);
    assert_answer(made, 201);
    assert_string_equal(json_text(made.json, "email"), "grace@example.com");
    assert_problem(call(&world, &invite), 409, "idempotency_secret");
    const char *invitation = json_text(made.json, "token");
    assert_problem(accept(invitation, "Grace", "password1234"), 422, "field_invalid");
    struct answer in = accept(invitation, "Grace Hopper", "a long enough sentence");
    assert_answer(in, 201);
    assert_string_equal(json_text(in.json, "role"), "reviewer");
    assert_problem(accept(invitation, "Grace", "a long enough sentence"), 404, "not_found");
    struct answer grace = login("grace@example.com", "a long enough sentence");
    assert_answer(grace, 200);
    assert_answer(get(&world, json_text(grace.json, "access_token"), at("")), 200);
    invite.key = "again";
    assert_problem(call(&world, &invite), 409, "duplicate");
    invite.body = "{\"email\":\"nobody\",\"role\":\"viewer\"}";
    assert_problem(call(&world, &invite), 422, "field_invalid");
}

static void who_has_an_account_proves_it(void **state)
{
    (void)state;
    struct uuid invited = person(&world, "known@example.com", false);
    struct answer made = post(&world, token, at("/invitations"),
                              "{\"email\":\"known@example.com\",\"role\":\"viewer\"}");
    const char *invitation = json_text(made.json, "token");
    assert_problem(accept(invitation, "Mallory", "another long sentence"), 401, "login_refused");
    assert_answer(accept(invitation, "Known", PASSWORD), 201);
    struct answer me = get(&world, token_of(&world, invited), "/v1/me");
    assert_string_equal(json_text(me.json, "user.name"), "known@example.com");
    struct answer late = post(&world, token, at("/invitations"),
                              "{\"email\":\"late@example.com\",\"role\":\"viewer\"}");
    world_pass_time(&world, 8 * 86400);
    token = token_of(&world, ada);
    assert_problem(accept(json_text(late.json, "token"), "Late", "a long enough sentence"), 404,
                   "not_found");
}

/* ---- how many workspaces ---- */

static void a_person_owns_so_many_workspaces_and_no_more(void **state)
{
    (void)state;
    static const char body[] = "{\"name\":\"One more\",\"region\":\"" REGION "\"}";
    struct uuid keen = person(&world, "keen@example.com", false);
    const char *own = token_of(&world, keen);
    int64_t before = world.config.workspaces_per_person_max;
    world.config.workspaces_per_person_max = 3;
    for (int i = 0; i < 3; i++)
        assert_answer(post(&world, own, "/v1/workspaces", body), 201);
    assert_problem(post(&world, own, "/v1/workspaces", body), 409, "limit_reached");
    assert_int_equal(json_array_size(json_list(get(&world, own, "/v1/workspaces").json, "data")),
                     3);
    struct uuid boss = person(&world, "boss@example.com", true);
    for (int i = 0; i < 4; i++)
        assert_answer(post(&world, token_of(&world, boss), "/v1/workspaces", body), 201);
    world.config.workspaces_per_person_max = before;
    assert_answer(post(&world, own, "/v1/workspaces", body), 201);
}

/* ---- API keys ---- */

static void a_key_is_shown_once_and_can_be_taken_away(void **state)
{
    (void)state;
    struct call make = {.method = "POST",
                        .path = at("/api-keys"),
                        .token = token,
                        .key = "k1",
                        .body = "{\"name\":\"Export\",\"role\":\"admin\",\"expires_at\":null}"};
    struct answer made = call(&world, &make);
    assert_answer(made, 201);
    const char *key = json_text(made.json, "key"), *id = json_text(made.json, "id");
    assert_true(text_starts(key, json_text(made.json, "hint")));
    assert_problem(call(&world, &make), 409, "idempotency_secret");
    struct answer list = get(&world, token, at("/api-keys"));
    assert_int_equal(json_array_size(json_list(list.json, "data")), 1);
    assert_null(strstr(list.text, key));
    assert_answer(get(&world, key, at("")), 200);
    assert_problem(
        post(&world, key, at("/invitations"), "{\"email\":\"x@example.com\",\"role\":\"owner\"}"),
        403, "forbidden");
    struct call take = {.method = "DELETE",
                        .path = arena_format(world.arena, "%s/%s", at("/api-keys"), id),
                        .token = token};
    assert_answer(call(&world, &take), 204);
    assert_problem(call(&world, &take), 404, "not_found");
    assert_problem(get(&world, key, at("")), 401, "unauthenticated");
}

static void a_key_ends_when_it_was_to_end(void **state)
{
    (void)state;
    struct instant end = instant_add_s(clock_now(world.app.clock), 60);
    const char *body =
        arena_format(world.arena, "{\"name\":\"Short\",\"role\":\"viewer\",\"expires_at\":\"%s\"}",
                     instant_format(world.arena, end));
    const char *key = json_text(post(&world, token, at("/api-keys"), body).json, "key");
    assert_answer(get(&world, key, at("")), 200);
    world_pass_time(&world, 61);
    assert_problem(get(&world, key, at("")), 401, "unauthenticated");
    assert_problem(post(&world, token, at("/api-keys"), body), 422, "field_invalid");
}

/* ---- the edge ---- */

static void what_is_not_there_is_told_in_the_right_way(void **state)
{
    (void)state;
    assert_problem(get(&world, token, "/v1/nothing"), 404, "not_found");
    struct answer wrong = call(&world, &(struct call){.method = "DELETE", .path = "/v1/me"});
    assert_problem(wrong, 405, "method_not_allowed");
    assert_string_equal(answer_field(&wrong, "Allow"), "GET, HEAD, OPTIONS");
    assert_problem(call(&world, &(struct call){.method = "POST",
                                               .path = "/v1/auth/login",
                                               .content_type = "text/plain",
                                               .body = "{}"}),
                   415, "media_type_unsupported");
    assert_problem(
        call(&world,
             &(struct call){.method = "POST", .path = "/v1/auth/login", .body = "{\"email\":"}),
        400, "json_malformed");
}

static void only_listed_origins_may_read_replies(void **state)
{
    (void)state;
    struct call preflight = {
        .method = "OPTIONS", .path = "/v1/workspaces", .origin = "https://app.example.com"};
    struct answer good = call(&world, &preflight);
    assert_int_equal(good.status, 204);
    assert_string_equal(answer_field(&good, "Access-Control-Allow-Origin"),
                        "https://app.example.com");
    assert_non_null(strstr(answer_field(&good, "Access-Control-Allow-Headers"), "If-Match"));
    preflight.origin = "https://evil.example.com";
    struct answer bad = call(&world, &preflight);
    assert_null(answer_field(&bad, "Access-Control-Allow-Origin"));
    assert_string_equal(answer_field(&bad, "Vary"), "Origin");
}

static void health_readiness_and_the_catalogue_are_public(void **state)
{
    (void)state;
    assert_string_equal(get(&world, NULL, "/healthz").text, "{\"status\":\"ok\"}");
    struct answer ready = get(&world, NULL, "/readyz");
    assert_answer(ready, 200);
    assert_string_equal(json_text(ready.json, "status"), "ready");
    atomic_store(&world.stopping, true);
    assert_int_equal(get(&world, NULL, "/readyz").status, 503);
    atomic_store(&world.stopping, false);
    struct answer metrics =
        call(&world, &(struct call){.method = "GET", .path = "/metrics", .peer = "127.0.0.1"});
    assert_answer(metrics, 200);
    assert_non_null(strstr(metrics.text, "sluice_requests_total{method=\"GET\",route=\"/healthz\","
                                         "status=\"2xx\"} 1\n"));
    struct answer catalogue = get(&world, NULL, "/v1/providers");
    assert_answer(catalogue, 200);
    assert_true(json_array_size(json_list(catalogue.json, "data")) >= 2);
}

static struct answer metrics_from(const char *peer, const char *forwarded_for, const char *bearer)
{
    return call(&world, &(struct call){.method = "GET",
                                       .path = "/metrics",
                                       .peer = peer,
                                       .token = bearer,
                                       .forwarded_for = {forwarded_for, NULL}});
}

static void metrics_are_for_this_host_or_for_who_has_the_token(void **state)
{
    (void)state;
    static const char *const proxies[] = {"127.0.0.1"};
    assert_answer(metrics_from("127.0.0.1", NULL, NULL), 200);
    assert_answer(metrics_from("::1", NULL, NULL), 200);
    assert_problem(metrics_from("192.0.2.1", NULL, NULL), 403, "forbidden");
    assert_problem(metrics_from("192.0.2.1", "127.0.0.1", NULL), 403, "forbidden");
    assert_problem(metrics_from("127.0.0.1", "192.0.2.1", NULL), 403, "forbidden");
    world.config.trusted_proxies = (struct config_list){proxies, 1};
    assert_problem(metrics_from("127.0.0.1", NULL, NULL), 403, "forbidden");
    world.config.metrics_token = secret_from_text(world.arena, "a token for metrics");
    assert_answer(metrics_from("192.0.2.1", NULL, "a token for metrics"), 200);
    assert_problem(metrics_from("127.0.0.1", NULL, NULL), 401, "unauthenticated");
    assert_problem(metrics_from("127.0.0.1", NULL, "a token for metricz"), 401, "unauthenticated");
    assert_problem(metrics_from("127.0.0.1", NULL, token), 401, "unauthenticated");
    world.config.metrics_token = NULL;
    world.config.trusted_proxies = (struct config_list){NULL, 0};
}

/* ---- who a login is counted for ---- */

/* As often as one client may, each time with another address of e-mail. */
static void client_failed(const char *client)
{
    struct login_guard *guard = world.app.login_guard;
    struct instant now = clock_now(world.app.clock);
    for (int i = 0; i < LOGIN_FAILURES_PEER_MAX; i++) {
        const char *email = arena_format(world.arena, "bad-%d@example.com", i);
        assert_int_equal(login_guard_enter(guard, world.arena, now, email, client), OK);
        login_guard_leave(guard, now, email, client, ERR_LOGIN_REFUSED);
    }
}

static int login_status(const struct call *caller)
{
    struct call attempt = *caller;
    attempt.body = "{\"email\":\"fresh@example.com\",\"password\":\"not the right one\"}";
    return call(&world, &attempt).status;
}

static struct call login_of(const char *peer, const char *first, const char *second)
{
    return (struct call){
        .method = "POST", .path = "/v1/auth/login", .peer = peer, .forwarded_for = {first, second}};
}

static void a_declared_proxy_tells_who_fails_to_sign_in(void **state)
{
    (void)state;
    static const char *const proxies[] = {"10.0.0.0/8", "2001:db8:5::/48"};
    struct call bad = login_of("10.1.2.3", "203.0.113.7", NULL);
    world.config.trusted_proxies = (struct config_list){proxies, 2};
    client_failed("203.0.113.7");
    assert_int_equal(login_status(&bad), 429);
    struct call good = login_of("10.1.2.3", "203.0.113.8", NULL);
    assert_int_equal(login_status(&good), 401); /* behind the same proxy */
    static const struct {
        const char *peer, *first, *second;
        int status;
    } others[] = {
        {"10.1.2.3", "198.51.100.1, 203.0.113.7", NULL, 429},        /* what it says of others */
        {"10.1.2.3", "198.51.100.1", "203.0.113.7 , 10.9.9.9", 429}, /* two lines, two proxies */
        {"10.1.2.3", "203.0.113.7:4711", NULL, 429},
        {"10.1.2.3", "::ffff:203.0.113.7", NULL, 429},
        {"2001:db8:5::9", "203.0.113.7", NULL, 429},
        {"203.0.113.7", "198.51.100.1", NULL, 429},   /* is no proxy, whatever it sends */
        {"198.51.100.9", "203.0.113.7", NULL, 401},   /* cannot put it on somebody else */
        {"10.1.2.3", "203.0.113.7, junk", NULL, 401}, /* counted for the proxy */
        {"10.1.2.3", "203.0.113.7, 198.51.100.1", NULL, 401},
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        struct call caller = login_of(others[i].peer, others[i].first, others[i].second);
        assert_int_equal(login_status(&caller), others[i].status);
        world_pass_time(&world, 1);
    }
    struct call forwarded = login_of("10.1.2.3", NULL, NULL);
    forwarded.forwarded = "for=203.0.113.7";
    assert_int_equal(login_status(&forwarded), 401); /* not the header that was named */
    world.config.client_header = "forwarded";
    assert_int_equal(login_status(&forwarded), 429);
    forwarded.forwarded =
        "for=\"[2001:db8::1]:80\";by=a, proto=https;For=\"203.0.113.7:1\";host=\"a,b\"";
    assert_int_equal(login_status(&forwarded), 429);
    forwarded.forwarded = "for=203.0.113.7, for=unknown";
    assert_int_equal(login_status(&forwarded), 401);
    world.config.client_header = "x-forwarded-for";
    world.config.trusted_proxies = (struct config_list){NULL, 0};
    assert_int_equal(login_status(&bad), 401); /* nobody is believed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signing_in_gives_tokens_that_work),
        cmocka_unit_test(a_refresh_token_works_once),
        cmocka_unit_test(access_ends_after_fifteen_minutes),
        cmocka_unit_test(guessing_is_slowed_down_whether_or_not_there_is_somebody),
        cmocka_unit_test(a_workspace_is_changed_by_who_read_it_last),
        cmocka_unit_test(a_workspace_lives_in_a_region_that_is_served),
        cmocka_unit_test(making_a_workspace_twice_makes_one),
        cmocka_unit_test(a_call_that_failed_frees_its_key),
        cmocka_unit_test(lists_come_in_pages),
        cmocka_unit_test(owners_are_made_and_unmade_by_owners),
        cmocka_unit_test(who_is_disabled_is_out_at_once),
        cmocka_unit_test(an_invited_person_comes_in_once),
        cmocka_unit_test(who_has_an_account_proves_it),
        cmocka_unit_test(a_person_owns_so_many_workspaces_and_no_more),
        cmocka_unit_test(a_key_is_shown_once_and_can_be_taken_away),
        cmocka_unit_test(a_key_ends_when_it_was_to_end),
        cmocka_unit_test(what_is_not_there_is_told_in_the_right_way),
        cmocka_unit_test(only_listed_origins_may_read_replies),
        cmocka_unit_test(health_readiness_and_the_catalogue_are_public),
        cmocka_unit_test(metrics_are_for_this_host_or_for_who_has_the_token),
        cmocka_unit_test(a_declared_proxy_tells_who_fails_to_sign_in),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
