#include "mcp_world.h"

#include "base/buf.h"
#include "net/egress.h"

static const char *id_of(struct arena *arena, const char *body)
{
    const char *at = strstr(body, "\"id\":");
    return at ? arena_text_n(arena, at + 5, strspn(at + 5, "0123456789")) : "0";
}

static void hear(struct world *world, const struct tls_exchange *exchange)
{
    const char *method = strstr(exchange->body, "\"method\":\"");
    size_t n = strlen(world->methods);
    const char *name = method ? method + 10 : exchange->method;
    snprintf(world->methods + n, sizeof world->methods - n, "%.*s ",
             (int)strcspn(name, method ? "\"" : " "), name);
    n = strlen(world->heard);
    snprintf(world->heard + n, sizeof world->heard - n, "%s%s\n", exchange->head, exchange->body);
}

static enum tls_end serve(void *context, struct tls_exchange *exchange)
{
    struct world *world = context;
    struct arena *arena = arena_open();
    hear(world, exchange);
    const char *answer = world->answers[world->asked];
    assert_non_null(answer);
    world->asked++;
    const char *id = id_of(arena, exchange->body);
    struct buf text = buf_new(arena, 64 * 1024 * 1024);
    for (const char *at = answer; *at;) {
        size_t plain = strcspn(at, "$");
        buf_add(&text, at, plain);
        at += plain;
        if (*at == '$') {
            buf_add_text(&text, id);
            at++;
        }
    }
    for (size_t i = 0; world->in_pieces && i < text.n; i++)
        tls_send(exchange, arena_text_n(arena, text.data + i, 1));
    if (!world->in_pieces)
        tls_send(exchange, text.data);
    arena_close(arena);
    return TLS_CLOSE;
}

int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const struct egress *egress;
    world->arena = arena_open();
    world->peer = tls_peer_open(serve, world, false);
    world->log = (struct log){.fd = 2, .least = LOG_ERROR, .clock = &world->clock};
    const char *allow = tls_peer_allow(world->peer);
    assert_int_equal(egress_new(world->arena, &allow, 1, &egress), OK);
    const struct http_settings http = {.egress = egress,
                                       .user_agent = "test/1",
                                       .ca_file = tls_peer_ca_file(world->peer),
                                       .tls13 = true};
    world->credential.access_token = secret_from_text(world->arena, "token");
    world->mcp =
        (struct mcp_settings){.name = "Peer", .url = tls_peer_origin(world->peer), .total_s = 20};
    world->call = (struct provider_call){
        .arena = world->arena,
        .log = &world->log,
        .clock = &world->clock,
        .http = http_client_open(&http),
        .settings = &world->settings,
        .credential = &world->credential,
        .context = world,
    };
    *state = world;
    return 0;
}

int world_close(void **state)
{
    struct world *world = *state;
    http_client_close(world->call.http);
    tls_peer_close(world->peer);
    arena_close(world->arena);
    free(world->large);
    free(world);
    return 0;
}

struct mcp_session *session_of(struct world *world)
{
    return mcp_session_of(&world->call, &world->mcp);
}

void script(struct world *world, const char *const *answers)
{
    world->answers = answers;
    world->asked = 0;
    world->methods[0] = '\0';
    world->heard[0] = '\0';
}

enum err ask(struct world *world, const char *const *answers, struct mcp_reply *reply)
{
    const struct mcp_request request = {.method = "prompts/list", .repeatable = true};
    script(world, answers);
    return mcp_send(session_of(world), &world->call, &request, reply);
}

void expect(struct world *world, const char *methods, const char *const *answers)
{
    struct mcp_reply reply;
    enum err err = ask(world, answers, &reply);
    if (err != OK)
        fail_msg("%s: %s %s", methods, err_slug(err), arena_failure(world->arena)->detail);
    assert_string_equal(world->methods, methods);
    assert_int_equal(json_int(reply.result, "answer", 0), 42);
}

void anew(struct world *world)
{
    world->call.session = NULL;
}
