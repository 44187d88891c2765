/* What invoices say, against a reader of another make and against golden texts. With GOLDEN_WRITE
 * set the golden files are written anew, to be read before they are committed. */
#include <dirent.h>

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "reading_support.h"

enum { EXPECTED_ROWS = 45, COLUMNS = 7, BROKEN_FILES = 1 };

static struct reading read_file(struct arena *arena, const char *name)
{
    return read_bytes(arena,
                      file_bytes(arena, arena_format(arena, TEST_DATA "/invoices/%s", name)));
}

/* ---- the files of tests/data/invoices ---- */

static const char *amount(struct arena *arena, struct money money)
{
    return money.currency[0] ? money_decimal(arena, money) : "";
}

static size_t split(char *line, char *cells[COLUMNS])
{
    size_t count = 0;
    for (char *rest = line; rest && count < COLUMNS;)
        cells[count++] = strsep(&rest, ",");
    return count;
}

static void assert_row(struct arena *arena, char *cells[COLUMNS])
{
    struct reading reading = read_file(arena, cells[0]);
    const struct reading_invoice *invoice = &reading.invoice;
    assert_reason(&reading, READING_DONE);
    assert_string_equal(invoice->guideline, cells[1]);
    assert_string_equal(invoice->type_code, cells[2]);
    assert_string_equal(amount(arena, invoice->grand_total), cells[3]);
    assert_string_equal(amount(arena, invoice->tax), cells[4]);
    assert_string_equal(amount(arena, invoice->due_payable), cells[5]);
    assert_string_equal(arena_format(arena, "%" PRId64, invoice->line_count), cells[6]);
}

static void test_values_that_another_reader_found(void **state)
{
    (void)state;
    struct arena *files = arena_open();
    struct bytes csv = file_bytes(files, TEST_DATA "/invoices/expected.csv");
    char *rest = arena_text_n(files, (const char *)csv.at, csv.n);
    int rows = 0;
    strsep(&rest, "\n"); /* the header */
    for (char *line; (line = strsep(&rest, "\n")) && *line; rows++) {
        struct arena *arena = arena_open();
        char *cells[COLUMNS];
        line[strcspn(line, "\r")] = '\0';
        assert_int_equal(split(line, cells), COLUMNS);
        assert_row(arena, cells);
        arena_close(arena);
    }
    assert_int_equal(rows, EXPECTED_ROWS);
    arena_close(files);
}

static char *golden_text(struct arena *arena, const struct reading *reading)
{
    char *text = json_dumps(reading_json(arena, reading), JSON_INDENT(2));
    char *kept = arena_format(arena, "%s\n", text);
    free(text);
    return kept;
}

/* The golden text also comes back as the same struct: the child's answer is read so. */
static void assert_golden(struct arena *arena, const char *name)
{
    struct reading reading = read_file(arena, name), again;
    const char *text = golden_text(arena, &reading);
    const char *path = arena_format(arena, SOURCE_ROOT "/tests/golden/document/%.*s.json",
                                    (int)strlen(name) - 4, name);
    if (getenv("GOLDEN_WRITE")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    struct bytes golden = file_bytes(arena, path);
    assert_string_equal(text, arena_text_n(arena, (const char *)golden.at, golden.n));
    json_t *value = NULL;
    assert_int_equal(json_parse(arena, golden, &value), OK);
    assert_true(reading_parse(arena, value, &again));
    assert_string_equal(golden_text(arena, &again), text);
}

static void test_every_file_reads_as_it_did(void **state)
{
    (void)state;
    int files = 0;
    DIR *folder = opendir(TEST_DATA "/invoices");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!text_ends(entry->d_name, ".pdf"))
            continue;
        struct arena *arena = arena_open();
        assert_golden(arena, entry->d_name);
        arena_close(arena);
        files++;
    }
    closedir(folder);
    assert_int_equal(files, EXPECTED_ROWS + BROKEN_FILES);
}

static void test_the_broken_file_says_what_is_wrong(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_file(arena, "factur-x-invalid-xml-encoding-attribute.pdf");
    assert_reason(&reading, READING_XML_MALFORMED);
    assert_string_equal(reading_outcome(reading.reason), "unreadable");
    assert_string_equal(reading.media_type, "application/pdf");
    arena_close(arena);
}

/* Checked by eye against the XML of the file. */
static void test_a_french_invoice_field_by_field(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_file(arena, "Facture_FR_EN16931.pdf");
    const struct reading_invoice *invoice = &reading.invoice;
    assert_string_equal(invoice->kind, "invoice");
    assert_string_equal(invoice->profile, "en16931");
    assert_string_equal(invoice->attachment_name, "factur-x.xml");
    assert_string_equal(invoice->number, "FA-2017-0010");
    assert_string_equal(date_format(arena, invoice->issued), "2017-11-13");
    assert_string_equal(date_format(arena, invoice->due), "2017-12-13");
    assert_string_equal(invoice->currency, "EUR");
    assert_string_equal(invoice->order_reference, "PO445");
    assert_string_equal(invoice->contract_reference, "MSPE2017");
    assert_string_equal(invoice->payment_reference, "FA-2017-0010");
    assert_string_equal(amount(arena, invoice->tax_exclusive), "624.90");
    assert_string_equal(amount(arena, invoice->prepaid), "201.00");
    assert_string_equal(invoice->seller.name, "Au bon moulin");
    assert_string_equal(invoice->seller.vat_id, "FR11999999998");
    assert_string_equal(invoice->seller.siret, "99999999800010");
    assert_string_equal(invoice->seller.siren, "999999998");
    assert_string_equal(invoice->seller.city, "Malaucène");
    assert_string_equal(invoice->buyer.name, "Ma jolie boutique");
    assert_string_equal(invoice->buyer.vat_id, "FR19787878784");
    assert_string_equal(invoice->buyer.siren, "787878784");
    assert_string_equal(invoice->buyer.email, "alexandre.payet@majolieboutique.net");
    assert_int_equal(invoice->account_count, 1);
    assert_string_equal(invoice->accounts[0].iban, "FR2012421242124212421242124");
    assert_string_equal(invoice->accounts[0].bic, "FIDCFR21XXX");
    assert_int_equal(invoice->tax_count, 2);
    assert_string_equal(invoice->taxes[1].rate, "5.50");
    assert_string_equal(amount(arena, invoice->taxes[1].base), "543.00");
    assert_string_equal(amount(arena, invoice->taxes[1].tax), "29.87");
    assert_false(invoice->takes_back);
    assert_int_equal(invoice->doubt_count, 0);
    arena_close(arena);
}

