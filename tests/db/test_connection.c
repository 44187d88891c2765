/* Connections, integrations, problems and repeated calls of a workspace. */
#include <pthread.h>

#include "tenants.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "store/queue.h"
#include "store/idempotency.h"
#include "store/problem.h"
#include "store/upkeep.h"

static struct fixture fixture;
static struct scope scope;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_connection");
    tenants_made(&fixture);
    scope = fixture_scope(&fixture);
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

static struct connection enabled_connection(const char *provider)
{
    struct connection connection = connection_made(&fixture, &scope, provider, "source");
    struct connection_tokens tokens = {.access_token = token("access-1"),
                                       .refresh_token = token("refresh-1"),
                                       .scopes = "read",
                                       .authorisation = "{\"issuer\": \"https://i.example\"}"};
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_PROCESSING, NULL));
    assert_ok(&fixture,
              connection_tokens_put(&scope, test_region_key(&fixture), connection.id, &tokens));
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_ENABLED, NULL));
    assert_ok(&fixture, connection_get(&scope, connection.id, &connection));
    return connection;
}

static void holds(struct uuid connection, const char *field, const char *text)
{
    struct credential_place place = {connection, field};
    const struct secret *value = NULL;
    assert_ok(&fixture, credential_get(&scope, test_region_key(&fixture), place, &value));
    if (!text)
        assert_null(value);
    else
        assert_string_equal(secret_text(value), text);
}

static void a_connection_moves_only_as_its_machine_does(void **state)
{
    (void)state;
    struct connection connection = connection_made(&fixture, &scope, "stripe", "source");
    assert_err(&fixture, ERR_CONFLICT,
               connection_move(&scope, connection.id, CONNECTION_ENABLED, NULL));
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_PROCESSING, NULL));
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_PROCESSING, NULL));
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_ENABLED, NULL));
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_NEED_RECONNECT,
                                        "consent_withdrawn"));
    assert_ok(&fixture, connection_get(&scope, connection.id, &connection));
    assert_true(connection.state == CONNECTION_NEED_RECONNECT);
    assert_string_equal(connection.state_reason, "consent_withdrawn");
    assert_err(&fixture, ERR_NOT_FOUND,
               connection_move(&scope, db_new_id(&scope), CONNECTION_ENABLED, NULL));
}

/* ---- refreshing ---- */

enum { REFRESHERS = 6 };

struct refresher {
    struct db *db;
    struct uuid connection;
    int64_t generation;
    pthread_barrier_t *start;
    bool claimed;
    enum err err;
};

static void *refresh_claim(void *arg)
{
    struct refresher *self = arg;
    struct arena *arena = arena_open();
    struct scope own = scope_make(self->db, arena, fixture.workspace);
    struct connection_refresh refresh = {.connection = self->connection,
                                         .generation = self->generation};
    pthread_barrier_wait(self->start);
    self->err = connection_refresh_claim(&own, &refresh, &self->claimed);
    arena_close(arena);
    return NULL;
}

