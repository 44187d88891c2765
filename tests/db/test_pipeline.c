/* From a page to a decision: what is collected twice changes nothing, what changed takes the place
 * of what it was, and a worker that dies in between costs nothing and repeats nothing. */
#include "pipeline.h"

#include "base/text.h"
#include "store/collect.h"
#include "store/delivery.h"
#include "store/integration_pause.h"
#include "store/ledger.h"
#include "store/problem_work.h"
#include "store/scoring.h"

static struct fixture fixture;
static struct pipeline at;
static int64_t pages;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_pipeline");
    run_sql(&at, "UPDATE region.connection SET account = 'acct_1', livemode = true"
                 " WHERE provider = 'stripe'");
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
    arena_failure_clear(fixture.arena);
    run_sql(&at, "TRUNCATE region.item, region.record, region.ledger_entry, region.job,"
                 " region.window, region.page, region.problem, region.document CASCADE");
    run_sql(&at, "UPDATE region.stream SET pages = 0, marker = NULL");
    pages = 0;
    return 0;
}

static struct collected_record row_of(const char *posting, const char *hash)
{
    return (struct collected_record){
        .stream = "stripe.charges",
        .source_id = "ch_1",
        .kind = "charge",
        .posting = posting,
        .material_hash = hash,
        .raw = arena_format(fixture.arena, "{\"%s\":\"%s\"}", posting, hash),
        .amount = {12500, "EUR"},
        .fee = {0, ""},
        .net = {0, ""},
        .date = {20000},
        .due_date = {DATE_NONE},
        .party = "{\"name\": \"Acme\"}",
        .party_name = "Acme",
        .party_core = "acme",
        .norm_version = "1",
    };
}

static enum err collect_after(int64_t fence, struct collected_record row, struct collected *into)
{
    struct collected_page page = {
        .stream = at.stream,
        .pages = fence,
        .records = &row,
        .count = 1,
        .rows_received = 1,
        .next_marker = "{}",
        .complete = true,
        .live_window_s = 1,
    };
    return collect_page(&at.scope, &page, into);
}

static struct collected collect(const char *posting, const char *hash)
{
    struct collected collected;
    assert_ok(&fixture, collect_after(pages++, row_of(posting, hash), &collected));
    return collected;
}

STATEMENT(states_sql, "SELECT count(*) FROM region.item WHERE workspace_id = $1 AND $2::uuid IS"
                      " NOT NULL AND version = $3 AND state = $4");
STATEMENT(items_sql, "SELECT count(*) FROM region.item WHERE workspace_id = $1"
                     " AND $2::uuid IS NOT NULL");

static void assert_item(int version, const char *expected)
{
    int64_t n;
    assert_ok(&fixture,
              db_int(&at.scope, &states_sql,
                     PARAMS(P(at.scope.workspace), P(at.stream), P(version), P(expected)), &n));
    if (n != 1)
        fail_msg("version %d is not %s", version, expected);
}

struct window_row {
    struct uuid id;
};
static const struct column window_columns[] = {COLUMN(struct window_row, id)};
static const struct shape window_shape = SHAPE(struct window_row, window_columns);
STATEMENT(window_of_sql, "SELECT DISTINCT window_id AS id FROM region.item WHERE workspace_id = $1"
                         " AND version = $2 AND window_id IS NOT NULL");

static struct uuid window_of(int version)
{
    struct window_row row;
    assert_ok(&fixture, db_one(&at.scope, &window_of_sql, PARAMS(P(at.scope.workspace), P(version)),
                               &window_shape, &row));
    return row.id;
}

static struct scoring_window opened(struct uuid window)
{
    struct scoring_window into;
    assert_ok(&fixture, scoring_open(&at.scope, window, &into));
    return into;
}

/* ---- collecting ---- */

static void a_page_is_stored_once(void **state)
{
    (void)state;
    struct collected collected = collect("post", "a");
    assert_int_equal(collected.items, 1);
    assert_err(&fixture, ERR_CONFLICT, collect_after(0, row_of("post", "a"), &collected));
    collected = collect("post", "a");
    assert_int_equal(collected.items, 0);
    assert_int_equal(collected.unchanged, 1);
    assert_int_equal(count_sql(&at, &items_sql, at.stream), 1);
}

STATEMENT(
    page_rows_sql,
    "SELECT (SELECT count(*) FROM region.page WHERE workspace_id = $1)"
    " + (SELECT count(*) FROM region.page_count WHERE workspace_id = $1)"
    " + (SELECT count(*) FROM region.record_history WHERE workspace_id = $1)"
    " + (SELECT count(*) FROM region.audit WHERE workspace_id = $1 AND $2::uuid IS NOT NULL)");
