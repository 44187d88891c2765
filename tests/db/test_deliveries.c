/* What happens around a delivery that people have to do with: grace periods, problems and their
 * retry, answers that were lost. */
#include "pipeline.h"

#include "base/text.h"
#include "store/conservation.h"
#include "store/connection_take.h"
#include "store/delivery.h"
#include "store/delivery_block.h"
#include "store/delivery_resolve.h"
#include "store/integration_pause.h"
#include "store/problem_work.h"
#include "store/review.h"
#include "store/revocation.h"

static struct fixture fixture;
static struct pipeline at;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_deliveries");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    pipeline_close(&at);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    clock_set_offset(&fixture.clock, 0);
    arena_failure_clear(fixture.arena);
    run_sql(&at, "TRUNCATE region.item, region.record, region.ledger_entry, region.counterparty,"
                 " region.job, region.page, region.item_count, region.item_count_change,"
                 " region.document CASCADE");
    return 0;
}

static void assert_conserved(void)
{
    struct conservation_period all = {{{0}}, {DATE_NONE}, {DATE_NONE}};
    struct conservation proof;
    assert_ok(&fixture, conservation_get(&at.scope, &all, &proof));
    assert_int_equal(proof.unexplained, 0);
}

static struct made_item queued(void)
{
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_1", .state = "queued", .outcome = "flow", .p_micro = 900000});
    page_made(&at, 1);
    return made;
}

/* The document and the outbox row, as the job "approved" commits them. */
static struct delivery planned(const struct made_item *made)
{
    struct approved_item approved;
    assert_ok(&fixture, delivery_approved_get(&at.scope, made->item, &approved));
    static const uint8_t bytes[] = "%PDF-1.7 a document";
    struct stored_document document = {
        .bytes = {bytes, sizeof bytes - 1},
        .sha256 = "e1abba2a8f4c9e3a0e7d24ac5ba1bfdd9a5a1d3f6c1d9e3e2a6b5c4d3e2f1a0b",
        .content_type = "application/pdf",
        .file_name = "stripe-charge-ch_1-v1.pdf",
        .recipe = "rendered-1",
    };
    struct planned_delivery plan = {
        .id = id_new(&at),
        .idempotency_key = id_new(&at),
        .operation = approved.operation,
        .generation = approved.generation,
    };
    assert_ok(&fixture, delivery_plan(&at.scope, &approved, &plan, &document, INT64_C(172800)));
    struct delivery delivery;
    assert_ok(&fixture, delivery_get(&at.scope, plan.id, &delivery));
    return delivery;
}

static struct delivery ended(struct delivery delivery, struct delivery_outcome outcome)
{
    assert_ok(&fixture, delivery_attempt_start(&at.scope, &delivery, 60, &outcome.attempt));
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &outcome));
    assert_ok(&fixture, delivery_get(&at.scope, delivery.id, &delivery));
    return delivery;
}

static struct delivery_outcome rejected(void)
{
    return (struct delivery_outcome){.end = END_REJECTED,
                                     .status = "provider_validation",
                                     .problem_code = "provider_validation",
                                     .problem_text = "Qonto refused the document.",
                                     .problem_field = "counterparty_name"};
}

static struct problem only_problem(const struct made_item *made, const char *state)
{
    struct problem_filter filter = {.item = made->item, .state = state, .limit = 10};
    struct rows rows;
    assert_ok(&fixture, problem_list(&at.scope, &filter, &rows));
    assert_int_equal(rows.count, 1);
    return *(const struct problem *)rows.at;
}

static void assert_item(const struct made_item *made, const char *expected)
{
    struct item_view item;
    assert_ok(&fixture, item_get(&at.scope, made->item, &item));
    assert_string_equal(item.state, expected);
}

static void assert_says(enum err expected, enum err actual, const char *says)
{
    assert_err(&fixture, expected, actual);
    const char *detail = arena_failure(fixture.arena)->detail;
    if (!detail || !strstr(detail, says))
        fail_msg("'%s' does not say '%s'", detail ? detail : "", says);
}

