/* What modern MCP repeats in headers, and the streams of notices of both eras. */
#include "mcp_world.h"

#include <signal.h>

/* ---- headers ---- */

static void a_header_says_what_it_cannot_hold_in_base64(void **state)
{
    struct world *world = *state;
    static const char *const rows[][2] = {
        {"us-west1", "us-west1"},
        {"", ""},
        {"us west 1", "us west 1"},
        {" a", "=?base64?IGE=?="},
        {"a ", "=?base64?YSA=?="},
        {"a\nb", "=?base64?YQpi?="},
        {"\ta", "=?base64?CWE=?="},
        {"\xc3\xa9", "=?base64?w6k=?="},
        {"=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(mcp_header_value(world->arena, rows[i][0]), rows[i][1]);
}

static bool rules_take(struct world *world, const char *schema, json_t **rules)
{
    json_t *value;
    assert_int_equal(
        json_parse(world->arena, (struct bytes){(const uint8_t *)schema, strlen(schema)}, &value),
        OK);
    *rules = json_keep(world->arena, json_object());
    json_t *tool =
        json_keep(world->arena, json_pack("{s:s, s:O}", "name", "t", "inputSchema", value));
    return mcp_rules_add(*rules, tool);
}

#define MARKED(type, name) "{\"type\":\"" type "\",\"x-mcp-header\":" name "}"
#define PROPERTIES(rest)   "{\"type\":\"object\",\"properties\":{" rest "}}"

static void marks_that_break_the_rules_cost_the_tool(void **state)
{
    struct world *world = *state;
    static const char *const broken[] = {
        PROPERTIES("\"a\":" MARKED("string", "\"\"")),
        PROPERTIES("\"a\":" MARKED("string", "7")),
        PROPERTIES("\"a\":" MARKED("string", "\"A B\"")),
        PROPERTIES("\"a\":" MARKED("string", "\"A:B\"")),
        PROPERTIES("\"a\":" MARKED("string", "\"R\xc3\xa9gion\"")),
        PROPERTIES("\"a\":" MARKED("number", "\"A\"")),
        PROPERTIES("\"a\":" MARKED("object", "\"A\"")),
        PROPERTIES("\"a\":" MARKED("array", "\"A\"")),
        PROPERTIES("\"a\":{\"x-mcp-header\":\"A\"}"),
        PROPERTIES("\"a\":" MARKED("string", "\"A\"") ",\"b\":" MARKED("string", "\"a\"")),
        PROPERTIES("\"a\":{\"type\":\"array\",\"items\":" MARKED("string", "\"A\"") "}"),
        "{\"anyOf\":[" PROPERTIES("\"a\":" MARKED("string", "\"A\"")) "]}",
        "{\"x-mcp-header\":\"A\"}",
    };
    json_t *rules;
    for (size_t i = 0; i < COUNT(broken); i++) {
        if (rules_take(world, broken[i], &rules) || json_object_size(rules) != 0)
            fail_msg("%s", broken[i]);
    }
    assert_true(rules_take(world, PROPERTIES("\"x-mcp-header\":{\"type\":\"string\"}"), &rules));
    assert_true(rules_take(world, "{}", &rules));
    assert_int_equal(json_object_size(rules), 0);
}

static void marked_arguments_travel_in_headers(void **state)
{
    struct world *world = *state;
    json_t *rules;
    static const char schema[] =
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},"
        "\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},"
        "\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"},"
        "\"z\":{\"type\":\"string\",\"x-mcp-header\":\"Z\"},\"o\":{\"type\":\"object\","
        "\"properties\":{\"deep\":{\"type\":\"string\",\"x-mcp-header\":\"Deep\"}}}}}";
    assert_true(rules_take(world, schema, &rules));
    json_t *params = json_keep(world->arena, json_pack("{s:s, s:{s:s, s:i, s:b, s:n, s:{s:s}}}",
                                                       "name", "t", "arguments", "a", "x", "n", -7,
                                                       "b", 0, "z", "o", "deep", "\xc3\xa9"));
    struct http_header headers[MCP_PARAM_HEADERS_MAX];
    assert_int_equal(mcp_rules_headers(world->arena, rules, params, headers), 4);
    assert_string_equal(headers[0].name, "Mcp-Param-A");
    assert_string_equal(headers[1].value, "-7");
    assert_string_equal(headers[2].value, "false");
    assert_string_equal(headers[3].value, "=?base64?w6k=?=");
    json_object_set_new(params, "name", json_string("other"));
    assert_int_equal(mcp_rules_headers(world->arena, rules, params, headers), 0);
    json_object_set_new(params, "name", json_string("t"));
    json_object_set_new(json_object_get(params, "arguments"), "n",
                        json_integer(9007199254740993)); /* no header would be read back as that */
    assert_int_equal(mcp_rules_headers(world->arena, rules, params, headers), 3);
}

