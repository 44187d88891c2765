/* The MCP client against a peer that answers byte for byte what the test says. */
#include "base/base.h"

#include <setjmp.h>
#include <signal.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "connectors/mcp/mcp_session.h"
#include "net/egress.h"
#include "tls_peer.h"

#define JSON_HEAD  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define SSE_HEAD   "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"answer\":42}}"

struct world {
    struct arena *arena;
    struct tls_peer *peer;
    struct clock clock;
    struct log log;
    struct credential credential;
    struct provider_settings settings;
    struct provider_call call;
    struct mcp_settings mcp;
    int refreshes;
    /* what the peer does */
    const char *revision;   /* of the initialize answer */
    const char *session_id; /* header line with CRLF, or "" */
    const char *answers[6]; /* raw, to the requests after the handshake, in order; NULL: the last */
    bool hold;              /* keeps the connection open behind the answer */
    int answered;
    int initialized;
    int ended;
    char heard[4096]; /* heads and bodies of what came in, after the handshake */
};

static void hear(struct world *world, const struct tls_exchange *exchange)
{
    size_t n = strlen(world->heard);
    snprintf(world->heard + n, sizeof world->heard - n, "%s %s\n", exchange->method,
             exchange->body);
    const char *last = strcasestr(exchange->head, "last-event-id");
    n = strlen(world->heard);
    if (last)
        snprintf(world->heard + n, sizeof world->heard - n, "%.*s\n", (int)strcspn(last, "\r"),
                 last);
}

