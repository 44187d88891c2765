/* Facts that scoring finds in the store and the policies rest on. */
#include "pipeline.h"

#include "jobs/score.h"

#define KNOWN_IBAN "FR7630006000011234567890189"
#define OTHER_IBAN "DE89370400440532013000"
#define VAT_ID     "FR40303265045"

static struct fixture fixture;
static struct pipeline at;
static struct environment env;

static int open_all(void **state)
{
    (void)state;
    struct model_set *models;
    pipeline_open(&at, &fixture, "test_score");
    run_sql(&at, "UPDATE region.connection SET account = 'acct_1', livemode = true"
                 " WHERE provider = 'stripe'");
    assert_ok(&fixture, model_set_new(fixture.arena, &models));
    env = (struct environment){.clock = &fixture.clock, .rand = &fixture.rand, .models = models};
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
    run_sql(&at, "TRUNCATE region.item, region.record, region.counterparty, region.window CASCADE");
    return 0;
}

/* The window's only item: a record of a party with this VAT id and account. */
static struct uuid window_with(const struct made_item *made, const char *iban)
{
    struct uuid window = id_new(&at);
    const char *party = iban ? arena_format(fixture.arena, ", \"iban\": \"%s\"", iban) : "";
    run_sql(&at,
            arena_format(fixture.arena,
                         "INSERT INTO region.window (workspace_id, id, integration_id, kind,"
                         " settings_version, opened_at, closes_at) VALUES (%s, %s, %s, 'live', 1,"
                         " now(), now()); UPDATE region.item SET window_id = %s WHERE id = %s;"
                         "UPDATE region.record_version SET party = '{\"name\": \"Acme Supplies\","
                         " \"vat_id\": \"" VAT_ID "\"%s}' WHERE record_id = %s",
                         id_sql(&at, at.scope.workspace), id_sql(&at, window),
                         id_sql(&at, at.integration.id), id_sql(&at, window),
                         id_sql(&at, made->item), party, id_sql(&at, made->record)));
    return window;
}

static bool held_for(struct uuid window, enum policy policy)
{
    struct scoring_window open;
    struct score_result result;
    assert_ok(&fixture, scoring_open(&at.scope, window, &open));
    assert_int_equal(open.count, 1);
    assert_ok(&fixture, score_window(&env, &at.scope, &open, &result));
    return policy_hit(&result.items[0].decision.policies, policy);
}

static struct made_item waiting(const char *source_id)
{
    return item_made(
        &at, (struct made_item){
                 .source_id = source_id, .state = "waiting", .outcome = "flow", .p_micro = 900000});
}

static void known_party(const char *iban)
{
    const char *id = id_sql(&at, counterparty_made(&at, "Acme Supplies", "acme supplies"));
    const char *workspace = id_sql(&at, at.scope.workspace);
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.counterparty_identifier (workspace_id, scheme,"
                              " value, counterparty_id, created_at)"
                              " VALUES (%s, 'vat_id', '" VAT_ID "', %s, now())",
                              workspace, id));
    if (iban)
        run_sql(&at, arena_format(fixture.arena,
                                  "INSERT INTO region.counterparty_identifier (workspace_id,"
                                  " scheme, value, counterparty_id, created_at)"
                                  " VALUES (%s, 'iban', '%s', %s, now())",
                                  workspace, iban, id));
}

static void another_account_is_held(void **state)
{
    (void)state;
    known_party(KNOWN_IBAN);
    struct made_item first = waiting("ch_1"), second = waiting("ch_2"), third = waiting("ch_3");
    assert_true(held_for(window_with(&first, OTHER_IBAN), POLICY_IBAN_CHANGED));
    assert_false(held_for(window_with(&second, KNOWN_IBAN), POLICY_IBAN_CHANGED));
    assert_false(held_for(window_with(&third, NULL), POLICY_IBAN_CHANGED));
}

static void a_first_account_is_no_change(void **state)
{
    (void)state;
    known_party(NULL);
    struct made_item made = waiting("ch_1");
    assert_false(held_for(window_with(&made, OTHER_IBAN), POLICY_IBAN_CHANGED));
}

/* The source is a target of another integration, and has the record from us. */
static void what_we_delivered_there_goes_in_no_circle(void **state)
{
    (void)state;
    struct made_item sent = waiting("ch_1"), theirs = waiting("ch_2"), ours = waiting("inv_9");
    run_sql(&at, arena_format(
                     fixture.arena,
                     "INSERT INTO region.delivery (workspace_id, id, item_id, integration_id,"
                     " connection_id, operation, generation, idempotency_key, content_hash,"
                     " file_name, content_type, state_changed_at, retry_until, created_at,"
                     " external_id) VALUES (%s, %s, %s, %s, %s, 'create', 1, %s,"
                     " sha256('x'), 'x.pdf', 'application/pdf', now(), now(), now(), 'inv_9')",
                     id_sql(&at, at.scope.workspace), id_sql(&at, id_new(&at)),
                     id_sql(&at, sent.item), id_sql(&at, at.integration.id),
                     id_sql(&at, at.integration.source_connection_id), id_sql(&at, id_new(&at))));
    assert_true(held_for(window_with(&ours, NULL), POLICY_PROVENANCE_OURS));
    assert_false(held_for(window_with(&theirs, NULL), POLICY_PROVENANCE_OURS));
}

/* A refund was booked with its own sign, and is paid by money that went out. */
static void a_refund_is_settled_by_money_that_went_out(void **state)
{
    (void)state;
    struct made_item made = waiting("re_1");
    struct uuid in =
        entry_made(&at, (struct made_entry_of){.external_id = "in", .amount_minor = 9700});
    struct uuid out =
        entry_made(&at, (struct made_entry_of){.external_id = "out", .amount_minor = -9700});
    struct scoring_window open;
    struct score_result result;
    run_sql(&at, "UPDATE region.ledger_entry SET role = 'settlement', date = '2026-11-18',"
                 " counterparty_name = NULL, core_name = NULL");
    run_sql(&at, "UPDATE region.item SET kind = 'refund';"
                 "UPDATE region.record_version SET net_minor = -9700, net_currency = 'EUR'");
    assert_ok(&fixture, scoring_open(&at.scope, window_with(&made, NULL), &open));
    assert_ok(&fixture, score_window(&env, &at.scope, &open, &result));
    const struct role_result *settlement = &result.items[0].decision.settlement;
    assert_int_equal(settlement->candidate_count, 1);
    assert_true(uuid_equal(settlement->candidates[0].entry, out));
    assert_false(uuid_equal(settlement->candidates[0].entry, in));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(another_account_is_held, clean),
        cmocka_unit_test_setup(a_first_account_is_no_change, clean),
        cmocka_unit_test_setup(what_we_delivered_there_goes_in_no_circle, clean),
        cmocka_unit_test_setup(a_refund_is_settled_by_money_that_went_out, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