/* ---- the grace period ---- */

/* The job of an approval that was undone comes too early for the approval that was given anew. */
static void test_grace_starts_anew(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_1", .state = "held", .outcome = "hold", .p_micro = 700000});
    struct review_approval approval = {.of = {.item = made.item}, .create = true};
    struct approved_item approved;
    struct item_view item;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_ok(&fixture, review_undo(&at.scope, &approval.of, &item));
    clock_set_offset(&fixture.clock, (int64_t)6 * 1000000);
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    clock_set_offset(&fixture.clock, (int64_t)12 * 1000000);
    assert_err(&fixture, ERR_NOT_FOUND, delivery_approved_get(&at.scope, made.item, &approved));
    clock_set_offset(&fixture.clock, (int64_t)18 * 1000000);
    assert_ok(&fixture, delivery_approved_get(&at.scope, made.item, &approved));
    assert_string_equal(approved.operation, "create");
    assert_int_equal(approved.generation, 1);
}

/* ---- problems ---- */

static void test_retry_with_a_fix(void **state)
{
    (void)state;
    struct made_item made = queued();
    ended(planned(&made), rejected());
    assert_item(&made, "problem");
    assert_conserved();
    struct problem problem = only_problem(&made, "open");
    const struct corrected_field unknown = {"amount", "1"}, name = {"counterparty_name", "Acme SA"};
    assert_says(ERR_FIELD_INVALID, problem_work_retry(&at.scope, problem.id, &unknown, 1, &problem),
                "name");
    problem = only_problem(&made, "open");
    assert_ok(&fixture, problem_work_retry(&at.scope, problem.id, &name, 1, &problem));
    assert_int_equal(problem.state, PROBLEM_RETRYING);
    assert_item(&made, "queued");

    struct approved_item approved;
    assert_ok(&fixture, delivery_approved_get(&at.scope, made.item, &approved));
    assert_int_equal(approved.generation, 2);
    assert_string_equal(approved.item.party_name, "Acme SA");
    struct delivery second =
        ended(planned(&made),
              (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-1"});
    assert_int_equal(second.generation, 2);
    assert_item(&made, "delivered");
    assert_int_equal(only_problem(&made, NULL).state, PROBLEM_RESOLVED);
    assert_conserved();
}

/* What fails again is one open problem, about the newest generation. */
static void test_retry_that_fails_again(void **state)
{
    (void)state;
    struct made_item made = queued();
    ended(planned(&made), rejected());
    struct problem problem = only_problem(&made, "open");
    assert_ok(&fixture, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem));
    assert_says(ERR_CONFLICT, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem),
                "retrying");
    struct delivery second = ended(planned(&made), rejected());
    problem = only_problem(&made, "unresolved");
    assert_int_equal(problem.state, PROBLEM_OPEN);
    assert_true(uuid_equal(problem.delivery_id, second.id));
    assert_conserved();
}

static size_t told(struct uuid problem)
{
    struct rows rows;
    size_t count = 0;
    assert_ok(&fixture, notification_list(&at.scope, at.person, (struct uuid){{0}}, 100, &rows));
    const struct notification *notifications = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        count += uuid_equal(notifications[i].problem_id, problem);
    return count;
}

/* Somebody is told of what needs them, and not of what a look will settle. */
static void test_who_is_told(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery_outcome lost = {.end = END_UNCERTAIN,
                                    .status = "provider_uncertain",
                                    .problem_code = "provider_uncertain",
                                    .problem_text = "The answer was lost."};
    struct delivery delivery = ended(planned(&made), lost);
    assert_int_equal(told(only_problem(&made, "open").id), 0);
    struct delivery_outcome absent = {.end = END_ABSENT, .status = "ok"};
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &absent));
    ended(delivery, rejected());
    assert_int_equal(told(only_problem(&made, "open").id), 1);
}

