/* What a batch knows and its records do not: who claims an entry, how many have none, how its
 * evidence usually looks. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "matcher/joint.h"

enum { RECORDS = 400, ROOM = 2 };

struct fixture {
    struct arena *arena;
    const struct match_model *model;
};

/* One strong candidate or none, one weak one. */
struct world {
    struct feature_vector vectors[RECORDS][ROOM];
    uint32_t entries[RECORDS][ROOM];
    struct joint_item items[RECORDS];
};

static int fixture_setup(void **state)
{
    struct arena *arena = arena_open();
    struct fixture *fixture = arena_alloc(arena, sizeof *fixture);
    struct model_set *models;
    fixture->arena = arena;
    *state = fixture;
    if (model_set_new(arena, &models) != OK)
        return -1;
    fixture->model = model_current(models, MATCH_SETTLEMENT);
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_close(fixture->arena);
    return 0;
}

static struct feature_vector strong(void)
{
    struct feature_vector vector = {{0}};
    vector.level[FEATURE_NAME] = 9;
    vector.level[FEATURE_AMOUNT] = 9;
    vector.level[FEATURE_AMOUNT_RIVALS] = 2;
    vector.level[FEATURE_DATE_DISTANCE] = 8;
    vector.level[FEATURE_DATE_ORDER] = 3;
    return vector;
}

static struct feature_vector weak(void)
{
    struct feature_vector vector = strong();
    vector.level[FEATURE_NAME] = 1;
    vector.level[FEATURE_AMOUNT] = 4;
    vector.level[FEATURE_AMOUNT_RIVALS] = 0;
    vector.level[FEATURE_DATE_DISTANCE] = 5;
    return vector;
}

/* `nulls` of the records have nothing but a weak candidate. */
static struct world *world_new(struct arena *arena, size_t nulls)
{
    struct world *world = arena_alloc(arena, sizeof *world);
    for (uint32_t i = 0; i < RECORDS; i++) {
        bool exists = i >= nulls;
        world->vectors[i][0] = exists ? strong() : weak();
        world->vectors[i][1] = weak();
        world->entries[i][0] = i;
        world->entries[i][1] = (i + 1) % RECORDS;
        world->items[i] =
            (struct joint_item){world->vectors[i], world->entries[i], exists ? 2 : 1, 0};
    }
    return world;
}

static struct joint *solve(const struct fixture *fixture, const struct joint_item *items,
                           size_t count, bool exclusive)
{
    struct joint_plan plan = {fixture->model, exclusive, VIEW_FRESH, RECORDS};
    return joint_solve(fixture->arena, &plan, items, count);
}

static void an_entry_is_worth_less_when_others_claim_it(void **state)
{
    struct fixture *fixture = *state;
    struct feature_vector mine = strong(), theirs = strong();
    theirs.level[FEATURE_REFERENCE] = 5;
    uint32_t entry = 7;
    struct joint_item items[] = {{&mine, &entry, 1, 0}, {&theirs, &entry, 1, 0}};
    struct model_output together, alone;
    int64_t claimed, free_claim;
    struct joint *joint = solve(fixture, items, COUNT(items), true);
    joint_answer(joint, 0, &together, &claimed);
    joint_answer(solve(fixture, items, 1, true), 0, &alone, &free_claim);
    assert_true(claimed < -1000000);
    assert_int_equal(free_claim, 0);
    assert_true(together.p_micro[0] < alone.p_micro[0] / 2);
    struct model_output other;
    joint_answer(joint, 1, &other, &claimed);
    assert_true(together.p_micro[0] + other.p_micro[0] <= MICRO + 10000);
    joint_answer(solve(fixture, items, COUNT(items), false), 0, &together, &claimed);
    assert_int_equal(claimed, 0); /* a company may be found by many */
}

