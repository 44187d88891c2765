/* People in the directory: logging in, refreshing, keys, invitations, roles, redirects. */
#include "support.h"

#include <pthread.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "store/idempotency.h"
#include "store/login.h"
#include "store/oauth.h"
#include "store/upkeep.h"
#include "store/user.h"
#include "store/workspace.h"

static struct fixture fixture;
static struct untenanted directory;
static struct user ada;
static struct workspace acme;

static struct bytes hash_of(const char *text)
{
    uint8_t *hash = arena_alloc(fixture.arena, SHA256_BYTES);
    sha256((struct bytes){(const uint8_t *)text, strlen(text)}, hash);
    return (struct bytes){hash, SHA256_BYTES};
}

static struct user user_made(const char *email)
{
    struct user user = {.email = email, .name = "Ada", .password_hash = "scrypt$…"};
    assert_ok(&fixture, user_add(&directory, &user));
    return user;
}

static enum err role_set(struct uuid user, const char *role, int64_t version)
{
    struct member_changed changed;
    return member_change(&directory,
                         &(struct member_change){
                             .workspace = acme.id, .user = user, .role = role, .version = version},
                         &changed);
}

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_login");
    directory = fixture_untenanted(&fixture);
    struct region region = {.code = "eu", .name = "Europe", .hosted_in = "Paris"};
    assert_ok(&fixture, region_ensure(&directory, &region));
    assert_ok(&fixture, region_ensure(&directory, &region));
    ada = user_made("Ada@Example.com");
    acme = (struct workspace){
        .name = "Acme", .region = "eu", .time_zone = "Europe/Paris", .language = "fr"};
    assert_ok(&fixture, workspace_add(&directory, &acme));
    assert_ok(&fixture, member_add(&directory, acme.id, ada.id, "owner"));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    clock_set_offset(&fixture.clock, 0);
    return 0;
}

static void an_address_belongs_to_one_person_in_any_case(void **state)
{
    (void)state;
    struct user again = {.email = "ADA@example.COM", .name = "Other"}, found;
    bool any = false;
    assert_err(&fixture, ERR_DUPLICATE, user_add(&directory, &again));
    assert_string_equal(arena_failure(fixture.arena)->field, "app_user_email");
    assert_ok(&fixture, user_by_email(&directory, "aDa@example.com", &found, &any));
    assert_true(any && uuid_equal(found.id, ada.id) && found.active && !found.operator);
    assert_ok(&fixture, user_by_email(&directory, "nobody@example.com", &found, &any));
    assert_false(any);
}

static void too_many_wrong_passwords_lock_for_a_while(void **state)
{
    (void)state;
    struct user user = user_made("lock@example.com");
    for (int i = 0; i < FAILED_LOGINS_MAX - 1; i++)
        assert_ok(&fixture, user_login_noted(&directory, user.id, false));
    assert_ok(&fixture, user_get(&directory, user.id, &user));
    assert_int_equal(user.locked_until.us, 0);
    assert_ok(&fixture, user_login_noted(&directory, user.id, false));
    assert_ok(&fixture, user_get(&directory, user.id, &user));
    assert_true(user.locked_until.us > clock_now(&fixture.clock).us);
    assert_ok(&fixture, user_login_noted(&directory, user.id, true));
    assert_ok(&fixture, user_get(&directory, user.id, &user));
    assert_int_equal(user.locked_until.us, 0);
}

static void a_refresh_token_works_once_and_its_reuse_ends_the_session(void **state)
{
    (void)state;
    struct uuid session;
    struct login_rotation rotation;
    struct login_start start = {.user = ada.id,
                                .token_hash = hash_of("first"),
                                .expires_at = instant_add_s(clock_now(&fixture.clock), 3600)};
    assert_ok(&fixture, login_start(&directory, &start, &session));
    assert_ok(&fixture, login_rotate(&directory, hash_of("first"), hash_of("second"), &rotation));
    assert_true(uuid_equal(rotation.user, ada.id) && uuid_equal(rotation.session, session));
    assert_ok(&fixture, login_rotate(&directory, hash_of("second"), hash_of("third"), &rotation));
    /* the thief, or the victim, comes second */
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               login_rotate(&directory, hash_of("second"), hash_of("fourth"), &rotation));
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               login_rotate(&directory, hash_of("third"), hash_of("fifth"), &rotation));
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               login_rotate(&directory, hash_of("unknown"), hash_of("sixth"), &rotation));
}