STATEMENT(page_number_sql, "SELECT pages FROM region.stream WHERE workspace_id = $1 AND id = $2");

/* However often it is polled. */
static void what_is_stored_already_leaves_no_rows(void **state)
{
    (void)state;
    collect("post", "a");
    int64_t rows = count_sql(&at, &page_rows_sql, at.stream);
    int64_t before = count_sql(&at, &page_number_sql, at.stream);
    for (int i = 0; i < 3; i++)
        assert_int_equal(collect("post", "a").unchanged, 1);
    assert_int_equal(count_sql(&at, &page_rows_sql, at.stream), rows);
    assert_int_equal(count_sql(&at, &page_number_sql, at.stream), before + 3);
    collect("wait", "a");
    assert_true(count_sql(&at, &page_rows_sql, at.stream) > rows);
}

static void a_new_version_takes_the_place_of_what_waited(void **state)
{
    (void)state;
    collect("post", "a");
    collect("post", "b");
    assert_item(1, "superseded");
    assert_item(2, "waiting");
}

static void what_waits_for_its_source_joins_a_window_later(void **state)
{
    (void)state;
    collect("wait", "a");
    assert_item(1, "waiting");
    collect("post", "a");
    assert_int_equal(opened(window_of(1)).count, 1);
    assert_int_equal(count_sql(&at, &items_sql, at.stream), 1);
}

static void what_was_ignored_and_posts_after_all_is_a_version(void **state)
{
    (void)state;
    collect("ignore", "a");
    assert_item(1, "ignored");
    assert_int_equal(collect("post", "a").items, 1);
    assert_item(1, "ignored");
    assert_item(2, "waiting");
    assert_int_equal(collect("post", "a").unchanged, 1);
}

static void a_row_that_cannot_be_read_cannot_be_sent(void **state)
{
    (void)state;
    struct collected_record row = row_of("post", "a");
    struct collected collected;
    row.quarantine = "no amount";
    row.amount = (struct money){0, ""};
    assert_ok(&fixture, collect_after(pages++, row, &collected));
    assert_int_equal(collected.quarantined, 1);
    assert_item(1, "problem");
    struct problem_filter filter = {.code = "row_quarantined", .limit = 2};
    struct rows rows;
    assert_ok(&fixture, problem_list(&at.scope, &filter, &rows));
    assert_int_equal(rows.count, 1);
    struct problem problem = *(const struct problem *)rows.at;
    assert_err(&fixture, ERR_CONFLICT,
               problem_work_retry(&at.scope, problem.id, NULL, 0, &problem));
    assert_item(1, "problem");
    assert_ok(&fixture, problem_work_dismiss(&at.scope, problem.id, "known", &problem));
    assert_item(1, "dismissed");
}

STATEMENT(entry_sql, "SELECT amount_minor FROM region.ledger_entry WHERE workspace_id = $1"
                     " AND external_id = $2");

