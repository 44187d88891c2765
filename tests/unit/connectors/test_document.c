/* What a rendered document promises: the same bytes for the same input, whatever the input. */
#include <malloc.h>
#include <pthread.h>

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/document/clean.h"
#include "connectors/document/document.h"
#include "font_libraries.h"

enum { HOSTILE_BYTES = 1 << 20 };

static struct document_input plain_input(void)
{
    return (struct document_input){
        .language = "fr",
        .kind = KIND_CHARGE,
        .provider = "stripe",
        .company = "Northwind Atelier SAS",
        .counterparty = {.name = "Éditions Côte Sauvage S.A.R.L.", .email = "a@b.example"},
        .source_id = "ch_3SVhQeLkdIwHu7ix0Xy9ABCD",
        .source_txn_id = "txn_1",
        .source_event_id = "evt_1",
        .date = {20777}, /* 2026-11-20 */
        .due_date = {DATE_NONE},
        .amount = {125000, "EUR"},
    };
}

static void *render_in_thread(void *context)
{
    struct bytes *into = context;
    struct arena *arena = arena_open();
    struct document_input input = plain_input();
    struct bytes pdf = {0};
    if (document_render(arena, &input, &pdf) == OK) {
        uint8_t *copy = malloc(pdf.n);
        if (copy)
            memcpy(copy, pdf.at, pdf.n);
        *into = (struct bytes){copy, copy ? pdf.n : 0};
    }
    arena_close(arena);
    return NULL;
}

static void assert_same(struct bytes a, struct bytes b)
{
    assert_true(a.n > 1000);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.at, b.at, a.n);
}

static void test_same_input_gives_same_bytes(void **state)
{
    (void)state;
    struct bytes one = {0}, two = {0};
    render_in_thread(&one);
    render_in_thread(&two);
    assert_same(one, two);
    free((void *)(uintptr_t)one.at);
    free((void *)(uintptr_t)two.at);
}

static void test_threads_give_the_same_bytes(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct bytes pdfs[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_in_thread, &pdfs[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_same(pdfs[0], pdfs[i]);
        if (i > 0)
            free((void *)(uintptr_t)pdfs[i].at);
    }
    free((void *)(uintptr_t)pdfs[0].at);
}

static struct bytes rendered_with(struct arena *arena, struct document_fonts *fonts,
                                  const char *name)
{
    struct document_input input = plain_input();
    struct bytes pdf;
    input.counterparty.name = name;
    input.fonts = fonts;
    assert_int_equal(document_render(arena, &input, &pdf), OK);
    return pdf;
}

/* What was drawn before with the same fonts does not show. */
static void test_shared_fonts_give_the_same_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"Éditions Côte Sauvage", "株式会社",
                                        "Łódź & Søn 12 345,67 €", "Éditions Côte Sauvage"};
    struct arena *arena = arena_open();
    struct document_fonts *fonts;
    assert_int_equal(document_fonts_open(arena, &fonts), OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct arena *draft = arena_open(); /* pages end before their fonts */
        assert_same(rendered_with(draft, NULL, names[i]), rendered_with(draft, fonts, names[i]));
        arena_close(draft);
    }
    arena_close(arena);
}

/* Clocks and locales of the process do not reach the page. */
static void test_environment_does_not_matter(void **state)
{
    (void)state;
    struct bytes one = {0}, two = {0};
    render_in_thread(&one);
    setenv("LANG", "ja_JP.UTF-8", 1);
    setenv("TZ", "Pacific/Auckland", 1);
    render_in_thread(&two);
    assert_same(one, two);
    free((void *)(uintptr_t)one.at);
    free((void *)(uintptr_t)two.at);
}

static void assert_renders(struct arena *arena, const struct document_input *input)
{
    struct bytes pdf;
    assert_int_equal(document_render(arena, input, &pdf), OK);
    assert_memory_equal(pdf.at, "%PDF-1.", 7);
    assert_true(pdf.n <= DOCUMENT_BYTES_MAX);
}

static char *repeated(struct arena *arena, const char *piece)
{
    size_t n = strlen(piece);
    char *text = arena_alloc(arena, HOSTILE_BYTES + 1);
    for (size_t i = 0; i + n <= HOSTILE_BYTES; i += n)
        memcpy(text + i, piece, n);
    return text;
}

