#include "caller.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "handlers/login_guard.h"
#include "handlers/routes.h"
#include "net/egress.h"
#include "net/http_client.h"
#include "store/user.h"
#include "store/workspace.h"

static const char *decoy_hash(struct world *world)
{
    char *hash;
    assert_ok(&world->directory,
              password_hash(world->arena, secret_from_text(world->arena, "nobody"), &hash));
    return hash;
}

static void open_app(struct world *world)
{
    static const char *const origins[] = {"https://app.example.com"};
    struct arena *arena = world->arena;
    struct http_settings *outgoing = arena_alloc(arena, sizeof *outgoing);
    outgoing->user_agent = "sluice/test";
    assert_ok(&world->directory, egress_new(arena, NULL, 0, &outgoing->egress));
    world->config = (struct config){.workspaces_per_person_max = 50,
                                    .client_header = "x-forwarded-for",
                                    .region_name = REGION,
                                    .public_url = "http://127.0.0.1:1",
                                    .cors_origins = {origins, 1}};
    assert_ok(&world->directory,
              access_keys_read(world->directory.arena, random_token(arena), &world->jwt_keys));
    struct metrics *metrics = metrics_new(arena);
    world->app = (struct app){
        .config = &world->config,
        .log = &world->log,
        .clock = &world->directory.clock,
        .rand = &world->directory.rand,
        .router = router_new(arena, routes, route_count),
        .jwt_keys = &world->jwt_keys,
        .cursor_key = random_secret(arena, 32),
        .region_key = random_secret(arena, 32),
        .decoy_password_hash = decoy_hash(world),
        .login_guard = login_guard_open(2),
        .waiting = &world->waiting,
        .metrics = metrics,
        .request_metrics = request_metrics_new(arena, metrics, routes, route_count),
        .outgoing = outgoing,
        .directory_db = fixture_settings(&world->directory, "app"),
        .region_db = fixture_settings(&world->region, "app"),
        .stopping = &world->stopping,
    };
    world->app.region_db.clock = &world->directory.clock;
}

void world_open(struct world *world, const char *name)
{
    *world = (struct world){.arena = arena_open()};
    fixture_open(&world->directory, arena_format(world->arena, "sluice_%s_directory", name));
    fixture_open(&world->region, arena_format(world->arena, "sluice_%s_region", name));
    world->log = (struct log){open("/dev/null", O_WRONLY), LOG_DEBUG, &world->directory.clock};
    struct untenanted directory = fixture_untenanted(&world->directory);
    struct region region = {REGION, "Test", "nowhere"};
    assert_ok(&world->directory, region_ensure(&directory, &region));
    open_app(world);
    assert_ok(&world->directory,
              edge_thread_open(&world->app, world->directory.arena, &world->thread));
}

void world_close(struct world *world)
{
    edge_thread_close(world->thread);
    login_guard_close(world->app.login_guard);
    close(world->log.fd);
    fixture_close(&world->region);
    fixture_close(&world->directory);
    arena_close(world->arena);
}

void world_pass_time(struct world *world, int64_t seconds)
{
    struct clock *clock = &world->directory.clock;
    clock_set_offset(clock, atomic_load(&clock->offset_us) + seconds * 1000000);
}

/* ---- calling ---- */

static void add_field(struct http_request *request, struct http_field *fields, const char *name,
                      const char *value)
{
    if (value)
        fields[request->field_count++] = (struct http_field){name, value};
}

