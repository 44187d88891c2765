/* What is kept from being sent, or taken back, without anybody having failed: a target that cannot
 * be used, an integration that goes no further, entries that nothing may stay linked to. */
#define TEST_DATABASE "test_blocked"
#include "deliveries.h"

#include "store/collect.h"
#include "store/connection_take.h"
#include "store/delivery_block.h"
#include "store/integration_pause.h"
#include "store/ledger.h"
#include "store/revocation.h"

/* ---- entries that nothing may stay linked to ---- */

static struct made_item linked_to(struct uuid entry)
{
    struct made_item made = item_made(&at, (struct made_item){.source_id = "ch_l",
                                                              .state = "held",
                                                              .outcome = "hold",
                                                              .action = "link",
                                                              .entry = entry,
                                                              .p_micro = 700000});
    page_made(&at, 1);
    candidate_made(&at, made.decision, 1, entry);
    struct review_approval approval = {.of = {.item = made.item}, .candidate = entry};
    struct item_view item;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_string_equal(item.state, "linked");
    assert_conserved();
    return made;
}

STATEMENT(holder_sql, "SELECT count(*) FROM region.link WHERE workspace_id = $1 AND item_id = $2");

static void test_linked_to_our_own(void **state)
{
    (void)state;
    struct uuid entry = entry_made(&at, (struct made_entry_of){.external_id = "q-1"});
    struct made_item other = linked_to(entry), made = queued();
    ended(planned(&made),
          (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-1"});
    assert_item(&made, "delivered");
    assert_item(&other, "held");
    assert_int_equal(count_sql(&at, &holder_sql, other.item), 0);
    assert_int_equal(count_sql(&at, &holder_sql, made.item), 1);
    struct rows actions;
    assert_ok(&fixture, actions_of_item(&at.scope, other.item, &actions));
    const struct action_view *latest = actions.at;
    assert_string_equal(latest->action, "unlink");
    assert_conserved();
    struct item_view item;
    const struct review_of of = {.item = other.item};
    assert_err(&fixture, ERR_CONFLICT, review_pin(&at.scope, &of, entry, &item));
}

/* The target knows it before we know that it is ours. */
static void test_our_own_is_no_target(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = planned(&made);
    struct uuid entry = entry_made(&at, (struct made_entry_of){.external_id = "q-1"});
    run_sql(&at, arena_format(fixture.arena,
                              "UPDATE region.ledger_entry SET file_name = '%s' WHERE id = %s",
                              delivery.file_name, id_sql(&at, entry)));
    struct made_item other = item_made(
        &at, (struct made_item){
                 .source_id = "ch_o", .state = "held", .outcome = "hold", .p_micro = 700000});
    struct item_view item;
    const struct review_of of = {.item = other.item};
    assert_says(ERR_CONFLICT, review_pin(&at.scope, &of, entry, &item), "delivered itself");
}

static void mirrored_as_removed(const char *external_id)
{
    struct ledger_row row = {.role = "document",
                             .external_id = external_id,
                             .amount = {12500, "EUR"},
                             .date = {20000},
                             .due_date = {DATE_NONE},
                             .norm_version = "1",
                             .removed = true};
    struct stream stream;
    assert_ok(&fixture, stream_get(&at.scope, at.stream, &stream));
    struct mirrored_page page = {.stream = at.stream,
                                 .connection = at.integration.target_connection_id,
                                 .pages = stream.pages,
                                 .rows = &row,
                                 .count = 1,
                                 .next_marker = "{}",
                                 .complete = true};
    assert_ok(&fixture, ledger_mirror_page(&at.scope, &page));
}

static void test_removed_at_the_target(void **state)
{
    (void)state;
    struct made_item other =
        linked_to(entry_made(&at, (struct made_entry_of){.external_id = "q-7"}));
    struct made_item made = queued();
    ended(planned(&made),
          (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-8"});
    mirrored_as_removed("q-7");
    assert_item(&other, "held");
    assert_int_equal(count_sql(&at, &holder_sql, other.item), 0);
    mirrored_as_removed("q-8");
    assert_item(&made, "delivered");
    struct problem problem = only_problem(&made, "open");
    assert_string_equal(problem.code, "entry_removed");
    assert_conserved();
    assert_ok(&fixture, problem_work_dismiss(&at.scope, problem.id, "We know", &problem));
    mirrored_as_removed("q-8");
    assert_int_equal(only_problem(&made, NULL).state, PROBLEM_DISMISSED);
    assert_item(&made, "delivered");
    assert_conserved();
}

/* ---- a target that cannot be used, an integration that goes no further ---- */

static void set_state(const char *table, struct uuid id, const char *state)
{
    run_sql(&at, arena_format(fixture.arena, "UPDATE region.%s SET state = '%s' WHERE id = %s",
                              table, state, id_sql(&at, id)));
}

static struct connection target(void)
{
    struct connection connection;
    assert_ok(&fixture,
              connection_get(&at.scope, at.integration.target_connection_id, &connection));
    return connection;
}

static enum err enable_unit(const struct scope *scope, void *arg)
{
    int64_t *count = arg;
    struct connection connection;
    TRY(connection_lock(scope, at.integration.target_connection_id, &connection));
    TRY(connection_move(scope, connection.id, CONNECTION_ENABLED, NULL));
    return deliveries_unblock(scope, connection.id, count);
}

/* As the job "connect" does; how many deliveries left their block. */
static int64_t target_back(void)
{
    int64_t count;
    assert_ok(&fixture, db_transaction(&at.scope, enable_unit, &count));
    return count;
}

static void target_gone(void)
{
    struct connection connection = target();
    assert_ok(&fixture, connection_reprocess(&at.scope, connection.id, connection.state));
}

static struct delivery again(struct delivery delivery)
{
    assert_ok(&fixture, delivery_get(&at.scope, delivery.id, &delivery));
    return delivery;
}

static void test_parked_target_blocks(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = planned(&made);
    assert_string_equal(delivery.state, "queued");
    target_gone();
    assert_string_equal(again(delivery).state, "blocked");
    assert_item(&made, "problem");
    struct problem problem = only_problem(&made, "open");
    assert_string_equal(problem.action, "reconnect");
    assert_true(uuid_equal(problem.delivery_id, delivery.id));
    assert_conserved();

    clock_set_offset(&fixture.clock, INT64_C(3600) * 1000000);
    assert_int_equal(target_back(), 1);
    delivery = again(delivery);
    assert_string_equal(delivery.state, "queued");
    assert_item(&made, "queued");
    assert_int_equal(only_problem(&made, NULL).state, PROBLEM_RESOLVED);
    ended(delivery,
          (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-1"});
    assert_item(&made, "delivered");
    assert_conserved();
}

static void test_disconnected_target_blocks(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = planned(&made);
    assert_ok(&fixture, revocation_begin(&at.scope, test_region_key(&fixture), target().id));
    assert_string_equal(again(delivery).state, "blocked");
    assert_item(&made, "problem");
    assert_conserved();
    set_state("connection", target().id, "processing");
    assert_int_equal(target_back(), 1);
    assert_string_equal(again(delivery).state, "queued");
}

/* What is decided, or fails for a moment, while the target is away waits with the others. */
static void test_blocked_from_the_start(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = planned(&made);
    struct delivery_outcome retry = {.end = END_RETRY, .status = "provider_unavailable"};
    assert_ok(&fixture, delivery_attempt_start(&at.scope, &delivery, 60, &retry.attempt));
    target_gone();
    assert_string_equal(again(delivery).state, "sending");
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &retry));
    assert_string_equal(again(delivery).state, "blocked");
    struct made_item late = item_made(
        &at, (struct made_item){
                 .source_id = "ch_2", .state = "queued", .outcome = "flow", .p_micro = 900000});
    page_made(&at, 1);
    assert_string_equal(planned(&late).state, "blocked");
    assert_item(&late, "problem");
    assert_conserved();
    assert_int_equal(target_back(), 2);
    assert_item(&made, "queued");
    assert_item(&late, "queued");
    assert_conserved();
}

static enum err let_go(const struct scope *scope, void *arg)
{
    (void)arg;
    return integration_let_go(scope, at.integration.id);
}

/* Paused while its target was away: neither the one nor the other alone lets it go. */
static void test_blocked_twice(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = planned(&made);
    target_gone();
    set_state("integration", at.integration.id, "paused");
    assert_ok(&fixture, integration_hold_back(&at.scope, at.integration.id));
    assert_int_equal(target_back(), 1);
    assert_string_equal(again(delivery).state, "blocked");
    assert_item(&made, "queued");
    target_gone();
    set_state("integration", at.integration.id, "active");
    assert_ok(&fixture, db_transaction(&at.scope, let_go, NULL));
    assert_string_equal(again(delivery).state, "blocked");
    assert_item(&made, "problem");
    assert_conserved();
    assert_int_equal(target_back(), 1);
    assert_string_equal(again(delivery).state, "queued");
    assert_item(&made, "queued");
    assert_conserved();
}

STATEMENT(ended_windows_sql, "SELECT count(*) FROM region.window WHERE workspace_id = $1"
                             " AND integration_id = $2 AND state = 'done'");

static struct made_item in_state(const char *source_id, const char *state)
{
    page_made(&at, 1);
    return item_made(
        &at, (struct made_item){
                 .source_id = source_id, .state = state, .outcome = "flow", .p_micro = 900000});
}

static void archive_all(const struct made_item *waiting, const struct made_item *scoring)
{
    const char *window = id_sql(&at, id_new(&at));
    run_sql(&at, arena_format(
                     fixture.arena,
                     "INSERT INTO region.window (workspace_id, id, integration_id, kind,"
                     " settings_version, opened_at, closes_at) VALUES (%s, %s, %s, 'poll', 1,"
                     " now(), now()); UPDATE region.item SET window_id = %s WHERE id IN (%s, %s)",
                     id_sql(&at, at.scope.workspace), window, id_sql(&at, at.integration.id),
                     window, id_sql(&at, waiting->item), id_sql(&at, scoring->item)));
    set_state("integration", at.integration.id, "archived");
    assert_ok(&fixture, integration_end(&at.scope, at.integration.id));
}

/* Nothing of an archived integration waits for what will never come. */
static void test_archived_ends(void **state)
{
    (void)state;
    struct made_item waiting = in_state("ch_w", "waiting"), scoring = in_state("ch_s", "scoring"),
                     unplanned = in_state("ch_u", "queued"), made = queued(),
                     sent = in_state("ch_x", "queued");
    struct delivery delivery = planned(&made), on_its_way = planned(&sent);
    struct delivery_outcome retry = {.end = END_RETRY, .status = "provider_unavailable"};
    assert_ok(&fixture, delivery_attempt_start(&at.scope, &on_its_way, 60, &retry.attempt));
    archive_all(&waiting, &scoring);
    assert_item(&waiting, "ignored");
    assert_item(&scoring, "ignored");
    assert_item(&unplanned, "dismissed");
    assert_item(&made, "dismissed");
    assert_string_equal(again(delivery).state, "canceled");
    assert_item(&sent, "queued"); /* it may be there by now: it is finished */
    assert_int_equal(count_sql(&at, &ended_windows_sql, at.integration.id), 1);
    assert_conserved();
    assert_ok(&fixture, delivery_settle(&at.scope, &on_its_way, &retry));
    assert_string_equal(again(on_its_way).state, "canceled");
    assert_item(&sent, "dismissed");
    assert_conserved();
}

static void test_archived_sends_no_more(void **state)
{
    (void)state;
    struct made_item held = item_made(
        &at, (struct made_item){
                 .source_id = "ch_h", .state = "held", .outcome = "hold", .p_micro = 700000});
    struct made_item failed = in_state("ch_p", "problem");
    struct problem_order order = {.code = "provider_validation",
                                  .text = "Qonto refused the document.",
                                  .item = failed.item,
                                  .action = "retry"};
    struct problem problem;
    assert_ok(&fixture, problem_open(&at.scope, &order));
    problem = only_problem(&failed, "open");
    assert_says(ERR_CONFLICT, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem),
                "archived");
    struct review_approval approval = {.of = {.item = held.item}, .create = true};
    struct item_view item;
    assert_says(ERR_CONFLICT, review_approve(&at.scope, &approval, &item), "archived");
    assert_ok(&fixture, review_reject(&at.scope, &approval.of, "Over", &item));
    assert_string_equal(item.state, "rejected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_linked_to_our_own, clean),
        cmocka_unit_test_setup(test_our_own_is_no_target, clean),
        cmocka_unit_test_setup(test_removed_at_the_target, clean),
        cmocka_unit_test_setup(test_parked_target_blocks, clean),
        cmocka_unit_test_setup(test_disconnected_target_blocks, clean),
        cmocka_unit_test_setup(test_blocked_from_the_start, clean),
        cmocka_unit_test_setup(test_blocked_twice, clean),
        /* these leave the integration archived, for good */
        cmocka_unit_test_setup(test_archived_ends, clean),
        cmocka_unit_test_setup(test_archived_sends_no_more, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
