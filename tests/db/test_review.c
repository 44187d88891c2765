/* What people do with items that wait for them: the queue, the decisions, and taking them back. */
#include "pipeline.h"

#include "base/text.h"
#include "store/conservation.h"
#include "store/counterparty_read.h"
#include "store/decision_read.h"
#include "store/queue.h"
#include "store/review.h"

static struct fixture fixture;
static struct pipeline at;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_review");
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
                 " region.job, region.page, region.item_count, region.item_count_change CASCADE");
    return 0;
}

static struct review_of of(const struct made_item *made)
{
    return (struct review_of){.item = made->item};
}

static struct made_item held(const char *source_id)
{
    return item_made(
        &at, (struct made_item){
                 .source_id = source_id, .state = "held", .outcome = "hold", .p_micro = 700000});
}

static void assert_conserved(void)
{
    struct conservation_period all = {{{0}}, {DATE_NONE}, {DATE_NONE}};
    struct conservation proof;
    assert_ok(&fixture, conservation_get(&at.scope, &all, &proof));
    for (size_t i = 0; i < CONSERVATION_CHECKS; i++) {
        if (proof.checks[i].left != proof.checks[i].right)
            fail_msg("%s: %" PRId64 " against %" PRId64, proof.checks[i].code, proof.checks[i].left,
                     proof.checks[i].right);
    }
    assert_int_equal(proof.unexplained, 0);
}

static void assert_failed(enum err expected, enum err actual, const char *says)
{
    assert_err(&fixture, expected, actual);
    const char *detail = arena_failure(fixture.arena)->detail;
    if (!detail || !strstr(detail, says))
        fail_msg("'%s' does not say '%s'", detail ? detail : "", says);
}

STATEMENT(test_job_count_sql,
          "SELECT count(*) FROM region.job j JOIN region.lane l ON l.id = j.lane_id"
          " WHERE l.workspace_id = $1 AND j.subject_id = $2");
STATEMENT(test_audit_count_sql,
          "SELECT count(*) FROM region.audit WHERE workspace_id = $1 AND subject_id = $2");

/* ---- the queue ---- */

static struct rows queue(struct review_filter filter, const struct list_page *page)
{
    struct rows rows;
    filter.state = filter.state ? filter.state : "held";
    filter.range.date_from.days = DATE_NONE;
    filter.range.date_to.days = DATE_NONE;
    assert_ok(&fixture, review_list(&at.scope, &filter, page, &rows));
    return rows;
}

static void test_queue_order(void **state)
{
    (void)state;
    const int64_t p[] = {600000, 810000, 700000};
    for (size_t i = 0; i < COUNT(p); i++)
        item_made(&at, (struct made_item){.source_id = arena_format(fixture.arena, "ch_%zu", i),
                                          .state = "held",
                                          .outcome = "hold",
                                          .p_micro = p[i]});
    struct made_item unscored = held("ch_unscored");
    run_sql(&at, arena_format(fixture.arena, "UPDATE region.item SET p_micro = NULL WHERE id = %s",
                              id_sql(&at, unscored.item)));
    struct list_page page = {.rows = 2};
    struct rows first = queue((struct review_filter){0}, &page);
    const struct item_view *items = first.at;
    assert_int_equal(first.count, 2);
    assert_int_equal(items[0].p_micro, 810000);
    assert_int_equal(items[1].p_micro, 700000);
    page.after = items[1].id;
    page.after_order = items[1].p_micro;
    struct rows second = queue((struct review_filter){0}, &page);
    items = second.at;
    assert_int_equal(second.count, 2);
    assert_int_equal(items[0].p_micro, 600000);
    assert_true(uuid_equal(items[1].id, unscored.item));
    assert_int_equal(items[1].p_micro, P_UNKNOWN);
}