static enum tls_end serve(void *context, struct tls_exchange *exchange)
{
    struct world *world = context;
    char text[1024];
    if (strstr(exchange->body, "\"initialize\"")) {
        world->initialized++;
        assert_null(strcasestr(exchange->head, "mcp-session-id"));
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"protocolVersion\":\"%s\"}}",
                 (int)strtol(strstr(exchange->body, "\"id\":") + 5, NULL, 10), world->revision);
        tls_reply(exchange, "200 OK", "application/json", world->session_id, text);
        return TLS_KEEP;
    }
    if (strstr(exchange->body, "notifications/initialized")) {
        tls_send(exchange, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        return TLS_KEEP;
    }
    if (strcmp(exchange->method, "DELETE") == 0) {
        world->ended++;
        assert_non_null(strcasestr(exchange->head, "mcp-session-id: s-1"));
        tls_send(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return TLS_KEEP;
    }
    hear(world, exchange);
    if (strstr(exchange->body, "\"result\":{}") || strstr(exchange->body, "-32601")) {
        tls_send(exchange, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        return TLS_KEEP;
    }
    const char *answer = world->answers[world->answered];
    /* Before it is sent: with the answer the next question may come. */
    world->answered += world->answers[world->answered + 1] != NULL;
    tls_send(exchange, answer);
    struct timespec rest = {.tv_sec = world->hold ? 5 : 0};
    nanosleep(&rest, NULL);
    return TLS_CLOSE;
}

static enum err refresh(void *context, struct credential *credential)
{
    struct world *world = context;
    world->refreshes++;
    credential->access_token = secret_from_text(world->arena, "fresh");
    return OK;
}

static int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const struct egress *egress;
    world->arena = arena_open();
    world->peer = tls_peer_open(serve, world, false);
    world->revision = "2025-11-25";
    world->session_id = "Mcp-Session-Id: s-1\r\n";
    world->log = (struct log){.fd = 2, .least = LOG_ERROR, .clock = &world->clock};
    const char *allow = tls_peer_allow(world->peer);
    assert_int_equal(egress_new(world->arena, &allow, 1, &egress), OK);
    const struct http_settings http = {.egress = egress,
                                       .user_agent = "test/1",
                                       .ca_file = tls_peer_ca_file(world->peer),
                                       .tls13 = true};
    world->credential.access_token = secret_from_text(world->arena, "stale");
    world->mcp = (struct mcp_settings){
        .name = "Peer", .url = tls_peer_origin(world->peer), .total_s = 20, .era = MCP_ERA_LEGACY};
    world->call = (struct provider_call){
        .arena = world->arena,
        .log = &world->log,
        .clock = &world->clock,
        .http = http_client_open(&http),
        .settings = &world->settings,
        .credential = &world->credential,
        .refresh = refresh,
        .context = world,
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

static enum err ask(struct world *world, bool repeatable, struct mcp_reply *reply)
{
    const struct mcp_request request = {.method = "tools/call", .repeatable = repeatable};
    world->answered = 0;
    return mcp_send(mcp_session_of(&world->call, &world->mcp), &world->call, &request, reply);
}

static void expect_answer(struct world *world, const char *raw)
{
    struct mcp_reply reply;
    world->answers[0] = raw;
    enum err err = ask(world, false, &reply);
    if (err != OK || json_int(reply.result, "answer", 0) != 42)
        fail_msg("%s: %s", err_slug(err), arena_failure(world->arena)->detail);
}

/* Each request has the next id: initialize took 1. */
static void answers_come_as_json_or_as_events(void **state)
{
    struct world *world = *state;
    expect_answer(world, JSON_HEAD RESULT(2));
    expect_answer(world, SSE_HEAD "event: message\ndata: " RESULT(3) "\n\n");
    expect_answer(world, SSE_HEAD ": hello\r\rid: 1\rdata:\r\rdata: {\"jsonrpc\":\"2.0\",\r"
                                  "data: \"method\":\"notifications/progress\"}\r\r"
                                  "data: {\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\r\r"
                                  "data: " RESULT(4) "\r\r");
    assert_int_equal(world->initialized, 1);
    assert_string_equal(mcp_revision(world->call.session), "2025-11-25");
}

static void requests_of_the_server_are_answered_or_declined(void **state)
{
    struct world *world = *state;
    expect_answer(world,
                  SSE_HEAD "data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n"
                           "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"roots/list\"}\n\n"
                           "data: " RESULT(2) "\n\n");
    assert_non_null(strstr(world->heard, "{\"id\":\"p\",\"jsonrpc\":\"2.0\",\"result\":{}}"));
    assert_non_null(strstr(world->heard, "\"code\":-32601"));
    assert_non_null(strstr(world->heard, "\"id\":7"));
}

static void a_stream_that_ends_early_is_resumed_behind_its_last_event(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->answers[0] = SSE_HEAD "id: e-1\nretry: 10\ndata:\n\n";
    world->answers[1] =
        SSE_HEAD "id: e-2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\nid: e-3\n"
                 "data: half";
    world->answers[2] = SSE_HEAD "data: " RESULT(2) "\n\n";
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(json_int(reply.result, "answer", 0), 42);
    assert_non_null(strstr(world->heard, "Last-Event-ID: e-1\nGET"));
    assert_non_null(strstr(world->heard, "Last-Event-ID: e-2\n"));
    assert_null(strstr(world->heard, "e-3"));
}

static void what_cannot_be_resumed_is_lost(void **state)
{
    struct world *world = *state;
    static const char *const first[] = {
        SSE_HEAD,
        SSE_HEAD "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"resu",
        SSE_HEAD "id: 1\nretry: 99000\ndata:\n\n",
    };
    struct mcp_reply reply;
    for (size_t i = 0; i < COUNT(first); i++) {
        world->answers[0] = first[i];
        assert_int_equal(ask(world, true, &reply), ERR_TRANSIENT);
        assert_int_equal(ask(world, false, &reply), ERR_UNCERTAIN);
    }
    world->answers[0] = SSE_HEAD "id: 1\nretry: 1\ndata:\n\n";
    world->answers[1] = "HTTP/1.1 405 Not Allowed\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(ask(world, false, &reply), ERR_UNCERTAIN);
    world->answers[1] = NULL; /* resumed for ever */
    assert_int_equal(ask(world, true, &reply), ERR_TRANSIENT);
}

static void what_is_no_mcp_is_a_protocol_error(void **state)
{
    struct world *world = *state;
    static const char *const wrong[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<html>",
        JSON_HEAD,
        JSON_HEAD "{",
        JSON_HEAD "[" RESULT(2) "]",
        JSON_HEAD "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}",
        JSON_HEAD "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}",
        SSE_HEAD "data: <html>\n\n",
        SSE_HEAD "data: [1]\n\n",
        SSE_HEAD "data: 1\n\n",
    };
    struct mcp_reply reply;
    world->session_id = "";
    for (size_t i = 0; i < COUNT(wrong); i++) {
        world->answers[0] = wrong[i];
        enum err err = ask(world, false, &reply);
        if (err != ERR_PROTOCOL)
            fail_msg("%s: %s", wrong[i], err_slug(err));
    }
}

static void limits_are_protocol_errors(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    size_t n = (size_t)MCP_ANSWER_BYTES_MAX + 100;
    char *large = arena_alloc(world->arena, n + sizeof SSE_HEAD + 10);
    memset(large, 'x', n + sizeof SSE_HEAD + 9);
    memcpy(large, SSE_HEAD "data: ", sizeof SSE_HEAD + 5);
    world->answers[0] = large;
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
    memcpy(large, JSON_HEAD, sizeof JSON_HEAD - 1);
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
    struct buf flood = buf_new(world->arena, 1024 * 1024);
    buf_add_text(&flood, SSE_HEAD);
    for (int i = 0; i <= MCP_EVENTS_MAX; i++)
        buf_add_text(&flood, "data: {\"method\":\"n\"}\n\n");
    world->answers[0] = flood.data;
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
    flood = buf_new(world->arena, 1024 * 1024);
    buf_add_text(&flood, SSE_HEAD);
    for (int i = 0; i <= MCP_SERVER_REQUESTS_MAX; i++)
        buf_add_text(&flood, "data: {\"method\":\"ping\",\"id\":1}\n\n");
    world->answers[0] = flood.data;
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
}

static void each_status_has_its_error(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *raw;
        enum err repeatable, once;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ERR_SCOPE, ERR_SCOPE},
        {"HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n", ERR_TRANSIENT,
         ERR_TRANSIENT},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ERR_TRANSIENT, ERR_TRANSIENT},
        {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", ERR_TRANSIENT, ERR_UNCERTAIN},
        {"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", ERR_PROTOCOL, ERR_PROTOCOL},
    };
    struct mcp_reply reply;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world->answers[0] = rows[i].raw;
        assert_int_equal(ask(world, true, &reply), rows[i].repeatable);
        assert_int_equal(ask(world, false, &reply), rows[i].once);
    }
    world->answers[0] = "HTTP/1.1 400 No\r\n\r\n{\"error\":\"No account found.\"}";
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(reply.channel, MCP_REFUSED);
    assert_string_equal(reply.text, "No account found.");
    world->answers[0] = "HTTP/1.1 400 No\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":null,"
                        "\"error\":{\"code\":-32602,\"message\":\"bad\"}}";
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(reply.channel, MCP_RPC_ERROR);
    assert_int_equal(reply.code, -32602);
}

