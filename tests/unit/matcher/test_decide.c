/* Decisions: link or create, what holds them, who gets an entry that two want, and the order of
 * things, which must not matter. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "matcher/matcher.h"

struct fixture {
    struct arena *arena;
    struct model_set *models;
    struct match_context context;
    struct gate_facts gate;
    struct policy_facts facts;
    struct policy_settings settings;
    struct match_record record;
    struct match_entry documents[8];
    size_t document_count;
    struct match_entry settlements[8];
    size_t settlement_count;
};

static int fixture_setup(void **state)
{
    struct arena *arena = arena_open();
    struct fixture *fixture = arena_alloc(arena, sizeof *fixture);
    fixture->arena = arena;
    *state = fixture;
    if (model_set_new(arena, &fixture->models) != OK)
        return -1;
    fixture->context = (struct match_context){
        .models = fixture->models, .ledger = LEDGER_MIRRORED, .ledger_age_max_s = 3600};
    fixture->gate = (struct gate_facts){.document = true, .tax_known = true, .basis = BASIS_STRONG};
    fixture->facts = (struct policy_facts){.closed_until = {DATE_NONE}};
    fixture->settings = policy_defaults();
    fixture->record = (struct match_record){
        .id = {{0xA0}},
        .amount = {4900, "EUR"},
        .fee = {167, "EUR"},
        .date = {20000},
        .name = "Boulangerie Lefèvre SARL",
        .email = "compta@lefevre.fr",
        .reference = "ch_3Nabc123",
    };
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_close(fixture->arena);
    return 0;
}

static struct match_entry *document_add(struct fixture *fixture, uint8_t id)
{
    struct match_entry *entry = &fixture->documents[fixture->document_count++];
    *entry = (struct match_entry){
        .id = {{id}},
        .amount = fixture->record.amount,
        .date = fixture->record.date,
        .due_date = {DATE_NONE},
        .name = "BOULANGERIE LEFEVRE",
        .analysed = true,
    };
    return entry;
}

static struct match_entry *other_add(struct fixture *fixture, uint8_t id)
{
    struct match_entry *entry = document_add(fixture, id);
    entry->name = "Garage Moreau";
    entry->amount.minor = 77000;
    entry->date.days -= 20;
    return entry;
}

static struct decision *decide(struct fixture *fixture)
{
    struct decision *decision = arena_alloc(fixture->arena, sizeof *decision);
    struct match_request request = {
        .record = &fixture->record,
        .documents = fixture->documents,
        .document_count = fixture->document_count,
        .settlements = fixture->settlements,
        .settlement_count = fixture->settlement_count,
        .gate = &fixture->gate,
        .facts = &fixture->facts,
        .settings = &fixture->settings,
    };
    assert_int_equal(match_decide(fixture->arena, &fixture->context, &request, decision), OK);
    return decision;
}

static void nothing_alike_is_created(void **state)
{
    struct fixture *fixture = *state;
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_CREATE);
    assert_int_equal(decision->band, BAND_FLOW);
    assert_true(uuid_is_nil(decision->entry));
    other_add(fixture, 1);
    decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_CREATE);
    assert_int_equal(decision->band, BAND_FLOW);
    assert_int_equal(decision->policies.count, 0);
}

static void the_entry_that_exists_is_linked(void **state)
{
    struct fixture *fixture = *state;
    other_add(fixture, 1);
    document_add(fixture, 2);
    other_add(fixture, 3);
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_LINK);
    assert_int_equal(decision->entry.b[0], 2);
    assert_int_equal(decision->band, BAND_FLOW);
    assert_int_equal(decision->document.candidates[0].rank, 1);
    assert_true(decision->document.candidates[0].contribution_count > 3);
}

static void contributions_add_up_to_the_log_odds(void **state)
{
    struct fixture *fixture = *state;
    document_add(fixture, 1);
    other_add(fixture, 2);
    struct decision *decision = decide(fixture);
    for (size_t i = 0; i < decision->document.candidate_count; i++) {
        const struct candidate *candidate = &decision->document.candidates[i];
        int64_t sum = 0;
        for (size_t k = 0; k < candidate->contribution_count; k++)
            sum += candidate->contributions[k].log_odds_micro;
        assert_int_equal(sum, candidate->log_odds_micro);
    }
    int64_t sum = 0;
    for (size_t k = 0; k < decision->document.null_contribution_count; k++)
        sum += decision->document.null_contributions[k].log_odds_micro;
    assert_int_equal(sum, decision->document.null_log_odds_micro);
}

static void probabilities_sum_to_one(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t i = 1; i <= 8; i++) {
        struct match_entry *entry = document_add(fixture, i);
        entry->amount.minor += i % 3 ? 40 : 0;
        entry->date.days -= i;
        struct decision *decision = decide(fixture);
        int64_t sum = decision->document.null_p_micro + decision->document.unseen_p_micro;
        for (size_t k = 0; k < decision->document.candidate_count; k++)
            sum += decision->document.candidates[k].p_micro;
        assert_in_range(sum, MICRO - i - 2, MICRO + i + 2);
    }
}

/* A charge of every month: its own entry is not there yet, that of the month before is. */
static void the_month_before_is_not_linked(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.reference = NULL;
    fixture->record.description = "Abonnement Pro (F-2026-0012)";
    for (int earlier = 1; earlier <= 3; earlier++) {
        struct match_entry *entry = document_add(fixture, (uint8_t)earlier);
        entry->date.days -= 30 * earlier;
        entry->due_date.days = entry->date.days + 30;
        entry->same_counterparty = true;
        entry->reference = earlier % 2 ? "FA338812" : "F-2026-0007";
        struct decision *decision = decide(fixture);
        assert_int_equal(decision->action, ACTION_CREATE);
        assert_true(decision->match_p_micro >= 850000);
    }
    struct match_entry *own = document_add(fixture, 9);
    own->date.days -= 1;
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_LINK);
    assert_int_equal(decision->entry.b[0], 9);
}

