/* The gate: what flows, what waits and what is refused while nobody has reviewed anything. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "matcher/matcher.h"

enum { FLOW = 850000, HOLD = 550000, SURE_MATCH = 980000 };

/* The program's models, and the arena that they live in. */
struct fixture {
    struct arena *arena;
    struct model_set *models;
};

static int models_setup(void **state)
{
    struct arena *arena = arena_open();
    struct fixture *fixture = arena_alloc(arena, sizeof *fixture);
    fixture->arena = arena;
    *state = fixture;
    return model_set_new(arena, &fixture->models) == OK ? 0 : -1;
}

static int models_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_close(fixture->arena);
    return 0;
}

static struct match_record record_full(void)
{
    return (struct match_record){
        .amount = {4900, "EUR"},
        .date = {20000},
        .name = "Boulangerie Lefèvre",
        .email = "compta@lefevre.fr",
        .reference = "ch_1",
    };
}

static struct gate_facts facts_full(void)
{
    return (struct gate_facts){.document = true, .tax_known = true, .basis = BASIS_STRONG};
}

static int64_t p_of(const struct fixture *fixture, const struct match_record *record,
                    const struct gate_facts *facts)
{
    struct gate_result result;
    struct gate_vector vector = gate_vector_of(record, facts);
    gate_score(gate_current(fixture->models), &vector, 0, 0, &result);
    assert_true(result.uncalibrated);
    return result.p_micro * SURE_MATCH / MICRO;
}

static void a_known_counterparty_flows(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    assert_true(p_of(*state, &record, &facts) >= FLOW);
    facts.tax_known = false;
    assert_true(p_of(*state, &record, &facts) >= FLOW);
    facts.tax_known = true;
    facts.basis = BASIS_NAME;
    facts.resolution_p_micro = 950000;
    facts.posts = 3;
    assert_true(p_of(*state, &record, &facts) >= FLOW);
    facts.basis = BASIS_ALIAS;
    facts.posts = 0;
    assert_true(p_of(*state, &record, &facts) >= FLOW);
}

static void unknown_or_incomplete_waits(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    facts.basis = BASIS_NAME;
    int64_t unknown = p_of(*state, &record, &facts);
    assert_true(unknown < FLOW && unknown >= HOLD);
    facts.resolution_p_micro = 950000;
    int64_t by_name = p_of(*state, &record, &facts);
    assert_true(by_name < FLOW && by_name >= unknown);
    facts = facts_full();
    facts.document = false;
    int64_t no_document = p_of(*state, &record, &facts);
    assert_true(no_document < FLOW && no_document >= HOLD);
    facts = facts_full();
    record.name = NULL;
    int64_t nameless = p_of(*state, &record, &facts);
    assert_true(nameless < FLOW && nameless >= HOLD);
    facts.basis = BASIS_NAME;
    int64_t guest = p_of(*state, &record, &facts);
    assert_true(guest < FLOW && guest >= HOLD);
}

static void hopeless_is_refused(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    record.name = record.email = NULL;
    facts.basis = BASIS_NONE;
    assert_true(p_of(*state, &record, &facts) < HOLD);
    record = record_full();
    record.amount.currency[0] = '\0';
    facts = facts_full();
    assert_true(p_of(*state, &record, &facts) < HOLD);
}

static void corrections_of_the_past_count(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    facts.posts = 10;
    int64_t clean = p_of(*state, &record, &facts);
    facts.overturned = 1;
    int64_t once = p_of(*state, &record, &facts);
    facts.overturned = 5;
    int64_t often = p_of(*state, &record, &facts);
    assert_true(clean >= FLOW && once < FLOW && often < once);
}

