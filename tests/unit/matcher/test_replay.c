/* A stored decision is taken again byte for byte, today's and those of older models. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "matcher/matcher.h"

enum { GOLDEN_BYTES_MAX = DECISION_BYTES_MAX };

struct fixture {
    struct arena *arena;
    struct model_set *models;
};

static int fixture_setup(void **state)
{
    struct arena *arena = arena_open();
    struct fixture *fixture = arena_alloc(arena, sizeof *fixture);
    fixture->arena = arena;
    *state = fixture;
    return model_set_new(arena, &fixture->models) == OK ? 0 : -1;
}

static int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_close(fixture->arena);
    return 0;
}

static struct match_entry entry_made(uint8_t id, int64_t minor, int32_t days, const char *name)
{
    return (struct match_entry){
        .id = {{id}},
        .amount = {minor, "EUR"},
        .date = {days},
        .due_date = {DATE_NONE},
        .name = name,
        .reference = id % 2 ? "INV-2026-00042" : NULL,
        .analysed = true,
        .consumed = id == 4,
    };
}

static struct decision *decision_made(struct fixture *fixture)
{
    struct match_entry documents[] = {entry_made(1, 12345, 19998, "Lefevre Boulangerie"),
                                      entry_made(2, 12345, 19970, "Boulangerie Lefèvre 2"),
                                      entry_made(3, 99900, 20010, "Garage Moreau"),
                                      entry_made(4, 12345, 20000, "Boulangerie Lefèvre")};
    struct match_entry settlements[] = {entry_made(6, 12000, 20003, "VIR SEPA LEFEVRE")};
    struct match_record record = {
        .id = {{0xAB, 0xCD}},
        .amount = {12345, "EUR"},
        .fee = {345, "EUR"},
        .date = {20000},
        .name = "Boulangerie Lefèvre SARL",
        .reference = "INV-2026-42",
    };
    struct gate_facts gate = {.document = true, .basis = BASIS_NAME};
    struct policy_facts facts = {.closed_until = {19000}, .look_alike_name = true};
    struct policy_settings settings = policy_defaults();
    settings.caps[0] = (struct money){5000, "EUR"};
    settings.cap_count = 1;
    memcpy(settings.currencies[0], "EUR", 4);
    settings.currency_count = 1;
    struct match_context context = {
        .models = fixture->models, .ledger = LEDGER_IMPORTED, .null_shift_micro = {-250000, 99}};
    struct match_request request = {&record,     documents,          COUNT(documents),
                                    settlements, COUNT(settlements), &gate,
                                    &facts,      &settings};
    struct decision *decision = arena_alloc(fixture->arena, sizeof *decision);
    assert_int_equal(match_decide(fixture->arena, &context, &request, decision), OK);
    return decision;
}

static void a_decision_is_taken_again_byte_for_byte(void **state)
{
    struct fixture *fixture = *state;
    const char *stored, *again;
    struct decision *decision = decision_made(fixture);
    assert_int_equal(decision_text(fixture->arena, decision, &stored), OK);
    assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
    assert_string_equal(stored, again);
}

static void a_contested_decision_as_well(void **state)
{
    struct fixture *fixture = *state;
    const char *stored, *again;
    struct decision *one = decision_made(fixture), *two = decision_made(fixture);
    two->item.b[0] = 1;
    struct decision *window[] = {one, two};
    match_batch_assign(fixture->arena, window, COUNT(window));
    assert_true(one->contested && two->contested);
    assert_int_equal(decision_text(fixture->arena, one, &stored), OK);
    assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
    assert_string_equal(stored, again);
}

static char *golden_read(struct arena *arena, const char *name)
{
    FILE *file = fopen(arena_format(arena, SOURCE_ROOT "/tests/golden/matcher/%s", name), "r");
    assert_non_null(file);
    char *text = arena_alloc(arena, GOLDEN_BYTES_MAX + 1);
    size_t n = fread(text, 1, GOLDEN_BYTES_MAX, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

/* Stored by the first release: later models and tables must not change them. */
static void old_decisions_stay_what_they_were(void **state)
{
    static const char *const names[] = {"link-0001.txt", "create-0001.txt", "held-0001.txt"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *stored = golden_read(fixture->arena, names[i]), *again;
        assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
        assert_string_equal(stored, again);
    }
}

