#include "unit.h"

#include "base/text.h"
#include "http/router.h"

static enum err handle(struct request *req)
{
    (void)req;
    return OK;
}

#define ROW(method, path)                                                                          \
    {                                                                                              \
        METHOD_##method, path, ACCESS_PUBLIC, IDEMPOTENCY_NONE, handle, 0                          \
    }
static const struct route table[] = {
    ROW(GET, "/healthz"),
    ROW(POST, "/v1/workspaces"),
    ROW(GET, "/v1/workspaces"),
    ROW(GET, "/v1/workspaces/{workspace_id:uuid}"),
    ROW(PATCH, "/v1/workspaces/{workspace_id:uuid}"),
    ROW(GET, "/v1/workspaces/{workspace_id:uuid}/items/{item_id:uuid}"),
    ROW(GET, "/v1/workspaces/{workspace_id:uuid}/items/newest"),
    {METHOD_POST, "/v1/import", ACCESS_PUBLIC, IDEMPOTENCY_NONE, handle, 1000000},
    ROW(GET, "/oauth/{provider:name}/start"),
};
#define WS "0193478e-1111-7abc-8def-0123456789ab"

static enum err match(struct arena *arena, enum http_method method, const char *path,
                      struct route_match *into)
{
    return router_match(router_new(arena, table, COUNT(table)), arena, method, path, into);
}

static void parameters_are_read_by_their_type(void **state)
{
    struct route_match found;
    assert_int_equal(match(*state, METHOD_GET, "/v1/workspaces/" WS "/items/" WS, &found), OK);
    assert_string_equal(found.route->path, table[5].path);
    assert_int_equal(found.parameter_count, 2);
    assert_string_equal(found.parameters[0].name, "workspace_id");
    assert_string_equal(found.parameters[1].name, "item_id");
    assert_string_equal(uuid_format(*state, found.parameters[1].uuid), WS);
    assert_int_equal(match(*state, METHOD_GET, "/oauth/st%72ipe/start", &found), OK);
    assert_string_equal(found.parameters[0].text, "stripe");
}

static void a_literal_wins_over_a_parameter(void **state)
{
    struct route_match found;
    assert_int_equal(match(*state, METHOD_GET, "/v1/workspaces/" WS "/items/newest", &found), OK);
    assert_string_equal(found.route->path, table[6].path);
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const paths[] = {"/",
                                        "",
                                        "/nothing",
                                        "/v1",
                                        "/v1/workspaces/",
                                        "/v1/workspaces//",
                                        "/healthz/",
                                        "//healthz",
                                        "/v1/workspaces/not-a-uuid",
                                        "/v1/workspaces/" WS "x",
                                        "/v1/workspaces/" WS "/items",
                                        "/oauth//start",
                                        "/oauth/%zz/start",
                                        "/oauth/%00/start",
                                        "/oauth/%ff/start",
                                        "/oauth/a%0ab/start",
                                        ("/v1/workspaces%2f" WS),
                                        "/v1/../healthz"};
    struct route_match found;
    for (size_t i = 0; i < COUNT(paths); i++)
        assert_int_equal(match(*state, METHOD_GET, paths[i], &found), ERR_NOT_FOUND);
}

static void another_method_is_told_which_there_are(void **state)
{
    struct route_match found;
    assert_int_equal(match(*state, METHOD_DELETE, "/v1/workspaces", &found),
                     ERR_METHOD_NOT_ALLOWED);
    assert_string_equal(found.allow, "GET, POST, HEAD, OPTIONS");
    assert_int_equal(match(*state, METHOD_OTHER, "/v1/import", &found), ERR_METHOD_NOT_ALLOWED);
    assert_string_equal(found.allow, "POST, OPTIONS");
    assert_int_equal(match(*state, METHOD_HEAD, "/v1/import", &found), ERR_METHOD_NOT_ALLOWED);
}

static void head_and_options_follow_from_the_rows(void **state)
{
    struct route_match found;
    assert_int_equal(match(*state, METHOD_HEAD, "/healthz", &found), OK);
    assert_ptr_equal(found.route, &table[0]);
    assert_int_equal(match(*state, METHOD_OPTIONS, "/v1/import", &found), OK);
    assert_null(found.route);
}

static void body_limits_are_known_before_the_body_comes(void **state)
{
    struct router *router = router_new(*state, table, COUNT(table));
    assert_int_equal(router_body_bytes_max(router, METHOD_POST, "/v1/import"), 1000000);
    assert_int_equal(router_body_bytes_max(router, METHOD_POST, "/v1/workspaces"),
                     BODY_BYTES_MAX_DEFAULT);
    assert_int_equal(router_body_bytes_max(router, METHOD_POST, "/nothing"),
                     BODY_BYTES_MAX_DEFAULT);
}

static void segments_have_a_limit(void **state)
{
    char *name = arena_alloc(*state, SEGMENT_BYTES_MAX + 2);
    memset(name, 'a', SEGMENT_BYTES_MAX + 1);
    struct route_match found;
    assert_int_equal(
        match(*state, METHOD_GET, arena_format(*state, "/oauth/%s/start", name + 1), &found), OK);
    assert_int_equal(
        match(*state, METHOD_GET, arena_format(*state, "/oauth/%s/start", name), &found),
        ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(parameters_are_read_by_their_type),
        WITH_ARENA(a_literal_wins_over_a_parameter),
        WITH_ARENA(what_is_not_there_is_not_found),
        WITH_ARENA(another_method_is_told_which_there_are),
        WITH_ARENA(head_and_options_follow_from_the_rows),
        WITH_ARENA(body_limits_are_known_before_the_body_comes),
        WITH_ARENA(segments_have_a_limit),
    };
    return RUN(tests);
}