static void unusual_is_less_sure_than_usual(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    facts.posts = 5;
    facts.usual_low = (struct money){4000, "EUR"};
    facts.usual_high = (struct money){6000, "EUR"};
    facts.currency_usual = facts.kind_usual = USUAL_YES;
    int64_t usual = p_of(*state, &record, &facts);
    record.amount.minor = 15000;
    int64_t near = p_of(*state, &record, &facts);
    record.amount.minor = 900000;
    int64_t far = p_of(*state, &record, &facts);
    facts.currency_usual = USUAL_NO;
    int64_t foreign = p_of(*state, &record, &facts);
    assert_true(usual > near && near > far && far > foreign);
    facts.usual_low.currency[0] = '\0';
    record.amount.minor = INT64_MIN;
    assert_true(p_of(*state, &record, &facts) > 0);
}

static void axes_and_parts_add_up(void **state)
{
    const struct gate_model *model = gate_current(((struct fixture *)*state)->models);
    struct gate_vector vector;
    struct gate_result result;
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < GATE_PART_COUNT; i++)
            vector.level[i] = (uint8_t)((round * 5 + i * 7 + round / 3) %
                                        (gate_part_info((enum gate_part)i)->level_max + 1));
        gate_score(model, &vector, 0, 0, &result);
        int64_t values[AXIS_COUNT] = {0}, log_odds[AXIS_COUNT] = {0};
        for (int i = 0; i < GATE_PART_COUNT; i++) {
            values[gate_part_info((enum gate_part)i)->axis] += result.parts[i].value_e4;
            log_odds[gate_part_info((enum gate_part)i)->axis] += result.parts[i].log_odds_micro;
        }
        for (int axis = 0; axis < AXIS_COUNT; axis++) {
            assert_int_equal(values[axis], result.axes[axis].value_e4);
            assert_int_equal(log_odds[axis], result.axes[axis].log_odds_micro);
            assert_in_range(values[axis], 0, 10000);
        }
    }
}

static void reviews_end_the_mark_and_shift_the_claim(void **state)
{
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    struct gate_vector vector = gate_vector_of(&record, &facts);
    struct gate_result before, after;
    const struct gate_model *model = gate_current(((struct fixture *)*state)->models);
    gate_score(model, &vector, 5000000, 0, &before);
    assert_int_equal(before.p_micro, model->p_max_micro);
    gate_score(model, &vector, 5000000, model->reviews_min, &after);
    assert_false(after.uncalibrated);
    assert_true(after.p_micro > before.p_micro);
}

static void vectors_survive_writing_and_reading(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct match_record record = record_full();
    struct gate_facts facts = facts_full();
    struct gate_vector vector = gate_vector_of(&record, &facts), read;
    struct buf text = buf_new(arena, 4096);
    assert_true(gate_write(&text, &vector));
    assert_true(gate_parse(text.data, text.n, &read));
    assert_memory_equal(&vector, &read, sizeof vector);
    assert_false(gate_parse(text.data, text.n - 1, &read));
    assert_false(gate_parse("name=2", 6, &read));
    arena_close(arena);
}

static void names_are_read_back(void **state)
{
    (void)state;
    enum counterparty_basis basis;
    enum usual usual;
    for (int i = 0; i < BASIS_COUNT; i++) {
        enum counterparty_basis expected = (enum counterparty_basis)i;
        assert_true(counterparty_basis_parse(counterparty_basis_name(expected), &basis));
        assert_int_equal(basis, expected);
    }
    for (int i = 0; i < USUAL_COUNT; i++) {
        assert_true(usual_parse(usual_name((enum usual)i), &usual));
        assert_int_equal(usual, i);
    }
    assert_false(counterparty_basis_parse("weak", &basis));
    assert_false(usual_parse("maybe", &usual));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_counterparty_flows),
        cmocka_unit_test(unknown_or_incomplete_waits),
        cmocka_unit_test(hopeless_is_refused),
        cmocka_unit_test(corrections_of_the_past_count),
        cmocka_unit_test(unusual_is_less_sure_than_usual),
        cmocka_unit_test(axes_and_parts_add_up),
        cmocka_unit_test(reviews_end_the_mark_and_shift_the_claim),
        cmocka_unit_test(vectors_survive_writing_and_reading),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, models_setup, models_teardown);
}