static void the_share_without_an_entry_is_the_batches_own(void **state)
{
    struct fixture *fixture = *state;
    int64_t before = INT64_MIN;
    for (size_t nulls = 0; nulls <= RECORDS; nulls += RECORDS / 4) {
        struct world *world = world_new(fixture->arena, nulls);
        struct joint *joint = solve(fixture, world->items, RECORDS, true);
        assert_true(joint_null_shift(joint) > before);
        before = joint_null_shift(joint);
    }
}

/* The more of the ledger nobody claims, the likelier a record has no entry. */
static void a_ledger_that_is_used_up_leaves_no_nulls(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = world_new(fixture->arena, RECORDS / 4);
    struct joint_plan used_up = {fixture->model, true, VIEW_FRESH, RECORDS};
    struct joint_plan plenty = {fixture->model, true, VIEW_FRESH, 20 * RECORDS};
    struct joint *one = joint_solve(fixture->arena, &used_up, world->items, RECORDS);
    struct joint *two = joint_solve(fixture->arena, &plenty, world->items, RECORDS);
    assert_true(joint_unclaimed_shift(one) < joint_unclaimed_shift(two));
    assert_true(joint_null_shift(one) < joint_null_shift(two));
    assert_int_equal(joint_unclaimed_shift(solve(fixture, world->items, RECORDS, false)), 0);
}

static void one_record_is_shrunk_to_what_is_usual(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = world_new(fixture->arena, 0);
    int64_t one = joint_null_shift(solve(fixture, world->items, 1, true));
    int64_t many = joint_null_shift(solve(fixture, world->items, RECORDS, true));
    assert_true(many < 0 && (one < 0 ? -one : one) < -many / 5);
}

/* Where hardly a right pair has the equal amount, a near one speaks louder than usual. */
static void weights_follow_the_habits_of_the_batch(void **state)
{
    struct fixture *fixture = *state;
    struct world *exact = world_new(fixture->arena, 40), *loose = world_new(fixture->arena, 40);
    for (size_t i = 40; i < RECORDS; i++) {
        loose->vectors[i][0].level[FEATURE_AMOUNT] = 5;
        loose->vectors[i][0].level[FEATURE_AMOUNT_RIVALS] = 0;
        loose->vectors[i][0].level[FEATURE_REFERENCE] = 5;
    }
    int64_t usual = joint_habit(solve(fixture, exact->items, RECORDS, true), FEATURE_AMOUNT, 5);
    int64_t here = joint_habit(solve(fixture, loose->items, RECORDS, true), FEATURE_AMOUNT, 5);
    assert_true(here > usual + 1000000);
}

static void the_order_of_records_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = world_new(fixture->arena, 100);
    struct joint_item backwards[RECORDS];
    for (size_t i = 0; i < RECORDS; i++)
        backwards[i] = world->items[RECORDS - 1 - i];
    struct joint *one = solve(fixture, world->items, RECORDS, true);
    struct joint *two = solve(fixture, backwards, RECORDS, true);
    for (size_t i = 0; i < RECORDS; i++) {
        struct model_output first, second;
        int64_t claimed[ROOM];
        joint_answer(one, i, &first, claimed);
        joint_answer(two, RECORDS - 1 - i, &second, claimed);
        assert_int_equal(first.null_p_micro, second.null_p_micro);
        assert_int_equal(first.p_micro[0], second.p_micro[0]);
    }
}

static void nothing_to_decide_is_no_trouble(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(joint_null_shift(solve(fixture, NULL, 0, true)), 0);
    struct joint_item item = {NULL, NULL, 0, 3};
    struct model_output output;
    joint_answer(solve(fixture, &item, 1, true), 0, &output, NULL);
    assert_true(output.null_p_micro > 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_entry_is_worth_less_when_others_claim_it),
        CASE(the_share_without_an_entry_is_the_batches_own),
        CASE(a_ledger_that_is_used_up_leaves_no_nulls),
        CASE(one_record_is_shrunk_to_what_is_usual),
        CASE(weights_follow_the_habits_of_the_batch),
        CASE(the_order_of_records_changes_nothing),
        CASE(nothing_to_decide_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