static void the_month_before_is_not_sure_without_numbers(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.reference = NULL;
    struct match_entry *entry = document_add(fixture, 1);
    entry->date.days -= 30;
    entry->due_date.days = fixture->record.date.days;
    struct decision *decision = decide(fixture);
    assert_true(decision->action == ACTION_CREATE || decision->band != BAND_FLOW);
}

static void twins_are_left_to_a_person(void **state)
{
    struct fixture *fixture = *state;
    document_add(fixture, 1);
    document_add(fixture, 2);
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->document.candidates[0].entry.b[0], 1); /* ties by id */
    assert_true(policy_hit(&decision->policies, POLICY_MARGIN_TOO_SMALL));
    assert_true(decision->band != BAND_FLOW);
}

static void order_of_candidates_does_not_matter(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t i = 1; i <= 6; i++) {
        struct match_entry *entry = i % 2 ? document_add(fixture, i) : other_add(fixture, i);
        entry->amount.minor += i > 3 ? 100 : 0;
        entry->consumed = i == 5;
    }
    const char *first, *second;
    assert_int_equal(decision_text(fixture->arena, decide(fixture), &first), OK);
    for (size_t i = 0; i < 3; i++) {
        struct match_entry swap = fixture->documents[i];
        fixture->documents[i] = fixture->documents[5 - i];
        fixture->documents[5 - i] = swap;
        assert_int_equal(decision_text(fixture->arena, decide(fixture), &second), OK);
        assert_string_equal(first, second);
    }
}

static void a_consumed_entry_is_not_linked_again(void **state)
{
    struct fixture *fixture = *state;
    struct match_entry *entry = document_add(fixture, 1);
    entry->consumed = true;
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_CREATE);
    assert_true(policy_hit(&decision->policies, POLICY_ENTRY_CONSUMED));
    assert_int_equal(decision->band, BAND_HOLD);
    assert_int_equal(decision->document.candidates[0].p_micro, 0);
    entry->reference = "ch_3Nzzz999"; /* an equal purchase, that names another charge */
    decision = decide(fixture);
    assert_false(policy_hit(&decision->policies, POLICY_ENTRY_CONSUMED));
    assert_int_equal(decision->band, BAND_FLOW);
}

static void an_unread_entry_that_may_be_it_holds(void **state)
{
    struct fixture *fixture = *state;
    struct match_entry *entry = document_add(fixture, 1);
    entry->analysed = false;
    entry->amount.currency[0] = '\0';
    entry->name = "LEFEVRE";
    struct decision *decision = decide(fixture);
    assert_true(policy_hit(&decision->policies, POLICY_ENTRY_NOT_ANALYSED));
    assert_true(decision->band != BAND_FLOW);
}

static void more_agreement_never_lowers_a_candidate(void **state)
{
    struct fixture *fixture = *state;
    for (int role = 0; role < MATCH_ROLE_COUNT; role++) {
        const struct match_model *model = model_current(fixture->models, (enum match_role)role);
        for (int i = 0; i < FEATURE_COUNT; i++) {
            struct feature_vector vector = {{0}};
            const struct feature_info *info = feature_info((enum feature)i);
            int64_t before = INT64_MIN;
            for (int level = 1; level <= info->levels; level++) {
                vector.level[i] = (uint8_t)level;
                int64_t value = model_log_odds(model, &vector);
                assert_true(value >= before);
                assert_true(level <= info->against ? value <= 0 : value >= 0);
                before = value;
            }
        }
    }
}

