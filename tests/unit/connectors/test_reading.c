/* What invoices say, against a reader of another make and against golden texts; and what is
 * refused. With GOLDEN_WRITE set the golden files are written anew, to be read before they are
 * committed. */
#include <dirent.h>

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/document/reading/reading.h"
#include "pdf_make.h"

enum { FILE_BYTES_MAX = 1024 * 1024, EXPECTED_ROWS = 45, COLUMNS = 7, BROKEN_FILES = 1 };

static struct bytes file_bytes(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    uint8_t *data = arena_alloc(arena, FILE_BYTES_MAX);
    size_t n = fread(data, 1, FILE_BYTES_MAX - 1, file);
    fclose(file);
    assert_true(n < FILE_BYTES_MAX - 1);
    return (struct bytes){data, n};
}

static struct reading read_bytes(struct arena *arena, struct bytes document)
{
    struct reading_limits limits = reading_limits_default();
    struct reading reading;
    reading_extract(arena, document, &limits, &reading);
    return reading;
}

static struct reading read_text(struct arena *arena, const char *text)
{
    return read_bytes(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
}

static struct reading read_file(struct arena *arena, const char *name)
{
    return read_bytes(arena,
                      file_bytes(arena, arena_format(arena, TEST_DATA "/invoices/%s", name)));
}

static void assert_reason(const struct reading *reading, enum reading_reason reason)
{
    assert_string_equal(reading_reason_slug(reading->reason), reading_reason_slug(reason));
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

#define CBC " xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\""
#define CAC                                                                                        \
    " xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\""
#define UBL "urn:oasis:names:specification:ubl:schema:xsd:"

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

/* ---- what is wrong in the data ---- */

static void test_a_field_that_is_none_is_a_doubt(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading =
        read_text(arena, "<Invoice xmlns=\"" UBL "Invoice-2\"" CBC CAC "><cbc:ID>7</cbc:ID>"
                         "<cbc:IssueDate>soon</cbc:IssueDate>"
                         "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
                         "<cac:LegalMonetaryTotal>"
                         "<cbc:TaxInclusiveAmount currencyID=\"USD\">12.00</cbc:TaxInclusiveAmount>"
                         "<cbc:PayableAmount currencyID=\"EUR\">1.234,50</cbc:PayableAmount>"
                         "<cbc:PrepaidAmount currencyID=\"EUR\">3.5</cbc:PrepaidAmount>"
                         "</cac:LegalMonetaryTotal></Invoice>");
    assert_reason(&reading, READING_DONE);
    assert_int_equal(reading.invoice.issued.days, DATE_NONE);
    assert_string_equal(amount(arena, reading.invoice.grand_total), "");
    assert_string_equal(amount(arena, reading.invoice.prepaid), "3.50");
    assert_int_equal(reading.invoice.doubt_count, 3);
    assert_string_equal(reading.invoice.doubts[0], "issued");
    assert_string_equal(reading.invoice.doubts[1], "grand_total");
    assert_string_equal(reading.invoice.doubts[2], "due_payable");
    assert_string_equal(reading.invoice.kind, "other");
    arena_close(arena);
}

static void test_ids_are_never_cut(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    char long_id[READING_ID_BYTES_MAX + 2];
    memset(long_id, '9', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct reading reading = read_text(
        arena, arena_format(arena,
                            "<Invoice xmlns=\"" UBL "Invoice-2\"" CBC "><cbc:ID>%s</cbc:ID>"
                            "<cbc:TaxCurrencyCode>E</cbc:TaxCurrencyCode></Invoice>",
                            long_id));
    assert_reason(&reading, READING_DONE);
    assert_null(reading.invoice.number);
    assert_string_equal(reading.invoice.doubts[0], "number");
    assert_string_equal(reading.invoice.doubts[1], "tax_currency");
    arena_close(arena);
}

static void test_doubts_say_whose_field_it_is(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    char long_id[READING_ID_BYTES_MAX + 2];
    memset(long_id, '9', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct reading reading = read_text(
        arena, arena_format(arena,
                            "<Invoice xmlns=\"" UBL "Invoice-2\"><AccountingCustomerParty><Party>"
                            "<EndpointID>%s</EndpointID></Party></AccountingCustomerParty>"
                            "<DocumentCurrencyCode>EUR</DocumentCurrencyCode></Invoice>",
                            long_id));
    assert_reason(&reading, READING_DONE);
    assert_null(reading.invoice.buyer.endpoint);
    assert_int_equal(reading.invoice.doubt_count, 1);
    assert_string_equal(reading.invoice.doubts[0], "buyer.endpoint");
    arena_close(arena);
}

/* ---- the child's answer is not believed either ---- */

static void test_answers_that_are_none(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "[]",
        "{\"reason\":\"read\"}",
        "{\"reason\":\"read\",\"media_type\":\"a\"}",
        "{\"reason\":\"fine\",\"media_type\":\"a\"}",
        "{\"reason\":\"no_data\",\"media_type\":7}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"number\":7}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"issued\":\"soon\"}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"line_count\":-1}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"seller\":[]}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"doubts\":[null]}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"tax\":"
        "{\"amount\":\"1\",\"currency\":\"EURO\"}}}",
        "{\"reason\":\"read\",\"media_type\":\"a\",\"invoice\":{\"accounts\":"
        "[{},{},{},{},{},{},{},{},{}]}}",
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(answers); i++) {
        json_t *value = NULL;
        struct reading reading;
        struct bytes text = {(const uint8_t *)answers[i], strlen(answers[i])};
        assert_int_equal(json_parse(arena, text, &value), OK);
        assert_false(reading_parse(arena, value, &reading));
    }
    arena_close(arena);
}

struct refused {
    const char *text;
    enum reading_reason reason;
};

static void test_xml_that_is_refused(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", READING_XML_DOCTYPE},
        {"<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/a.dtd\"><a/>", READING_XML_DOCTYPE},
        {"<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>", READING_XML_DOCTYPE},
        {"<a>&b;</a>", READING_XML_MALFORMED},
        {"<a><b></a>", READING_XML_MALFORMED},
        {"<a/><b/>", READING_XML_MALFORMED},
        {"<", READING_XML_MALFORMED},
        {"<?xml version=\"1.0\" encoding=\"UTF-8-W/O-BOM\"?><a/>", READING_XML_MALFORMED},
        {"<?xml version=\"1.0\" encoding=\"KLINGON-1\"?><a/>", READING_XML_ENCODING},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xff</a>", READING_XML_MALFORMED},
        {"<html/>", READING_XML_UNKNOWN},
        {"<Invoice/>", READING_XML_UNKNOWN},
        {"<CrossIndustryInvoice xmlns=\"urn:mine\"/>", READING_XML_UNKNOWN},
        {"no document at all", READING_UNKNOWN_TYPE},
        {"", READING_UNKNOWN_TYPE},
        {"%PDF-1.7 and nothing else", READING_DAMAGED},
        {"<!-- %PDF-1.7 --><a/>", READING_XML_UNKNOWN},
        {"garbage before %PDF-1.7 and nothing else", READING_DAMAGED},
        {"\xff\xd8\xff\xe0 a picture", READING_NO_DATA},
        {"\x89PNG\r\n\x1a\n", READING_NO_DATA},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading = read_text(arena, cases[i].text);
        assert_reason(&reading, cases[i].reason);
    }
    arena_close(arena);
}

static void test_other_encodings_and_marks(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_text(arena, " \r\n<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
                                              "<Invoice xmlns=\"" UBL "Invoice-2\"" CBC
                                              "><cbc:ID>N\xb0 7</cbc:ID></Invoice>");
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.number, "N° 7");
    const char narrow[] = "<Invoice xmlns=\"" UBL "Invoice-2\"" CBC "><cbc:ID>8</cbc:ID></Invoice>";
    uint8_t wide[2 + 2 * (sizeof narrow - 1)] = {0xff, 0xfe};
    for (size_t i = 0; i < sizeof narrow - 1; i++)
        wide[2 + 2 * i] = (uint8_t)narrow[i];
    reading = read_bytes(arena, (struct bytes){wide, sizeof wide});
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.number, "8");
    arena_close(arena);
}

