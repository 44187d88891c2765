/* Which entries are found for a record: each arm alone, and the union. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "matcher/batch/block.h"
#include "tables.h"

struct world {
    struct arena *arena;
    struct table ledger;
    struct block_search *search;
};

static struct world world_of(const char *ledger)
{
    struct world world = {.arena = arena_open()};
    world.ledger = table_of(world.arena, ledger);
    world.search = block_search_new(world.arena, block_index_new(world.arena, &world.ledger));
    return world;
}

/* The ids that are found, in their order, joined by spaces. */
static const char *ids_of(const struct world *world, const struct block_found *found)
{
    struct buf ids = buf_new(world->arena, 64 * 1024);
    for (size_t i = 0; i < found->count; i++)
        buf_format(&ids, "%s%s", i ? " " : "", world->ledger.rows[found->row[i]].text[TABLE_ID]);
    return ids.data;
}

static const char *found_by(const struct world *world, enum block_arm arm, const char *record)
{
    struct table records = table_of(world->arena, record);
    struct block_found found;
    block_find_by(world->search, world->arena, arm, &records.rows[0], &found);
    return ids_of(world, &found);
}

static const char *found_in_all(const struct world *world, const char *record)
{
    struct table records = table_of(world->arena, record);
    struct block_found found;
    block_find(world->search, world->arena, &records.rows[0], &found);
    return ids_of(world, &found);
}

static void finds_equal_references_and_those_that_texts_state(void **state)
{
    (void)state;
    struct world world = world_of("id,reference,description\n"
                                  "a,INV-2026-0042,\n"
                                  "b,inv 2026 42,\n"
                                  "c,,SEPA inv/2026-0042 thanks\n"
                                  "d,INV-2026-0043,\n"
                                  "e,2026,\n");
    assert_string_equal(found_by(&world, BLOCK_REFERENCE, "id,reference\n1,INV-2026-0042\n"),
                        "a b c");
    assert_string_equal(
        found_by(&world, BLOCK_REFERENCE, "id,description\n1,your invoice INV-2026-0043.\n"), "d");
    assert_string_equal(
        found_by(&world, BLOCK_REFERENCE, "id,description\n1,\"invoice (INV-2026-0043), 2026\"\n"),
        "d");
    arena_close(world.arena);
}

static void finds_parties_by_their_identifiers_near_the_date(void **state)
{
    (void)state;
    struct world world = world_of("id,date,vat_id,iban,email,phone,address\n"
                                  "a,2026-03-01,FR40303265045,,,,\n"
                                  "b,2026-03-01,,FR76 3000 6000 0112 3456 7890 189,,,\n"
                                  "c,2026-03-01,,,Billing@Acme.example,,\n"
                                  "d,2026-03-01,,,,+33 1 23 45 67 89,\n"
                                  "e,2026-03-01,,,,,\"1, rue de la Paix\"\n"
                                  "f,2025-03-01,FR40303265045,,,,\n"
                                  "g,,303 265 045,,,,\n");
    const char *dated = "id,date,vat_id\n1,2026-04-01,FR 40 303265045\n";
    assert_string_equal(found_by(&world, BLOCK_PARTY, dated), "a g");
    assert_string_equal(found_by(&world, BLOCK_PARTY, "id,iban\n1,FR7630006000011234567890189\n"),
                        "b");
    assert_string_equal(found_by(&world, BLOCK_PARTY, "id,email\n1,billing@acme.example\n"), "c");
    assert_string_equal(found_by(&world, BLOCK_PARTY, "id,phone\n1,01.23.45.67.89\n"), "d");
    assert_string_equal(found_by(&world, BLOCK_PARTY, "id,address\n1,1 RUE DE LA PAIX\n"), "e");
    arena_close(world.arena);
}

static void finds_amounts_within_three_percent_and_sixty_days(void **state)
{
    (void)state;
    struct world world = world_of("id,date,amount,currency\n"
                                  "exact,2026-03-01,100.00,EUR\n"
                                  "edge,2026-04-30,103.00,EUR\n"
                                  "beyond,2026-03-01,103.01,EUR\n"
                                  "late,2026-05-01,100.00,EUR\n"
                                  "dollars,2026-03-01,100.00,USD\n"
                                  "open,2026-03-01,100,\n"
                                  "undated,,99.00,EUR\n"
                                  "refund,2026-03-01,-100.00,EUR\n"
                                  "yen,2026-03-01,100,JPY\n");
    assert_string_equal(
        found_by(&world, BLOCK_AMOUNT, "id,date,amount,currency\n1,2026-03-01,100.00,EUR\n"),
        "edge exact open undated");
    assert_string_equal(
        found_by(&world, BLOCK_AMOUNT_WIDE, "id,date,amount,currency\n1,2026-03-01,100.00,EUR\n"),
        "beyond edge exact open undated");
    assert_string_equal(found_by(&world, BLOCK_AMOUNT, "id,date,amount\n1,2026-03-01,100\n"),
                        "dollars edge exact open undated yen");
    assert_string_equal(
        found_by(&world, BLOCK_AMOUNT, "id,date,amount,currency\n1,2026-03-01,-99,EUR\n"),
        "refund");
    arena_close(world.arena);
}