static void what_cannot_be_seen_lowers_the_claim(void **state)
{
    struct fixture *fixture = *state;
    int64_t fresh = decide(fixture)->match_p_micro;
    fixture->context.ledger_age_s = 10800;
    int64_t ageing = decide(fixture)->match_p_micro;
    fixture->context.ledger_age_s = 172800;
    struct decision *stale = decide(fixture);
    assert_true(policy_hit(&stale->policies, POLICY_LEDGER_STALE));
    fixture->context.ledger = LEDGER_NONE;
    struct decision *none = decide(fixture);
    assert_true(fresh > ageing && ageing > stale->match_p_micro &&
                stale->match_p_micro > none->match_p_micro);
    assert_true(none->document.unseen_p_micro > 0);
    fixture->context.null_shift_micro[MATCH_DOCUMENT] = 2000000;
    assert_true(decide(fixture)->match_p_micro > none->match_p_micro);
}

static void a_settlement_is_a_choice_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct match_entry *bank = &fixture->settlements[fixture->settlement_count++];
    *bank = (struct match_entry){
        .id = {{9}},
        .amount = {4733, "EUR"}, /* net of the fee */
        .date = {20002},
        .due_date = {DATE_NONE},
        .name = "BOULANGERIE LEFEVRE",
        .description = "ch_3Nabc123",
        .analysed = true,
    };
    struct decision *decision = decide(fixture);
    assert_int_equal(decision->action, ACTION_CREATE);
    assert_true(decision->settles);
    assert_int_equal(decision->settlement_entry.b[0], 9);
    bank->amount.minor = 90000;
    bank->description = NULL;
    bank->name = "Garage Moreau";
    assert_false(decide(fixture)->settles);
}

static void an_entry_is_consumed_once(void **state)
{
    struct fixture *fixture = *state;
    document_add(fixture, 1);
    struct decision *sure, *less, *third;
    fixture->record.reference = fixture->documents[0].reference = "INV-2026-77";
    sure = decide(fixture);
    fixture->record.id.b[0] = 0xA1;
    fixture->record.reference = NULL;
    less = decide(fixture);
    fixture->record.id.b[0] = 0xA2;
    third = decide(fixture);
    assert_int_equal(less->action, ACTION_LINK);
    struct decision *window[] = {third, less, sure};
    match_batch_assign(fixture->arena, window, COUNT(window));
    assert_false(sure->contested);
    assert_int_equal(sure->band, BAND_FLOW);
    assert_true(policy_hit(&less->policies, POLICY_ENTRY_CONTESTED));
    assert_true(less->band != BAND_FLOW && third->band != BAND_FLOW);
    match_batch_rank(window, COUNT(window));
    assert_ptr_equal(window[0], sure);
    assert_ptr_equal(window[1], less);
}

static void equal_claims_are_both_held(void **state)
{
    struct fixture *fixture = *state;
    document_add(fixture, 1);
    struct decision *one = decide(fixture);
    fixture->record.id.b[0] = 0xA1;
    struct decision *two = decide(fixture);
    struct decision *window[] = {two, one};
    match_batch_assign(fixture->arena, window, COUNT(window));
    assert_true(one->contested && two->contested);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct decision decision;
    struct match_request request = {.record = &fixture->record,
                                    .gate = &fixture->gate,
                                    .facts = &fixture->facts,
                                    .settings = &fixture->settings};
    fixture->settings.hold_min_micro = 900000;
    assert_int_equal(match_decide(fixture->arena, &fixture->context, &request, &decision),
                     ERR_FIELD_INVALID);
    fixture->settings = policy_defaults();
    fixture->settings.cap_count = POLICY_LIMITS_MAX + 1;
    assert_int_equal(match_decide(fixture->arena, &fixture->context, &request, &decision),
                     ERR_LIMIT);
    fixture->settings = policy_defaults();
    fixture->record.amount.currency[0] = 'e';
    assert_int_equal(match_decide(fixture->arena, &fixture->context, &request, &decision),
                     ERR_FIELD_INVALID);
}

struct fact_case {
    size_t offset;
    enum policy policy;
};