/* Text of which no two parts are alike, so that no index can make it small. */
static const char *long_text(size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char *text = arena_alloc(fixture.arena, n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = letters[rand_below(&fixture.rand, sizeof letters - 1)];
    return text;
}

static void texts_of_any_length_are_stored(void **state)
{
    (void)state;
    struct collected_record row = row_of("post", "a");
    struct collected collected;
    row.description = long_text(12000);
    row.reference = long_text(9000);
    row.party_name = long_text(9000);
    assert_ok(&fixture, collect_after(pages++, row, &collected));
    assert_int_equal(collected.items, 1);
}

static void an_entry_may_come_twice_and_be_long(void **state)
{
    (void)state;
    struct ledger_row rows[2];
    for (size_t i = 0; i < 2; i++)
        rows[i] = (struct ledger_row){
            .role = "document",
            .external_id = "inv_9",
            .amount = {100 + (int64_t)i, "EUR"},
            .date = {20000},
            .due_date = {DATE_NONE},
            .norm_version = "1",
            .description = long_text(12000),
            .reference = long_text(9000),
        };
    struct mirrored_page page = {
        .stream = at.stream,
        .connection = at.integration.target_connection_id,
        .rows = rows,
        .count = 2,
        .next_marker = "{}",
        .complete = true,
    };
    assert_ok(&fixture, ledger_mirror_page(&at.scope, &page));
    int64_t minor;
    assert_ok(&fixture,
              db_int(&at.scope, &entry_sql, PARAMS(P(at.scope.workspace), P("inv_9")), &minor));
    assert_int_equal(minor, 101);
}

/* ---- pausing ---- */

static void pause_integration(bool paused)
{
    run_sql(&at, arena_format(fixture.arena, "UPDATE region.integration SET state = '%s'",
                              paused ? "paused" : "active"));
    assert_ok(&fixture, paused ? integration_hold_back(&at.scope, at.integration.id)
                               : integration_let_go(&at.scope, at.integration.id));
    int64_t items;
    if (!paused) /* reaches back no further than now */
        assert_ok(&fixture,
                  collect_backfill(&at.scope, at.integration.id, db_now(&at.scope), 1, &items));
}

STATEMENT(window_jobs_sql, "SELECT count(*) FROM region.job WHERE $1::uuid IS NOT NULL"
                           " AND subject_id = $2");

static void a_window_that_fell_due_in_a_pause_is_scored_afterwards(void **state)
{
    (void)state;
    collect("post", "a");
    struct uuid window = window_of(1);
    struct scoring_window into;
    pause_integration(true);
    assert_err(&fixture, ERR_NOT_FOUND, scoring_open(&at.scope, window, &into));
    run_sql(&at, "DELETE FROM region.job"); /* the job of the window has ended */
    pause_integration(false);
    assert_int_equal(count_sql(&at, &window_jobs_sql, window), 1);
    assert_int_equal(opened(window).count, 1);
}

static void what_changed_in_a_pause_is_seen_afterwards(void **state)
{
    (void)state;
    collect("wait", "a");
    pause_integration(true);
    assert_int_equal(collect("post", "a").items, 0);
    pause_integration(false);
    assert_int_equal(opened(window_of(1)).count, 1);
    assert_item(1, "scoring");
    pause_integration(true);
    assert_int_equal(collect("post", "b").items, 0);
    pause_integration(false);
    assert_item(2, "waiting");
}

/* ---- scoring ---- */

static void a_window_is_scored_again_after_a_crash(void **state)
{
    (void)state;
    collect("post", "a");
    struct uuid window = window_of(1);
    assert_int_equal(opened(window).count, 1);
    assert_item(1, "scoring");
    assert_int_equal(opened(window).count, 1);
}

/* Both versions of one record are never sent: whichever window comes first. */
static void a_version_that_came_while_another_was_scored(void **state)
{
    (void)state;
    collect("post", "a");
    struct uuid first = window_of(1);
    assert_int_equal(opened(first).count, 1);
    collect("post", "b");
    struct scoring_window second = opened(window_of(2));
    assert_int_equal(second.count, 1);
    assert_true(second.items[0].delivered_before);
    assert_int_equal(opened(first).count, 0); /* the first worker died; its window is done again */
    assert_item(1, "superseded");
}

static struct decided_item decided(const struct scoring_item *item, const char *state)
{
    return (struct decided_item){
        .item = item->item,
        .band = "flow",
        .action = "create",
        .p_micro = 900000,
        .gate_contributions = "[]",
        .text = "x",
        .model_version = "m",
        .policy_version = "p",
        .norm_version = "1",
        .state = state,
    };
}

static struct stored_document a_document(void)
{
    static const uint8_t bytes[] = "%PDF-1.7 a document";
    return (struct stored_document){
        .bytes = {bytes, sizeof bytes - 1},
        .sha256 = "e1abba2a8f4c9e3a0e7d24ac5ba1bfdd9a5a1d3f6c1d9e3e2a6b5c4d3e2f1a0b",
        .content_type = "application/pdf",
        .file_name = "stripe-charge-ch_1-v1.pdf",
        .recipe = "rendered-1",
    };
}

/* A page with two rows, scored: one is sent, no document can be made of the other. */
static void an_outcome_is_saved_once(void **state)
{
    (void)state;
    collect("post", "a");
    struct collected_record row = row_of("post", "b");
    struct collected collected;
    row.source_id = "ch_2";
    assert_ok(&fixture, collect_after(pages++, row, &collected));
    struct uuid window = window_of(1);
    struct scoring_window open = opened(window);
    assert_int_equal(open.count, 2);
    struct stored_document document = a_document();
    struct planned_delivery plan = {id_new(&at), id_new(&at), "create", 1};
    struct decided_item items[] = {decided(&open.items[0], "queued"),
                                   decided(&open.items[1], "problem")};
    items[0].delivery = &plan;
    items[0].document = &document;
    items[1].position = 1;
    items[1].refusal = (struct item_refusal){"document_not_made", "It has no date.", "date"};
    struct resolved_party party = {
        .record = open.items[0].record,
        .counterparty = id_new(&at),
        .created = true,
        .how = "new",
        .norm_version = "1",
        .name = "Acme",
        .name_norm = "acme",
        .country = "fr", /* as no map gives it */
        .vat_id = "",
        .email = long_text(300),
        .customer_id = "cus_1",
        .customer_scheme = "stripe_customer",
    };
    struct scoring_outcome outcome = {
        .window = window,
        .integration = at.integration.id,
        .target_connection = at.integration.target_connection_id,
        .settings_version = 1,
        .ledger_kind = "none",
        .retry_s_max = 3600,
        .parties = &party,
        .party_count = 1,
        .items = items,
        .item_count = 2,
    };
    assert_ok(&fixture, scoring_save(&at.scope, &outcome));
    assert_item(1, "queued");
    assert_item(1, "problem");
    plan.id = id_new(&at);
    plan.idempotency_key = id_new(&at);
    assert_int_not_equal(scoring_save(&at.scope, &outcome), OK); /* decided already */
    arena_failure_clear(fixture.arena);
    assert_err(&fixture, ERR_NOT_FOUND, scoring_open(&at.scope, window, &open));
}

/* ---- after the decision ---- */

STATEMENT(approval_sql,
          "INSERT INTO region.review_action (workspace_id, id, item_id, action, from_state,"
          " to_state, actor_kind, created_at, effective_at) VALUES ($1, $2, $3, 'approve', 'held',"
          " 'queued', 'user', $4, $5)");

static void an_approval_whose_clock_is_behind_waits(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_2", .state = "queued", .outcome = "hold", .p_micro = 600000});
    struct instant now = db_now(&at.scope);
    assert_ok(&fixture, db_exec(&at.scope, &approval_sql,
                                PARAMS(P(at.scope.workspace), P(id_new(&at)), P(made.item), P(now),
                                       P(instant_add_s(now, 3600))),
                                NULL));
    struct approved_item approved;
    int64_t wait_s;
    assert_err(&fixture, ERR_NOT_FOUND, delivery_approved_get(&at.scope, made.item, &approved));
    assert_ok(&fixture, delivery_approved_wait(&at.scope, made.item, &wait_s));
    assert_in_range(wait_s, 3590, 3601);
}

static void a_document_that_cannot_be_made_is_a_problem_of_its_item(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_6", .state = "queued", .outcome = "hold", .p_micro = 600000});
    struct item_refusal refusal = {"document_not_made", "The document has no date.", "date"};
    assert_ok(&fixture, item_refused(&at.scope, made.item, at.integration.id, &refusal));
    assert_item(1, "problem");
    struct problem_filter filter = {.item = made.item, .limit = 2};
    struct rows rows;
    assert_ok(&fixture, problem_list(&at.scope, &filter, &rows));
    assert_int_equal(rows.count, 1);
    struct problem problem = *(const struct problem *)rows.at;
    assert_ok(&fixture, problem_work_retry(&at.scope, problem.id, NULL, 0, &problem));
    assert_item(1, "queued");
    assert_ok(&fixture, item_refused(&at.scope, made.item, at.integration.id, &refusal));
    assert_ok(&fixture, problem_get(&at.scope, problem.id, &problem));
    assert_int_equal(problem.state, PROBLEM_OPEN);
}

/* A worker that was slow to send finds that another one has taken the delivery over. */
static void an_attempt_that_was_taken_over_sends_nothing(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_7", .state = "queued", .outcome = "flow", .p_micro = 900000});
    struct approved_item approved;
    assert_ok(&fixture, delivery_approved_get(&at.scope, made.item, &approved));
    struct stored_document document = a_document();
    struct planned_delivery plan = {id_new(&at), id_new(&at), "create", 1};
    struct delivery delivery;
    int n;
    assert_ok(&fixture, delivery_plan(&at.scope, &approved, &plan, &document, 3600));
    assert_ok(&fixture, delivery_get(&at.scope, plan.id, &delivery));
    assert_ok(&fixture, delivery_attempt_start(&at.scope, &delivery, 60, &n));
    assert_ok(&fixture, delivery_attempt_fence(&at.scope, delivery.id, n, 60));
    struct delivery_outcome lost = {.end = END_UNCERTAIN,
                                    .attempt = n,
                                    .status = "worker_lost",
                                    .problem_code = "provider_uncertain",
                                    .problem_text = "Lost."};
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &lost));
    assert_err(&fixture, ERR_LEASE_LOST, delivery_attempt_fence(&at.scope, delivery.id, n, 60));
}