static void a_session_ends_by_time_and_by_logout(void **state)
{
    (void)state;
    struct uuid session;
    struct login_rotation rotation;
    struct login_start start = {.user = ada.id,
                                .token_hash = hash_of("short"),
                                .expires_at = instant_add_s(clock_now(&fixture.clock), 60)};
    assert_ok(&fixture, login_start(&directory, &start, &session));
    clock_set_offset(&fixture.clock, INT64_C(61) * 1000000);
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               login_rotate(&directory, hash_of("short"), hash_of("s2"), &rotation));
    clock_set_offset(&fixture.clock, 0);
    start.token_hash = hash_of("left");
    assert_ok(&fixture, login_start(&directory, &start, &session));
    assert_ok(&fixture, login_end(&directory, hash_of("left")));
    assert_ok(&fixture, login_end(&directory, hash_of("never existed")));
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               login_rotate(&directory, hash_of("left"), hash_of("l2"), &rotation));
}

static void an_api_key_opens_until_it_is_revoked_or_expires(void **state)
{
    (void)state;
    struct api_key key = {.workspace_id = acme.id,
                          .name = "books",
                          .role = "viewer",
                          .hint = "slk_abcd",
                          .created_by = ada.id,
                          .expires_at = instant_add_s(clock_now(&fixture.clock), 3600)};
    struct api_key found;
    struct rows rows;
    assert_ok(&fixture, api_key_add(&directory, hash_of("key"), &key));
    assert_ok(&fixture, api_key_by_hash(&directory, hash_of("key"), &found));
    assert_true(uuid_equal(found.workspace_id, acme.id) && text_equal(found.role, "viewer"));
    assert_string_equal(found.region, "eu");
    assert_ok(&fixture, api_key_list(&directory, acme.id, (struct uuid){0}, 10, &rows));
    assert_int_equal(rows.count, 1);
    assert_true(((const struct api_key *)rows.at)->last_used_at.us > 0);
    clock_set_offset(&fixture.clock, INT64_C(3601) * 1000000);
    assert_err(&fixture, ERR_UNAUTHENTICATED, api_key_by_hash(&directory, hash_of("key"), &found));
    clock_set_offset(&fixture.clock, 0);
    assert_err(&fixture, ERR_NOT_FOUND, api_key_revoke(&directory, ada.id, key.id));
    assert_ok(&fixture, api_key_revoke(&directory, acme.id, key.id));
    assert_err(&fixture, ERR_NOT_FOUND, api_key_revoke(&directory, acme.id, key.id));
    assert_err(&fixture, ERR_UNAUTHENTICATED, api_key_by_hash(&directory, hash_of("key"), &found));
}