#define TOOLS                                                                                      \
    JSON RESULT("\"ttlMs\":1,\"tools\":[{\"name\":\"t\",\"inputSchema\":" PROPERTIES(              \
        "\"a\":" MARKED("string", "\"A\"")) "},{\"name\":\"bad\",\"inputSchema\":"                 \
                                            "{\"x-mcp-header\":\"A\"}}]")

static enum err tool(struct world *world, const char *const *answers, struct mcp_reply *reply)
{
    json_t *arguments = json_keep(world->arena, json_pack("{s:s}", "a", "v"));
    script(world, answers);
    return mcp_tool(session_of(world), &world->call, "t", arguments, true, reply);
}

static void a_call_that_lacks_headers_is_sent_again_with_them(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    const char *lacks = HEAD("400 No", "application/json") ERROR("-32020", "");
    assert_int_equal(tool(world, ANSWERS(DISCOVERED, lacks, TOOLS, DONE), &reply), OK);
    assert_string_equal(world->methods, "server/discover tools/call tools/list tools/call ");
    assert_int_equal(reply.channel, MCP_RESULT);
    assert_non_null(strstr(world->heard, "Mcp-Param-A: v\r\n"));
    assert_non_null(strstr(world->heard, "Mcp-Name: t\r\n"));
    assert_int_equal(tool(world, ANSWERS(DONE), &reply), OK); /* known from now on */
    assert_non_null(strstr(world->heard, "Mcp-Param-A: v\r\n"));
    session_of(world)->state.rules_until_us = 1; /* grown old */
    assert_int_equal(tool(world, ANSWERS(TOOLS, DONE), &reply), OK);
    assert_string_equal(world->methods, "tools/list tools/call ");
    session_of(world)->state.rules_until_us = 1;
    assert_int_equal(tool(world, ANSWERS(TOOLS, lacks), &reply), OK);        /* just listed */
    assert_int_equal(tool(world, ANSWERS(lacks, TOOLS, lacks), &reply), OK); /* once, no more */
    assert_int_equal(reply.channel, MCP_RPC_ERROR);
    assert_int_equal(reply.code, MCP_CODE_HEADER_MISMATCH);
}

static void what_tools_want_in_headers_is_kept_between_jobs(void **state)
{
    struct world *world = *state;
    struct mcp_reply reply;
    struct mcp_tools tools;
    static const struct uuid ours = {{1}};
    world->call.sessions = mcp_cache_open();
    world->call.connection = ours;
    world->call.keep = arena_open();
    script(world, ANSWERS(DISCOVERED, TOOLS));
    assert_int_equal(mcp_tools_list(session_of(world), &world->call, &tools), OK);
    assert_int_equal(tools.count, 1); /* without the broken one */
    arena_close(world->call.keep);
    world->call.keep = arena_open();
    anew(world);
    assert_int_equal(tool(world, ANSWERS(DONE), &reply), OK);
    assert_non_null(strstr(world->heard, "Mcp-Param-A: v\r\n"));
    arena_close(world->call.keep);
    mcp_cache_close(world->call.sessions);
    world->call.keep = NULL;
    world->call.sessions = NULL;
    anew(world);
}

