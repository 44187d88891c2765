#include "unit.h"

#include "auth/password.h"
#include "auth/token.h"
#include "base/text.h"

static void a_token_is_found_by_its_hash(void **state)
{
    struct token first, second;
    struct bytes hash;
    token_new(*state, TOKEN_API_KEY, &first);
    token_new(*state, TOKEN_API_KEY, &second);
    assert_true(text_starts(secret_text(first.text), "sak_"));
    assert_true(text_starts(secret_text(first.text), first.hint));
    assert_int_equal(strlen(first.hint), TOKEN_HINT_CHARS);
    assert_true(token_hash(*state, TOKEN_API_KEY, secret_text(first.text), &hash));
    assert_memory_equal(hash.at, first.hash.at, TOKEN_HASH_BYTES);
    assert_memory_not_equal(hash.at, second.hash.at, TOKEN_HASH_BYTES);
}

static void what_cannot_be_a_token_has_no_hash(void **state)
{
    struct token token;
    struct bytes hash;
    token_new(*state, TOKEN_REFRESH, &token);
    assert_false(token_hash(*state, TOKEN_API_KEY, secret_text(token.text), &hash));
    assert_false(token_hash(*state, TOKEN_REFRESH, "", &hash));
    assert_false(token_hash(*state, TOKEN_REFRESH, "srt_", &hash));
    assert_false(token_hash(*state, TOKEN_REFRESH,
                            arena_format(*state, "%sx", secret_text(token.text)), &hash));
    assert_null(hash.at);
}

static enum err check(struct arena *arena, const char *password)
{
    return password_check(arena, secret_from_text(arena, password), "ada.lovelace@example.com",
                          "Ada Lovelace");
}

static void passwords_that_are_tried_first_are_refused(void **state)
{
    static const char *const refused[] = {
        "short",
        "elevenbytes",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "123456789012",
        "0987654321098",
        "password1234",
        "Password2026!",
        "motdepasse123",
        "qwertyuiop12",
        "azertyuiop!!!",
        "abcdefghijklm",
        "ada.lovelace2026",
        "I am Ada Lovelace",
        "welcomewelcome1",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (check(*state, refused[i]) != ERR_FIELD_INVALID)
            fail_msg("%s was taken", refused[i]);
        assert_string_equal(arena_failure(*state)->field, "password");
    }
    char *endless = arena_alloc(*state, PASSWORD_BYTES_MAX + 2);
    for (size_t i = 0; i < PASSWORD_BYTES_MAX + 1; i++)
        endless[i] = (char)('a' + i * 7 % 26);
    assert_int_equal(check(*state, endless), ERR_FIELD_INVALID);
}

static void ordinary_long_passwords_pass(void **state)
{
    static const char *const taken[] = {"correct horse battery staple", "a long enough sentence",
                                        "t6#kPq9!vLmZ", "mot de passe de la cave \u00e0 vin",
                                        "4711-0815-2340-9987"};
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_int_equal(check(*state, taken[i]), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(a_token_is_found_by_its_hash),
        WITH_ARENA(what_cannot_be_a_token_has_no_hash),
        WITH_ARENA(passwords_that_are_tried_first_are_refused),
        WITH_ARENA(ordinary_long_passwords_pass),
    };
    return RUN(tests);
}
