/* What happens around a delivery that people have to do with: grace periods, problems and their
 * retry, answers that were lost. */
#define TEST_DATABASE "test_deliveries"
#include "deliveries.h"

#include "store/delivery_resolve.h"

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

/* What waited for a reconnection was canceled when it was put aside: it is sent anew. */
static void test_reopened_after_a_block(void **state)
{
    (void)state;
    struct made_item made = queued();
    struct delivery_outcome blocked = {.end = END_BLOCKED,
                                       .status = "provider_authentication",
                                       .problem_code = "provider_authentication",
                                       .problem_text = "Qonto no longer accepts the credentials."};
    ended(planned(&made), blocked);
    struct problem problem = only_problem(&made, "open");
    assert_string_equal(problem.action, "reconnect");
    assert_says(ERR_CONFLICT, problem_work_reopen(&at.scope, problem.id, &problem), "open");
    problem = only_problem(&made, "open");
    assert_ok(&fixture, problem_work_dismiss(&at.scope, problem.id, "By hand", &problem));
    assert_ok(&fixture, problem_work_reopen(&at.scope, problem.id, &problem));
    assert_int_equal(problem.state, PROBLEM_OPEN);
    assert_string_equal(problem.action, "retry");
    assert_item(&made, "problem");
    assert_conserved();
    assert_ok(&fixture, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem));
    struct delivery second =
        ended(planned(&made),
              (struct delivery_outcome){.end = END_DONE, .status = "ok", .external_id = "q-1"});
    assert_int_equal(second.generation, 2);
    assert_item(&made, "delivered");
    assert_int_equal(only_problem(&made, NULL).state, PROBLEM_RESOLVED);
    assert_conserved();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_grace_starts_anew, clean),
        cmocka_unit_test_setup(test_retry_with_a_fix, clean),
        cmocka_unit_test_setup(test_retry_that_fails_again, clean),
        cmocka_unit_test_setup(test_who_is_told, clean),
        cmocka_unit_test_setup(test_dismiss, clean),
        cmocka_unit_test_setup(test_reopened_after_a_block, clean),
        cmocka_unit_test_setup(test_reconnect_is_not_retried, clean),
        cmocka_unit_test_setup(test_it_arrived, clean),
        cmocka_unit_test_setup(test_send_again, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