static void a_refused_token_is_refreshed_once(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->answers[0] = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
    world->answers[1] = JSON_HEAD RESULT(3);
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(world->refreshes, 1);
    world->answers[1] = NULL;
    assert_int_equal(ask(world, false, &reply), ERR_AUTH);
    assert_int_equal(world->refreshes, 2);
    world->call.refresh = NULL;
    assert_int_equal(ask(world, false, &reply), ERR_AUTH);
}

static void a_lost_session_is_opened_anew_once(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->answers[0] = "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n";
    world->answers[1] = JSON_HEAD RESULT(4);
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(world->initialized, 2);
    world->answers[0] = "HTTP/1.1 400 No\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":"
                        "{\"code\":-32000,\"message\":\"No valid session ID provided\"}}";
    world->answers[1] = JSON_HEAD RESULT(7);
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(world->initialized, 3);
    world->answers[1] = NULL;
    assert_int_equal(ask(world, false, &reply), OK);
    assert_int_equal(reply.channel, MCP_RPC_ERROR);
}

static void an_unknown_revision_or_a_bad_session_id_ends_the_handshake(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->answers[0] = JSON_HEAD RESULT(2);
    world->revision = "2099-01-01";
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
    world->revision = "2025-03-26";
    world->session_id = "Mcp-Session-Id: with blank\r\n";
    assert_int_equal(ask(world, true, &reply), ERR_PROTOCOL);
    assert_string_equal(world->heard, "");
}

static void a_stream_that_is_left_open_does_not_hold_us_up(void **state)
{
    struct world *world = *state;
    int64_t start = monotonic_us();
    world->hold = true;
    expect_answer(world, SSE_HEAD "data: " RESULT(2) "\n\n");
    int64_t first = monotonic_us();
    assert_true(first - start < 3 * 1000000);
    expect_answer(world, SSE_HEAD "data: " RESULT(3) "\n\n"); /* known by now */
    assert_true(monotonic_us() - first < 500 * 1000);
}

/* Two jobs of one connection: the second goes on with the session of the first. */
static void a_session_is_kept_between_jobs(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    static const struct uuid ours = {{1}}, other = {{2}};
    world->call.sessions = mcp_cache_open();
    world->answers[0] = JSON_HEAD RESULT(2);
    for (int job = 0; job < 4; job++) {
        world->call.keep = arena_open();
        world->call.session = NULL;
        world->call.connection = job < 2 ? ours : other;
        const char *answers[] = {JSON_HEAD RESULT(2), JSON_HEAD RESULT(3), JSON_HEAD RESULT(2),
                                 JSON_HEAD RESULT(2)};
        world->answers[0] = answers[job];
        assert_int_equal(ask(world, false, &reply), OK);
        arena_close(world->call.keep);
        mcp_cache_forget(world->call.sessions, other);
    }
    assert_int_equal(world->initialized, 3);
    mcp_cache_close(world->call.sessions);
    world->call.session = NULL;
}

/* Those of another authorisation, say: whoever got them need not tell this process. */
static void a_session_ends_with_the_tokens_that_it_was_used_with(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->call.sessions = mcp_cache_open();
    for (int job = 0; job < 3; job++) {
        const char *answers[] = {JSON_HEAD RESULT(2), JSON_HEAD RESULT(3), JSON_HEAD RESULT(5)};
        world->answers[0] = answers[job];
        world->call.keep = arena_open();
        world->call.session = NULL;
        world->credential.generation = job < 2 ? 7 : 8;
        assert_int_equal(ask(world, false, &reply), OK);
        arena_close(world->call.keep);
    }
    assert_int_equal(world->initialized, 2);
    assert_int_equal(world->ended, 1); /* the server is told that nobody comes back to it */
    mcp_cache_close(world->call.sessions);
    world->call.session = NULL;
}

