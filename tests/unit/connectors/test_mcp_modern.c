/* The two eras of MCP: how the client finds out which one a server speaks, and what it takes for a
 * result in the modern one. */
#include "mcp_world.h"

#include <signal.h>

static const char asked_modern[] = "server/discover prompts/list ";
static const char asked_legacy[] =
    "server/discover initialize notifications/initialized prompts/list ";

/* ---- which era ---- */

static void a_modern_server_is_spoken_to_without_a_handshake(void **state)
{
    struct world *world = *state;
    expect(world, asked_modern, ANSWERS(DISCOVERED, DONE));
    assert_string_equal(mcp_era_name(session_of(world)), "modern");
    assert_string_equal(mcp_revision(session_of(world)), "2026-07-28");
    assert_non_null(strstr(world->heard, "MCP-Protocol-Version: 2026-07-28\r\n"));
    assert_non_null(strstr(world->heard, "Mcp-Method: prompts/list\r\n"));
    assert_non_null(strstr(world->heard, "\"io.modelcontextprotocol/clientCapabilities\":{}"));
    assert_non_null(
        strstr(world->heard, "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""));
    assert_non_null(strstr(world->heard, "\"io.modelcontextprotocol/clientInfo\""));
    assert_null(strcasestr(world->heard, "mcp-session-id"));
    expect(world, "prompts/list ", ANSWERS(DONE)); /* remembered */
}

static void what_means_modern(void **state)
{
    struct world *world = *state;
    static const char *const answers[] = {
        DISCOVERED,
        SSE "data: " RESULT("\"supportedVersions\":[\"2025-11-25\",\"2026-07-28\"]") "\n\n",
        HEAD("400 No", "application/json") ERROR("-32020", ""),
        HEAD("400 No", "application/json") ERROR("-32021", ""),
        HEAD("404 No", "application/json") ERROR("-32601", ""),
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        anew(world);
        expect(world, asked_modern, ANSWERS(answers[i], DONE));
    }
    anew(world);
    expect(world, "server/discover server/discover prompts/list ",
           ANSWERS(HEAD("400 No", "application/json") SUPPORTED("-32022", "2026-07-28"), DISCOVERED,
                   DONE));
}

static void what_means_legacy(void **state)
{
    struct world *world = *state;
    static const char *const answers[] = {
        HEAD("400 No", "text/plain"),
        HEAD("400 No", "application/json") ERROR("-32000", ""),
        HEAD("400 No", "application/json") "{\"error\":\"No account found.\"}",
        HEAD("400 No", "application/json") SUPPORTED("-32022", "2025-06-18"),
        HEAD("404 No", "text/html") "<html>",
        HEAD("405 No", "text/plain"),
        HEAD("500 No", "text/plain"),
        HEAD("200 OK", "text/html") "<html>",
        JSON ERROR("-32601", ""),
        SSE "data: " ERROR("-32601", "") "\n\n",
        JSON RESULT("\"supportedVersions\":[\"2025-11-25\"]"),
        JSON RESULT("\"supportedVersions\":7"),
        JSON "[]",
        SSE,
        SSE "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n",
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        anew(world);
        expect(world, asked_legacy, ANSWERS(answers[i], INITIALIZED, ACCEPTED, PLAIN));
        assert_string_equal(mcp_era_name(session_of(world)), "legacy");
    }
}

static void what_says_nothing_about_the_era_is_a_failure(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *answer;
        enum err err;
    } rows[] = {
        {HEAD("401 No", "text/plain"), ERR_AUTH},
        {HEAD("403 No", "text/plain"), ERR_SCOPE},
        {HEAD("429 No", "text/plain"), ERR_TRANSIENT},
        {HEAD("503 No", "text/plain"), ERR_TRANSIENT},
        {HEAD("400 No", "application/json") SUPPORTED("-32022", "2099-01-01"), ERR_PROTOCOL},
    };
    struct mcp_reply reply;
    for (size_t i = 0; i < COUNT(rows); i++) {
        anew(world);
        assert_int_equal(ask(world, ANSWERS(rows[i].answer), &reply), rows[i].err);
        assert_string_equal(world->methods, "server/discover ");
        assert_string_equal(mcp_era_name(session_of(world)), "");
    }
    anew(world);
    const char *again = HEAD("400 No", "application/json") SUPPORTED("-32022", "2026-07-28");
    assert_int_equal(ask(world, ANSWERS(again, again), &reply), ERR_PROTOCOL);
    /* a handshake that fails teaches nothing either: the next job asks anew */
    anew(world);
    const char *broken = HEAD("503 No", "text/plain");
    assert_int_equal(ask(world, ANSWERS(HEAD("400 No", "text/plain"), broken), &reply),
                     ERR_TRANSIENT);
    expect(world, asked_modern, ANSWERS(DISCOVERED, DONE));
}

static void a_server_that_changes_its_era_is_found_out(void **state)
{
    struct world *world = *state;
    const char *gone[] = {HEAD("400 No", "application/json") ERROR("-32000", ""),
                          HEAD("405 No", "text/plain"), HEAD("404 No", "text/html")};
    for (size_t i = 0; i < COUNT(gone); i++) {
        anew(world);
        expect(world, asked_modern, ANSWERS(DISCOVERED, DONE));
        expect(world,
               "prompts/list server/discover initialize notifications/initialized prompts/list ",
               ANSWERS(gone[i], HEAD("400 No", "text/plain"), INITIALIZED, ACCEPTED, PLAIN));
        expect(world, "prompts/list initialize server/discover prompts/list ",
               ANSWERS(HEAD("400 No", "application/json") SUPPORTED("-32022", "2026-07-28"),
                       HEAD("400 No", "application/json") SUPPORTED("-32022", "2026-07-28"),
                       DISCOVERED, DONE));
    }
    /* a refusal in the server's own words says nothing about the era */
    struct mcp_reply reply;
    const char *refusal = HEAD("400 No", "application/json") "{\"error\":\"No account found.\"}";
    assert_int_equal(ask(world, ANSWERS(refusal), &reply), OK);
    assert_int_equal(reply.channel, MCP_REFUSED);
    /* one that was only taken for modern is legacy at the first doubt */
    anew(world);
    expect(world, "server/discover prompts/list initialize notifications/initialized prompts/list ",
           ANSWERS(HEAD("404 No", "application/json") ERROR("-32601", ""), gone[0], INITIALIZED,
                   ACCEPTED, PLAIN));
}

static void the_era_can_be_told(void **state)
{
    struct world *world = *state;
    world->mcp.era = MCP_ERA_MODERN;
    expect(world, "prompts/list ", ANSWERS(DONE));
    struct mcp_reply reply;
    const char *no = HEAD("405 No", "text/plain");
    assert_int_equal(ask(world, ANSWERS(no, no), &reply), ERR_PROTOCOL); /* and nothing else */
    anew(world);
    world->mcp.era = MCP_ERA_LEGACY;
    expect(world, "initialize notifications/initialized prompts/list ",
           ANSWERS(INITIALIZED, ACCEPTED, PLAIN));
}

static void a_legacy_session_is_ended_and_everything_forgotten(void **state)
{
    struct world *world = *state;
    const char *opened =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Mcp-Session-Id: s-1\r\n\r\n" RESULT("\"protocolVersion\":\"2025-11-25\"");
    const char *legacy = HEAD("400 No", "text/plain");
    expect(world, asked_legacy, ANSWERS(legacy, opened, ACCEPTED, PLAIN));
    arena_failure_clear(world->arena);
    script(world, ANSWERS(ACCEPTED));
    mcp_session_end(session_of(world), &world->call);
    assert_string_equal(world->methods, "DELETE ");
    assert_non_null(strstr(world->heard, "Mcp-Session-Id: s-1\r\n"));
    assert_int_equal(arena_failure(world->arena)->code, OK);
    mcp_session_end(session_of(world), &world->call); /* nothing to end */
    expect(world, asked_modern, ANSWERS(DISCOVERED, DONE));
    script(world, ANSWERS(ACCEPTED));
    mcp_session_end(session_of(world), &world->call);
    assert_string_equal(world->methods, ""); /* the modern era has no sessions */
}

