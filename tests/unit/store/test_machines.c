/* The state machines by themselves: moves, names, texts made from them. */
#include "base/base.h"
#include "base/text.h"
#include "db/db.h"
#include "store/machines.h"

#include <setjmp.h>
#include <cmocka.h>

static void moves_are_those_of_the_table(void **state)
{
    (void)state;
    assert_true(machine_may(&item_machine, ITEM_WAITING, ITEM_SCORING));
    assert_true(machine_may(&item_machine, ITEM_REJECTED, ITEM_HELD));
    assert_false(machine_may(&item_machine, ITEM_WAITING, ITEM_DELIVERED));
    assert_false(machine_may(&item_machine, ITEM_SUPERSEDED, ITEM_QUEUED));
    assert_false(machine_may(&delivery_machine, DELIVERY_QUEUED, DELIVERY_DONE));
    assert_true(machine_may(&delivery_machine, DELIVERY_UNCERTAIN, DELIVERY_SENDING));
    assert_false(machine_may(&connection_machine, CONNECTION_DISCONNECTED, CONNECTION_ENABLED));
}

static void no_machine_stays_where_it_is(void **state)
{
    (void)state;
    for (size_t m = 0; machines[m]; m++) {
        assert_true(machines[m]->count <= MACHINE_STATES_MAX);
        for (unsigned i = 0; i < machines[m]->count; i++)
            assert_false(machine_may(machines[m], i, i));
    }
}

/* Nothing waits in a state that it cannot have come to. */
static void every_state_can_be_reached(void **state)
{
    (void)state;
    for (size_t m = 0; machines[m]; m++) {
        uint32_t reached = 1;
        for (unsigned round = 0; round < machines[m]->count; round++) {
            for (unsigned i = 0; i < machines[m]->count; i++)
                reached |= reached >> i & 1 ? machines[m]->moves[i] : 0;
        }
        assert_int_equal(reached, (UINT32_C(1) << machines[m]->count) - 1);
    }
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (size_t m = 0; machines[m]; m++) {
        for (unsigned i = 0; i < machines[m]->count; i++) {
            unsigned parsed = 99;
            assert_true(machine_parse(machines[m], machine_name(machines[m], i), &parsed));
            assert_int_equal(parsed, i);
        }
    }
    unsigned parsed;
    assert_false(machine_parse(&item_machine, "nonsense", &parsed));
    assert_false(machine_parse(&item_machine, NULL, &parsed));
}

static void sources_are_the_states_that_lead_there(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct text_list sources;
    machine_sources(&item_machine, ITEM_DELIVERED, arena, &sources);
    assert_int_equal(sources.n, 1);
    assert_string_equal(sources.at[0], "queued");
    machine_sources(&window_machine, WINDOW_FAILED, arena, &sources);
    assert_int_equal(sources.n, 3);
    arena_close(arena);
}

static void texts_are_made_from_the_table(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    assert_string_equal(machine_check(arena, &backfill_part_machine),
                        "state IN ('planned', 'running', 'done', 'failed')");
    char *diagram = machine_mermaid(arena, &backfill_part_machine);
    assert_non_null(strstr(diagram, "[*] --> planned\n"));
    assert_non_null(strstr(diagram, "failed --> running\n"));
    assert_non_null(strstr(diagram, "done --> [*]\n"));
    arena_close(arena);
}

static void every_item_state_is_in_one_term(void **state)
{
    (void)state;
    for (unsigned i = 0; i < item_machine.count; i++) {
        int terms = 0;
        for (size_t t = 0; conservation_terms[t]; t++)
            terms += text_equal(conservation_terms[t], item_machine.terms[i]);
        assert_int_equal(terms, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_are_those_of_the_table),
        cmocka_unit_test(no_machine_stays_where_it_is),
        cmocka_unit_test(every_state_can_be_reached),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(sources_are_the_states_that_lead_there),
        cmocka_unit_test(texts_are_made_from_the_table),
        cmocka_unit_test(every_item_state_is_in_one_term),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
