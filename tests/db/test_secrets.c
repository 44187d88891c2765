/* Sealed values: they open in their place and nowhere else. */
#include "tenants.h"
#include "crypto/crypto.h"
#include "store/oauth.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_secrets");
    tenants_made(&fixture);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static const struct secret *token(const char *text)
{
    return secret_from_text(fixture.arena, text);
}

static struct credential_place place_new(const struct scope *scope, const char *field)
{
    return (struct credential_place){connection_made(&fixture, scope, "stripe", "source").id,
                                     field};
}

static void opens(const struct scope *scope, struct credential_place place, const char *text)
{
    const struct secret *value = NULL;
    assert_ok(&fixture, credential_get(scope, test_region_key(&fixture), place, &value));
    assert_non_null(value);
    assert_string_equal(secret_text(value), text);
}

static void a_credential_comes_back_and_is_not_stored_in_the_clear(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct credential_place place = place_new(&scope, CREDENTIAL_ACCESS_TOKEN);
    const struct secret *none = token("x");
    assert_ok(&fixture, credential_get(&scope, test_region_key(&fixture), place, &none));
    assert_null(none);
    assert_ok(&fixture, credential_put(&scope, test_region_key(&fixture), place, token("first")));
    assert_ok(&fixture,
              credential_put(&scope, test_region_key(&fixture), place, token("visible-secret")));
    opens(&scope, place, "visible-secret");
    fixture_superuser(&fixture, "DO $$ BEGIN IF EXISTS (SELECT FROM region.credential WHERE"
                                " position('visible-secret'::bytea IN sealed) > 0) THEN"
                                " RAISE EXCEPTION 'in the clear'; END IF; END $$");
}

/* Each move is done by somebody with every right in the database, who lacks only the key. */
static void moved(const char *sql, const struct scope *scope, struct credential_place place)
{
    const struct secret *value = NULL;
    fixture_superuser(&fixture, sql);
    assert_err(&fixture, ERR_CRYPTO,
               credential_get(scope, test_region_key(&fixture), place, &value));
    assert_null(value);
}

static void a_value_that_was_moved_does_not_open(void **state)
{
    (void)state;
    struct scope mine = fixture_scope(&fixture);
    struct scope theirs = fixture_other_scope(&fixture);
    struct credential_place access = place_new(&mine, CREDENTIAL_ACCESS_TOKEN);
    struct credential_place refresh = {access.connection, CREDENTIAL_REFRESH_TOKEN};
    struct credential_place elsewhere = place_new(&mine, CREDENTIAL_ACCESS_TOKEN);
    struct credential_place foreign = place_new(&theirs, CREDENTIAL_ACCESS_TOKEN);
    const struct secret *key = test_region_key(&fixture);
    assert_ok(&fixture, credential_put(&mine, key, access, token("a")));
    assert_ok(&fixture, credential_put(&mine, key, refresh, token("b")));
    assert_ok(&fixture, credential_put(&mine, key, elsewhere, token("c")));
    assert_ok(&fixture, credential_put(&theirs, key, foreign, token("d")));
#define COPY(to, field)                                                                            \
    arena_format(fixture.arena,                                                                    \
                 "UPDATE region.credential SET sealed = (SELECT sealed FROM region.credential"     \
                 " WHERE connection_id = '%s' AND field = 'access_token')"                         \
                 " WHERE connection_id = '%s' AND field = '%s'",                                   \
                 uuid_format(fixture.arena, access.connection), uuid_format(fixture.arena, to),    \
                 field)
    moved(COPY(refresh.connection, "refresh_token"), &mine, refresh);    /* another field */
    moved(COPY(elsewhere.connection, "access_token"), &mine, elsewhere); /* another connection */
    moved(COPY(foreign.connection, "access_token"), &theirs, foreign);   /* another workspace */
    opens(&mine, access, "a");
    /* another key version */
    assert_ok(&fixture, workspace_key_ensure(&mine, key));
    fixture_superuser(&fixture,
                      "INSERT INTO region.workspace_key SELECT workspace_id, 9, wrapped,"
                      " region_key_id, created_at FROM region.workspace_key WHERE key_version = 1");
    moved(arena_format(fixture.arena,
                       "UPDATE region.credential SET key_version = 9 WHERE connection_id = '%s'",
                       uuid_format(fixture.arena, access.connection)),
          &mine, access);
    fixture_superuser(&fixture, "UPDATE region.credential SET key_version = 1;"
                                " DELETE FROM region.workspace_key WHERE key_version = 9;"
                                " DELETE FROM region.credential");
}

static void the_wrong_region_key_opens_nothing(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct credential_place place = place_new(&scope, CREDENTIAL_API_KEY);
    const struct secret *wrong = token("ffffffffffffffffffffffffffffffff");
    const struct secret *value = NULL;
    assert_ok(&fixture, credential_put(&scope, test_region_key(&fixture), place, token("v")));
    assert_err(&fixture, ERR_CRYPTO, credential_get(&scope, wrong, place, &value));
    /* until the data keys are wrapped anew */
    assert_ok(&fixture, workspace_key_rewrap(&scope, test_region_key(&fixture), wrong));
    assert_ok(&fixture, credential_get(&scope, wrong, place, &value));
    assert_string_equal(secret_text(value), "v");
    assert_ok(&fixture, workspace_key_rewrap(&scope, wrong, test_region_key(&fixture)));
    opens(&scope, place, "v");
}