/* ---- limits on what is read ---- */

static struct bytes nested(struct arena *arena, int depth)
{
    struct buf text = buf_new(arena, FILE_BYTES_MAX);
    for (int i = 0; i < depth; i++)
        buf_add_text(&text, "<a>");
    for (int i = 0; i < depth; i++)
        buf_add_text(&text, "</a>");
    return buf_bytes(&text);
}

static void assert_limited(struct bytes document, const struct reading_limits *limits,
                           enum reading_reason reason)
{
    struct arena *arena = arena_open();
    struct reading reading;
    reading_extract(arena, document, limits, &reading);
    assert_reason(&reading, reason);
    arena_close(arena);
}

static void test_limits_of_xml(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_limits limits = reading_limits_default();
    limits.xml_depth = 8;
    assert_limited(nested(arena, 8), &limits, READING_XML_UNKNOWN);
    assert_limited(nested(arena, 9), &limits, READING_XML_TOO_DEEP);
    limits.xml_elements = 7;
    assert_limited(nested(arena, 7), &limits, READING_XML_UNKNOWN);
    assert_limited(nested(arena, 8), &limits, READING_XML_TOO_LARGE);
    struct bytes attributes = {(const uint8_t *)"<a b='1' c='2' d='3' e='4' f='5' g='6' h='7'/>",
                               46};
    assert_limited(attributes, &limits, READING_XML_TOO_LARGE);
    limits = reading_limits_default();
    limits.xml_bytes = 69;
    assert_limited(nested(arena, 10), &limits, READING_XML_TOO_LARGE);
    limits.xml_bytes = 70;
    assert_limited(nested(arena, 10), &limits, READING_XML_UNKNOWN);
    limits.bytes = 69;
    assert_limited(nested(arena, 10), &limits, READING_TOO_LARGE);
    arena_close(arena);
}

