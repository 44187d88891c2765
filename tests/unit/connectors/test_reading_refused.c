/* What is wrong in a document is said, not guessed around; what is too much is refused. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "pdf_make.h"
#include "reading_support.h"

static const char *amount(struct arena *arena, struct money money)
{
    return money.currency[0] ? money_decimal(arena, money) : "";
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

static void test_amounts_as_xml_writes_them(void **state)
{
    (void)state;
    static const struct {
        const char *written, *read; /* "": a doubt */
    } cases[] = {
        {"+12.5", "12.50"},
        {" 7. ", "7.00"},
        {".5", "0.50"},
        {"-.50", "-0.50"},
        {"12.5000", "12.50"},
        {"12.505", ""},
        {"1e3", ""},
        {"-", ""},
        {".", ""},
        {"+-1", ""},
        {"1.2.3", ""},
        {"99999999999999999999", ""},
        {"NaN", ""},
        {"0x10", ""},
        {"1 000.00", ""},
        {"-0.00", "0.00"},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading = read_text(
            arena, arena_format(arena,
                                "<Invoice xmlns=\"" UBL "Invoice-2\"><DocumentCurrencyCode>EUR"
                                "</DocumentCurrencyCode><LegalMonetaryTotal><PayableAmount>%s"
                                "</PayableAmount></LegalMonetaryTotal></Invoice>",
                                cases[i].written));
        assert_reason(&reading, READING_DONE);
        assert_string_equal(amount(arena, reading.invoice.due_payable), cases[i].read);
        assert_int_equal(reading.invoice.doubt_count, cases[i].read[0] == '\0');
    }
    arena_close(arena);
}

static void repeat(struct buf *into, int times, const char *text)
{
    for (int i = 0; i < times; i++)
        buf_add_text(into, text);
}

static void test_lists_end_where_they_must(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf text = buf_new(arena, FILE_BYTES_MAX);
    buf_add_text(&text, "<Invoice xmlns=\"" UBL "Invoice-2\"><AccountingSupplierParty><Party>"
                        "<PartyName><Name>");
    repeat(&text, READING_NAME_BYTES_MAX, "Ab");
    buf_add_text(&text, "</Name></PartyName></Party></AccountingSupplierParty>");
    repeat(
        &text, READING_ACCOUNTS_MAX + 1,
        "<PaymentMeans><PayeeFinancialAccount><ID>1</ID></PayeeFinancialAccount></PaymentMeans>");
    repeat(&text, READING_REFERENCES_MAX + 1,
           "<BillingReference><InvoiceDocumentReference><ID>1</ID></InvoiceDocumentReference>"
           "</BillingReference>");
    buf_add_text(&text, "<TaxTotal>");
    repeat(&text, READING_TAXES_MAX + 1,
           "<TaxSubtotal><TaxableAmount>x</TaxableAmount>"
           "</TaxSubtotal>");
    buf_add_text(&text, "</TaxTotal></Invoice>");
    struct reading reading = read_bytes(arena, buf_bytes(&text));
    const struct reading_invoice *invoice = &reading.invoice;
    assert_reason(&reading, READING_DONE);
    assert_int_equal(strlen(invoice->seller.name), READING_NAME_BYTES_MAX + strlen("…"));
    assert_int_equal(invoice->account_count, READING_ACCOUNTS_MAX);
    assert_int_equal(invoice->reference_count, READING_REFERENCES_MAX);
    assert_int_equal(invoice->tax_count, READING_TAXES_MAX);
    assert_int_equal(invoice->doubt_count, 2); /* currency and taxes.base: each is named once */
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
        cmocka_unit_test(test_a_field_that_is_none_is_a_doubt),
        cmocka_unit_test(test_amounts_as_xml_writes_them),
        cmocka_unit_test(test_lists_end_where_they_must),
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
