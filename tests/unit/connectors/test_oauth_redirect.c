/* The way of a person to the authorisation server and back: the URL that leads there, and what of a
 * callback is believed. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "connectors/oauth/oauth.h"
#include "crypto/crypto.h"

static void the_issuer_of_a_callback_comes_before_anything_else(void **state)
{
    (void)state;
    static const struct {
        const char *issuer;
        bool expected;
        struct oauth_callback callback;
        enum err err;
        const char *field;
    } rows[] = {
        {"https://a/mcp", false, {NULL, NULL, true}, OK, NULL},
        {"https://a/mcp", true, {"https://a/mcp", NULL, true}, OK, NULL},
        {"https://a/mcp", true, {NULL, NULL, true}, ERR_PROTOCOL, "iss"},
        {"https://a/mcp", false, {"https://a/mcp/", NULL, true}, ERR_PROTOCOL, "iss"},
        {"https://a/mcp", false, {"https://b", "access_denied", false}, ERR_PROTOCOL, "iss"},
        {"https://a/mcp", false, {NULL, "access_denied", false}, ERR_AUTH, "access_denied"},
        {"https://a/mcp", false, {NULL, "invalid_scope", true}, ERR_SCOPE, "invalid_scope"},
        {NULL,
         false,
         {NULL, "temporarily_unavailable", false},
         ERR_TRANSIENT,
         "temporarily_unavailable"},
        {NULL, false, {"https://x", NULL, true}, OK, NULL},
        {NULL, false, {NULL, "what\r\n?", false}, ERR_AUTH, "what???"},
        {NULL, false, {NULL, NULL, false}, ERR_REQUEST_MALFORMED, "code"},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct authorisation attempt = {.issuer = rows[i].issuer,
                                              .iss_expected = rows[i].expected};
        arena_failure_clear(arena);
        enum err err = oauth_callback_check(arena, &attempt, &rows[i].callback);
        if (err != rows[i].err || !text_equal(arena_failure(arena)->field, rows[i].field))
            fail_msg("row %zu: %s", i, err_slug(err));
    }
    arena_close(arena);
}

static void the_authorize_url_carries_everything_encoded(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const struct client_registration client = {.client_id = "a&b"};
    const struct oauth_server server = {.issuer = "https://a",
                                        .authorization_endpoint = "https://a/x?keep=1"};
    const struct oauth_request request = {.client = &client,
                                          .redirect_uri = "https://us/callback?x=1",
                                          .state = "st",
                                          .scope = "a b"};
    struct authorisation attempt;
    assert_int_equal(oauth_start(arena, &server, &request, &attempt), OK);
    assert_non_null(attempt.verifier);
    const char *expected = arena_format(
        arena,
        "https://a/x?keep=1&response_type=code&client_id=a%%26b&redirect_uri=https%%3a%%2f%%2fus"
        "%%2fcallback%%3fx%%3d1&state=st&code_challenge=%s&code_challenge_method=S256&scope=a%%20b",
        pkce_challenge(arena, attempt.verifier));
    assert_string_equal(attempt.authorize_url, expected);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_issuer_of_a_callback_comes_before_anything_else),
        cmocka_unit_test(the_authorize_url_carries_everything_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
