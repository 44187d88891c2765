#include "unit.h"

#include "auth/jwt.h"
#include "base/text.h"
#include "crypto/crypto.h"

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#define KEY_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBE"
static const struct instant now = {1795000000000000};
static const struct uuid user = {{1, 2, 3}}, session = {{4, 5, 6}};

static struct jwt_keys keys_of(struct arena *arena, const char *text)
{
    struct jwt_keys keys;
    assert_int_equal(access_keys_read(arena, secret_from_text(arena, text), &keys), OK);
    return keys;
}

static const char *sign(struct arena *arena, const struct jwt_keys *keys)
{
    const struct secret *token;
    struct jwt_claims claims = {.user = user, .session = session, .operator= true };
    assert_int_equal(access_token_sign(arena, keys, now, &claims, &token), OK);
    return secret_text(token);
}

static enum err verify(struct arena *arena, const struct jwt_keys *keys, int64_t after_s,
                       const char *token)
{
    struct jwt_claims claims;
    return access_token_verify(arena, keys, instant_add_s(now, after_s), token, &claims);
}

/* A token signed with KEY_A over whatever header and claims are given. */
static char *forge(struct arena *arena, const char *header, const char *claims)
{
    char *signed_part = arena_format(arena, "%s.%s", base64url_encode(arena, unit_bytes(header)),
                                     base64url_encode(arena, unit_bytes(claims)));
    struct bytes key;
    uint8_t mac[SHA256_BYTES];
    base64url_decode(arena, KEY_A, &key);
    hmac_sha256(key, unit_bytes(signed_part), mac);
    return arena_format(arena, "%s.%s", signed_part,
                        base64url_encode(arena, (struct bytes){mac, sizeof mac}));
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"a\"}"
#define SUB    "\"sub\":\"01020300-0000-0000-0000-000000000000\","
#define SID    "\"sid\":\"04050600-0000-0000-0000-000000000000\","
#define WHO    "\"iss\":\"sluice\",\"aud\":\"sluice-api\","
#define TIMES  "\"iat\":1795000000,\"exp\":1795000900"

static void a_token_says_who_signed_in(void **state)
{
    struct jwt_keys keys = keys_of(*state, "a:" KEY_A);
    struct jwt_claims claims;
    assert_int_equal(access_token_verify(*state, &keys, now, sign(*state, &keys), &claims), OK);
    assert_true(uuid_equal(claims.user, user) && uuid_equal(claims.session, session));
    assert_true(claims.operator);
    assert_int_equal(instant_unix_s(claims.expires_at), 1795000900);
    assert_int_equal(verify(*state, &keys, 0, forge(*state, HEADER, "{" WHO SUB SID TIMES "}")),
                     OK);
}

static void it_ends_after_fifteen_minutes(void **state)
{
    struct jwt_keys keys = keys_of(*state, "a:" KEY_A);
    const char *token = sign(*state, &keys);
    assert_int_equal(verify(*state, &keys, 899, token), OK);
    assert_int_equal(verify(*state, &keys, 900, token), ERR_UNAUTHENTICATED);
    assert_int_equal(verify(*state, &keys, -30, token), OK); /* a sibling's clock */
    assert_int_equal(verify(*state, &keys, -31, token), ERR_UNAUTHENTICATED);
}

static void keys_rotate_by_their_name(void **state)
{
    struct jwt_keys old = keys_of(*state, "a:" KEY_A);
    struct jwt_keys rotating = keys_of(*state, "b:" KEY_B ",a:" KEY_A);
    struct jwt_keys rotated = keys_of(*state, "b:" KEY_B);
    const char *before = sign(*state, &old), *after = sign(*state, &rotating);
    assert_int_equal(verify(*state, &rotating, 0, before), OK);
    assert_int_equal(verify(*state, &rotating, 0, after), OK);
    assert_int_equal(verify(*state, &rotated, 0, after), OK);
    assert_int_equal(verify(*state, &rotated, 0, before), ERR_UNAUTHENTICATED);
    struct jwt_keys other = keys_of(*state, "a:" KEY_B); /* the name alone opens nothing */
    assert_int_equal(verify(*state, &other, 0, before), ERR_UNAUTHENTICATED);
}

static void any_changed_byte_is_refused(void **state)
{
    struct jwt_keys keys = keys_of(*state, "a:" KEY_A);
    const char *token = sign(*state, &keys);
    for (size_t i = 0; token[i]; i++) {
        char *changed = arena_text(*state, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(verify(*state, &keys, 0, changed), ERR_UNAUTHENTICATED);
    }
    for (size_t n = 0; n < strlen(token); n++)
        assert_int_equal(verify(*state, &keys, 0, arena_text_n(*state, token, n)),
                         ERR_UNAUTHENTICATED);
    assert_int_equal(verify(*state, &keys, 0, arena_format(*state, "%s.", token)),
                     ERR_UNAUTHENTICATED);
    assert_int_equal(verify(*state, &keys, 0, arena_format(*state, "%s=", token)),
                     ERR_UNAUTHENTICATED);
}

static void headers_choose_nothing_but_a_key_of_ours(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"a\"}",
        "{\"alg\":\"None\",\"kid\":\"a\"}",
        "{\"alg\":\"HS384\",\"kid\":\"a\"}",
        "{\"alg\":\"RS256\",\"kid\":\"a\"}",
        "{\"alg\":\"hs256\",\"kid\":\"a\"}",
        "{\"alg\":[\"HS256\"],\"kid\":\"a\"}",
        "{\"kid\":\"a\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":\"../a\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a\",\"alg\":\"none\"}",
        "{\"alg\":\"HS256\",\"kid\":\"a\",\"crit\":[\"exp\"]}",
        "[]",
        "{",
    };
    struct jwt_keys keys = keys_of(*state, "a:" KEY_A);
    for (size_t i = 0; i < COUNT(headers); i++) {
        char *token = forge(*state, headers[i], "{" WHO SUB SID TIMES "}");
        assert_int_equal(verify(*state, &keys, 0, token), ERR_UNAUTHENTICATED);
        *strrchr(token, '.') = '\0'; /* and without a signature */
        assert_int_equal(verify(*state, &keys, 0, arena_format(*state, "%s.", token)),
                         ERR_UNAUTHENTICATED);
    }
}

static void every_claim_is_needed(void **state)
{
    static const char *const claims[] = {
        "{" SUB SID TIMES "}",
        "{\"iss\":\"other\",\"aud\":\"sluice-api\"," SUB SID TIMES "}",
        "{\"iss\":\"sluice\",\"aud\":\"other\"," SUB SID TIMES "}",
        "{\"iss\":\"sluice\",\"aud\":[\"sluice-api\"]," SUB SID TIMES "}",
        "{" WHO SID TIMES "}",
        "{" WHO SUB TIMES "}",
        "{" WHO SUB SID "\"iat\":1795000000}",
        "{" WHO SUB SID "\"exp\":1795000900}",
        "{" WHO SUB SID "\"iat\":1795000000,\"exp\":\"1795000900\"}",
        "{" WHO SUB SID "\"iat\":1795000000,\"exp\":1795000900.5}",
        "{" WHO SUB SID "\"iat\":1795000000,\"exp\":1795100000}", /* longer than we give */
        "{" WHO SUB SID "\"iat\":1795000100,\"exp\":1795000900}", /* from the future */
        "{" WHO SUB SID "\"iat\":1794999000,\"exp\":1795000000}", /* expired now */
        "{" WHO "\"sub\":\"x\"," SID TIMES "}",
        "[]",
        "null",
    };
    struct jwt_keys keys = keys_of(*state, "a:" KEY_A);
    for (size_t i = 0; i < COUNT(claims); i++)
        assert_int_equal(verify(*state, &keys, 0, forge(*state, HEADER, claims[i])),
                         ERR_UNAUTHENTICATED);
}

static void weak_or_ambiguous_keys_are_refused(void **state)
{
    static const char *const texts[] = {
        "", ",", "a:", "a:c2hvcnQ", "!!!!", "a:" KEY_A ",a:" KEY_B, KEY_A "," KEY_A};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct jwt_keys keys;
        assert_int_equal(access_keys_read(*state, secret_from_text(*state, texts[i]), &keys),
                         ERR_CONFIG);
    }
    struct jwt_keys padded = keys_of(*state, KEY_A "=");
    assert_int_equal(strlen(padded.keys[0].kid), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(a_token_says_who_signed_in),
        WITH_ARENA(it_ends_after_fifteen_minutes),
        WITH_ARENA(keys_rotate_by_their_name),
        WITH_ARENA(any_changed_byte_is_refused),
        WITH_ARENA(headers_choose_nothing_but_a_key_of_ours),
        WITH_ARENA(every_claim_is_needed),
        WITH_ARENA(weak_or_ambiguous_keys_are_refused),
    };
    return RUN(tests);
}
