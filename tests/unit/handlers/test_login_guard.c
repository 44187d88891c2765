#include "unit.h"

#include "handlers/email.h"
#include "handlers/login_guard.h"

static const struct instant now = {1795000000000000};

static enum err enter(struct login_guard *guard, struct arena *arena, int64_t after_s,
                      const char *email, const char *peer)
{
    return login_guard_enter(guard, arena, instant_add_s(now, after_s), email, peer);
}

static void fail_times(struct login_guard *guard, struct arena *arena, int times, const char *email,
                       const char *peer)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(enter(guard, arena, i, email, peer), OK);
        login_guard_leave(guard, instant_add_s(now, i), email, peer, ERR_LOGIN_REFUSED);
    }
}

static void an_address_that_fails_often_waits(void **state)
{
    struct login_guard *guard = login_guard_open(1);
    fail_times(guard, *state, LOGIN_FAILURES_MAX, "ada@example.com", "192.0.2.1");
    assert_int_equal(enter(guard, *state, 20, "ADA@example.com", "192.0.2.9"), ERR_RATE_LIMITED);
    assert_int_equal(arena_failure(*state)->retry_after_s, LOGIN_WINDOW_S - 20);
    assert_int_equal(enter(guard, *state, 20, "eve@example.com", "192.0.2.1"), OK);
    login_guard_leave(guard, now, "eve@example.com", "192.0.2.1", OK);
    assert_int_equal(enter(guard, *state, LOGIN_WINDOW_S, "ada@example.com", "192.0.2.9"), OK);
    login_guard_close(guard);
}

static void a_success_forgets_the_failures(void **state)
{
    struct login_guard *guard = login_guard_open(1);
    fail_times(guard, *state, LOGIN_FAILURES_MAX - 1, "ada@example.com", "192.0.2.1");
    assert_int_equal(enter(guard, *state, 20, "ada@example.com", "192.0.2.1"), OK);
    login_guard_leave(guard, instant_add_s(now, 20), "ada@example.com", "192.0.2.1", OK);
    fail_times(guard, *state, LOGIN_FAILURES_MAX - 1, "ada@example.com", "192.0.2.1");
    assert_int_equal(enter(guard, *state, 20, "ada@example.com", "192.0.2.1"), OK);
    login_guard_close(guard);
}

static void what_says_nothing_about_the_guess_changes_nothing(void **state)
{
    struct login_guard *guard = login_guard_open(1);
    fail_times(guard, *state, LOGIN_FAILURES_MAX - 1, "ada@example.com", "192.0.2.1");
    assert_int_equal(enter(guard, *state, 20, "ada@example.com", "192.0.2.1"), OK);
    login_guard_leave(guard, now, "ada@example.com", "192.0.2.1", ERR_RATE_LIMITED);
    assert_int_equal(enter(guard, *state, 20, "ada@example.com", "192.0.2.1"), OK);
    login_guard_leave(guard, now, "ada@example.com", "192.0.2.1", ERR_DB_DOWN);
    fail_times(guard, *state, 1, "ada@example.com", "192.0.2.1");
    assert_int_equal(enter(guard, *state, 20, "ada@example.com", "192.0.2.1"), ERR_RATE_LIMITED);
    login_guard_close(guard);
}

static void one_network_address_cannot_try_everybody(void **state)
{
    struct login_guard *guard = login_guard_open(1);
    for (int i = 0; i < LOGIN_FAILURES_PEER_MAX; i++)
        fail_times(guard, *state, 1, arena_format(*state, "user%d@example.com", i), "192.0.2.1");
    assert_int_equal(enter(guard, *state, 1, "new@example.com", "192.0.2.1"), ERR_RATE_LIMITED);
    assert_int_equal(enter(guard, *state, 1, "new@example.com", "192.0.2.2"), OK);
    login_guard_leave(guard, now, "new@example.com", "192.0.2.2", OK);
    for (int i = 0; i < LOGIN_FAILURES_PEER_MAX; i++) /* a proxy in front is not one person */
        fail_times(guard, *state, 1, arena_format(*state, "more%d@example.com", i), "127.0.0.1");
    assert_int_equal(enter(guard, *state, 1, "last@example.com", "127.0.0.1"), OK);
    login_guard_close(guard);
}

static void only_so_many_passwords_are_checked_at_once(void **state)
{
    struct login_guard *guard = login_guard_open(2);
    assert_int_equal(enter(guard, *state, 0, "a@example.com", ""), OK);
    assert_int_equal(enter(guard, *state, 0, "b@example.com", ""), OK);
    assert_int_equal(enter(guard, *state, 0, "c@example.com", ""), ERR_BUSY);
    login_guard_leave(guard, now, "a@example.com", "", OK);
    assert_int_equal(enter(guard, *state, 0, "c@example.com", ""), OK);
    login_guard_close(guard);
}

static void addresses_are_judged_by_their_shape(void **state)
{
    static const char *const good[] = {"ada@example.com", "a.b+c@sub.example.co",
                                       "o'neil@example.org"};
    static const char *const bad[] = {
        "",           "ada",        "@example.com", "ada@",        "ada@example",   "ada@@a.com",
        "a da@a.com", "ada@a..com", "ada@.com",     "ada@a.com\n", "a,b@a.com",     "\"a\"@a.com",
        "ada@-a.com", ".ada@a.com", "ada.@a.com",   "ada@a.com.",  "ada@exam ple.c"};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(email_check(*state, "email", good[i]), OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(email_check(*state, "email", bad[i]), ERR_FIELD_INVALID);
        assert_string_equal(arena_failure(*state)->field, "email");
    }
    assert_string_equal(email_lower(*state, "Ada@Example.COM"), "ada@example.com");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(an_address_that_fails_often_waits),
        WITH_ARENA(a_success_forgets_the_failures),
        WITH_ARENA(what_says_nothing_about_the_guess_changes_nothing),
        WITH_ARENA(one_network_address_cannot_try_everybody),
        WITH_ARENA(only_so_many_passwords_are_checked_at_once),
        WITH_ARENA(addresses_are_judged_by_their_shape),
    };
    return RUN(tests);
}
