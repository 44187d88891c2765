/* Every kind of document, in both languages, as a reader's tools see it: qpdf finds no fault,
 * pdftotext finds every fact. Needs the programs qpdf and pdftotext (poppler-utils). With
 * DOCUMENT_SAMPLES_DIR set the PDFs stay there, to be looked at:
 *
 *     DOCUMENT_SAMPLES_DIR=/tmp/samples build/dev/unit_connectors_test_document_samples
 *     pdftoppm -r 80 -png /tmp/samples/charge_en.pdf /tmp/samples/charge_en */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "connectors/document/document.h"
#include "font_libraries.h"

enum { TEXT_BYTES_MAX = 64 * 1024, FACTS_MAX = 20 };

static struct money money(int64_t minor, const char *currency)
{
    struct money value = {.minor = minor};
    memcpy(value.currency, currency, sizeof value.currency);
    return value;
}

static struct date date(const char *text)
{
    struct date value;
    assert_true(date_parse(text, &value));
    return value;
}

static struct instant instant(const char *text)
{
    struct instant value;
    assert_true(instant_parse(text, &value));
    return value;
}

static const struct document_line charge_lines[] = {
    {"Atelier subscription, team plan, November 2026 (12 seats)", {118800, "EUR"}},
    {"Additional storage, 250 GB", {6200, "EUR"}},
};

static struct document_input charge_input(const char *language)
{
    return (struct document_input){
        .language = language,
        .kind = KIND_CHARGE,
        .provider = "stripe",
        .company = "Northwind Atelier SAS",
        .counterparty = {.name = "Boulangerie Lefèvre & Fils SARL",
                         .email = "compta@boulangerie-lefevre.example",
                         .country = "FR",
                         .address = "14 quai du Port, 44000 Nantes",
                         .postcode = "44000",
                         .vat_id = "FR40303265045",
                         .company = true},
        .reference = "SLU-2026-000482",
        .number = "A1B2C3D4-0012",
        .source_id = "ch_3SVhQeLkdIwHu7ix0Xy9ABCD",
        .source_txn_id = "txn_3SVhQeLkdIwHu7ix0mVfTkQ2",
        .source_event_id = "evt_3SVhQeLkdIwHu7ix0oPq12Rs",
        .account = "acct_1SHALLOWWATERS42",
        .testmode = true,
        .date = date("2026-11-20"),
        .due_date = {DATE_NONE},
        .occurred_at = instant("2026-11-20T10:22:23Z"),
        .lines = charge_lines,
        .line_count = COUNT(charge_lines),
        .amount = money(125000, "EUR"),
        .tax = money(20833, "EUR"),
        .fee = money(2150, "EUR"),
        .net = money(122850, "EUR"),
    };
}

static struct document_input refund_input(const char *language)
{
    struct document_input input = charge_input(language);
    input.kind = KIND_REFUND;
    input.testmode = false;
    input.number = NULL;
    input.source_id = "re_3SVhQeLkdIwHu7ix0Zz1WXYZ";
    input.parent_source_id = "ch_3SVhQeLkdIwHu7ix0Xy9ABCD";
    input.source_event_id = NULL;
    input.lines = NULL;
    input.line_count = 0;
    input.amount = money(4500, "EUR");
    input.tax = input.fee = input.net = (struct money){0};
    return input;
}

static struct document_input fee_input(const char *language)
{
    struct document_input input = refund_input(language);
    input.kind = KIND_FEE;
    input.counterparty = (struct party){.name = "Stripe Payments Europe, Limited",
                                        .address = "1 Grand Canal Street Lower, Dublin",
                                        .country = "IE",
                                        .vat_id = "IE3206488LH",
                                        .company = true};
    input.source_id = "fees_2026-10";
    input.parent_source_id = input.source_txn_id = NULL;
    input.due_date = date("2026-12-05");
    return input;
}

static struct document_input reversal_input(const char *language)
{
    static const struct document_reversal first = {
        .file_name = "2026-11-20_boulangerie-lefevre-fils_re_3SVhQeLkdIwHu7ix0Zz1WXYZ.pdf",
        .external_id = "0197a0c2-55aa-7c11-9d1e-6e1f0e8a4c55",
        .date = {20777},
        .reason = "The refund failed at the bank of the customer.",
    };
    struct document_input input = refund_input(language);
    input.reverses = &first;
    return input;
}

static const struct document_line far_lines[] = {
    {"Εκτύπωση καταλόγου, 500 αντίτυπα, έγχρωμο εξώφυλλο και βιβλιοδεσία με ραφή", {150000, "JPY"}},
    {"خدمات الطباعة", {2, "JPY"}},
    {"印刷サービス一式", {999999, "JPY"}},
    {"Line four", {1, "JPY"}},
    {"Line five", {1, "JPY"}},
    {"Line six", {1, "JPY"}},
    {"Line seven", {1, "JPY"}},
    {"Line eight", {1, "JPY"}},
    {"Line nine", {1, "JPY"}},
    {"Line ten", {1, "JPY"}},
    {"Line eleven", {1, "JPY"}},
};

static struct document_input far_input(const char *language)
{
    struct document_input input = charge_input(language);
    input.company = "Παπαδόπουλος & Υιοί Α.Ε.";
    input.counterparty = (struct party){.name = "株式会社さくら印刷 / شركة النخيل للتجارة",
                                        .email = "keiri@sakura.example",
                                        .address = "東京都千代田区丸の内1-1-1",
                                        .country = "JP",
                                        .vat_id = "T1234567890123"};
    input.lines = far_lines;
    input.line_count = COUNT(far_lines);
    input.amount = money(INT64_MAX, "JPY");
    input.fee = money(1234567890, "KWD");
    input.net = money(-500, "JPY");
    input.tax = (struct money){0};
    return input;
}

