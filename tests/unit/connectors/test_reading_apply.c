/* A document beside the record that a provider made of it: what it adds, and where they disagree.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/document/reading/apply.h"
#include "reading_support.h"

static struct reading_invoice invoice_of(struct arena *arena, const char *name)
{
    struct reading reading =
        read_bytes(arena, file_bytes(arena, arena_format(arena, TEST_DATA "/invoices/%s", name)));
    assert_reason(&reading, READING_DONE);
    return reading.invoice;
}

static struct source_record bare_record(enum record_kind kind)
{
    return (struct source_record){.source_id = "si_1",
                                  .kind = kind,
                                  .raw = "{}",
                                  .date = {DATE_NONE},
                                  .due_date = {DATE_NONE}};
}

static struct date date_of_text(const char *text)
{
    struct date date;
    assert_true(date_parse(text, &date));
    return date;
}

static bool has_filled(const struct reading_evidence *evidence, const char *field)
{
    bool found = false;
    for (size_t i = 0; i < evidence->filled_count; i++)
        found = found || text_equal(evidence->filled[i], field);
    return found;
}

static void test_a_bare_record_gets_what_the_document_says(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_string_equal(record.reference, "FA-2017-0010");
    assert_string_equal(money_decimal(arena, record.amount), "671.15");
    assert_string_equal(record.tax_minor, "4625");
    assert_string_equal(date_format(arena, record.date), "2017-11-13");
    assert_string_equal(date_format(arena, record.due_date), "2017-12-13");
    assert_string_equal(record.counterparty.name, "Au bon moulin");
    assert_string_equal(record.counterparty.siren, "999999998");
    assert_string_equal(record.counterparty.iban, "FR2012421242124212421242124");
    assert_string_equal(record.counterparty.address, "1242 chemin de l'olive, Malaucène");
    assert_true(record.counterparty.company);
    assert_int_equal(evidence.conflict_count, 0);
    assert_true(has_filled(&evidence, "amount") && has_filled(&evidence, "counterparty.iban"));
    assert_string_equal(record.raw, "{}");
    arena_close(arena);
}

static void test_our_own_invoice_names_the_buyer_and_not_our_account(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_CLIENT_INVOICE);
    struct reading_evidence evidence;
    reading_apply(arena, &invoice, READING_TO_COUNTERPARTY, &record, &evidence);
    assert_string_equal(record.counterparty.name, "Ma jolie boutique");
    assert_null(record.counterparty.iban);
    arena_close(arena);
}

static void test_a_record_that_agrees_is_left_as_it_is(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    record.reference = "fa 2017/0010";
    record.date = date_of_text("2017-11-13");
    record.amount = (struct money){47015, "EUR"}; /* the amount due */
    record.tax_minor = "4625";
    record.counterparty.name = "AU BON MOULIN SARL";
    record.counterparty.vat_id = "FR 11 999999998";
    record.counterparty.iban = "FR20 1242 1242 1242 1242 1242 124";
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_int_equal(evidence.conflict_count, 0);
    assert_false(evidence.bank_details_differ);
    assert_string_equal(record.reference, "fa 2017/0010");
    assert_int_equal(record.amount.minor, 47015);
    assert_string_equal(record.counterparty.name, "AU BON MOULIN SARL");
    arena_close(arena);
}

static void test_contradictions_are_evidence_and_change_nothing(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "reference", "date", "amount", "tax", "counterparty.vat_id", "counterparty.iban"};
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    record.reference = "FA-2017-0011";
    record.date = date_of_text("2017-11-12");
    record.amount = (struct money){67116, "EUR"};
    record.tax_minor = "4600";
    record.counterparty.vat_id = "FR19787878784";
    record.counterparty.iban = "FR7630006000011234567890189";
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_int_equal(evidence.conflict_count, COUNT(fields));
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_string_equal(evidence.conflicts[i].field, fields[i]);
    assert_string_equal(evidence.conflicts[2].record, "671.16 EUR");
    assert_string_equal(evidence.conflicts[2].document, "671.15 EUR");
    assert_true(evidence.bank_details_differ);
    assert_int_equal(record.amount.minor, 67116);
    assert_string_equal(record.counterparty.iban, "FR7630006000011234567890189");
    json_t *value = reading_evidence_json(arena, &evidence);
    assert_int_equal(json_array_size(json_list(value, "conflicts")), COUNT(fields));
    arena_close(arena);
}

static void test_another_currency_is_another_amount(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    record.amount = (struct money){67115, "USD"};
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_int_equal(evidence.conflict_count, 1);
    assert_string_equal(evidence.conflicts[0].field, "amount");
    assert_null(record.tax_minor); /* it would be cents of another currency */
    arena_close(arena);
}

static void test_a_credit_note_is_no_invoice(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice credit = invoice_of(arena, "Avoir_FR_type380_BASIC.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    reading_apply(arena, &credit, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_int_equal(evidence.conflict_count, 1);
    assert_string_equal(evidence.conflicts[0].field, "kind");
    assert_string_equal(evidence.conflicts[0].document, "credit_note");
    assert_string_equal(money_decimal(arena, record.amount), "233.47");
    record = bare_record(KIND_CREDIT_NOTE);
    reading_apply(arena, &credit, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_int_equal(evidence.conflict_count, 0);
    arena_close(arena);
}

static void test_of_several_accounts_none_is_chosen(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_invoice invoice = invoice_of(arena, "Facture_FR_EN16931.pdf");
    struct source_record record = bare_record(KIND_SUPPLIER_INVOICE);
    struct reading_evidence evidence;
    invoice.accounts[1] = (struct reading_account){.iban = "FR7630006000011234567890189"};
    invoice.account_count = 2;
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_null(record.counterparty.iban);
    record.counterparty.iban = "FR7630006000011234567890189";
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_false(evidence.bank_details_differ);
    invoice.accounts[0].iban = "1234567890"; /* a number of another kind */
    invoice.account_count = 1;
    record = bare_record(KIND_SUPPLIER_INVOICE);
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_null(record.counterparty.iban);
    record.counterparty.iban = "FR7630006000011234567890189";
    reading_apply(arena, &invoice, READING_FROM_COUNTERPARTY, &record, &evidence);
    assert_false(evidence.bank_details_differ);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bare_record_gets_what_the_document_says),
        cmocka_unit_test(test_our_own_invoice_names_the_buyer_and_not_our_account),
        cmocka_unit_test(test_a_record_that_agrees_is_left_as_it_is),
        cmocka_unit_test(test_contradictions_are_evidence_and_change_nothing),
        cmocka_unit_test(test_another_currency_is_another_amount),
        cmocka_unit_test(test_a_credit_note_is_no_invoice),
        cmocka_unit_test(test_of_several_accounts_none_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