static void a_correction_of_nothing_is_not_sent(void **state)
{
    (void)state;
    struct made_item made = item_made(&at, (struct made_item){.source_id = "ch_3",
                                                              .state = "queued",
                                                              .outcome = "hold",
                                                              .p_micro = 600000,
                                                              .posting = "correct"});
    struct approved_item approved;
    assert_err(&fixture, ERR_VALIDATION, delivery_approved_get(&at.scope, made.item, &approved));
}

STATEMENT(delivery_sql,
          "INSERT INTO region.delivery (workspace_id, id, item_id, integration_id, connection_id,"
          " operation, generation, idempotency_key, content_hash, file_name, content_type, state,"
          " state_changed_at, retry_until, created_at)"
          " SELECT workspace_id, $2, id, integration_id, $3, 'create', 1, $2, sha256(''), 'a.pdf',"
          " 'application/pdf', 'sending', now(), now(), now() FROM region.item"
          " WHERE workspace_id = $1 AND id = $4");
STATEMENT(link_sql, "INSERT INTO region.link (workspace_id, item_id, entry_id, role, origin,"
                    " created_at) VALUES ($1, $2, $3, 'document', 'matched', now())");

/* The mirror was faster than the answer, and another item was linked to our document. */
static void an_entry_that_is_taken_does_not_keep_a_delivery_from_ending(void **state)
{
    (void)state;
    struct made_item sent = item_made(
        &at, (struct made_item){
                 .source_id = "ch_4", .state = "queued", .outcome = "flow", .p_micro = 900000});
    struct made_item other = item_made(
        &at, (struct made_item){
                 .source_id = "ch_5", .state = "linked", .outcome = "flow", .p_micro = 900000});
    struct uuid entry = entry_made(&at, (struct made_entry_of){.external_id = "inv_1"});
    struct uuid id = id_new(&at);
    assert_ok(&fixture, db_exec(&at.scope, &link_sql,
                                PARAMS(P(at.scope.workspace), P(other.item), P(entry)), NULL));
    assert_ok(&fixture, db_exec(&at.scope, &delivery_sql,
                                PARAMS(P(at.scope.workspace), P(id),
                                       P(at.integration.target_connection_id), P(sent.item)),
                                NULL));
    struct delivery delivery;
    assert_ok(&fixture, delivery_get(&at.scope, id, &delivery));
    struct delivery_outcome done = {.end = END_DONE, .status = "ok", .external_id = "inv_1"};
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &done));
    assert_ok(&fixture, delivery_get(&at.scope, id, &delivery));
    assert_string_equal(delivery.state, "done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_page_is_stored_once, clean),
        cmocka_unit_test_setup(what_is_stored_already_leaves_no_rows, clean),
        cmocka_unit_test_setup(a_new_version_takes_the_place_of_what_waited, clean),
        cmocka_unit_test_setup(what_waits_for_its_source_joins_a_window_later, clean),
        cmocka_unit_test_setup(what_was_ignored_and_posts_after_all_is_a_version, clean),
        cmocka_unit_test_setup(a_row_that_cannot_be_read_cannot_be_sent, clean),
        cmocka_unit_test_setup(texts_of_any_length_are_stored, clean),
        cmocka_unit_test_setup(an_entry_may_come_twice_and_be_long, clean),
        cmocka_unit_test_setup(a_window_that_fell_due_in_a_pause_is_scored_afterwards, clean),
        cmocka_unit_test_setup(what_changed_in_a_pause_is_seen_afterwards, clean),
        cmocka_unit_test_setup(a_window_is_scored_again_after_a_crash, clean),
        cmocka_unit_test_setup(a_version_that_came_while_another_was_scored, clean),
        cmocka_unit_test_setup(an_outcome_is_saved_once, clean),
        cmocka_unit_test_setup(an_attempt_that_was_taken_over_sends_nothing, clean),
        cmocka_unit_test_setup(an_approval_whose_clock_is_behind_waits, clean),
        cmocka_unit_test_setup(a_document_that_cannot_be_made_is_a_problem_of_its_item, clean),
        cmocka_unit_test_setup(a_correction_of_nothing_is_not_sent, clean),
        cmocka_unit_test_setup(an_entry_that_is_taken_does_not_keep_a_delivery_from_ending, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