static void test_dismiss(void **state)
{
    (void)state;
    struct made_item made = queued();
    ended(planned(&made), rejected());
    struct problem problem = only_problem(&made, "open");
    assert_ok(&fixture, problem_work_dismiss(&at.scope, problem.id, "Entered by hand", &problem));
    assert_int_equal(problem.state, PROBLEM_DISMISSED);
    assert_string_equal(problem.dismissed_reason, "Entered by hand");
    assert_item(&made, "dismissed");
    assert_conserved();
    assert_says(ERR_CONFLICT, problem_work_dismiss(&at.scope, problem.id, "again", &problem),
                "dismissed");
}

static void test_reconnect_is_not_retried(void **state)
{
    (void)state;
    struct problem_order order = {.code = "connection_need_reconnect",
                                  .text = "Qonto no longer accepts the credentials.",
                                  .connection = at.integration.target_connection_id,
                                  .action = "reconnect"};
    struct problem problem;
    assert_ok(&fixture, problem_open(&at.scope, &order));
    assert_says(ERR_CONFLICT, problem_work_retry(&at.scope, order.id, NULL, 0, &problem),
                "Reconnect");
    assert_ok(&fixture, problem_work_dismiss(&at.scope, order.id, "later", &problem));
}

/* ---- answers that were lost ---- */

static struct delivery uncertain(const struct made_item *made)
{
    return ended(planned(made), (struct delivery_outcome){.end = END_UNCERTAIN,
                                                          .status = "provider_uncertain",
                                                          .problem_code = "provider_uncertain",
                                                          .problem_text = "The answer was lost."});
}

static void test_it_arrived(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery delivery = uncertain(&made);
    struct delivery_view seen;
    struct item_view item;
    assert_item(&made, "problem");
    struct problem problem = only_problem(&made, "open");
    assert_string_equal(problem.action, "resolve_delivery");
    assert_says(ERR_CONFLICT, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem),
                "arrived");
    assert_says(ERR_CONFLICT, problem_work_dismiss(&at.scope, problem.id, "x", &problem),
                "resolve that first");
    assert_ok(&fixture, delivery_arrived(&at.scope, delivery.id, "q-9", &seen));
    assert_string_equal(seen.state, "done");
    assert_string_equal(seen.external_id, "q-9");
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_string_equal(item.state, "delivered");
    assert_false(uuid_is_nil(item.entry));
    assert_int_equal(only_problem(&made, NULL).state, PROBLEM_RESOLVED);
    assert_conserved();
    assert_says(ERR_CONFLICT, delivery_resend(&at.scope, delivery.id, &seen), "done");
}

static void test_send_again(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery first = uncertain(&made), again;
    struct delivery_view seen;
    assert_ok(&fixture, delivery_resend(&at.scope, first.id, &seen));
    assert_item(&made, "queued");
    assert_ok(&fixture, delivery_get(&at.scope, first.id, &again));
    assert_true(again.resend);
    assert_true(uuid_equal(again.idempotency_key, first.idempotency_key));
    assert_int_equal(again.generation, 1);
    again = ended(again,
                  (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-2"});
    assert_false(again.resend);
    assert_item(&made, "delivered");
    struct rows attempts;
    assert_ok(&fixture, attempts_of_delivery(&at.scope, first.id, &attempts));
    assert_int_equal(attempts.count, 2);
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
        cmocka_unit_test_setup(test_grace_starts_anew, clean),
        cmocka_unit_test_setup(test_retry_with_a_fix, clean),
        cmocka_unit_test_setup(test_retry_that_fails_again, clean),
        cmocka_unit_test_setup(test_who_is_told, clean),
        cmocka_unit_test_setup(test_dismiss, clean),
        cmocka_unit_test_setup(test_reconnect_is_not_retried, clean),
        cmocka_unit_test_setup(test_it_arrived, clean),
        cmocka_unit_test_setup(test_send_again, clean),
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