static void an_era_is_kept_between_jobs(void **state)
{
    struct world *world = *state;
    static const struct uuid ours = {{1}};
    world->call.sessions = mcp_cache_open();
    world->call.connection = ours;
    for (int job = 0; job < 3; job++) {
        world->call.keep = arena_open();
        anew(world);
        expect(world, job == 0 ? asked_modern : "prompts/list ",
               job == 0 ? ANSWERS(DISCOVERED, DONE) : ANSWERS(DONE));
        arena_close(world->call.keep);
    }
    mcp_cache_close(world->call.sessions);
    world->call.keep = NULL;
    world->call.sessions = NULL;
    anew(world);
}

/* ---- results ---- */

static void a_result_says_of_what_type_it_is(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    expect(world, asked_modern, ANSWERS(DISCOVERED, PLAIN)); /* none: complete */
    static const char *const wrong[] = {
        JSON RESULT("\"resultType\":\"task\""),
        JSON RESULT("\"resultType\":1"),
        JSON RESULT("\"resultType\":\"input_required\""),
        JSON RESULT("\"resultType\":\"input_required\",\"requestState\":{}"),
        JSON RESULT("\"resultType\":\"input_required\",\"inputRequests\":[1]"),
        JSON RPC("\"result\":[]"),
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (ask(world, ANSWERS(wrong[i]), &reply) != ERR_PROTOCOL)
            fail_msg("%s", wrong[i]);
    }
    static const struct {
        const char *hint;
        int64_t fresh_ms;
    } hints[] = {{JSON RESULT("\"ttlMs\":5000"), 5000},
                 {JSON RESULT("\"ttlMs\":-1"), 0},
                 {JSON RESULT("\"ttlMs\":\"7\""), 0},
                 {JSON RESULT("\"ttlMs\":999999999999"), MCP_FRESH_MS_MAX}};
    for (size_t i = 0; i < COUNT(hints); i++) {
        assert_int_equal(ask(world, ANSWERS(hints[i].hint), &reply), OK);
        assert_int_equal(reply.fresh_ms, hints[i].fresh_ms);
    }
}