/* ---- PDFs made by hand ---- */

static struct bytes small_invoice(void)
{
    static const char text[] =
        "<Invoice xmlns=\"" UBL "Invoice-2\"" CBC "><cbc:ID>9</cbc:ID></Invoice>";
    return (struct bytes){(const uint8_t *)text, sizeof text - 1};
}

static void test_pdfs_with_and_without_data(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_bytes(arena, pdf_make_simple(arena, NULL, "", (struct bytes){0}));
    assert_reason(&reading, READING_NO_DATA);
    reading = read_bytes(arena, pdf_make_simple(arena, "notes.txt", "", small_invoice()));
    assert_reason(&reading, READING_NO_DATA);
    struct bytes page = {(const uint8_t *)"<html/>", 7};
    reading = read_bytes(arena, pdf_make_simple(arena, "page.xml", "", page));
    assert_reason(&reading, READING_NO_DATA);
    reading = read_bytes(arena, pdf_make_simple(arena, "factur-x.xml", "", page));
    assert_reason(&reading, READING_XML_UNKNOWN);
    reading = read_bytes(arena, pdf_make_simple(arena, "C:\\\\a\\\\bill.XML", "", small_invoice()));
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.attachment_name, "bill.XML");
    struct bytes broken = {(const uint8_t *)"no zlib", 7};
    reading =
        read_bytes(arena, pdf_make_simple(arena, "factur-x.xml", "/Filter /FlateDecode", broken));
    assert_string_equal(reading_outcome(reading.reason), "unreadable");
    reading =
        read_bytes(arena, pdf_make_simple(arena, "factur-x.xml", "/Filter /DCTDecode", broken));
    assert_reason(&reading, READING_DAMAGED);
    arena_close(arena);
}

/* The file of a standard's name is read first, wherever it stands; the first that is an invoice
 * counts. */