static void test_queue_filters(void **state)
{
    (void)state;
    struct made_item one = held("ch_1"),
                     stopped = item_made(&at, (struct made_item){.source_id = "ch_2",
                                                                 .state = "stopped",
                                                                 .outcome = "stop",
                                                                 .p_micro = 300000,
                                                                 .amount_minor = 990});
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.decision_policy (workspace_id, decision_id, code,"
                              " effect) VALUES (%s, %s, 'cap_exceeded', 'hold')",
                              id_sql(&at, at.scope.workspace), id_sql(&at, one.decision)));
    struct list_page page = {.rows = 10};
    assert_int_equal(queue((struct review_filter){0}, &page).count, 1);
    assert_int_equal(queue((struct review_filter){.policy = "cap_exceeded"}, &page).count, 1);
    assert_int_equal(queue((struct review_filter){.policy = "iban_changed"}, &page).count, 0);
    struct rows rows = queue((struct review_filter){.state = "stopped"}, &page);
    assert_int_equal(rows.count, 1);
    assert_true(uuid_equal(((const struct item_view *)rows.at)->id, stopped.item));
    struct review_filter dear = {
        .range = {.currency = "EUR", .amount_min = 20000, .has_amount_min = true}};
    assert_int_equal(queue(dear, &page).count, 0);
    struct review_filter dollars = {.range = {.currency = "USD"}};
    assert_int_equal(queue(dollars, &page).count, 0);
}

/* However many items a page has, what explains them comes in three statements. */
static void test_queue_explained(void **state)
{
    (void)state;
    struct uuid ids[12];
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct made_item made = held(arena_format(fixture.arena, "ch_%zu", i));
        ids[i] = made.item;
        for (int rank = 1; rank <= 12; rank++)
            candidate_made(
                &at, made.decision, rank,
                entry_made(&at, (struct made_entry_of){.external_id = arena_format(
                                                           fixture.arena, "e-%zu-%d", i, rank)}));
    }
    struct decisions_view decisions;
    struct uuid_list list = {ids, COUNT(ids)};
    int64_t before = db_statements_sent(fixture.app);
    assert_ok(&fixture, decisions_of_items(&at.scope, list, CANDIDATES_LISTED_MAX, &decisions));
    int64_t many = db_statements_sent(fixture.app) - before;
    assert_int_equal(decisions.decisions.count, COUNT(ids));
    assert_int_equal(decisions.candidates.count, COUNT(ids) * CANDIDATES_LISTED_MAX);
    list.n = 1;
    before = db_statements_sent(fixture.app);
    assert_ok(&fixture, decisions_of_items(&at.scope, list, CANDIDATES_LISTED_MAX, &decisions));
    assert_int_equal(many, db_statements_sent(fixture.app) - before);
    const struct candidate_view *candidates = decisions.candidates.at;
    assert_int_equal(candidates[0].rank, 1);
    assert_string_equal(candidates[0].entry.external_id, "e-0-1");
}

/* ---- posting ---- */

static void test_approve_and_undo(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    page_made(&at, 1);
    assert_conserved();
    struct review_approval approval = {.of = of(&made), .create = true, .note = "fine"};
    struct item_view item;
    struct instant until;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_string_equal(item.state, "queued");
    assert_string_equal(item.band, "flow");
    assert_string_equal(item.action, "create");
    assert_int_equal(item.p_micro, 700000);
    assert_int_equal(item.row_version, 2);
    assert_true(item_undoable(&item, db_now(&at.scope), &until));
    assert_true(until.us > db_now(&at.scope).us);
    assert_int_equal(count_sql(&at, &test_job_count_sql, made.item), 1);
    assert_int_equal(count_sql(&at, &test_audit_count_sql, made.item), 1);
    assert_conserved();

    struct review_of again = of(&made);
    assert_ok(&fixture, review_undo(&at.scope, &again, &item));
    assert_string_equal(item.state, "held");
    assert_string_equal(item.band, "hold");
    assert_int_equal(item.p_micro, 700000);
    struct rows actions;
    assert_ok(&fixture, actions_of_item(&at.scope, made.item, &actions));
    const struct action_view *seen = actions.at;
    assert_int_equal(actions.count, 2);
    assert_string_equal(seen[0].action, "undo");
    assert_string_equal(seen[1].action, "approve");
    assert_string_equal(seen[1].text, "fine");
    assert_true(uuid_equal(seen[1].undone_by, seen[0].id));
    assert_true(uuid_equal(seen[1].actor.id, at.person));
    assert_conserved();
}