static void input_that_is_required_is_an_outcome_and_can_be_given(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    assert_int_equal(ask(world,
                         ANSWERS(DISCOVERED, JSON RESULT("\"resultType\":\"input_required\","
                                                         "\"requestState\":\"s/1\","
                                                         "\"inputRequests\":{\"ok\":{\"method\":"
                                                         "\"elicitation/create\"}}")),
                         &reply),
                     OK);
    assert_int_equal(reply.channel, MCP_INPUT_REQUIRED);
    assert_string_equal(reply.request_state, "s/1");
    assert_string_equal(json_text(reply.input_requests, "ok.method"), "elicitation/create");
    const struct mcp_request again = {
        .method = "prompts/list",
        .repeatable = true,
        .input_responses =
            json_keep(world->arena, json_pack("{s:{s:s}}", "ok", "action", "accept")),
        .request_state = reply.request_state,
    };
    script(world, ANSWERS(DONE));
    assert_int_equal(mcp_send(session_of(world), &world->call, &again, &reply), OK);
    assert_int_equal(reply.channel, MCP_RESULT);
    assert_non_null(strstr(world->heard, "\"inputResponses\":{\"ok\":{\"action\":\"accept\"}}"));
    assert_non_null(strstr(world->heard, "\"requestState\":\"s/1\""));
}

