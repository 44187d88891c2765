#include "unit.h"

#include "base/text.h"
#include "crypto/crypto.h"

static void hashes_equal_the_published_vectors(void **state)
{
    assert_string_equal(sha256_text_hex(*state, "abc"), /* FIPS 180-2, B.1 */
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sha256_text_hex(*state, ""),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    uint8_t mac[SHA256_BYTES]; /* RFC 4231, test case 2 */
    hmac_sha256(unit_bytes("Jefe"), unit_bytes("what do ya want for nothing?"), mac);
    assert_string_equal(hex_encode(*state, (struct bytes){mac, sizeof mac}),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void the_challenge_is_that_of_the_rfc(void **state)
{
    const struct secret *verifier = /* RFC 7636, appendix B */
        secret_from_text(*state, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_string_equal(pkce_challenge(*state, verifier),
                        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void a_sealed_value_opens_only_at_its_place(void **state)
{
    const struct secret *key = random_secret(*state, SEAL_KEY_BYTES), *opened;
    const struct secret *other = random_secret(*state, SEAL_KEY_BYTES);
    struct bytes sealed, place = unit_bytes("workspace|connection|field|1");
    assert_int_equal(seal(*state, key, place, unit_bytes("token"), &sealed), OK);
    assert_int_equal(unseal(*state, key, place, sealed, &opened), OK);
    assert_string_equal(secret_text(opened), "token");
    assert_int_equal(unseal(*state, other, place, sealed, &opened), ERR_CRYPTO);
    assert_int_equal(
        unseal(*state, key, unit_bytes("workspace|connection|other|1"), sealed, &opened),
        ERR_CRYPTO);
}

static void a_sealed_value_shows_every_changed_byte(void **state)
{
    const struct secret *key = random_secret(*state, SEAL_KEY_BYTES), *opened;
    struct bytes sealed, place = unit_bytes("p");
    assert_int_equal(seal(*state, key, place, unit_bytes("token"), &sealed), OK);
    for (size_t i = 0; i < sealed.n; i++) {
        uint8_t *changed = arena_copy(*state, sealed.at, sealed.n);
        changed[i] ^= 1;
        assert_int_equal(unseal(*state, key, place, (struct bytes){changed, sealed.n}, &opened),
                         ERR_CRYPTO);
        assert_int_equal(unseal(*state, key, place, (struct bytes){sealed.at, i}, &opened),
                         ERR_CRYPTO);
    }
}

static void passwords_are_verified_by_their_hash(void **state)
{
    char *hash;
    const struct secret *password = secret_from_text(*state, "correct horse");
    assert_int_equal(password_hash(*state, password, &hash), OK);
    assert_true(password_verify(*state, password, hash));
    assert_false(password_verify(*state, secret_from_text(*state, "correct horsf"), hash));
    assert_false(password_verify(*state, password, "scrypt$1$8$1$AAAA$AAAA"));
    assert_false(password_verify(*state, password, ""));
    char *again;
    assert_int_equal(password_hash(*state, password, &again), OK);
    assert_string_not_equal(hash, again);
}

static void tokens_are_long_and_differ(void **state)
{
    const struct secret *a = random_token(*state), *b = random_token(*state);
    assert_int_equal(secret_bytes(a).n, 43);
    assert_false(secret_equal(a, b));
}

static void keys_from_parts_do_not_run_together(void **state)
{
    struct bytes ab_c[] = {unit_bytes("ab"), unit_bytes("c")};
    struct bytes a_bc[] = {unit_bytes("a"), unit_bytes("bc")};
    struct uuid one = uuid_from_parts(*state, ab_c, 2), two = uuid_from_parts(*state, a_bc, 2);
    assert_false(uuid_equal(one, two));
    assert_true(uuid_equal(one, uuid_from_parts(*state, ab_c, 2)));
    assert_int_equal(one.b[6] >> 4, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(hashes_equal_the_published_vectors),
        WITH_ARENA(the_challenge_is_that_of_the_rfc),
        WITH_ARENA(a_sealed_value_opens_only_at_its_place),
        WITH_ARENA(a_sealed_value_shows_every_changed_byte),
        WITH_ARENA(passwords_are_verified_by_their_hash),
        WITH_ARENA(tokens_are_long_and_differ),
        WITH_ARENA(keys_from_parts_do_not_run_together),
    };
    return RUN(tests);
}