static void every_fact_has_its_code(void **state)
{
    static const struct fact_case cases[] = {
        {offsetof(struct policy_facts, changed_after_delivery), POLICY_CHANGED_AFTER_DELIVERY},
        {offsetof(struct policy_facts, correction), POLICY_CORRECTION},
        {offsetof(struct policy_facts, provenance_ours), POLICY_PROVENANCE_OURS},
        {offsetof(struct policy_facts, suspected_duplicate), POLICY_SUSPECTED_DUPLICATE},
        {offsetof(struct policy_facts, iban_changed), POLICY_IBAN_CHANGED},
        {offsetof(struct policy_facts, iban_under_two_names), POLICY_IBAN_UNDER_TWO_NAMES},
        {offsetof(struct policy_facts, document_bank_details_differ),
         POLICY_DOCUMENT_BANK_DETAILS_DIFFER},
        {offsetof(struct policy_facts, look_alike_name), POLICY_LOOK_ALIKE_NAME},
    };
    struct fixture *fixture = *state;
    int64_t p = decide(fixture)->p_micro;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fixture->facts = (struct policy_facts){.closed_until = {DATE_NONE}};
        bool *fact = (bool *)((char *)&fixture->facts + cases[i].offset);
        *fact = true;
        struct decision *decision = decide(fixture);
        assert_int_equal(decision->policies.count, 1);
        assert_int_equal(decision->policies.codes[0], cases[i].policy);
        assert_int_equal(decision->band, BAND_HOLD);
        assert_int_equal(decision->score_band, BAND_FLOW);
        assert_int_equal(decision->p_micro, p); /* policy does not touch the score */
        enum policy read;
        assert_true(policy_parse(policy_code(cases[i].policy), &read));
        assert_int_equal(read, cases[i].policy);
        assert_true(strlen(policy_sentence(read)) > 10);
    }
}

static void amounts_dates_and_currencies_are_limited(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.amount.minor = 100001;
    assert_true(policy_hit(&decide(fixture)->policies, POLICY_NEW_COUNTERPARTY_ABOVE));
    fixture->facts.counterparty_posts = 1;
    assert_int_equal(decide(fixture)->policies.count, 0);
    fixture->settings.caps[0] = (struct money){100000, "EUR"};
    fixture->settings.cap_count = 1;
    assert_true(policy_hit(&decide(fixture)->policies, POLICY_CAP_EXCEEDED));
    fixture->record.amount = (struct money){1, "JPY"}; /* a currency that has no limit of its own */
    assert_true(policy_hit(&decide(fixture)->policies, POLICY_CAP_EXCEEDED));
    fixture->settings.cap_count = 0;
    memcpy(fixture->settings.currencies[0], "EUR", 4);
    fixture->settings.currency_count = 1;
    struct decision *decision = decide(fixture);
    assert_true(policy_hit(&decision->policies, POLICY_CURRENCY_NOT_ALLOWED));
    assert_int_equal(decision->band, BAND_STOP);
    fixture->record.amount = (struct money){4900, "EUR"};
    fixture->facts.closed_until = fixture->record.date;
    decision = decide(fixture);
    assert_true(policy_hit(&decision->policies, POLICY_CLOSED_PERIOD));
    assert_int_equal(decision->band, BAND_STOP);
    fixture->facts.closed_until.days--;
    assert_int_equal(decide(fixture)->band, BAND_FLOW);
}

static void a_threshold_itself_is_enough(void **state)
{
    struct fixture *fixture = *state;
    int64_t p_micro = decide(fixture)->p_micro;
    fixture->settings.flow_min_micro = p_micro;
    assert_int_equal(decide(fixture)->band, BAND_FLOW);
    fixture->settings.flow_min_micro = p_micro + 1;
    assert_int_equal(decide(fixture)->band, BAND_HOLD);
    fixture->settings.hold_min_micro = p_micro;
    assert_int_equal(decide(fixture)->band, BAND_HOLD);
    fixture->settings.hold_min_micro = p_micro + 1;
    assert_int_equal(decide(fixture)->band, BAND_STOP);
}

static void thresholds_are_those_of_the_product(void **state)
{
    (void)state;
    struct policy_settings settings = policy_defaults();
    assert_int_equal(settings.flow_min_micro, 850000);
    assert_int_equal(settings.hold_min_micro, 550000);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(nothing_alike_is_created),
        WITH_FIXTURE(the_entry_that_exists_is_linked),
        WITH_FIXTURE(contributions_add_up_to_the_log_odds),
        WITH_FIXTURE(probabilities_sum_to_one),
        WITH_FIXTURE(the_month_before_is_not_linked),
        WITH_FIXTURE(the_month_before_is_not_sure_without_numbers),
        WITH_FIXTURE(twins_are_left_to_a_person),
        WITH_FIXTURE(order_of_candidates_does_not_matter),
        WITH_FIXTURE(a_consumed_entry_is_not_linked_again),
        WITH_FIXTURE(an_unread_entry_that_may_be_it_holds),
        WITH_FIXTURE(more_agreement_never_lowers_a_candidate),
        WITH_FIXTURE(what_cannot_be_seen_lowers_the_claim),
        WITH_FIXTURE(a_settlement_is_a_choice_of_its_own),
        WITH_FIXTURE(an_entry_is_consumed_once),
        WITH_FIXTURE(equal_claims_are_both_held),
        WITH_FIXTURE(settings_that_make_no_sense_are_refused),
        WITH_FIXTURE(every_fact_has_its_code),
        WITH_FIXTURE(amounts_dates_and_currencies_are_limited),
        WITH_FIXTURE(a_threshold_itself_is_enough),
        WITH_FIXTURE(thresholds_are_those_of_the_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