static void tools_that_want_too_much_in_headers_are_a_protocol_error(void **state)
{
    struct world *world = *state;
    struct mcp_tools tools;
    struct buf page = buf_new(world->arena, 1024 * 1024);
    buf_add_text(&page, JSON "{\"jsonrpc\":\"2.0\",\"id\":$,\"result\":{\"tools\":[");
    for (int i = 0; i < 300; i++)
        buf_format(&page,
                   "%s{\"name\":\"tool-%d-%090d\",\"inputSchema\":" PROPERTIES(
                       "\"a\":" MARKED("string", "\"A\"")) "}",
                   i ? "," : "", i, i);
    buf_add_text(&page, "]}}");
    script(world, ANSWERS(DISCOVERED, page.data));
    assert_int_equal(mcp_tools_list(session_of(world), &world->call, &tools), ERR_PROTOCOL);
}

/* ---- notices ---- */

static bool on_notice(void *context, const struct mcp_notice *notice)
{
    struct world *world = context;
    assert_true(world->notice_count < COUNT(world->notices));
    world->notices[world->notice_count++] =
        (struct mcp_notice){notice->kind, arena_text(world->arena, notice->uri)};
    return world->notice_count != world->notices_wanted;
}

static const char *const uris[] = {"stripe://events"};

static struct mcp_listen listening(struct world *world)
{
    world->notice_count = 0;
    return (struct mcp_listen){.tools = true,
                               .uris = uris,
                               .uri_count = 1,
                               .total_s = 10,
                               .on_notice = on_notice,
                               .context = world};
}

static void expect_end(struct world *world, struct mcp_listen *listen, const char *const *answers,
                       enum mcp_listen_end end)
{
    script(world, answers);
    enum err err = mcp_listen(session_of(world), &world->call, listen);
    if (err != OK)
        fail_msg("%s: %s", err_slug(err), arena_failure(world->arena)->detail);
    assert_int_equal(listen->end, end);
}

static void notices_are_heard_in_the_modern_era(void **state)
{
    struct world *world = *state;
    struct mcp_listen listen = listening(world);
    const char *stream =
        SSE ": hi\n\n" NOTE("subscriptions/acknowledged", "$", ",\"notifications\":{}")
            NOTE("tools/list_changed", "77", "") NOTE("tools/list_changed", "$", "")
                NOTE("resources/updated", "\"$\"", ",\"uri\":\"stripe://events\"")
                    NOTE("resources/updated", "$", "") "data: " RESULT("\"resultType\":"
                                                                       "\"complete\"") "\n\n";
    expect_end(world, &listen, ANSWERS(DISCOVERED, stream), MCP_LISTEN_CLOSED);
    assert_non_null(strstr(world->heard, "\"resourceSubscriptions\":[\"stripe://events\"]"));
    assert_non_null(strstr(world->heard, "\"toolsListChanged\":true"));
    assert_true(listen.acknowledged);
    assert_int_equal(world->notice_count, 2);
    assert_int_equal(world->notices[0].kind, MCP_NOTICE_TOOLS);
    assert_string_equal(world->notices[1].uri, "stripe://events");
    listen = listening(world);
    world->notices_wanted = 1;
    expect_end(world, &listen, ANSWERS(stream), MCP_LISTEN_STOPPED);
    listen = listening(world);
    world->notices_wanted = 0;
    world->in_pieces = true;
    expect_end(world, &listen, ANSWERS(SSE NOTE("tools/list_changed", "$", "") "data: {\"half"),
               MCP_LISTEN_CLOSED); /* cut in the middle of an event */
    assert_int_equal(world->notice_count, 1);
}

