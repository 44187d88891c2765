/* Who a record is about. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "matcher/matcher.h"

struct fixture {
    struct arena *arena;
    struct match_context context;
    struct match_record record;
    struct known_counterparty known[4];
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
    fixture->context.models = models;
    fixture->record = (struct match_record){.date = {DATE_NONE}, .name = "Boulangerie Lefèvre"};
    static const struct known_counterparty known[] = {
        {.id = {{1}}, .name = "BOULANGERIE LEFEVRE SARL", .customer_id = "cus_1"},
        {.id = {{2}}, .name = "Garage Moreau", .iban = "DE89370400440532013000"},
        {.id = {{3}}, .name = "Pharmacie Girard", .vat_id = "FR44732829320"},
        {.id = {{4}}, .name = "Studio Becker"}};
    memcpy(fixture->known, known, sizeof known);
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_close(fixture->arena);
    return 0;
}

static struct resolution resolve(struct fixture *fixture)
{
    struct resolution resolution;
    assert_int_equal(match_resolve(fixture->arena, &fixture->context, &fixture->record,
                                   fixture->known, COUNT(fixture->known), &resolution),
                     OK);
    return resolution;
}

static void identifiers_come_first(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.iban = "DE89 3704 0044 0532 0130 00";
    struct resolution resolution = resolve(fixture);
    assert_true(resolution.found);
    assert_int_equal(resolution.id.b[0], 2);
    assert_int_equal(resolution.basis, BASIS_STRONG);
    assert_int_equal(resolution.p_micro, MICRO);
    assert_false(resolution.conflict);
    fixture->record.vat_id = "FR44732829320";
    resolution = resolve(fixture);
    assert_int_equal(resolution.id.b[0], 3);
    assert_true(resolution.conflict);
}

static void then_confirmed_aliases(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.name = "LB Prod";
    fixture->known[3].alias_confirmed = true;
    struct resolution resolution = resolve(fixture);
    assert_int_equal(resolution.id.b[0], 4);
    assert_int_equal(resolution.basis, BASIS_ALIAS);
}

static void then_names_with_their_probability(void **state)
{
    struct fixture *fixture = *state;
    struct resolution resolution = resolve(fixture);
    assert_true(resolution.found);
    assert_int_equal(resolution.id.b[0], 1);
    assert_int_equal(resolution.basis, BASIS_NAME);
    assert_in_range(resolution.p_micro, 500001, 999999);
    fixture->record.name = "Imprimerie Nowak";
    resolution = resolve(fixture);
    assert_false(resolution.found);
    assert_int_equal(resolution.basis, BASIS_NAME);
}

static void a_new_one_may_bring_its_own_identifier(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.name = "Imprimerie Nowak";
    fixture->record.customer_id = "cus_9";
    struct resolution resolution = resolve(fixture);
    assert_false(resolution.found);
    assert_int_equal(resolution.basis, BASIS_STRONG);
    fixture->record.name = fixture->record.customer_id = NULL;
    assert_int_equal(resolve(fixture).basis, BASIS_NONE);
}

static void look_alikes_are_noticed(void **state)
{
    struct fixture *fixture = *state;
    fixture->record.name = "Studio Beckers";
    fixture->record.customer_id = "cus_9";
    struct resolution resolution = resolve(fixture);
    assert_true(resolution.found ? resolution.id.b[0] == 4 : resolution.look_alike);
    fixture->record.name = "Garage Moreaux";
    fixture->record.customer_id = "cus_1";
    assert_false(resolve(fixture).look_alike); /* proven by its customer id */
}

static void order_does_not_matter(void **state)
{
    struct fixture *fixture = *state;
    fixture->known[3].name = "Boulangerie Lefèvre";
    struct resolution before = resolve(fixture);
    struct known_counterparty swap = fixture->known[0];
    fixture->known[0] = fixture->known[3];
    fixture->known[3] = swap;
    struct resolution after = resolve(fixture);
    assert_memory_equal(&before.id, &after.id, sizeof before.id);
    assert_int_equal(before.p_micro, after.p_micro);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(identifiers_come_first),
        WITH_FIXTURE(then_confirmed_aliases),
        WITH_FIXTURE(then_names_with_their_probability),
        WITH_FIXTURE(a_new_one_may_bring_its_own_identifier),
        WITH_FIXTURE(look_alikes_are_noticed),
        WITH_FIXTURE(order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
