/* Decisions about whole files: what is linked, what is new, and how entries are shared out. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "matcher/batch/batch.h"
#include "tables.h"

static int arena_setup(void **state)
{
    *state = arena_open();
    return 0;
}

static int arena_teardown(void **state)
{
    arena_close(*state);
    return 0;
}

/* All lines; the records are scored in pieces by several workers, the last piece first. */
static const char *decide(struct arena *arena, enum batch_profile profile, const char *records,
                          const char *ledger, size_t pieces)
{
    enum { PIECES_MAX = 4 };
    struct table record_table = table_of(arena, records), ledger_table = table_of(arena, ledger);
    struct model_set *models;
    struct batch *batch;
    struct batch_worker *workers[PIECES_MAX];
    struct buf lines = buf_new(arena, 1024 * 1024);
    assert_int_equal(model_set_new(arena, &models), OK);
    assert_int_equal(batch_new(arena, models, profile, &record_table, &ledger_table, &batch), OK);
    for (size_t i = pieces; i-- > 0;) {
        workers[i] = batch_worker_open(batch);
        assert_int_equal(batch_score(workers[i], record_table.count * i / pieces,
                                     record_table.count * (i + 1) / pieces),
                         OK);
    }
    batch_settle(batch);
    for (size_t i = 0; i < record_table.count; i++)
        batch_line(batch, i, &lines);
    for (size_t i = 0; i < pieces; i++)
        batch_worker_close(workers[i]);
    return lines.data;
}

static void assert_says(const char *lines, const char *part)
{
    if (!strstr(lines, part))
        fail_msg("%s\nis not in\n%s", part, lines);
}

static void assert_silent(const char *lines, const char *part)
{
    if (strstr(lines, part))
        fail_msg("%s\nis in\n%s", part, lines);
}

static const char bank[] = "id,date,amount,currency,counterparty,reference,description\n"
                           "b1,2026-03-03,-1200.50,EUR,,,VIR SEPA DUPONT ET FILS INV-2026-0042\n"
                           "b2,2026-03-05,-88.10,EUR,,,PRLV LUMIERE SAS\n"
                           "b3,2026-03-09,-17.31,EUR,,,CB BOULANGERIE\n";

static void links_what_is_there_and_creates_what_is_not(void **state)
{
    const char *lines = decide(*state, PROFILE_BANK_TRANSACTION,
                               "id,date,amount,currency,counterparty,reference\n"
                               "r1,2026-03-01,-1200.50,EUR,Dupont & Fils SARL,INV-2026-0042\n"
                               "r2,2026-01-02,-40000.00,EUR,Quincaillerie Zola,Q-99881\n",
                               bank, 1);
    assert_says(lines, "{\"record\":\"r1\",\"action\":\"link\",\"entry\":\"b1\",\"p\":");
    assert_says(lines, "{\"feature\":\"amount\",\"value\":\"amount_exact\",\"log_odds\":");
    assert_says(lines, "{\"record\":\"r2\",\"action\":\"create\",\"entry\":null,\"p\":0.9");
    assert_says(lines, "\"band\":\"flow\"");
}

static void an_entry_is_used_once(void **state)
{
    const char *twins = "id,date,amount,currency,counterparty,reference\n"
                        "later,2026-03-04,-1200.50,EUR,Dupont & Fils SARL,\n"
                        "exact,2026-03-01,-1200.50,EUR,Dupont & Fils SARL,INV-2026-0042\n";
    const char *lines = decide(*state, PROFILE_BANK_TRANSACTION, twins, bank, 1);
    assert_says(lines, "{\"record\":\"exact\",\"action\":\"link\",\"entry\":\"b1\"");
    assert_silent(lines, "{\"record\":\"later\",\"action\":\"link\",\"entry\":\"b1\"");
    lines = decide(*state, PROFILE_INVOICE, twins, bank, 1);
    assert_silent(lines, "{\"record\":\"later\",\"action\":\"link\",\"entry\":\"b1\"");
}

static void a_company_may_be_found_by_many(void **state)
{
    const char *lines = decide(*state, PROFILE_COMPANY,
                               "id,counterparty\n1,Koninklijke Philips NV\n"
                               "2,KONINKLIJKE PHILIPS N.V.\n",
                               "id,counterparty\nphilips,Koninklijke Philips N.V.\n"
                               "dupont,Dupont SARL\n",
                               1);
    assert_says(lines, "{\"record\":\"1\",\"action\":\"link\",\"entry\":\"philips\"");
    assert_says(lines, "{\"record\":\"2\",\"action\":\"link\",\"entry\":\"philips\"");
}