static struct http_request request_of(struct world *world, const struct call *call)
{
    struct arena *arena = world->arena;
    size_t path_n = strcspn(call->path, "?");
    const char *key = call->key;
    if (key && strcmp(key, "new") == 0)
        key = uuid_format(arena, uuid_v7(&world->directory.rand, clock_now(world->app.clock)));
    struct http_request request = {
        .method = http_method_parse(call->method),
        .path = arena_text_n(arena, call->path, path_n),
        .query = call->path + path_n + (call->path[path_n] == '?'),
        .id = uuid_v7(&world->directory.rand, clock_now(world->app.clock)),
        .peer = call->peer ? call->peer : "192.0.2.1",
        .deadline_us = monotonic_us() + 20000000,
    };
    const char *body = call->body ? call->body : "";
    request.body = (struct bytes){(const uint8_t *)body, strlen(body)};
    struct http_field *fields = arena_array(arena, 12, sizeof *fields);
    if (call->token)
        add_field(&request, fields, "authorization", arena_format(arena, "Bearer %s", call->token));
    add_field(&request, fields, "content-type",
              call->content_type ? call->content_type : "application/json");
    add_field(&request, fields, "idempotency-key", key);
    add_field(&request, fields, "if-match", call->if_match);
    add_field(&request, fields, "origin", call->origin);
    add_field(&request, fields, "forwarded", call->forwarded);
    add_field(&request, fields, "x-forwarded-for", call->forwarded_for[0]);
    add_field(&request, fields, "x-forwarded-for", call->forwarded_for[1]);
    request.fields = fields;
    return request;
}

struct answer call(struct world *world, const struct call *call)
{
    struct arena *arena = arena_open();
    struct answer answer = {0};
    struct http_reply reply = {0};
    struct http_request request = request_of(world, call);
    edge_handle(&world->app, world->thread, arena, &request, &reply);
    edge_finish(&world->app, arena, &request, &reply);
    answer.status = reply.status;
    answer.text = arena_text_n(world->arena, (const char *)reply.body.at, reply.body.n);
    answer.reply = reply;
    for (size_t i = 0; i < reply.field_count; i++)
        answer.reply.fields[i] =
            (struct http_field){arena_text(world->arena, reply.fields[i].name),
                                arena_text(world->arena, reply.fields[i].value)};
    answer.reply.content_type = arena_text(world->arena, reply.content_type);
    json_t *json = NULL;
    if (text_contains_ci(answer.reply.content_type, "json"))
        assert_ok(&world->directory,
                  json_parse(world->arena,
                             (struct bytes){(const uint8_t *)answer.text, reply.body.n}, &json));
    answer.json = json;
    arena_close(arena);
    return answer;
}

struct answer get(struct world *world, const char *token, const char *path)
{
    return call(world, &(struct call){.method = "GET", .path = path, .token = token});
}

struct answer post(struct world *world, const char *token, const char *path, const char *body)
{
    return call(
        world,
        &(struct call){.method = "POST", .path = path, .token = token, .key = "new", .body = body});
}

const char *answer_field(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->reply.field_count; i++) {
        if (strcasecmp(answer->reply.fields[i].name, name) == 0)
            return answer->reply.fields[i].value;
    }
    return NULL;
}

void assert_answer_at(struct answer answer, int status, const char *code, int line)
{
    const char *is = json_text(answer.json, "code");
    if (answer.status != status || (code && (!is || strcmp(is, code) != 0)))
        fail_msg("line %d: expected %d %s, was %d %s", line, status, code ? code : "",
                 answer.status, answer.text);
}

/* ---- people ---- */

struct uuid person(struct world *world, const char *email, bool operator)
{
    struct untenanted directory = fixture_untenanted(&world->directory);
    char *hash;
    assert_ok(&world->directory,
              password_hash(world->arena, secret_from_text(world->arena, PASSWORD), &hash));
    struct user user = {
        .email = email, .name = email, .password_hash = hash, .operator= operator, .active = true };
    assert_ok(&world->directory, user_add(&directory, &user));
    return user.id;
}

const char *token_of(struct world *world, struct uuid user)
{
    const struct secret *token;
    struct jwt_claims claims = {.user = user, .session = user};
    assert_ok(&world->directory, access_token_sign(world->arena, &world->jwt_keys,
                                                   clock_now(world->app.clock), &claims, &token));
    return secret_text(token);
}

const char *workspace_of(struct world *world, const char *token, const char *name)
{
    struct answer made =
        post(world, token, "/v1/workspaces",
             arena_format(world->arena, "{\"name\":\"%s\",\"region\":\"" REGION "\"}", name));
    assert_answer(made, 201);
    return json_text(made.json, "id");
}

void join(struct world *world, const char *workspace, struct uuid user, const char *role)
{
    struct untenanted directory = fixture_untenanted(&world->directory);
    struct uuid id;
    assert_true(uuid_parse(workspace, &id));
    assert_ok(&world->directory, member_add(&directory, id, user, role));
}