static void test_hostile_texts_render(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "A",
        "\xff\xfe",
        "e\xcc\x81\xcc\x82\xcc\x83",
        "\x01\x1b[31m\r\n\t",
        "\xe2\x80\xae",
        "<b>&amp;</b>\\) Tj ET",
        "\xf0\x9f\x92\xa9",
        "\xef\xbf\xbf",
        "\xd7\xa9\xd7\x9c \xd8\xb4",
    };
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct arena *arena = arena_open();
        struct document_input input = plain_input();
        const char *text = repeated(arena, pieces[i]);
        struct document_line lines[40];
        for (size_t n = 0; n < COUNT(lines); n++)
            lines[n] = (struct document_line){text, {.minor = -1, .currency = "KWD"}};
        input.lines = lines;
        input.line_count = COUNT(lines);
        input.counterparty = (struct party){.name = text,
                                            .email = text,
                                            .address = text,
                                            .country = text,
                                            .vat_id = text,
                                            .iban = text};
        input.reference = input.number = text;
        assert_renders(arena, &input);
        arena_close(arena);
    }
}

static void test_amounts_of_every_size_render(void **state)
{
    (void)state;
    static const struct money amounts[] = {{0, "EUR"},          {-1, "EUR"},
                                           {INT64_MAX, "JPY"},  {INT64_MAX, "KWD"},
                                           {-INT64_MAX, "CLF"}, {7, "JPY"}};
    for (size_t i = 0; i < COUNT(amounts); i++) {
        struct arena *arena = arena_open();
        struct document_input input = plain_input();
        input.amount = input.fee = input.net = input.tax = amounts[i];
        assert_renders(arena, &input);
        arena_close(arena);
    }
}

static void assert_refused(struct document_input input, const char *field)
{
    struct arena *arena = arena_open();
    struct bytes pdf;
    const char *name;
    assert_int_equal(document_render(arena, &input, &pdf), ERR_VALIDATION);
    assert_string_equal(arena_failure(arena)->field, field);
    assert_int_equal(document_file_name(arena, &input, &name), ERR_VALIDATION);
    arena_close(arena);
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    struct document_input input = plain_input();
    input.company = " \n";
    assert_refused(input, "company");
    input = plain_input();
    input.source_id = "\x01\x02";
    assert_refused(input, "source_id");
    input = plain_input();
    input.date.days = DATE_NONE;
    assert_refused(input, "date");
    input = plain_input();
    input.amount.currency[0] = '\0';
    assert_refused(input, "amount");
    input = plain_input();
    input.fee = (struct money){INT64_MIN, "EUR"};
    assert_refused(input, "fee");
    input = plain_input();
    input.provider = NULL;
    assert_refused(input, "provider");
    char id[DOCUMENT_ID_BYTES_MAX + 2];
    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    input = plain_input();
    input.source_event_id = id;
    assert_refused(input, "source_event_id");
}

static const char *name_of(struct arena *arena, const struct document_input *input)
{
    const char *name = NULL;
    assert_int_equal(document_file_name(arena, input, &name), OK);
    assert_true(strlen(name) <= DOCUMENT_FILE_NAME_MAX);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-"),
                     strlen(name));
    return name;
}

static void test_file_name_carries_the_source_id(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_input input = plain_input();
    assert_string_equal(name_of(arena, &input),
                        "2026-11-20_editions-cote-sauvage-sa_ch_3SVhQeLkdIwHu7ix0Xy9ABCD.pdf");
    static const struct document_reversal first = {.file_name = "first.pdf"};
    input.version = 3;
    input.reverses = &first;
    assert_string_equal(
        name_of(arena, &input),
        "2026-11-20_editions-cote-sauvage-sa_ch_3SVhQeLkdIwHu7ix0Xy9ABCD_v3_reversal.pdf");
    input = plain_input();
    input.counterparty.name = "株式会社";
    assert_string_equal(name_of(arena, &input),
                        "2026-11-20_document_ch_3SVhQeLkdIwHu7ix0Xy9ABCD.pdf");
    arena_close(arena);
}