static void test_the_right_one_of_several_files(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct pdf_make *pdf = pdf_make_new(arena);
    struct bytes other = {(const uint8_t *)"<Invoice xmlns=\"" UBL "Invoice-2\"" CBC
                                           "><cbc:ID>other</cbc:ID></Invoice>",
                          0};
    other.n = strlen((const char *)other.at);
    pdf_make_object(pdf, "<< /Type /Catalog /Pages 2 0 R /AF [3 0 R 5 0 R] /Names << "
                         "/EmbeddedFiles << /Kids [<< /Names [(a) 3 0 R] >>] >> >> >>");
    pdf_make_object(pdf, "<< /Type /Pages /Count 0 /Kids [] >>");
    pdf_make_file(pdf, "order.xml", 4);
    pdf_make_stream(pdf, "", other);
    pdf_make_file(pdf, "ZUGFeRD-invoice.xml", 6);
    pdf_make_stream(pdf, "", small_invoice());
    struct reading reading = read_bytes(arena, pdf_make_end(pdf, 0));
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.attachment_name, "ZUGFeRD-invoice.xml");
    assert_string_equal(reading.invoice.number, "9");
    arena_close(arena);
}

static void test_limits_of_a_pdf(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_limits limits = reading_limits_default();
    struct bytes simple = pdf_make_simple(arena, "factur-x.xml", "", small_invoice());
    limits.objects = 6;
    assert_limited(simple, &limits, READING_DONE);
    limits.objects = 5;
    assert_limited(simple, &limits, READING_TOO_MANY_OBJECTS);
    limits = reading_limits_default();
    limits.nodes = 1;
    assert_limited(simple, &limits, READING_TOO_MANY_OBJECTS);
    limits = reading_limits_default();
    limits.xml_bytes = 20;
    assert_limited(simple, &limits, READING_XML_TOO_LARGE);
    struct pdf_make *pdf = pdf_make_new(arena);
    pdf_make_object(pdf, "<< /Type /Catalog /AF [2 0 R 4 0 R] >>");
    for (int i = 0; i < 2; i++) {
        pdf_make_file(pdf, "a.xml", 3 + 2 * i);
        pdf_make_stream(pdf, "", small_invoice());
    }
    struct bytes two = pdf_make_end(pdf, 0);
    limits = reading_limits_default();
    limits.attachments = 2;
    assert_limited(two, &limits, READING_DONE);
    limits.attachments = 1;
    assert_limited(two, &limits, READING_TOO_MANY_OBJECTS);
    arena_close(arena);
}

static void test_trees_that_lead_nowhere_end(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading_limits limits = reading_limits_default();
    struct pdf_make *pdf = pdf_make_new(arena);
    pdf_make_object(pdf, "<< /Type /Catalog /Names << /EmbeddedFiles 2 0 R >> >>");
    pdf_make_object(pdf, "<< /Kids [2 0 R 2 0 R] >>");
    assert_limited(pdf_make_end(pdf, 0), &limits, READING_TOO_MANY_OBJECTS);
    pdf = pdf_make_new(arena);
    pdf_make_object(pdf, "<< /Type /Catalog /Names 7 /AF << >> >>");
    assert_limited(pdf_make_end(pdf, 0), &limits, READING_NO_DATA);
    pdf = pdf_make_new(arena);
    pdf_make_object(pdf, "(no catalog)");
    assert_limited(pdf_make_end(pdf, 0), &limits, READING_DAMAGED);
    arena_close(arena);
}

static void test_a_pdf_under_a_password(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct reading reading = read_bytes(arena, file_bytes(arena, TEST_DATA "/pdf/password.pdf"));
    assert_reason(&reading, READING_ENCRYPTED);
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
        cmocka_unit_test(test_a_field_that_is_none_is_a_doubt),
        cmocka_unit_test(test_ids_are_never_cut),
        cmocka_unit_test(test_doubts_say_whose_field_it_is),
        cmocka_unit_test(test_answers_that_are_none),
        cmocka_unit_test(test_xml_that_is_refused),
        cmocka_unit_test(test_other_encodings_and_marks),
        cmocka_unit_test(test_limits_of_xml),
        cmocka_unit_test(test_pdfs_with_and_without_data),
        cmocka_unit_test(test_the_right_one_of_several_files),
        cmocka_unit_test(test_limits_of_a_pdf),
        cmocka_unit_test(test_trees_that_lead_nowhere_end),
        cmocka_unit_test(test_a_pdf_under_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