static void an_api_key_may_no_more_than_its_maker_still_may(void **state)
{
    (void)state;
    struct user maker = user_made("maker@example.com");
    struct api_key key = {.workspace_id = acme.id,
                          .name = "ci",
                          .role = "admin",
                          .hint = "slk_ci",
                          .created_by = maker.id};
    struct api_key found, other = key;
    struct member_changed left;
    const struct member_change leave = {.workspace = acme.id, .user = maker.id};
    assert_err(&fixture, ERR_FORBIDDEN, api_key_add(&directory, hash_of("too early"), &key));
    assert_ok(&fixture, member_add(&directory, acme.id, maker.id, "admin"));
    assert_ok(&fixture, api_key_add(&directory, hash_of("maker's"), &key));
    assert_ok(&fixture, api_key_add(&directory, hash_of("maker's other"), &other));
    assert_ok(&fixture, role_set(maker.id, "reviewer", 0));
    assert_ok(&fixture, api_key_by_hash(&directory, hash_of("maker's"), &found));
    assert_string_equal(found.role, "reviewer");
    assert_ok(&fixture, role_set(maker.id, "owner", 0));
    assert_ok(&fixture, api_key_by_hash(&directory, hash_of("maker's"), &found));
    assert_string_equal(found.role, "admin");
    assert_ok(&fixture, member_change(&directory, &leave, &left));
    assert_int_equal(left.keys.count, 2);
    assert_string_equal(left.before.role, "owner");
    assert_err(&fixture, ERR_UNAUTHENTICATED,
               api_key_by_hash(&directory, hash_of("maker's"), &found));
    assert_ok(&fixture, member_add(&directory, acme.id, maker.id, "admin"));
    assert_err(&fixture, ERR_UNAUTHENTICATED, /* who comes back makes new ones */
               api_key_by_hash(&directory, hash_of("maker's"), &found));
    assert_ok(&fixture, role_set(maker.id, NULL, 0));
}

/* ---- two who remove each other, each with a connection of their own ---- */

enum { ROUNDS = 20 };

struct remover {
    pthread_barrier_t *start;
    struct db *db;
    struct member_change change;
    enum err outcome;
};

static void *remove_other(void *arg)
{
    struct remover *self = arg;
    struct arena *arena = arena_open();
    struct untenanted own = db_untenanted(self->db, arena);
    struct member_changed changed;
    pthread_barrier_wait(self->start);
    self->outcome = member_change(&own, &self->change, &changed);
    arena_close(arena);
    return NULL;
}

static void of_two_who_remove_each_other_one_stays(void **state)
{
    (void)state;
    struct user pair[] = {user_made("left@example.com"), user_made("right@example.com")};
    struct user third = user_made("third@example.com");
    struct db *db[] = {fixture_connect(&fixture, "app"), fixture_connect(&fixture, "app")};
    for (int round = 0; round < ROUNDS; round++) {
        struct workspace place = {
            .name = "Duel", .region = "eu", .time_zone = "UTC", .language = "en"};
        struct remover removers[2];
        pthread_barrier_t start;
        pthread_t threads[2];
        struct rows members;
        assert_ok(&fixture, workspace_add(&directory, &place));
        assert_ok(&fixture, member_add(&directory, place.id, third.id, "owner"));
        pthread_barrier_init(&start, NULL, 2);
        for (int i = 0; i < 2; i++) {
            assert_ok(&fixture, member_add(&directory, place.id, pair[i].id, "owner"));
            removers[i] = (struct remover){.start = &start,
                                           .db = db[i],
                                           .change = {.workspace = place.id,
                                                      .user = pair[1 - i].id,
                                                      .by = pair[i].id,
                                                      .as = "owner"}};
        }
        for (int i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, remove_other, &removers[i]);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&start);
        enum err first = removers[0].outcome, second = removers[1].outcome;
        assert_true((first == OK && second == ERR_FORBIDDEN) ||
                    (first == ERR_FORBIDDEN && second == OK));
        assert_ok(&fixture, member_list(&directory, place.id, (struct uuid){0}, 10, &members));
        assert_int_equal(members.count, 2);
    }
    db_close(db[0]);
    db_close(db[1]);
}

static void the_last_owner_stays(void **state)
{
    (void)state;
    struct user bob = user_made("bob@example.com");
    struct membership membership;
    assert_err(&fixture, ERR_CONFLICT, role_set(ada.id, "viewer", 0));
    assert_err(&fixture, ERR_CONFLICT, role_set(ada.id, NULL, 0));
    assert_ok(&fixture, member_add(&directory, acme.id, bob.id, "reviewer"));
    assert_err(&fixture, ERR_DUPLICATE, member_add(&directory, acme.id, bob.id, "owner"));
    assert_ok(&fixture, role_set(bob.id, "owner", 1));
    assert_err(&fixture, ERR_STALE, role_set(bob.id, "admin", 1));
    assert_ok(&fixture, role_set(ada.id, "admin", 0));
    assert_ok(&fixture, membership_get(&directory, acme.id, ada.id, &membership));
    assert_true(text_equal(membership.role, "admin") && membership.active);
    assert_ok(&fixture, role_set(ada.id, "owner", 0));
    assert_ok(&fixture, role_set(bob.id, NULL, 0));
    assert_err(&fixture, ERR_NOT_FOUND, membership_get(&directory, acme.id, bob.id, &membership));
}