static const struct sample_row {
    const char *name;
    struct document_input (*input)(const char *language);
    const char *language;
    const char *facts[FACTS_MAX];
} samples[] = {
    {"charge_en",
     charge_input,
     "en",
     {"Invoice information",
      "Payment collected through Stripe",
      "Supplier",
      "Northwind Atelier SAS",
      "Customer",
      "Boulangerie Lefèvre & Fils SARL",
      "14 quai du Port, 44000 Nantes, FR",
      "FR40303265045",
      "compta@boulangerie-lefevre.example",
      "Invoice number",
      "A1B2C3D4-0012",
      "20 November 2026",
      "SLU-2026-000482",
      "1,188.00 EUR",
      "208.33 EUR",
      "1,250.00 EUR",
      "ch_3SVhQeLkdIwHu7ix0Xy9ABCD",
      "txn_3SVhQeLkdIwHu7ix0mVfTkQ2",
      "evt_3SVhQeLkdIwHu7ix0oPq12Rs",
      "neither an e-invoice nor a tax"}},
    {"charge_fr",
     charge_input,
     "fr",
     {"Informations de facturation", "Fournisseur", "Client", "Numéro de facture", "20/11/2026",
      "Désignation", "Taxe incluse", "1 250,00 EUR", "Frais Stripe", "21,50 EUR", "Net de frais",
      "acct_1SHALLOWWATERS42", "Mode test", "ni une facture"}},
    {"refund_en",
     refund_input,
     "en",
     {"Refund note", "Refund paid through Stripe", "45.00 EUR", "re_3SVhQeLkdIwHu7ix0Zz1WXYZ",
      "ch_3SVhQeLkdIwHu7ix0Xy9ABCD", "not stated by Stripe"}},
    {"refund_fr", refund_input, "fr", {"Note de crédit", "non indiquée par Stripe", "45,00 EUR"}},
    {"fee_en",
     fee_input,
     "en",
     {"Stripe Payments Europe, Limited", "IE3206488LH", "5 December 2026", "fees_2026-10"}},
    {"reversal_en",
     reversal_input,
     "en",
     {"Reversal", "2026-11-20_boulangerie-lefevre-fils_re_3SVhQeLkdIwHu7ix0Zz1WXYZ.pdf",
      "0197a0c2-55aa-7c11-9d1e-6e1f0e8a4c55", "The refund failed at the bank of the customer.",
      "\u221245.00 EUR"}},
    {"reversal_fr", reversal_input, "fr", {"Annulation", "Document annulé", "\u221245,00 EUR"}},
    {"far_en",
     far_input,
     "en",
     {"Παπαδόπουλος & Υιοί Α.Ε.", "株式会社さくら印刷", "東京都千代田区丸の内1-1-1",
      "9,223,372,036,854,775,807 JPY", "1,234,567.890 KWD", "\u2212500 JPY",
      "Further lines not shown"}},
};

struct directory {
    char path[256];
    bool ours; /* to be removed at the end */
};

static int open_directory(void **state)
{
    struct directory *directory = malloc(sizeof *directory);
    if (!directory)
        return -1;
    const char *wanted = getenv("DOCUMENT_SAMPLES_DIR");
    directory->ours = wanted == NULL;
    snprintf(directory->path, sizeof directory->path, "%s",
             wanted ? wanted : "/tmp/document-XXXXXX");
    *state = directory;
    return directory->ours && !mkdtemp(directory->path) ? -1 : 0;
}

static int close_directory(void **state)
{
    struct directory *directory = *state;
    int status = directory->ours ? rmdir(directory->path) : 0;
    free(directory);
    return status;
}

static char *output_of(struct arena *arena, const char *command, int *status)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char *text = arena_alloc(arena, TEXT_BYTES_MAX);
    size_t n = fread(text, 1, TEXT_BYTES_MAX - 1, pipe);
    text[n] = '\0';
    *status = pclose(pipe);
    return text;
}

static void write_file(const char *path, struct bytes bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.at, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

static void check_sample(struct arena *arena, const struct sample_row *sample,
                         const struct directory *directory)
{
    struct document_input input = sample->input(sample->language);
    struct bytes pdf;
    assert_int_equal(document_render(arena, &input, &pdf), OK);
    const char *path = arena_format(arena, "%s/%s.pdf", directory->path, sample->name);
    write_file(path, pdf);
    int status;
    const char *check =
        output_of(arena, arena_format(arena, "qpdf --check %s 2>&1", path), &status);
    if (status != 0)
        print_error("%s: %s", sample->name, check);
    assert_int_equal(status, 0);
    const char *text =
        output_of(arena, arena_format(arena, "pdftotext -layout -enc UTF-8 %s -", path), &status);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < FACTS_MAX && sample->facts[i]; i++) {
        if (!strstr(text, sample->facts[i]))
            fail_msg("%s lacks \"%s\" in:\n%s", sample->name, sample->facts[i], text);
    }
    assert_true(strchr(text, '\f') == strrchr(text, '\f')); /* one page */
    if (directory->ours)
        unlink(path);
}

static void test_readers_find_every_fact(void **state)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct arena *arena = arena_open();
        check_sample(arena, &samples[i], *state);
        arena_close(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_find_every_fact),
    };
    return cmocka_run_group_tests(tests, open_directory, close_directory);
}