static char *replaced(struct arena *arena, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return arena_format(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void levels_of_another_normalisation_are_kept(void **state)
{
    struct fixture *fixture = *state;
    const char *stored, *again;
    assert_int_equal(decision_text(fixture->arena, decision_made(fixture), &stored), OK);
    stored = replaced(fixture->arena, stored, "\nnorm 1\n", "\nnorm 0-beta\n");
    assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
    assert_string_equal(stored, again);
}

static void a_changed_input_changes_the_outcome(void **state)
{
    struct fixture *fixture = *state;
    const char *stored, *again;
    assert_int_equal(decision_text(fixture->arena, decision_made(fixture), &stored), OK);
    stored = replaced(fixture->arena, stored, "amount=9", "amount=1");
    assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
    assert_string_not_equal(stored, again);
}

static void texts_that_are_not_ours_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    const char *stored, *again;
    assert_int_equal(decision_text(arena, decision_made(fixture), &stored), OK);
    const char *broken[] = {
        "",
        "sluice-decision 2\n",
        replaced(arena, stored, "flow_min=850000", "flow_min=1000001"),
        replaced(arena, stored, "candidates=4", "candidates=5"),
        replaced(arena, stored, "candidates=4", "candidates=65"),
        replaced(arena, stored, "identifier=0", "identifier=9"),
        replaced(arena, stored, "caps=1", "caps=99"),
        replaced(arena, stored, "outcome\n", "outcome"),
        replaced(arena, stored, " EUR\n", " eur\n"),
    };
    for (size_t i = 0; i < COUNT(broken); i++) {
        arena_failure_clear(arena);
        assert_int_equal(match_replay(arena, fixture->models, broken[i], &again),
                         ERR_FIELD_INVALID);
        assert_true(text_starts(arena_failure(arena)->detail, "Line "));
    }
    const char *unknown = replaced(arena, stored, "model=invoice-0001", "model=invoice-9999");
    assert_int_equal(match_replay(arena, fixture->models, unknown, &again), ERR_ABSENT);
    char *endless = arena_alloc(arena, DECISION_BYTES_MAX + 2);
    memset(endless, 'x', DECISION_BYTES_MAX + 1);
    assert_int_equal(match_replay(arena, fixture->models, endless, &again), ERR_LIMIT);
}

static void a_full_decision_fits(void **state)
{
    struct fixture *fixture = *state;
    struct match_entry entries[MATCH_CANDIDATES_MAX];
    for (size_t i = 0; i < COUNT(entries); i++)
        entries[i] = entry_made((uint8_t)(i + 1), 12345, 20000, "Boulangerie Lefèvre SARL");
    struct match_record record = {
        .amount = {12345, "EUR"}, .date = {20000}, .name = "Boulangerie Lefèvre SARL"};
    struct gate_facts gate = {.basis = BASIS_STRONG};
    struct policy_facts facts = {.closed_until = {DATE_NONE}};
    struct policy_settings settings = policy_defaults();
    struct match_context context = {.models = fixture->models};
    struct match_request request = {&record,        entries, COUNT(entries), entries,
                                    COUNT(entries), &gate,   &facts,         &settings};
    struct decision *decision = arena_alloc(fixture->arena, sizeof *decision);
    const char *stored, *again;
    assert_int_equal(match_decide(fixture->arena, &context, &request, decision), OK);
    assert_int_equal(decision_text(fixture->arena, decision, &stored), OK);
    assert_int_equal(match_replay(fixture->arena, fixture->models, stored, &again), OK);
    assert_string_equal(stored, again);
}

static void models_are_read_strictly(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    FILE *file = fopen(SOURCE_ROOT "/matcher/models/invoice-0001.model", "r");
    assert_non_null(file);
    char *text = arena_alloc(arena, MODEL_BYTES_MAX);
    size_t n = fread(text, 1, MODEL_BYTES_MAX - 1, file);
    fclose(file);
    struct match_model model;
    struct gate_model gate;
    assert_int_equal(match_model_parse(arena, (struct bytes){(const uint8_t *)text, n}, &model),
                     OK);
    assert_string_equal(model.id, "invoice-0001");
    assert_true(strstr(model.metrics, "worlds") != NULL);
    assert_memory_equal(model.weight, model_find(fixture->models, "invoice-0001")->weight,
                        sizeof model.weight);
    assert_int_equal(gate_model_parse(arena, (struct bytes){(const uint8_t *)text, n}, &gate),
                     ERR_FIELD_INVALID);
    const char *const broken[] = {
        replaced(arena, text, "end\n", "end\nmore"),
        replaced(arena, text, "kind match", "kind guess"),
        replaced(arena, text, "weight currency 0 ", "weight currency 0 9"),
        replaced(arena, text, "weight alias", "weight alibi"),
        replaced(arena, text, "joint null_share ", "joint null_share -"),
        replaced(arena, text, "follow ", "follow -1"),
        replaced(arena, text, "right alias 0 ", "right alias 0 9"),
        replaced(arena, text, "other email", "other mail")};
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_int_equal(
            match_model_parse(arena, (struct bytes){(const uint8_t *)broken[i], strlen(broken[i])},
                              &model),
            ERR_FIELD_INVALID);
    assert_null(model_find(fixture->models, "invoice-0000"));
    assert_null(gate_find(fixture->models, "gate-0000"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_decision_is_taken_again_byte_for_byte),
        WITH_FIXTURE(a_contested_decision_as_well),
        WITH_FIXTURE(old_decisions_stay_what_they_were),
        WITH_FIXTURE(levels_of_another_normalisation_are_kept),
        WITH_FIXTURE(a_changed_input_changes_the_outcome),
        WITH_FIXTURE(texts_that_are_not_ours_are_refused),
        WITH_FIXTURE(a_full_decision_fits),
        WITH_FIXTURE(models_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