/* The second approval has a grace period of its own, whatever became of the first. */
static void test_approve_anew(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct review_approval approval = {.of = of(&made), .create = true};
    struct item_view item;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    struct instant first = item.send_after;
    assert_ok(&fixture, review_undo(&at.scope, &approval.of, &item));
    clock_set_offset(&fixture.clock, INT64_C(5000000));
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_true(item.send_after.us > first.us);
    assert_int_equal(count_sql(&at, &test_job_count_sql, made.item), 2);
    struct rows decisions;
    assert_ok(&fixture, decisions_of_item(&at.scope, made.item, &decisions));
    const struct decision_view *seen = decisions.at;
    assert_int_equal(decisions.count, 3);
    assert_int_equal(seen[0].seq, 3);
    assert_string_equal(seen[0].decided_by.kind, "user");
    assert_string_equal(seen[2].decided_by.kind, "system");
}

static void test_undo_too_late(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct review_approval approval = {.of = of(&made), .create = true};
    struct item_view item;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    clock_set_offset(&fixture.clock, (int64_t)(REVIEW_GRACE_S_DEFAULT + 1) * 1000000);
    struct instant until;
    assert_false(item_undoable(&item, db_now(&at.scope), &until));
    assert_failed(ERR_CONFLICT, review_undo(&at.scope, &approval.of, &item), "too late");
}

static void test_approve_what_does_not_wait(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_1", .state = "delivered", .outcome = "flow", .p_micro = 900000});
    struct review_approval approval = {.of = of(&made), .create = true};
    struct item_view item;
    assert_failed(ERR_CONFLICT, review_approve(&at.scope, &approval, &item), "delivered");
    assert_failed(ERR_CONFLICT, review_undo(&at.scope, &approval.of, &item), "delivered");
    assert_int_equal(count_sql(&at, &test_job_count_sql, made.item), 0);
}

static void test_stale(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct review_of seen = {.item = made.item, .versioned = true, .row_version = 1};
    struct item_view item;
    assert_ok(&fixture, review_reject(&at.scope, &seen, "private", &item));
    assert_err(&fixture, ERR_STALE, review_undo(&at.scope, &seen, &item));
    seen.row_version = item.row_version;
    assert_ok(&fixture, review_undo(&at.scope, &seen, &item));
    assert_string_equal(item.state, "held");
}

static void test_correction_is_reversed(void **state)
{
    (void)state;
    struct made_item made = item_made(&at, (struct made_item){.source_id = "re_1",
                                                              .state = "held",
                                                              .outcome = "hold",
                                                              .p_micro = 700000,
                                                              .posting = "correct"});
    struct item_view item;
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_string_equal(item.action, "reverse");
    struct review_approval approval = {.of = of(&made)};
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_string_equal(item.state, "queued");
    assert_string_equal(item.action, "reverse");
}

/* ---- linking ---- */

static void test_link_candidate(void **state)
{
    (void)state;
    struct uuid counterparty = counterparty_made(&at, "Acme Supplies", "acme supplies");
    struct uuid entry =
        entry_made(&at, (struct made_entry_of){.external_id = "e1", .name = "ACME SUPPL SA"});
    struct made_item made = item_made(&at, (struct made_item){.source_id = "ch_1",
                                                              .state = "held",
                                                              .outcome = "hold",
                                                              .action = "link",
                                                              .entry = entry,
                                                              .p_micro = 700000,
                                                              .counterparty = counterparty});
    page_made(&at, 1);
    candidate_made(&at, made.decision, 1, entry);
    struct review_approval approval = {.of = of(&made)};
    struct item_view item;
    struct rows aliases;
    assert_ok(&fixture, review_approve(&at.scope, &approval, &item));
    assert_string_equal(item.state, "linked");
    assert_true(uuid_equal(item.entry, entry));
    assert_int_equal(count_sql(&at, &test_job_count_sql, made.item), 0);
    assert_conserved();
    assert_ok(&fixture, counterparty_aliases(&at.scope, counterparty, &aliases));
    const struct alias_view *known = aliases.at;
    assert_int_equal(aliases.count, 2);
    for (size_t i = 0; i < aliases.count; i++) {
        assert_true(known[i].confirmed);
        assert_true(uuid_equal(known[i].taught_by.id, at.person));
    }

    assert_ok(&fixture, review_undo(&at.scope, &approval.of, &item));
    assert_string_equal(item.state, "held");
    assert_true(uuid_is_nil(item.entry));
    assert_ok(&fixture, counterparty_aliases(&at.scope, counterparty, &aliases));
    known = aliases.at;
    for (size_t i = 0; i < aliases.count; i++)
        assert_false(known[i].confirmed);
    assert_conserved();
}