static void test_file_names_differ_when_ids_differ(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    char id[201];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    struct document_input one = plain_input(), two = plain_input();
    one.version = two.version = INT_MAX;
    one.source_id = "../../etc/passwd";
    two.source_id = "..//..etc/passwd";
    assert_string_not_equal(name_of(arena, &one), name_of(arena, &two));
    one.source_id = arena_format(arena, "%s1", id);
    two.source_id = arena_format(arena, "%s2", id);
    assert_string_not_equal(name_of(arena, &one), name_of(arena, &two));
    one.counterparty.name = repeated(arena, "W ");
    name_of(arena, &one);
    arena_close(arena);
}

static void test_clean_text(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    assert_string_equal(document_clean(arena, " a\r\n\tb\xc2\xa0 c ", 100), "a b c");
    assert_string_equal(document_clean(arena, "a\xffz", 100), "a\xef\xbf\xbdz");
    assert_string_equal(document_clean(arena, "a\xe2\x80\xaeplay", 100), "aplay");
    assert_string_equal(document_clean(arena, "\xc3\xa9\xc3\xa9\xc3\xa9", 5),
                        "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
    assert_null(document_clean(arena, "\x01\xe2\x80\xae ", 100));
    assert_null(document_clean(arena, NULL, 100));
    arena_close(arena);
}

static void test_input_from_record(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct source_record record = {
        .source_id = "ch_1",
        .kind = KIND_CHARGE,
        .source_txn_id = "txn_1",
        .amount = {1000, "JPY"},
        .tax_minor = "91",
        .date = {20777},
        .due_date = {DATE_NONE},
        .description = "Plan",
        .reference = "R-1",
        .counterparty = {.name = "Acme"},
    };
    struct document_input input = document_input_from(arena, &record);
    assert_int_equal(input.tax.minor, 91);
    assert_string_equal(input.tax.currency, "JPY");
    assert_int_equal(input.line_count, 1);
    assert_string_equal(input.lines[0].text, "Plan");
    assert_string_equal(input.number, "R-1");
    record.tax_minor = "not a number";
    assert_string_equal(document_input_from(arena, &record).tax.currency, "");
    input.provider = "stripe";
    input.company = "Northwind";
    assert_renders(arena, &input);
    arena_close(arena);
}

/* The font map and configuration of a page go with it: a worker renders for months. */
/* A sanitizer brings its own allocator, which mallinfo does not count; a render costs under
 * ThreadSanitizer what a hundred cost without. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
size_t __sanitizer_get_current_allocated_bytes(void);
#define allocated_bytes() __sanitizer_get_current_allocated_bytes()
#else
#define allocated_bytes() mallinfo2().uordblks
#endif
#ifdef __SANITIZE_THREAD__
enum { RENDERS = 5 };
#else
enum { RENDERS = 60 };
#endif

static void test_rendering_keeps_no_memory(void **state)
{
    (void)state;
    enum { ROUNDS = 4, KEPT_BYTES_MAX = 32 * 1024 };
    int64_t used = 0, grown_min = INT64_MAX;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < RENDERS; i++) {
            struct bytes pdf = {0};
            render_in_thread(&pdf);
            free((void *)(uintptr_t)pdf.at);
        }
        int64_t now = (int64_t)allocated_bytes();
        /* Caches of the libraries come and go by 70 KiB; what leaks grows in every round. */
        if (round > 0 && now - used < grown_min)
            grown_min = now - used;
        used = now;
    }
    assert_true(grown_min < KEPT_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_input_gives_same_bytes),
        cmocka_unit_test(test_threads_give_the_same_bytes),
        cmocka_unit_test(test_shared_fonts_give_the_same_bytes),
        cmocka_unit_test(test_environment_does_not_matter),
        cmocka_unit_test(test_hostile_texts_render),
        cmocka_unit_test(test_amounts_of_every_size_render),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_file_name_carries_the_source_id),
        cmocka_unit_test(test_file_names_differ_when_ids_differ),
        cmocka_unit_test(test_clean_text),
        cmocka_unit_test(test_input_from_record),
        cmocka_unit_test(test_rendering_keeps_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