static void finds_the_nearest_of_many_equal_amounts(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf ledger = buf_new(arena, 1024 * 1024);
    buf_add_text(&ledger, "id,date,amount,counterparty\n");
    for (int i = 0; i < 3000; i++)
        buf_format(&ledger, "e%04d,2026-03-%02d,9.99,Abonnement\n", i, 1 + i % 28);
    buf_add_text(&ledger, "mine,2026-03-14,9.99,Cordonnerie\n");
    struct world world = world_of(ledger.data);
    const char *record = "id,date,amount,counterparty\n1,2026-03-14,9.99,Cordonnerie\n";
    assert_non_null(strstr(found_in_all(&world, record), "mine"));
    arena_close(world.arena);
    arena_close(arena);
}

static void finds_names_that_are_near_or_contained(void **state)
{
    (void)state;
    struct world world = world_of("id,counterparty,description\n"
                                  "a,Koninklijke Philips Electronics N.V.,\n"
                                  "b,Phillips GmbH,\n"
                                  "c,Dupont et Fils SARL,\n"
                                  "d,,VIR SEPA DUPONT & FILS\n");
    assert_string_equal(found_by(&world, BLOCK_NAME, "id,counterparty\n1,Duponts & Fils\n"), "c d");
    const char *philips = found_by(&world, BLOCK_NAME_CONTAINED, "id,counterparty\n1,PHILIPS\n");
    assert_true(text_starts(philips, "a"));
    assert_string_equal(found_by(&world, BLOCK_NAME, "id,counterparty\n1,Xyzzyq\n"), "");
    arena_close(world.arena);
}

static void finds_parties_by_a_misspelt_address(void **state)
{
    (void)state;
    struct world world = world_of("id,counterparty,address,postcode,email\n"
                                  "a,,12 avenue Victor Hugo,69002,\n"
                                  "b,,,,accueil@lumiere.example\n"
                                  "c,,7 quai de Saone,69005,\n");
    assert_true(text_starts(
        found_by(&world, BLOCK_CONTACT, "id,address,postcode\n1,12 av Victor Hugot,69002\n"), "a"));
    const char *found = found_by(&world, BLOCK_CONTACT, "id,email\n1,acueil@lumiere.example\n");
    assert_non_null(strchr(found, 'b'));
    assert_null(strchr(found, 'c'));
    arena_close(world.arena);
}

static void offers_no_more_than_it_says(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf ledger = buf_new(arena, 1024 * 1024);
    buf_add_text(&ledger, "id,date,amount,counterparty,reference,iban\n");
    for (int i = 0; i < 500; i++)
        buf_format(&ledger, "e%03d,2026-03-01,%d.00,Dupont %d,R-2026-77,%s\n", i, 100 + i % 5, i,
                   "FR7630006000011234567890189");
    struct world world = world_of(ledger.data);
    struct table records =
        table_of(arena, "id,date,amount,counterparty,reference,iban\n"
                        "1,2026-03-01,100.00,Dupont,R-2026-77,FR7630006000011234567890189\n");
    struct block_found found;
    block_find(world.search, arena, &records.rows[0], &found);
    assert_int_equal(found.count, BLOCK_CANDIDATES_MAX);
    for (size_t i = 1; i < found.count; i++)
        assert_true(strcmp(world.ledger.rows[found.row[i - 1]].text[TABLE_ID],
                           world.ledger.rows[found.row[i]].text[TABLE_ID]) < 0);
    arena_close(world.arena);
    arena_close(arena);
}

static void finds_the_same_whatever_the_order_of_the_rows(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf up = buf_new(arena, 1024 * 1024), down = buf_new(arena, 1024 * 1024);
    static const char header[] = "id,date,amount,counterparty\n";
    buf_add_text(&up, header);
    buf_add_text(&down, header);
    for (int i = 0; i < 400; i++) {
        int k = 399 - i;
        buf_format(&up, "e%03d,2026-03-%02d,%d.00,Acme %d\n", i, 1 + i % 9, 50 + i % 3, i % 7);
        buf_format(&down, "e%03d,2026-03-%02d,%d.00,Acme %d\n", k, 1 + k % 9, 50 + k % 3, k % 7);
    }
    struct world first = world_of(up.data), second = world_of(down.data);
    const char *record = "id,date,amount,counterparty\n1,2026-03-04,51.00,Acme 3\n";
    assert_string_equal(found_in_all(&first, record), found_in_all(&second, record));
    arena_close(first.arena);
    arena_close(second.arena);
    arena_close(arena);
}

static void finds_nothing_in_nothing(void **state)
{
    (void)state;
    struct world empty = world_of("id,amount\n"), bare = world_of("id\nx\n");
    assert_string_equal(
        found_in_all(&empty, "id,amount,counterparty,email\n1,5,Acme,a@acme.example\n"), "");
    assert_string_equal(found_in_all(&bare, "id,amount,counterparty\n1,5,Acme\n"), "");
    assert_string_equal(found_in_all(&bare, "id\n1\n"), "");
    arena_close(empty.arena);
    arena_close(bare.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_equal_references_and_those_that_texts_state),
        cmocka_unit_test(finds_parties_by_their_identifiers_near_the_date),
        cmocka_unit_test(finds_amounts_within_three_percent_and_sixty_days),
        cmocka_unit_test(finds_the_nearest_of_many_equal_amounts),
        cmocka_unit_test(finds_names_that_are_near_or_contained),
        cmocka_unit_test(finds_parties_by_a_misspelt_address),
        cmocka_unit_test(offers_no_more_than_it_says),
        cmocka_unit_test(finds_the_same_whatever_the_order_of_the_rows),
        cmocka_unit_test(finds_nothing_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