static void a_server_that_wants_only_its_state_gets_it(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    const char *later = JSON RESULT("\"resultType\":\"input_required\",\"requestState\":\"s2\"");
    expect(world, "server/discover prompts/list prompts/list prompts/list ",
           ANSWERS(DISCOVERED, later, later, DONE));
    assert_non_null(strstr(world->heard, "\"requestState\":\"s2\""));
    const char *const endless[] = {later, later, later, later, later, later, NULL};
    assert_int_equal(ask(world, endless, &reply), ERR_PROTOCOL);
    assert_int_equal(world->asked, MCP_STATE_ROUNDS_MAX + 1);
}

static void a_stream_is_read_whatever_its_pieces(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    world->in_pieces = true;
    expect(world, asked_modern,
           ANSWERS(DISCOVERED,
                   SSE ": keep-alive\r\n\r\nevent: message\r\ndata: {\"jsonrpc\":"
                       "\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n"
                       "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}\n\n"
                       "data: " RESULT("\"answer\":42,\"name\":\"Zo\xc3\xab\"") "\r\n\r\n"));
    world->in_pieces = false;
    /* no resumption: what a broken stream loses is lost, ids or not */
    assert_int_equal(ask(world, ANSWERS(SSE "id: 1\nretry: 1\ndata:\n\ndata: {\"half"), &reply),
                     ERR_TRANSIENT);
    assert_string_equal(world->methods, "prompts/list ");
}

static void fifty_mebibytes_are_refused_in_either_form(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    size_t n = 50 * 1024 * 1024;
    static const char *const heads[] = {JSON "{\"a\":\"", SSE "data: {\"a\":\"", SSE};
    expect(world, asked_modern, ANSWERS(DISCOVERED, DONE));
    char *text = malloc(n + 1);
    for (size_t i = 0; i < COUNT(heads); i++) {
        size_t from = strlen(heads[i]);
        memset(text, 'x', n);
        text[n] = '\0';
        memcpy(text, heads[i], from);
        for (size_t at = from; i == 2 && at + 2 < n;
             at += 100) /* without end, not one large event */
            memcpy(text + at, "\n\n", 2);
        assert_int_equal(ask(world, ANSWERS(text), &reply), ERR_PROTOCOL);
        world->large = text;
    }
}

static void a_challenge_for_more_scope_is_named(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    const char *more = "HTTP/1.1 403 No\r\nWWW-Authenticate: Bearer error=\"insufficient_scope\", "
                       "scope=\"mcp write\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_int_equal(ask(world, ANSWERS(DISCOVERED, more), &reply), ERR_SCOPE);
    assert_string_equal(arena_failure(world->arena)->field, "scope");
    assert_non_null(strstr(arena_failure(world->arena)->detail, "\"mcp write\""));
    assert_string_equal(mcp_challenge(session_of(world))->scope, "mcp write");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_modern_server_is_spoken_to_without_a_handshake),
        WORLD_TEST(what_means_modern),
        WORLD_TEST(what_means_legacy),
        WORLD_TEST(what_says_nothing_about_the_era_is_a_failure),
        WORLD_TEST(a_server_that_changes_its_era_is_found_out),
        WORLD_TEST(the_era_can_be_told),
        WORLD_TEST(a_legacy_session_is_ended_and_everything_forgotten),
        WORLD_TEST(an_era_is_kept_between_jobs),
        WORLD_TEST(a_result_says_of_what_type_it_is),
        WORLD_TEST(input_that_is_required_is_an_outcome_and_can_be_given),
        WORLD_TEST(a_server_that_wants_only_its_state_gets_it),
        WORLD_TEST(a_stream_is_read_whatever_its_pieces),
        WORLD_TEST(fifty_mebibytes_are_refused_in_either_form),
        WORLD_TEST(a_challenge_for_more_scope_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