static void test_entry_is_consumed_once(void **state)
{
    (void)state;
    struct uuid entry = entry_made(&at, (struct made_entry_of){.external_id = "e1"});
    struct made_item first = held("ch_1"), second = held("ch_2");
    struct item_view item;
    struct review_of one = of(&first), two = of(&second);
    assert_ok(&fixture, review_pin(&at.scope, &one, entry, &item));
    assert_failed(ERR_CONFLICT, review_pin(&at.scope, &two, entry, &item),
                  uuid_format(fixture.arena, first.item));
    assert_ok(&fixture, review_undo(&at.scope, &one, &item));
    assert_ok(&fixture, review_pin(&at.scope, &two, entry, &item));
    assert_string_equal(item.state, "linked");
}

static void test_entry_must_be_meant(void **state)
{
    (void)state;
    struct connection elsewhere = connection_made(&fixture, &at.scope, "qonto", "target");
    struct uuid known = entry_made(&at, (struct made_entry_of){.external_id = "e1"});
    struct uuid foreign =
        entry_made(&at, (struct made_entry_of){.external_id = "e2", .connection = elsewhere.id});
    struct made_item made = held("ch_1");
    struct review_of this = of(&made);
    struct review_approval approval = {.of = this, .candidate = known};
    struct item_view item;
    assert_failed(ERR_FIELD_INVALID, review_approve(&at.scope, &approval, &item),
                  "not among the candidates");
    assert_failed(ERR_FIELD_INVALID, review_pin(&at.scope, &this, foreign, &item),
                  "integration's target");
    assert_failed(ERR_FIELD_INVALID, review_pin(&at.scope, &this, id_new(&at), &item),
                  "no such entry");
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_string_equal(item.state, "held");
    assert_int_equal(item.row_version, 1);
}

/* A person may take back a link that nobody asked them about. */
static void test_machine_link_undone(void **state)
{
    (void)state;
    struct uuid entry = entry_made(&at, (struct made_entry_of){.external_id = "e1"});
    struct made_item made = item_made(&at, (struct made_item){.source_id = "ch_1",
                                                              .state = "linked",
                                                              .outcome = "flow",
                                                              .action = "link",
                                                              .entry = entry,
                                                              .p_micro = 950000});
    page_made(&at, 1);
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.link (workspace_id, item_id, entry_id, role,"
                              " origin, decision_id, created_at)"
                              " VALUES (%s, %s, %s, 'document', 'matched', %s, now())",
                              id_sql(&at, at.scope.workspace), id_sql(&at, made.item),
                              id_sql(&at, entry), id_sql(&at, made.decision)));
    assert_conserved();
    struct review_of this = of(&made);
    struct item_view item;
    assert_ok(&fixture, review_undo(&at.scope, &this, &item));
    assert_string_equal(item.state, "held");
    assert_true(uuid_is_nil(item.entry));
    assert_conserved();
}

/* ---- rejecting, the closed period ---- */

static void test_reject_and_undo(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    page_made(&at, 1);
    struct review_of this = of(&made);
    struct item_view item;
    assert_ok(&fixture, review_reject(&at.scope, &this, "Private purchase", &item));
    assert_string_equal(item.state, "rejected");
    assert_null(item.action);
    assert_conserved();
    assert_ok(&fixture, review_undo(&at.scope, &this, &item));
    assert_string_equal(item.state, "held");
    assert_conserved();
    assert_failed(ERR_CONFLICT, review_undo(&at.scope, &this, &item), "held");
}