static void the_cache_forgets_the_session_that_rested_longest(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct mcp_cache *cache = mcp_cache_open();
    struct mcp_saved saved = {.opened = true};
    for (int i = 0; i <= MCP_CACHE_SESSIONS_MAX; i++) {
        const struct uuid connection = {{(uint8_t)i, (uint8_t)(i >> 8), 1}};
        saved.next_id = i;
        mcp_cache_put(cache, connection, &saved);
    }
    const struct uuid first = {{0, 0, 1}}, second = {{1, 0, 1}};
    assert_false(mcp_cache_take(cache, first, arena, &saved));
    assert_true(mcp_cache_take(cache, second, arena, &saved));
    assert_int_equal(saved.next_id, 1);
    assert_false(mcp_cache_take(cache, second, arena, &saved)); /* in use */
    mcp_cache_close(cache);
    arena_close(arena);
}

static void tools_are_listed_to_the_end(void **state)
{
    struct world *world = *state;
    struct mcp_tools tools;
    struct mcp_session *session = mcp_session_of(&world->call, &world->mcp);
#define PAGE(id, name, more)                                                                       \
    JSON_HEAD "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"tools\":[{\"name\":\"" name       \
              "\"}]" more "}}"
    world->answers[0] = PAGE(2, "a", ",\"nextCursor\":\"\"");
    world->answers[1] = PAGE(3, "b", ",\"nextCursor\":\"x\"");
    world->answers[2] = PAGE(4, "c", "");
    assert_int_equal(mcp_tools_list(session, &world->call, &tools), OK);
    assert_int_equal(tools.count, 3);
    assert_string_equal(json_text(tools.tools[2], "name"), "c");
    assert_non_null(strstr(world->heard, "\"cursor\":\"\""));
    world->answered = 0;
    world->answers[0] = PAGE(5, "a", ",\"nextCursor\":\"x\"");
    world->answers[1] = PAGE(6, "b", ",\"nextCursor\":\"x\"");
    world->answers[2] = NULL;
    assert_int_equal(mcp_tools_list(session, &world->call, &tools), ERR_PROTOCOL);
    world->answered = 0;
    world->answers[0] = JSON_HEAD RESULT(7);
    assert_int_equal(mcp_tools_list(session, &world->call, &tools), ERR_PROTOCOL);
}

static void a_tool_answers_in_words_or_with_an_error(void **state)
{
    struct world *world = *state;
    struct mcp_session *session = mcp_session_of(&world->call, &world->mcp);
    struct mcp_reply reply;
    json_t *none = json_keep(world->arena, json_object());
    world->answers[0] =
        JSON_HEAD "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"image\"},"
                  "{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"text\",\"text\":\"two\"}]}}";
    assert_int_equal(mcp_tool(session, &world->call, "t", none, true, &reply), OK);
    assert_int_equal(reply.channel, MCP_RESULT);
    assert_string_equal(reply.text, "one");
    world->answers[0] = JSON_HEAD "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"isError\":true,"
                                  "\"content\":[{\"type\":\"text\",\"text\":\"no\"}]}}";
    assert_int_equal(mcp_tool(session, &world->call, "t", none, true, &reply), OK);
    assert_int_equal(reply.channel, MCP_TOOL_ERROR);
    assert_string_equal(reply.text, "no");
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(answers_come_as_json_or_as_events),
        WORLD_TEST(requests_of_the_server_are_answered_or_declined),
        WORLD_TEST(a_stream_that_ends_early_is_resumed_behind_its_last_event),
        WORLD_TEST(what_cannot_be_resumed_is_lost),
        WORLD_TEST(what_is_no_mcp_is_a_protocol_error),
        WORLD_TEST(limits_are_protocol_errors),
        WORLD_TEST(each_status_has_its_error),
        WORLD_TEST(a_refused_token_is_refreshed_once),
        WORLD_TEST(a_lost_session_is_opened_anew_once),
        WORLD_TEST(an_unknown_revision_or_a_bad_session_id_ends_the_handshake),
        WORLD_TEST(a_stream_that_is_left_open_does_not_hold_us_up),
        WORLD_TEST(a_session_is_kept_between_jobs),
        WORLD_TEST(a_session_ends_with_the_tokens_that_it_was_used_with),
        cmocka_unit_test(the_cache_forgets_the_session_that_rested_longest),
        WORLD_TEST(tools_are_listed_to_the_end),
        WORLD_TEST(a_tool_answers_in_words_or_with_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