static void an_invitation_is_taken_once(void **state)
{
    (void)state;
    struct invitation first = {.workspace_id = acme.id,
                               .email = "Carol@example.com",
                               .role = "reviewer",
                               .invited_by = ada.id,
                               .expires_at = instant_add_s(clock_now(&fixture.clock), 3600)};
    struct invitation second = first, taken;
    assert_ok(&fixture, invitation_add(&directory, hash_of("invitation 1"), &first));
    assert_ok(&fixture, invitation_add(&directory, hash_of("invitation 2"), &second));
    assert_err(&fixture, ERR_NOT_FOUND, /* replaced by the second */
               invitation_take(&directory, hash_of("invitation 1"), &taken));
    assert_ok(&fixture, invitation_take(&directory, hash_of("invitation 2"), &taken));
    assert_string_equal(taken.email, "carol@example.com");
    assert_err(&fixture, ERR_NOT_FOUND,
               invitation_take(&directory, hash_of("invitation 2"), &taken));
}

static void a_state_comes_back_once_in_the_same_browser(void **state)
{
    (void)state;
    struct oauth_state made = {.state_hash = hash_of("state"),
                               .browser_hash = hash_of("browser"),
                               .workspace_id = acme.id,
                               .region = "eu",
                               .provider = "stripe",
                               .connection_id = ada.id,
                               .attempt_id = ada.id,
                               .asked_by = ada.id,
                               .expires_at = instant_add_s(clock_now(&fixture.clock), 600)};
    struct oauth_state taken;
    struct oauth_state_claim claim = {hash_of("state"), hash_of("other browser"), "stripe"};
    assert_ok(&fixture, oauth_state_add(&directory, &made));
    assert_err(&fixture, ERR_NOT_FOUND, oauth_state_take(&directory, &claim, &taken));
    claim = (struct oauth_state_claim){hash_of("state"), hash_of("browser"), "qonto"};
    assert_err(&fixture, ERR_NOT_FOUND, oauth_state_take(&directory, &claim, &taken));
    claim.provider = "stripe";
    assert_ok(&fixture, oauth_state_take(&directory, &claim, &taken));
    assert_true(uuid_equal(taken.workspace_id, acme.id) && text_equal(taken.region, "eu"));
    assert_err(&fixture, ERR_NOT_FOUND, oauth_state_take(&directory, &claim, &taken));
}

static void a_state_ends_with_its_askers_right_to_ask(void **state)
{
    (void)state;
    struct user bob = user_made("bob.asks@example.com");
    struct oauth_state made = {.state_hash = hash_of("link of bob"),
                               .browser_hash = hash_of("link"),
                               .workspace_id = acme.id,
                               .region = "eu",
                               .provider = "stripe",
                               .connection_id = ada.id,
                               .attempt_id = ada.id,
                               .asked_by = bob.id,
                               .expires_at = instant_add_s(clock_now(&fixture.clock), 600)};
    const struct oauth_state_claim claim = {made.state_hash, made.browser_hash, "stripe"};
    struct oauth_state seen;
    struct oauth_asker asker;
    bool found = false;
    assert_ok(&fixture, member_add(&directory, acme.id, bob.id, "admin"));
    assert_ok(&fixture, oauth_state_add(&directory, &made));
    assert_ok(&fixture, oauth_state_look(&directory, &claim, &seen));
    assert_ok(&fixture, oauth_state_look(&directory, &claim, &seen));
    assert_ok(&fixture, oauth_asker_get(&directory, &seen, &asker));
    assert_true(text_equal(asker.email, "bob.asks@example.com") && !asker.key_name);
    assert_ok(&fixture, role_set(bob.id, "reviewer", 0));
    assert_err(&fixture, ERR_NOT_FOUND, oauth_state_look(&directory, &claim, &seen));
    assert_err(&fixture, ERR_NOT_FOUND, oauth_state_take(&directory, &claim, &seen));
    assert_ok(&fixture, oauth_state_spoil(&directory, made.state_hash, &seen, &found));
    assert_true(found);
    assert_ok(&fixture, oauth_state_spoil(&directory, made.state_hash, &seen, &found));
    assert_false(found);
    assert_ok(&fixture, role_set(bob.id, NULL, 0));
}