static void test_closed_period(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct review_of this = of(&made);
    struct item_view item;
    struct instant until;
    assert_ok(&fixture, review_reject(&at.scope, &this, "Private purchase", &item));
    assert_true(item_undoable(&item, db_now(&at.scope), &until));
    struct integration closed;
    struct integration_change change = {.settings =
                                            "{\"policies\": {\"closed_before\": \"2026-12-01\"}}"};
    assert_ok(&fixture, integration_update(&at.scope, at.integration.id, &change, &closed));
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_false(item_undoable(&item, db_now(&at.scope), &until));
    assert_failed(ERR_CONFLICT, review_undo(&at.scope, &this, &item), "closed");
    change.settings = "{\"thresholds\": {}}";
    assert_ok(&fixture, integration_update(&at.scope, at.integration.id, &change, &closed));
}

/* ---- notes, tenants ---- */

static void test_notes(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct review_of this = of(&made);
    struct item_view item;
    struct action_view action;
    int64_t version;
    struct list_page page = {.rows = 10};
    assert_ok(&fixture, review_assign(&at.scope, &this, at.person, &item));
    assert_true(uuid_equal(item.assignee, at.person));
    assert_true(item.updated_at.us > item.created_at.us);
    assert_int_equal(queue((struct review_filter){.assignee = at.person}, &page).count, 1);
    struct instant later = instant_add_s(db_now(&at.scope), 3600);
    assert_ok(&fixture, review_snooze(&at.scope, &this, later, &item));
    assert_int_equal(item.snoozed_until.us, later.us);
    assert_int_equal(queue((struct review_filter){0}, &page).count, 0);
    assert_int_equal(queue((struct review_filter){.snoozed = true}, &page).count, 1);
    assert_ok(&fixture, review_comment(&at.scope, &this, "Asked them.", &action, &version));
    assert_string_equal(action.text, "Asked them.");
    assert_int_equal(version, 4);
    assert_ok(&fixture, review_snooze(&at.scope, &this, (struct instant){0}, &item));
    assert_int_equal(queue((struct review_filter){0}, &page).count, 1);
    assert_ok(&fixture, review_assign(&at.scope, &this, (struct uuid){{0}}, &item));
    assert_true(uuid_is_nil(item.assignee));
}

static void test_other_tenant(void **state)
{
    (void)state;
    struct made_item made = held("ch_1");
    struct scope other = fixture_other_scope(&fixture);
    struct review_of this = of(&made);
    struct item_view item;
    struct rows rows;
    struct review_filter filter = {.state = "held",
                                   .range = {.date_from = {DATE_NONE}, .date_to = {DATE_NONE}}};
    struct list_page page = {.rows = 10};
    assert_err(&fixture, ERR_NOT_FOUND, review_reject(&other, &this, "mine", &item));
    assert_err(&fixture, ERR_NOT_FOUND, item_get(&other, made.item, &item));
    assert_ok(&fixture, review_list(&other, &filter, &page, &rows));
    assert_int_equal(rows.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_queue_order, clean),
        cmocka_unit_test_setup(test_queue_filters, clean),
        cmocka_unit_test_setup(test_queue_explained, clean),
        cmocka_unit_test_setup(test_approve_and_undo, clean),
        cmocka_unit_test_setup(test_approve_anew, clean),
        cmocka_unit_test_setup(test_undo_too_late, clean),
        cmocka_unit_test_setup(test_approve_what_does_not_wait, clean),
        cmocka_unit_test_setup(test_stale, clean),
        cmocka_unit_test_setup(test_correction_is_reversed, clean),
        cmocka_unit_test_setup(test_link_candidate, clean),
        cmocka_unit_test_setup(test_entry_is_consumed_once, clean),
        cmocka_unit_test_setup(test_entry_must_be_meant, clean),
        cmocka_unit_test_setup(test_machine_link_undone, clean),
        cmocka_unit_test_setup(test_reject_and_undo, clean),
        cmocka_unit_test_setup(test_closed_period, clean),
        cmocka_unit_test_setup(test_notes, clean),
        cmocka_unit_test_setup(test_other_tenant, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