static void of_many_who_refresh_one_does(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct refresher refreshers[REFRESHERS];
    pthread_t threads[REFRESHERS];
    pthread_barrier_t start;
    int claimed = 0;
    pthread_barrier_init(&start, NULL, REFRESHERS);
    for (int i = 0; i < REFRESHERS; i++) {
        refreshers[i] = (struct refresher){.db = fixture_connect(&fixture, "app"),
                                           .connection = connection.id,
                                           .generation = connection.credential_generation,
                                           .start = &start};
        pthread_create(&threads[i], NULL, refresh_claim, &refreshers[i]);
    }
    for (int i = 0; i < REFRESHERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(refreshers[i].err, OK);
        claimed += refreshers[i].claimed;
        db_close(refreshers[i].db);
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(claimed, 1);
}

static bool claimed_by(const struct connection *connection, int64_t worker)
{
    struct connection_refresh refresh = {.connection = connection->id,
                                         .generation = connection->credential_generation,
                                         .worker = worker};
    bool claimed;
    assert_ok(&fixture, connection_refresh_claim(&scope, &refresh, &claimed));
    return claimed;
}

static void a_claim_ends_with_the_worker_that_holds_it(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    const struct worker_start start = {.host = "test", .process_id = 1};
    int64_t first, second;
    assert_ok(&fixture, queue_worker_start(&queue, &start, &first));
    assert_ok(&fixture, queue_worker_start(&queue, &start, &second));
    assert_true(claimed_by(&connection, first));
    assert_false(claimed_by(&connection, second));
    fixture_superuser(&fixture, "UPDATE region.worker SET lease_until = clock_timestamp()"
                                " WHERE id = (SELECT min(id) FROM region.worker)");
    assert_true(claimed_by(&connection, second));
    assert_false(claimed_by(&connection, first));
    assert_ok(&fixture, queue_worker_stop(&queue, second, db_now(&scope)));
    assert_true(claimed_by(&connection, 0));
    assert_false(claimed_by(&connection, 0)); /* of nobody known: its time has to pass */
}

static void refreshed_tokens_are_stored_together_and_once(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct connection_refresh refresh = {.connection = connection.id,
                                         .generation = connection.credential_generation};
    struct connection_refresh late = refresh;
    struct connection_tokens second = {.access_token = token("access-2"),
                                       .refresh_token = token("refresh-2"),
                                       .access_expires_at =
                                           instant_add_s(clock_now(&fixture.clock), 900)};
    struct connection_tokens stale = {.access_token = token("access-old")};
    bool claimed = false;
    assert_ok(&fixture, connection_refresh_claim(&scope, &refresh, &claimed));
    assert_true(claimed);
    assert_ok(&fixture,
              connection_refresh_store(&scope, test_region_key(&fixture), &refresh, &second));
    holds(connection.id, CREDENTIAL_ACCESS_TOKEN, "access-2");
    holds(connection.id, CREDENTIAL_REFRESH_TOKEN, "refresh-2");
    /* somebody who still believes in the old generation neither claims nor stores */
    assert_ok(&fixture, connection_refresh_claim(&scope, &late, &claimed));
    assert_false(claimed);
    assert_err(&fixture, ERR_LEASE_LOST,
               connection_refresh_store(&scope, test_region_key(&fixture), &late, &stale));
    holds(connection.id, CREDENTIAL_ACCESS_TOKEN, "access-2");
    /* a provider that sends no new refresh token: the old one stays */
    assert_ok(&fixture, connection_get(&scope, connection.id, &connection));
    refresh.generation = connection.credential_generation;
    assert_ok(&fixture, connection_refresh_claim(&scope, &refresh, &claimed));
    assert_true(claimed);
    struct connection_tokens third = {.access_token = token("access-3")};
    assert_ok(&fixture,
              connection_refresh_store(&scope, test_region_key(&fixture), &refresh, &third));
    holds(connection.id, CREDENTIAL_REFRESH_TOKEN, "refresh-2");
}

static void a_refresh_that_failed_may_be_tried_by_another(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct connection_refresh one = {.connection = connection.id,
                                     .generation = connection.credential_generation};
    struct connection_refresh two = one;
    bool claimed = false;
    assert_ok(&fixture, connection_refresh_claim(&scope, &one, &claimed));
    assert_true(claimed);
    assert_ok(&fixture, connection_refresh_claim(&scope, &two, &claimed));
    assert_false(claimed);
    assert_ok(&fixture, connection_refresh_release(&scope, &one));
    assert_ok(&fixture, connection_refresh_claim(&scope, &two, &claimed));
    assert_true(claimed);
}

/* ---- accounts ---- */

static void a_second_connection_to_an_account_serves_the_first(void **state)
{
    (void)state;
    struct connection_account account = {
        .provider = "qonto", .account = "org-1", .account_name = "Acme", .livemode = true};
    struct connection older = enabled_connection("qonto");
    struct connection newer = enabled_connection("qonto"), found;
    struct connection_tokens fresh = {.access_token = token("access-new"),
                                      .refresh_token = token("refresh-new")};
    bool any = false;
    assert_ok(&fixture, connection_account_set(&scope, older.id, &account));
    assert_err(&fixture, ERR_DUPLICATE, connection_account_set(&scope, newer.id, &account));
    assert_string_equal(arena_failure(fixture.arena)->field, "connection_account");
    assert_ok(&fixture, connection_tokens_put(&scope, test_region_key(&fixture), newer.id, &fresh));
    assert_ok(&fixture, connection_replace(&scope, test_region_key(&fixture), older.id, newer.id));
    holds(older.id, CREDENTIAL_ACCESS_TOKEN, "access-new");
    holds(newer.id, CREDENTIAL_ACCESS_TOKEN, NULL);
    assert_ok(&fixture, connection_by_account(&scope, &account, &found, &any));
    assert_true(any && uuid_equal(found.id, older.id));
    assert_true(found.credential_generation > older.credential_generation);
    struct connection_filter filter = {.provider = "qonto", .limit = 50};
    struct rows rows;
    assert_ok(&fixture, connection_list(&scope, &filter, &rows));
    for (size_t i = 0; i < rows.count; i++)
        assert_false(uuid_equal(((const struct connection *)rows.at)[i].id, newer.id));
}

static void disconnecting_stops_and_keeps_only_what_revokes(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct credential_place place = {connection.id, CREDENTIAL_REFRESH_TOKEN};
    const struct secret *value = NULL;
    assert_ok(&fixture, connection_disconnect(&scope, connection.id));
    holds(connection.id, CREDENTIAL_REFRESH_TOKEN, NULL);
    assert_ok(&fixture,
              credential_get_for_revocation(&scope, test_region_key(&fixture), place, &value));
    assert_non_null(value);
    assert_ok(&fixture, connection_revocation_set(&scope, connection.id, "[]", true));
    assert_ok(&fixture,
              credential_get_for_revocation(&scope, test_region_key(&fixture), place, &value));
    assert_null(value);
    assert_ok(&fixture, connection_get(&scope, connection.id, &connection));
    assert_true(connection.state == CONNECTION_DISCONNECTED && connection.disconnected_at.us > 0);
    assert_ok(&fixture, connection_move(&scope, connection.id, CONNECTION_PROCESSING, NULL));
}

/* ---- integrations ---- */

static void settings_get_a_version_for_every_change(void **state)
{
    (void)state;
    struct integration integration = integration_made(&fixture, &scope), changed;
    const char *settings = NULL;
    struct integration_change change = {.settings = "{\"poll_s\": 60}",
                                        .version = integration.row_version};
    assert_int_equal(integration.settings_version, 1);
    assert_string_equal(integration.source_provider, "stripe");
    assert_ok(&fixture, integration_update(&scope, integration.id, &change, &changed));
    assert_int_equal(changed.settings_version, 2);
    assert_string_equal(changed.settings, "{\"poll_s\": 60}");
    assert_ok(&fixture, integration_settings_get(&scope, integration.id, 1, &settings));
    assert_string_equal(settings, "{\"thresholds\": {}}");
    assert_err(&fixture, ERR_STALE, integration_update(&scope, integration.id, &change, &changed));
    struct integration_change pause = {.state_given = true, .state = INTEGRATION_ARCHIVED};
    assert_ok(&fixture, integration_update(&scope, integration.id, &pause, &changed));
    pause.state = INTEGRATION_ACTIVE;
    assert_err(&fixture, ERR_CONFLICT,
               integration_update(&scope, integration.id, &pause, &changed));
    struct integration_new nowhere = {.name = "x",
                                      .source_connection_id = integration.source_connection_id,
                                      .target_connection_id = db_new_id(&scope),
                                      .settings = "{}"};
    assert_err(&fixture, ERR_CONFLICT, integration_add(&scope, &nowhere, &changed));
}

/* ---- problems ---- */

static void a_problem_is_told_once_until_it_is_resolved(void **state)
{
    (void)state;
    struct connection connection = enabled_connection("stripe");
    struct problem_order order = {.code = "need_reconnect",
                                  .text = "Stripe no longer accepts the credentials.",
                                  .connection = connection.id,
                                  .action = "reconnect"};
    struct problem problem;
    struct problem_subject about = {.connection = connection.id};
    int64_t resolved = 0;
    assert_ok(&fixture, problem_open(&scope, &order));
    assert_true(order.made);
    struct uuid first = order.id;
    assert_ok(&fixture, problem_open(&scope, &order));
    assert_false(order.made);
    assert_true(uuid_equal(order.id, first));
    assert_ok(&fixture, problem_get(&scope, first, &problem));
    assert_int_equal(problem.occurrences, 2);
    assert_string_equal(problem.action, "reconnect");
    assert_err(&fixture, ERR_CONFLICT, problem_reopen(&scope, first));
    assert_ok(&fixture, problem_retrying(&scope, first));
    assert_ok(&fixture, problem_open(&scope, &order)); /* the retry failed as well */
    assert_ok(&fixture, problem_get(&scope, first, &problem));
    assert_true(problem.state == PROBLEM_OPEN);
    assert_ok(&fixture, problem_resolve(&scope, &about, &resolved));
    assert_int_equal(resolved, 1);
    assert_ok(&fixture, problem_open(&scope, &order));
    assert_true(order.made && !uuid_equal(order.id, first)); /* a new one */
    assert_ok(&fixture, problem_dismiss(&scope, order.id, "known"));
    struct problem_filter filter = {
        .state = "unresolved", .connection = connection.id, .limit = 10};
    struct rows rows;
    assert_ok(&fixture, problem_list(&scope, &filter, &rows));
    assert_int_equal(rows.count, 0);
    filter.state = NULL;
    assert_ok(&fixture, problem_list(&scope, &filter, &rows));
    assert_int_equal(rows.count, 2);
}

static void notifications_go_to_whom_they_concern(void **state)
{
    (void)state;
    struct uuid ada = db_new_id(&scope), bob = db_new_id(&scope);
    struct notification for_all = {.event = "problem_opened", .text = "Look."};
    struct notification for_ada = {.event = "item_assigned", .text = "Yours.", .user_id = ada};
    struct rows rows;
    assert_ok(&fixture, notification_add(&scope, &for_all));
    assert_ok(&fixture, notification_add(&scope, &for_ada));
    assert_ok(&fixture, notification_list(&scope, ada, (struct uuid){0}, 10, &rows));
    assert_int_equal(rows.count, 2);
    assert_ok(&fixture, notification_list(&scope, bob, (struct uuid){0}, 10, &rows));
    assert_int_equal(rows.count, 1);
}

/* ---- repeated calls ---- */

static struct bytes hash_of(const char *text)
{
    uint8_t *hash = arena_alloc(fixture.arena, SHA256_BYTES);
    sha256((struct bytes){(const uint8_t *)text, strlen(text)}, hash);
    return (struct bytes){hash, SHA256_BYTES};
}

static void the_same_call_gets_the_same_answer(void **state)
{
    (void)state;
    struct idempotency_key key = {"user:1", "POST /x", "key-1", hash_of("a")};
    struct idempotency_key other_body = {"user:1", "POST /x", "key-1", hash_of("b")};
    struct idempotency_key other_person = {"user:2", "POST /x", "key-1", hash_of("b")};
    struct idempotency_answer answer = {
        .status = 201, .headers = "{\"location\": \"/x/1\"}", .answer = "{\"id\": 1}"};
    struct idempotency first, second;
    assert_ok(&fixture, idempotency_claim(&scope, &key, &first));
    assert_false(first.replay);
    assert_err(&fixture, ERR_IDEMPOTENCY_RUNNING, idempotency_claim(&scope, &key, &second));
    assert_err(&fixture, ERR_IDEMPOTENCY_KEY_REUSED,
               idempotency_claim(&scope, &other_body, &second));
    assert_ok(&fixture, idempotency_claim(&scope, &other_person, &second));
    assert_false(second.replay);
    assert_ok(&fixture, idempotency_finish(&scope, &key, first.claim, &answer));
    assert_ok(&fixture, idempotency_claim(&scope, &key, &second));
    assert_true(second.replay && second.status == 201);
    assert_string_equal(second.answer, answer.answer);
    assert_string_equal(second.headers, answer.headers);
    assert_err(&fixture, ERR_IDEMPOTENCY_KEY_REUSED,
               idempotency_claim(&scope, &other_body, &second));
    /* another workspace has keys of its own */
    struct scope theirs = fixture_other_scope(&fixture);
    assert_ok(&fixture, idempotency_claim(&theirs, &other_body, &second));
    assert_false(second.replay);
    clock_set_offset(&fixture.clock, INT64_C(1000000) * (IDEMPOTENCY_KEPT_S + 1));
    assert_ok(&fixture, idempotency_claim(&scope, &other_body, &second));
    assert_false(second.replay); /* a day later the key is free */
    clock_set_offset(&fixture.clock, 0);
}

static void expired_answers_are_deleted_and_no_others(void **state)
{
    (void)state;
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct idempotency_key key = {"user:1", "POST /z", "key-3", hash_of("a")};
    struct idempotency claim;
    int64_t deleted = 0;
    assert_ok(&fixture, region_expire(&queue, &deleted)); /* what other tests left */
    assert_ok(&fixture, idempotency_claim(&scope, &key, &claim));
    clock_set_offset(&fixture.clock, INT64_C(1000000) * (IDEMPOTENCY_KEPT_S + 1));
    assert_ok(&fixture, region_expire(&queue, &deleted));
    assert_int_equal(deleted, 0); /* whatever a caller believes, the database's clock decides */
    clock_set_offset(&fixture.clock, 0);
    fixture_superuser(&fixture, "UPDATE region.idempotency SET expires_at = now()"
                                " - interval '1 s' WHERE key = 'key-3'");
    assert_ok(&fixture, region_expire(&queue, &deleted));
    assert_int_equal(deleted, 1);
}

static void a_call_that_died_can_be_repeated_and_a_secret_is_not_kept(void **state)
{
    (void)state;
    struct idempotency_key key = {"user:1", "POST /y", "key-2", hash_of("a")};
    struct idempotency_answer secret = {
        .status = 201, .answer = "{\"key\": \"slk_secret\"}", .secret = true};
    struct idempotency first, second;
    assert_ok(&fixture, idempotency_claim(&scope, &key, &first));
    assert_ok(&fixture, idempotency_release(&scope, &key, first.claim));
    assert_ok(&fixture, idempotency_claim(&scope, &key, &first));
    fixture_superuser(&fixture, "UPDATE region.idempotency SET locked_until = now()"
                                " - interval '1 s' WHERE key = 'key-2'");
    assert_ok(&fixture, idempotency_claim(&scope, &key, &second)); /* its process died */
    assert_err(&fixture, ERR_LEASE_LOST, idempotency_finish(&scope, &key, first.claim, &secret));
    assert_ok(&fixture, idempotency_finish(&scope, &key, second.claim, &secret));
    assert_err(&fixture, ERR_IDEMPOTENCY_SECRET, idempotency_claim(&scope, &key, &first));
    fixture_superuser(&fixture, "DO $$ BEGIN IF EXISTS (SELECT FROM region.idempotency WHERE"
                                " answer LIKE '%slk_secret%') THEN RAISE EXCEPTION 'kept'; END IF;"
                                " END $$");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_moves_only_as_its_machine_does),
        cmocka_unit_test(of_many_who_refresh_one_does),
        cmocka_unit_test(a_claim_ends_with_the_worker_that_holds_it),
        cmocka_unit_test(refreshed_tokens_are_stored_together_and_once),
        cmocka_unit_test(a_refresh_that_failed_may_be_tried_by_another),
        cmocka_unit_test(a_second_connection_to_an_account_serves_the_first),
        cmocka_unit_test(disconnecting_stops_and_keeps_only_what_revokes),
        cmocka_unit_test(settings_get_a_version_for_every_change),
        cmocka_unit_test(a_problem_is_told_once_until_it_is_resolved),
        cmocka_unit_test(notifications_go_to_whom_they_concern),
        cmocka_unit_test(the_same_call_gets_the_same_answer),
        cmocka_unit_test(expired_answers_are_deleted_and_no_others),
        cmocka_unit_test(a_call_that_died_can_be_repeated_and_a_secret_is_not_kept),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