static void a_workspace_changes_only_as_it_was_read(void **state)
{
    (void)state;
    struct workspace_change change = {.name = "Acme SAS", .version = acme.row_version};
    struct workspace changed, listed;
    struct rows rows;
    assert_ok(&fixture, workspace_update(&directory, acme.id, &change, &changed));
    assert_string_equal(changed.name, "Acme SAS");
    assert_string_equal(changed.language, "fr");
    assert_err(&fixture, ERR_STALE, workspace_update(&directory, acme.id, &change, &changed));
    change.version = 0;
    assert_err(&fixture, ERR_NOT_FOUND, workspace_update(&directory, ada.id, &change, &changed));
    assert_ok(&fixture, workspace_list(&directory, ada.id, (struct uuid){0}, 10, &rows));
    assert_int_equal(rows.count, 1);
    listed = *(const struct workspace *)rows.at;
    assert_string_equal(listed.role, "owner");
    struct workspace nowhere = {
        .name = "Lost", .region = "mars", .time_zone = "UTC", .language = "en"};
    assert_err(&fixture, ERR_CONFLICT, workspace_add(&directory, &nowhere));
}

static void repeated_calls_without_a_workspace_are_kept_here(void **state)
{
    (void)state;
    struct idempotency_key key = {"user:1", "POST /v1/workspaces", "k", hash_of("body")};
    struct idempotency_answer answer = {.status = 201, .answer = "{}"};
    struct idempotency first, second;
    int64_t deleted = 0;
    assert_ok(&fixture, idempotency_claim(&directory.scope, &key, &first));
    assert_ok(&fixture, idempotency_finish(&directory.scope, &key, first.claim, &answer));
    assert_ok(&fixture, idempotency_claim(&directory.scope, &key, &second));
    assert_true(second.replay && second.status == 201);
    clock_set_offset(&fixture.clock, INT64_C(1000000) * (IDEMPOTENCY_KEPT_S + 1));
    assert_ok(&fixture, directory_expire(&directory, &deleted));
    assert_true(deleted >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_belongs_to_one_person_in_any_case, clean),
        cmocka_unit_test_setup(too_many_wrong_passwords_lock_for_a_while, clean),
        cmocka_unit_test_setup(a_refresh_token_works_once_and_its_reuse_ends_the_session, clean),
        cmocka_unit_test_setup(a_session_ends_by_time_and_by_logout, clean),
        cmocka_unit_test_setup(an_api_key_opens_until_it_is_revoked_or_expires, clean),
        cmocka_unit_test_setup(an_api_key_may_no_more_than_its_maker_still_may, clean),
        cmocka_unit_test_setup(of_two_who_remove_each_other_one_stays, clean),
        cmocka_unit_test_setup(the_last_owner_stays, clean),
        cmocka_unit_test_setup(an_invitation_is_taken_once, clean),
        cmocka_unit_test_setup(a_state_comes_back_once_in_the_same_browser, clean),
        cmocka_unit_test_setup(a_state_ends_with_its_askers_right_to_ask, clean),
        cmocka_unit_test_setup(a_workspace_changes_only_as_it_was_read, clean),
        cmocka_unit_test_setup(repeated_calls_without_a_workspace_are_kept_here, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
