/* What a client may send over a raw socket, and what it gets. */
#include "served.h"

/* ---- framing ---- */

struct raw_case {
    const char *what;
    const char *request;
    int status;
};

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

/* Most of these libmicrohttpd 0.9.75 takes as it stands, or two readers may frame differently. */
/* clang-format off */
static const struct raw_case raw_cases[] = {
    {"equal lengths",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" SMUGGLED,
     400},
    {"different lengths",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" SMUGGLED,
     400},
    {"length and chunked",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     411},
    {"chunked and length",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     411},
    {"chunked", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
    {"a blank before the colon",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     400},
    {"chunked in HTTP/1.0",
     "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     411},
    {"an unknown encoding",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
     411},
    {"chunked, bare line feeds",
     "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n" SMUGGLED,
     411},
    {"two hosts", "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"two authorizations",
     "GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nauthorization: Bearer y\r\n\r\n",
     400},
    {"two content types",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: "
     "c/d\r\nContent-Length: 0\r\n\r\n",
     400},
    {"two idempotency keys",
     "POST /a HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nIdempotency-Key: "
     "2\r\nContent-Length: 0\r\n\r\n",
     400},
    {"two if-matches",
     "PATCH /a HTTP/1.1\r\nHost: a\r\nIf-Match: \"1\"\r\nIf-Match: "
     "\"2\"\r\nContent-Length: 0\r\n\r\n",
     400},
    {"a bare carriage return in a value", "GET /a HTTP/1.1\r\nHost: a\r\nX: a\rb: c\r\n\r\n", 400},
    {"a control byte in a value", "GET /a HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400},
    {"a name that is no token", "GET /a HTTP/1.1\r\nHost: a\r\nX(y): a\r\n\r\n", 400},
    {"a length that is no number",
     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\nabc",
     400},
    {"a signed length", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
    {"a length of minus nothing", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n", 400},
    {"two lengths in one", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400},
    {"an absolute target", "GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"bytes beyond ASCII in the target", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
};
/* clang-format on */

static void ambiguous_framing_is_refused_and_nothing_is_smuggled(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    for (size_t i = 0; i < COUNT(raw_cases); i++) {
        const struct raw_case *raw = &raw_cases[i];
        bool closed;
        char *answer = exchange_n(world, raw->request, strlen(raw->request), &closed);
        if (status_of(answer) != raw->status || !closed)
            fail_msg("%s: %d, closed %d\n%s", raw->what, status_of(answer), closed, answer);
    }
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

static void requests_may_follow_each_other(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer =
        ask(world,
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET("/b") GET_ONCE("/c"));
    assert_int_equal(answers_in(answer), 3);
    assert_non_null(strstr(answer, "POST /a [] 3"));
    assert_non_null(strstr(answer, "GET /b [] 0"));
    assert_non_null(strstr(answer, "GET /c [] 0"));
    world_close(world);
}

static void a_host_is_needed(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer = ask(world, "GET /a HTTP/1.1\r\n\r\n");
    assert_int_equal(status_of(answer), 400);
    assert_non_null(strstr(answer, "\"field\":\"host\""));
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    struct buf request = buf_new(world->arena, 100000);
    buf_add_text(&request, "GET /a HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 64; i++)
        buf_format(&request, "X-%d: y\r\n", i);
    buf_add_text(&request, "\r\n");
    assert_int_equal(status_of(ask(world, request.data)), 400);
    world_close(world);
}

static void a_head_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *value = arena_alloc(world->arena, 100001);
    memset(value, 'v', 100000);
    char *header = arena_format(world->arena, "GET /a HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", value);
    assert_int_equal(status_of(ask(world, header)), 431);
    char *target = arena_format(world->arena, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", value);
    assert_in_range(status_of(ask(world, target)), 400, 431);
    assert_int_equal(atomic_load(&world->handled), 0);
    world_close(world);
}

/* ---- replies ---- */

static void a_request_gets_its_reply(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer =
        ask(world,
            "POST /a%2Fb?x=%20y&z HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
            "Connection: close\r\nX-Request-Id: 0193478E-1111-7abc-8def-0123456789ab\r\n\r\nabc");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nPOST /a%2Fb [x=%20y&z] 3"));
    assert_non_null(strstr(answer, "X-Request-Id: 0193478e-1111-7abc-8def-0123456789ab\r\n"));
    assert_non_null(strstr(answer, "X-Finished: yes\r\n"));
    char *other = ask(world, "GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\r\n\r\n");
    assert_null(strstr(other, "forged"));
    assert_non_null(strstr(other, "X-Request-Id: "));
    world_close(world);
}

static void head_is_get_without_its_body(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *answer = ask(world, "HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Length: 14\r\n"));
    assert_true(text_ends(answer, "\r\n\r\n"));
    world_close(world);
}

static void a_body_beyond_its_limit_is_refused_in_words(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    char *body = arena_alloc(world->arena, 3000001);
    memset(body, 'b', 3000000);
    char *small = arena_format(
        world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n%.65s", body);
    char *answer = ask(world, small);
    assert_int_equal(status_of(answer), 413);
    assert_non_null(strstr(answer, "\"code\":\"body_too_large\""));
    assert_non_null(strstr(answer, "\"limit\":64"));
    char *drained = arena_format(
        world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n%.900000s",
        body);
    assert_int_equal(status_of(ask(world, drained)), 413);
    char *expecting =
        arena_format(world->arena, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n"
                                   "Expect: 100-continue\r\n\r\n");
    assert_int_equal(status_of(ask(world, expecting)), 413);
    assert_int_equal(atomic_load(&world->handled), 0);
    char *large = arena_format(
        world->arena, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n%s", body);
    assert_non_null(strstr(ask(world, large), "POST /large [] 3000000"));
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ambiguous_framing_is_refused_and_nothing_is_smuggled),
        cmocka_unit_test(requests_may_follow_each_other),
        cmocka_unit_test(a_host_is_needed),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(a_head_that_does_not_fit_is_refused),
        cmocka_unit_test(a_request_gets_its_reply),
        cmocka_unit_test(head_is_get_without_its_body),
        cmocka_unit_test(a_body_beyond_its_limit_is_refused_in_words),
    };
    return RUN(tests);
}