static void test_grand_total_and_amount_due_are_both_kept(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_file(arena, "ZUGFeRD_1p0_COMFORT_Rabatte.pdf");
    assert_string_equal(reading.invoice.syntax, "zugferd_1");
    assert_string_equal(amount(arena, reading.invoice.grand_total), "215.14");
    assert_string_equal(amount(arena, reading.invoice.due_payable), "165.14");
    assert_string_equal(reading.invoice.seller.tax_number, "201/113/40209");
    arena_close(arena);
}

static void test_credit_notes_and_corrections_take_back(void **state)
{
    (void)state;
    static const struct {
        const char *file, *kind;
    } cases[] = {
        {"Avoir_FR_type380_BASIC.pdf", "invoice"}, /* below zero */
        {"Avoir_FR_type381_BASIC.pdf", "credit_note"},
        {"zugferd_2p0_BASIC_Rechnungskorrektur.pdf", "correction"},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading = read_file(arena, cases[i].file);
        assert_string_equal(reading.invoice.kind, cases[i].kind);
        assert_true(reading.invoice.takes_back);
    }
    arena_close(arena);
}

static void test_tax_in_the_accounting_currency_stands_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_file(arena, "zugferd_2p0_EXTENDED_Fremdwaehrung.pdf");
    assert_string_equal(reading.invoice.currency, "GBP");
    assert_string_equal(amount(arena, reading.invoice.tax), "163.16");
    assert_string_equal(reading.invoice.tax_accounting.currency, "EUR");
    assert_string_equal(amount(arena, reading.invoice.tax_accounting), "183.14");
    arena_close(arena);
}

/* ---- UBL ---- */

static void test_a_ubl_invoice(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_bytes(arena, file_bytes(arena, TEST_DATA "/ubl/invoice.xml"));
    const struct reading_invoice *invoice = &reading.invoice;
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.media_type, "application/xml");
    assert_string_equal(invoice->syntax, "ubl");
    assert_null(invoice->attachment_name);
    assert_string_equal(invoice->number, "F-2026-118");
    assert_string_equal(date_format(arena, invoice->due), "2026-12-15");
    assert_string_equal(invoice->seller.name, "Atelier Vauban SAS");
    assert_string_equal(invoice->seller.trading_name, "Vauban");
    assert_string_equal(invoice->seller.siren, "732829320");
    assert_string_equal(invoice->seller.siret, "73282932000074");
    assert_string_equal(invoice->seller.id, "3012345678900");
    assert_string_equal(invoice->seller.id_scheme, "0088");
    assert_string_equal(invoice->seller.vat_id, "FR44732829320");
    assert_string_equal(invoice->accounts[0].iban, "FR7630006000011234567890189");
    assert_string_equal(amount(arena, invoice->tax), "200.00");
    assert_string_equal(amount(arena, invoice->grand_total), "1200.00");
    assert_string_equal(amount(arena, invoice->due_payable), "900.00");
    assert_int_equal(invoice->tax_count, 1);
    assert_int_equal(invoice->line_count, 2);
    assert_int_equal(invoice->doubt_count, 0);
    arena_close(arena);
}

static void test_a_ubl_credit_note_names_what_it_takes_back(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_bytes(arena, file_bytes(arena, TEST_DATA "/ubl/credit-note.xml"));
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.kind, "credit_note");
    assert_true(reading.invoice.takes_back);
    assert_int_equal(reading.invoice.reference_count, 1);
    assert_string_equal(reading.invoice.references[0].number, "F-2026-118");
    assert_string_equal(date_format(arena, reading.invoice.references[0].issued), "2026-11-15");
    assert_string_equal(date_format(arena, reading.invoice.due), "2026-12-20");
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_that_another_reader_found),
        cmocka_unit_test(test_every_file_reads_as_it_did),
        cmocka_unit_test(test_the_broken_file_says_what_is_wrong),
        cmocka_unit_test(test_a_french_invoice_field_by_field),
        cmocka_unit_test(test_grand_total_and_amount_due_are_both_kept),
        cmocka_unit_test(test_credit_notes_and_corrections_take_back),
        cmocka_unit_test(test_tax_in_the_accounting_currency_stands_apart),
        cmocka_unit_test(test_a_ubl_invoice),
        cmocka_unit_test(test_a_ubl_credit_note_names_what_it_takes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
