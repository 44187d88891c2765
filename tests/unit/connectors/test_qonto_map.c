/* Qonto's objects as ledger entries, against golden texts; and what a bulk answer says. With
 * GOLDEN_WRITE set the golden files are written anew, to be read before they are committed. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/qonto/map.h"

enum { FILE_BYTES_MAX = 256 * 1024 };

static char *file_text(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    char *text = arena_alloc(arena, FILE_BYTES_MAX);
    size_t n = fread(text, 1, FILE_BYTES_MAX - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static json_t *parsed(struct arena *arena, const char *text)
{
    json_t *value = NULL;
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    assert_int_equal(json_parse(arena, bytes, &value), OK);
    return value;
}

static json_t *file_json(struct arena *arena, const char *name)
{
    return parsed(arena, file_text(arena, arena_format(arena, TEST_DATA "/qonto/%s", name)));
}

static const char *shown(const char *text)
{
    return text ? text : "-";
}

static void show_entry(struct buf *into, const struct mirrored_entry *entry)
{
    struct arena *arena = into->arena;
    const char *amount = entry->amount.currency[0]
                             ? arena_format(arena, "%s %s", money_decimal(arena, entry->amount),
                                            entry->amount.currency)
                             : "-";
    buf_format(into, "%s %s\n", entry->external_id,
               entry->role == ROLE_DOCUMENT ? "document" : "settlement");
    buf_format(into, "  amount       %s\n", amount);
    buf_format(into, "  dates        %s, due %s\n",
               entry->date.days == DATE_NONE ? "-" : date_format(arena, entry->date),
               entry->due_date.days == DATE_NONE ? "-" : date_format(arena, entry->due_date));
    buf_format(into, "  counterparty %s, %s, %s\n", shown(entry->counterparty_name),
               shown(entry->counterparty_iban), shown(entry->counterparty_vat_id));
    buf_format(into, "  reference    %s\n", shown(entry->reference));
    buf_format(into, "  description  %s\n", shown(entry->description));
    buf_format(into, "  file         %s\n", shown(entry->file_name));
    buf_format(into, "  state        %s%s%s\n", shown(entry->state),
               entry->removed ? ", removed" : "", entry->analysed ? "" : ", not analysed");
    buf_format(into, "  updated      %s\n",
               entry->updated_at.us ? instant_format(arena, entry->updated_at) : "-");
}

typedef bool (*map_function)(struct arena *arena, const json_t *row, struct mirrored_entry *into);

static void assert_golden(const char *name, const char *rows_key, map_function map)
{
    struct arena *arena = arena_open();
    const json_t *rows =
        json_list(file_json(arena, arena_format(arena, "%s.json", name)), rows_key);
    struct buf text = buf_new(arena, FILE_BYTES_MAX);
    assert_non_null(rows);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct mirrored_entry entry;
        if (map(arena, json_array_get(rows, i), &entry)) {
            show_entry(&text, &entry);
            assert_true(json_equal(parsed(arena, entry.raw), json_array_get(rows, i)));
        } else {
            buf_add_text(&text, "no entry\n");
        }
    }
    const char *path = arena_format(arena, SOURCE_ROOT "/tests/golden/qonto/%s.txt", name);
    if (getenv("GOLDEN_WRITE")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(text.data, 1, text.n, file);
        fclose(file);
    }
    assert_string_equal(text.data, file_text(arena, path));
    arena_close(arena);
}

static void test_supplier_invoices_of_2026(void **state)
{
    (void)state;
    assert_golden("supplier-invoices-2026", "supplier_invoices", qonto_invoice_map);
}

static void test_supplier_invoices_of_2025(void **state)
{
    (void)state;
    assert_golden("bulk-successes", "supplier_invoices", qonto_invoice_map);
}

static void test_transactions_of_2025(void **state)
{
    (void)state;
    assert_golden("transactions", "transactions", qonto_transaction_map);
    assert_golden("transactions-placeholders", "transactions", qonto_transaction_map);
}

static void test_transactions_of_2026(void **state)
{
    (void)state;
    assert_golden("transactions-2026", "transactions", qonto_transaction_map);
}

static const char key[] = "abc-xyz";

static struct qonto_bulk bulk_of(struct arena *arena, const json_t *body, const char *file_name)
{
    struct qonto_bulk bulk;
    qonto_bulk_map(arena, body, key, file_name, &bulk);
    return bulk;
}

static struct qonto_bulk bulk_of_text(struct arena *arena, const char *text)
{
    return bulk_of(arena, parsed(arena, text), "a.pdf");
}

static void test_bulk_examples_of_qonto(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct qonto_bulk bulk =
        bulk_of(arena, file_json(arena, "bulk-successes.json"), "invoice 101/2022.pdf");
    assert_string_equal(json_text(bulk.invoice, "id"), "4d5418bb-bd0d-4df4-865c-c07afab8bb48");
    assert_false(bulk.failed);
    bulk = bulk_of(arena, file_json(arena, "bulk-errors.json"), "a.pdf");
    assert_null(bulk.invoice);
    assert_true(bulk.failed);
    assert_false(bulk.retryable);
    assert_string_equal(bulk.error.code, "invalid");
    assert_string_equal(qonto_error_field(arena, &bulk.error), "file");
    bulk = bulk_of(arena, file_json(arena, "bulk-mixed.json"), "a.pdf");
    assert_true(bulk.failed);
    arena_close(arena);
}

static void test_bulk_error_in_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool failed, retryable;
    } rows[] = {
        {"{\"supplier_invoices\":[],\"errors\":[]}", false, false},
        {"{\"supplier_invoices\":[]}", false, false},
        {"{\"supplier_invoices\":null,\"errors\":null}", false, false},
        {"{\"errors\":[{\"code\":\"invalid\",\"detail\":\"no\",\"source\":{\"pointer\":"
         "\"/supplier_invoices/idempotency_key/ABC-XYZ/file\"}}]}",
         true, false},
        {"{\"errors\":[{\"code\":\"internal_server_error\",\"details\":\"no\",\"source\":"
         "[{\"pointer\":\"/supplier_invoices/idempotency_key/abc-xyz\"}]}]}",
         true, true},
        {"{\"errors\":{\"code\":\"required\",\"message\":\"no\"}}", true, false},
        {"{\"errors\":[{\"code\":\"invalid\",\"source\":{\"pointer\":"
         "\"/supplier_invoices/idempotency_key/another/file\"}}]}",
         false, false},
        {"{\"errors\":[{\"code\":\"invalid\",\"source\":{\"pointer\":"
         "\"/supplier_invoices/idempotency_key/abc\"}}]}",
         false, false},
        {"{\"errors\":[{\"code\":\"a_code_of_next_year\",\"detail\":\"no\"}]}", true, true},
        {"{\"errors\":[\"text\"]}", true, true},
        {"{\"errors\":[{\"source\":[]}]}", true, true},
        {"{\"errors\":[{\"code\":7,\"detail\":\"no\",\"source\":\"file\"}]}", true, true},
    };
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct qonto_bulk bulk = bulk_of_text(arena, rows[i].text);
        if (bulk.failed != rows[i].failed || bulk.retryable != rows[i].retryable)
            fail_msg("%s: failed %d, retryable %d", rows[i].text, bulk.failed, bulk.retryable);
        assert_null(bulk.invoice);
    }
    arena_close(arena);
}

static void test_bulk_invoice_is_chosen_by_its_file_name(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct qonto_bulk bulk =
        bulk_of_text(arena, "{\"supplier_invoices\":[{\"id\":\"1\",\"file_name\":\"b.pdf\"},"
                            "{\"id\":\"2\",\"file_name\":\"a.pdf\"}],\"errors\":[]}");
    assert_string_equal(json_text(bulk.invoice, "id"), "2");
    bulk = bulk_of_text(arena, "{\"supplier_invoices\":[{\"id\":\"1\",\"file_name\":\"b.pdf\"},"
                               "{\"id\":\"2\",\"file_name\":\"c.pdf\"}],\"errors\":[]}");
    assert_null(bulk.invoice);
    bulk = bulk_of_text(arena, "{\"supplier_invoices\":[{\"id\":\"1\"}]}");
    assert_string_equal(json_text(bulk.invoice, "id"), "1");
    bulk = bulk_of_text(arena, "{\"supplier_invoices\":[{\"file_name\":\"a.pdf\"}]}");
    assert_null(bulk.invoice);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_supplier_invoices_of_2026),
        cmocka_unit_test(test_supplier_invoices_of_2025),
        cmocka_unit_test(test_transactions_of_2025),
        cmocka_unit_test(test_transactions_of_2026),
        cmocka_unit_test(test_bulk_examples_of_qonto),
        cmocka_unit_test(test_bulk_error_in_every_shape),
        cmocka_unit_test(test_bulk_invoice_is_chosen_by_its_file_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