static void a_server_that_tells_nothing_is_no_failure(void **state)
{
    struct world *world = *state;
    struct mcp_listen listen = listening(world);
    expect_end(world, &listen,
               ANSWERS(DISCOVERED, HEAD("404 No", "application/json") ERROR("-32601", "")),
               MCP_LISTEN_NOT_OFFERED);
    expect_end(world, &listen, ANSWERS(JSON ERROR("-32601", "")), MCP_LISTEN_NOT_OFFERED);
    script(world, ANSWERS(JSON ERROR("-32603", "")));
    assert_int_equal(mcp_listen(session_of(world), &world->call, &listen), ERR_TRANSIENT);
    script(world, ANSWERS(HEAD("503 No", "text/plain")));
    assert_int_equal(mcp_listen(session_of(world), &world->call, &listen), ERR_TRANSIENT);
    script(world, ANSWERS(SSE "data: 7\n\n"));
    assert_int_equal(mcp_listen(session_of(world), &world->call, &listen), ERR_PROTOCOL);
    anew(world);
    world->mcp.era = MCP_ERA_LEGACY;
    const char *no = HEAD("405 No", "text/plain");
    expect_end(world, &listen, ANSWERS(INITIALIZED, ACCEPTED, JSON ERROR("-32601", ""), no),
               MCP_LISTEN_NOT_OFFERED);
    expect_end(world, &listen, ANSWERS(PLAIN, HEAD("200 OK", "text/html") "<html>"),
               MCP_LISTEN_NOT_OFFERED);
}

static void a_legacy_stream_of_notices_goes_on_behind_its_last_event(void **state)
{
    struct world *world = *state;
    struct mcp_listen listen = listening(world);
    world->mcp.era = MCP_ERA_LEGACY;
    const char *stream = SSE
        "id: e-1\nretry: 50\ndata:\n\nid: e-2\n" NOTE("resources/updated", "0", ",\"uri\":\"u\"")
            NOTE("resources/list_changed", "0", "");
    expect_end(world, &listen, ANSWERS(INITIALIZED, ACCEPTED, PLAIN, stream), MCP_LISTEN_CLOSED);
    assert_string_equal(world->methods,
                        "initialize notifications/initialized resources/subscribe GET ");
    assert_int_equal(world->notice_count, 2);
    assert_int_equal(world->notices[1].kind, MCP_NOTICE_RESOURCES);
    assert_int_equal(listen.retry_ms, 50);
    assert_string_equal(listen.last_id, "e-2");
    expect_end(world, &listen, ANSWERS(SSE), MCP_LISTEN_CLOSED);
    assert_string_equal(world->methods, "GET ");
    assert_non_null(strstr(world->heard, "Last-Event-ID: e-2\r\n"));
    expect_end(world, &listen, ANSWERS(HEAD("400 No", "text/plain"), PLAIN, SSE),
               MCP_LISTEN_CLOSED); /* too old to go on from */
    assert_string_equal(world->methods, "GET resources/subscribe GET ");
}

static void an_endless_stream_of_notices_is_closed(void **state)
{
    struct world *world = *state;
    struct mcp_listen listen = listening(world);
    struct buf flood = buf_new(world->arena, 1024 * 1024);
    buf_add_text(&flood, SSE);
    for (int i = 0; i <= MCP_EVENTS_MAX + 5; i++)
        buf_add_text(&flood, "data: {\"method\":\"n\"}\n\n");
    expect_end(world, &listen, ANSWERS(DISCOVERED, flood.data), MCP_LISTEN_CLOSED);
    assert_int_equal(world->notice_count, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_header_says_what_it_cannot_hold_in_base64),
        WORLD_TEST(marks_that_break_the_rules_cost_the_tool),
        WORLD_TEST(marked_arguments_travel_in_headers),
        WORLD_TEST(a_call_that_lacks_headers_is_sent_again_with_them),
        WORLD_TEST(what_tools_want_in_headers_is_kept_between_jobs),
        WORLD_TEST(tools_that_want_too_much_in_headers_are_a_protocol_error),
        WORLD_TEST(notices_are_heard_in_the_modern_era),
        WORLD_TEST(a_server_that_tells_nothing_is_no_failure),
        WORLD_TEST(a_legacy_stream_of_notices_goes_on_behind_its_last_event),
        WORLD_TEST(an_endless_stream_of_notices_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
