/* Who may do what, generated from the table of routes: every route of a workspace is closed to
 * strangers as if it did not exist, to the nameless, and to members with too small a role. */
#include "caller.h"

#include "base/buf.h"
#include "base/text.h"
#include "handlers/routes.h"

static struct world world;
static struct uuid owner, viewer, stranger, operator;
static const char *workspace;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, "access");
    owner = person(&world, "owner@example.com", false);
    viewer = person(&world, "viewer@example.com", false);
    stranger = person(&world, "stranger@example.com", false);
    operator= person(&world, "operator@example.com", true);
    workspace = workspace_of(&world, token_of(&world, owner), "First");
    join(&world, workspace, viewer, "viewer");
    workspace_of(&world, token_of(&world, stranger), "Second");
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* The row's path with this workspace, and ids that nobody has. */
static const char *path_of(const struct route *route)
{
    struct buf path = buf_new(world.arena, 1000);
    for (const char *at = route->path; *at;) {
        size_t n = strcspn(at, "{");
        buf_add(&path, at, n);
        at += n;
        if (text_starts(at, "{workspace_id:uuid}"))
            buf_add_text(&path, workspace);
        else if (*at)
            buf_add_text(&path, "0193478e-1111-7abc-8def-0123456789ab");
        at += strcspn(at, "}");
        at += *at == '}';
    }
    return path.data;
}

static struct answer try(const struct route *route, const char *token)
{
    return call(&world, &(struct call){.method = http_method_name(route->method),
                                       .path = path_of(route),
                                       .token = token,
                                       .key = "new",
                                       .if_match = "\"1\"",
                                       .body = route->method == METHOD_GET ? "" : "{}"});
}

static void nobody_comes_in_without_a_credential(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access == ACCESS_PUBLIC)
            continue;
        struct answer answer = try(&routes[i], NULL);
        assert_problem(answer, 401, "unauthenticated");
        assert_non_null(answer_field(&answer, "WWW-Authenticate"));
        assert_problem(try(&routes[i], "nonsense"), 401, "unauthenticated");
        assert_problem(try(&routes[i], "sak_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 401,
                       "unauthenticated");
    }
}

static void a_workspace_does_not_exist_for_strangers(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access < ACCESS_VIEWER)
            continue;
        assert_problem(try(&routes[i], token_of(&world, stranger)), 404, "not_found");
        assert_problem(try(&routes[i], token_of(&world, operator)), 404, "not_found");
        tried++;
    }
    assert_true(tried >= 10);
}

static void a_role_that_is_too_small_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access > ACCESS_VIEWER)
            assert_problem(try(&routes[i], token_of(&world, viewer)), 403, "forbidden");
        if (routes[i].access == ACCESS_OPERATOR)
            assert_problem(try(&routes[i], token_of(&world, owner)), 403, "forbidden");
    }
}

static void who_may_come_in_is_not_turned_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access < ACCESS_VIEWER || routes[i].method != METHOD_GET)
            continue;
        struct answer answer = try(&routes[i], token_of(&world, owner));
        if (answer.status == 401 || answer.status == 403 || answer.status >= 500)
            fail_msg("%s: %d %s", routes[i].path, answer.status, answer.text);
    }
}

static void keys_stay_in_their_workspace_and_role(void **state)
{
    (void)state;
    struct answer made = post(&world, token_of(&world, owner),
                              arena_format(world.arena, "/v1/workspaces/%s/api-keys", workspace),
                              "{\"name\":\"k\",\"role\":\"viewer\"}");
    assert_answer(made, 201);
    const char *key = json_text(made.json, "key");
    const char *other = workspace_of(&world, token_of(&world, owner), "Third");
    const char *own = workspace;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access > ACCESS_VIEWER)
            assert_problem(try(&routes[i], key), 403, "forbidden");
        if (routes[i].access == ACCESS_USER || routes[i].access == ACCESS_OPERATOR)
            assert_problem(try(&routes[i], key), 403, "forbidden");
        workspace = other;
        if (routes[i].access >= ACCESS_VIEWER)
            assert_problem(try(&routes[i], key), 404, "not_found");
        workspace = own;
    }
    assert_answer(get(&world, key, arena_format(world.arena, "/v1/workspaces/%s", workspace)), 200);
}

static void unknown_fields_and_parameters_are_refused_everywhere(void **state)
{
    (void)state;
    const char *token = token_of(&world, owner);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        const char *path = path_of(route);
        if (route->method == METHOD_GET && !text_starts(path, "/oauth")) {
            struct answer answer =
                get(&world, token, arena_format(world.arena, "%s?no_such=1", path));
            if (answer.status != 400 && answer.status != 404 && answer.status != 403)
                fail_msg("%s: %d %s", path, answer.status, answer.text);
        } else if (route->method != METHOD_DELETE && route->method != METHOD_GET) {
            struct answer answer = call(&world, &(struct call){
                                                    .method = http_method_name(route->method),
                                                    .path = path,
                                                    .token = token,
                                                    .key = "new",
                                                    .if_match = "\"1\"",
                                                    .body = "{\"no_such_field\":1}",
                                                });
            bool refused = answer.status == 422 || answer.status == 404;
            if (!refused)
                fail_msg("%s: %d %s", path, answer.status, answer.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_comes_in_without_a_credential),
        cmocka_unit_test(a_workspace_does_not_exist_for_strangers),
        cmocka_unit_test(a_role_that_is_too_small_is_told),
        cmocka_unit_test(who_may_come_in_is_not_turned_away),
        cmocka_unit_test(keys_stay_in_their_workspace_and_role),
        cmocka_unit_test(unknown_fields_and_parameters_are_refused_everywhere),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