static void a_new_data_key_seals_everything_anew(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct credential_place place = place_new(&scope, CREDENTIAL_ACCESS_TOKEN);
    assert_ok(&fixture, credential_put(&scope, test_region_key(&fixture), place, token("kept")));
    assert_ok(&fixture, workspace_key_rotate(&scope, test_region_key(&fixture)));
    opens(&scope, place, "kept");
    fixture_superuser(&fixture,
                      arena_format(fixture.arena,
                                   "DO $$ BEGIN IF EXISTS (SELECT FROM region.credential WHERE"
                                   " workspace_id = '%s' AND key_version < 2) THEN"
                                   " RAISE EXCEPTION 'old key in use'; END IF; END $$",
                                   uuid_format(fixture.arena, fixture.workspace)));
}

static void a_copy_for_revocation_serves_nothing_else(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct credential_place place = place_new(&scope, CREDENTIAL_REFRESH_TOKEN);
    const struct secret *key = test_region_key(&fixture), *value = NULL;
    assert_ok(&fixture, credential_put(&scope, key, place, token("r")));
    assert_ok(&fixture, credential_keep_for_revocation(&scope, place.connection));
    assert_ok(&fixture, credential_get(&scope, key, place, &value));
    assert_null(value);
    assert_ok(&fixture, credential_get_for_revocation(&scope, key, place, &value));
    assert_string_equal(secret_text(value), "r");
    assert_ok(&fixture, credential_destroy(&scope, place.connection));
    assert_ok(&fixture, credential_get_for_revocation(&scope, key, place, &value));
    assert_null(value);
}

static void an_attempt_is_taken_once_with_its_verifier(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct oauth_attempt taken;
    struct oauth_attempt attempt = {.connection_id =
                                        connection_made(&fixture, &scope, "stripe", "source").id,
                                    .redirect_uri = "https://sluice.example/oauth/stripe/callback",
                                    .authorisation = "{\"issuer\": \"https://issuer.example\"}",
                                    .verifier = token("the-verifier"),
                                    .expires_at = instant_add_s(clock_now(&fixture.clock), 600)};
    const struct secret *key = test_region_key(&fixture);
    assert_ok(&fixture, oauth_attempt_add(&scope, key, &attempt));
    assert_ok(&fixture, oauth_attempt_take(&scope, key, attempt.id, &taken));
    assert_string_equal(secret_text(taken.verifier), "the-verifier");
    assert_string_equal(taken.authorisation, attempt.authorisation);
    assert_err(&fixture, ERR_NOT_FOUND, oauth_attempt_take(&scope, key, attempt.id, &taken));
}

static void a_registered_client_is_bound_to_its_server(void **state)
{
    (void)state;
    struct untenanted region = fixture_untenanted(&fixture);
    const struct secret *key = test_region_key(&fixture);
    struct registered_client found, client = {.issuer = "https://a.example",
                                              .redirect_uri = "https://us.example/cb",
                                              .client_id = "c1",
                                              .secret = token("s1")};
    assert_ok(&fixture, registered_client_put(&region, key, &client));
    client.client_id = "late";
    assert_ok(&fixture, registered_client_put(&region, key, &client));
    assert_ok(&fixture, registered_client_get(&region, key, "https://a.example",
                                              "https://us.example/cb", &found));
    assert_string_equal(found.client_id, "c1"); /* the first stays */
    assert_string_equal(secret_text(found.secret), "s1");
    assert_err(
        &fixture, ERR_NOT_FOUND,
        registered_client_get(&region, key, "https://b.example", "https://us.example/cb", &found));
    fixture_superuser(&fixture, "UPDATE region.registered_client SET issuer = 'https://b.example'");
    assert_err(
        &fixture, ERR_CRYPTO,
        registered_client_get(&region, key, "https://b.example", "https://us.example/cb", &found));
    assert_ok(&fixture,
              registered_client_forget(&region, "https://b.example", "https://us.example/cb"));
}

static void a_registered_client_of_an_earlier_region_key_gives_way(void **state)
{
    (void)state;
    struct untenanted region = fixture_untenanted(&fixture);
    const struct secret *key = test_region_key(&fixture);
    const struct secret *newer = random_secret(fixture.arena, SEAL_KEY_BYTES);
    const char *issuer = "https://c.example", *back = "https://us.example/cb";
    struct registered_client found, client = {issuer, back, "c1", token("s1")};
    assert_ok(&fixture, registered_client_put(&region, key, &client));
    assert_err(&fixture, ERR_NOT_FOUND,
               registered_client_get(&region, newer, issuer, back, &found));
    client = (struct registered_client){issuer, back, "c2", token("s2")};
    assert_ok(&fixture, registered_client_put(&region, newer, &client));
    assert_ok(&fixture, registered_client_get(&region, newer, issuer, back, &found));
    assert_string_equal(found.client_id, "c2");
    assert_string_equal(secret_text(found.secret), "s2");
    assert_ok(&fixture, registered_client_forget(&region, issuer, back));
    client.secret = NULL; /* a public client has nothing that a key could open */
    assert_ok(&fixture, registered_client_put(&region, key, &client));
    assert_ok(&fixture, registered_client_get(&region, newer, issuer, back, &found));
    assert_ok(&fixture, registered_client_forget(&region, issuer, back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_credential_comes_back_and_is_not_stored_in_the_clear),
        cmocka_unit_test(a_value_that_was_moved_does_not_open),
        cmocka_unit_test(the_wrong_region_key_opens_nothing),
        cmocka_unit_test(a_copy_for_revocation_serves_nothing_else),
        cmocka_unit_test(an_attempt_is_taken_once_with_its_verifier),
        cmocka_unit_test(a_registered_client_is_bound_to_its_server),
        cmocka_unit_test(a_registered_client_of_an_earlier_region_key_gives_way),
        cmocka_unit_test(a_new_data_key_seals_everything_anew),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