static void two_equal_claims_are_both_unsure(void **state)
{
    const char *lines = decide(*state, PROFILE_BANK_TRANSACTION,
                               "id,date,amount,currency,counterparty\n"
                               "one,2026-03-01,-1200.50,EUR,Dupont & Fils SARL\n"
                               "two,2026-03-01,-1200.50,EUR,Dupont & Fils SARL\n",
                               bank, 1);
    assert_says(lines, "\"value\":\"claimed_by_others\",\"log_odds\":-");
    assert_silent(lines, "\"band\":\"flow\"");
}

static void a_missing_currency_is_no_disagreement(void **state)
{
    const char *lines =
        decide(*state, PROFILE_BANK_TRANSACTION,
               "id,date,amount,reference\nr1,2026-03-01,-1200.50,INV-2026-0042\n", bank, 1);
    assert_says(lines, "{\"record\":\"r1\",\"action\":\"link\",\"entry\":\"b1\"");
    assert_says(lines, "amount_exact");
    assert_silent(lines, "currency_");
}

static void a_missing_currency_takes_the_decimals_of_the_other_side(void **state)
{
    static const char yen[] = "id,date,amount,currency,reference\ne,2026-03-03,1200,JPY,Q-7788\n";
    static const char bare[] = "id,date,amount,reference\nr,2026-03-01,1200.00,Q-7788\n";
    const char *lines = decide(*state, PROFILE_BANK_TRANSACTION, bare, yen, 1);
    assert_says(lines, "\"entry\":\"e\"");
    assert_says(lines, "amount_exact");
    lines = decide(*state, PROFILE_BANK_TRANSACTION, yen, bare, 1);
    assert_says(lines, "\"entry\":\"r\"");
    assert_says(lines, "amount_exact");
}

static void answers_do_not_depend_on_pieces_or_on_order(void **state)
{
    struct arena *arena = *state;
    struct buf records = buf_new(arena, 1024 * 1024), up = buf_new(arena, 1024 * 1024);
    struct buf down = buf_new(arena, 1024 * 1024);
    static const char header[] = "id,date,amount,currency,counterparty\n";
    buf_add_text(&records, header);
    buf_add_text(&up, header);
    buf_add_text(&down, header);
    for (int i = 0; i < 60; i++) {
        int k = 59 - i;
        buf_format(&records, "r%d,2026-03-%02d,%d.00,EUR,Acme %d\n", i, 1 + i % 9, 9 + i % 4,
                   i % 5);
        buf_format(&up, "e%d,2026-03-%02d,%d.00,EUR,Acme %d\n", i, 2 + i % 9, 9 + i % 3, i % 5);
        buf_format(&down, "e%d,2026-03-%02d,%d.00,EUR,Acme %d\n", k, 2 + k % 9, 9 + k % 3, k % 5);
    }
    const char *whole = decide(arena, PROFILE_INVOICE, records.data, up.data, 1);
    assert_string_equal(decide(arena, PROFILE_INVOICE, records.data, up.data, 3), whole);
    assert_string_equal(decide(arena, PROFILE_INVOICE, records.data, down.data, 1), whole);
}

static void ids_are_quoted_as_json(void **state)
{
    const char *lines =
        decide(*state, PROFILE_COMPANY, "id,counterparty\n\"a\"\"\\\n\x01é\",Dupont\n",
               "id,counterparty\n\"d\"\"1\",Dupont\n", 1);
    assert_says(lines, "{\"record\":\"a\\\"\\\\\\n\\u0001é\",");
    assert_says(lines, "{\"entry\":\"d\\\"1\",");
}

static void an_empty_ledger_has_no_entry(void **state)
{
    const char *lines = decide(*state, PROFILE_INVOICE, "id,amount,currency\nr,5,EUR\n", "id\n", 1);
    assert_says(lines, "{\"record\":\"r\",\"action\":\"create\",\"entry\":null,\"p\":0.");
    assert_says(lines, "\"candidates\":[]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links_what_is_there_and_creates_what_is_not, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(an_entry_is_used_once, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(a_company_may_be_found_by_many, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(two_equal_claims_are_both_unsure, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(a_missing_currency_is_no_disagreement, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(a_missing_currency_takes_the_decimals_of_the_other_side,
                                        arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(answers_do_not_depend_on_pieces_or_on_order, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(ids_are_quoted_as_json, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(an_empty_ledger_has_no_entry, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
