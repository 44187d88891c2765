/* What Qonto would refuse is refused before anything is sent, with the field at fault. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/qonto/deliver.h"
#include "connectors/qonto/qonto.h"

static const char pdf[] = "%PDF-1.5\n";
static const char png[] = "\x89PNG\r\n\x1a\n....";
static const char jpeg[] = "\xff\xd8\xff\xe0....";

static struct delivery_order order_of(const char *bytes, const char *content_type,
                                      const char *file_name)
{
    return (struct delivery_order){
        .idempotency_key = {{1}},
        .operation = "create",
        .document = {(const uint8_t *)bytes, strlen(bytes)},
        .content_type = content_type,
        .file_name = file_name,
    };
}

static void assert_checked(struct delivery_order order, const char *field)
{
    struct arena *arena = arena_open();
    enum err err = qonto_target.preflight(arena, &order);
    const char *found = arena_failure(arena)->field;
    if (err != (field ? ERR_VALIDATION : OK) || !text_equal(found, field))
        fail_msg("%s: %s, field %s", order.file_name ? order.file_name : "no name", err_slug(err),
                 found ? found : "none");
    arena_close(arena);
}

static void test_good_documents_pass(void **state)
{
    (void)state;
    assert_checked(order_of(pdf, "application/pdf", "2026-11-20_acme_ch_1.pdf"), NULL);
    assert_checked(order_of(png, "image/png", "a.PNG"), NULL);
    assert_checked(order_of(jpeg, "image/jpeg", "a.jpg"), NULL);
    assert_checked(order_of(jpeg, "image/jpeg", "a.jpeg"), NULL);
    struct delivery_order order = order_of(pdf, "application/pdf", "a_reversal.pdf");
    order.operation = "reverse";
    assert_checked(order, NULL);
}

static void test_content_decides(void **state)
{
    (void)state;
    assert_checked(order_of("", "application/pdf", "a.pdf"), "document");
    assert_checked(order_of("%PDF", "application/pdf", "a.pdf"), "document");
    assert_checked(order_of("<Invoice/>", "application/xml", "a.xml"), "document");
    assert_checked(order_of("GIF89a", "image/png", "a.png"), "document");
    assert_checked(order_of(pdf, "image/png", "a.pdf"), "content_type");
    assert_checked(order_of(pdf, NULL, "a.pdf"), "content_type");
    assert_checked(order_of(pdf, "application/pdf", "a.png"), "file_name");
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    char *large = calloc(1, QONTO_DOCUMENT_BYTES_MAX + 1);
    assert_non_null(large);
    memcpy(large, pdf, strlen(pdf));
    struct delivery_order order = order_of(pdf, "application/pdf", "a.pdf");
    order.document = (struct bytes){(const uint8_t *)large, QONTO_DOCUMENT_BYTES_MAX};
    assert_checked(order, NULL);
    order.document.n++;
    assert_checked(order, "document");
    free(large);
}

static void test_file_names(void **state)
{
    (void)state;
    static const char *const bad[] = {
        NULL,       "",           ".pdf",    "..pdf",           "a/b.pdf", "a\\b.pdf",
        "a\"b.pdf", "a\r\nb.pdf", "a b.pdf", "caf\xc3\xa9.pdf", "a;b.pdf", "a"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_checked(order_of(pdf, "application/pdf", bad[i]), "file_name");
    char name[QONTO_FILE_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof name);
    memcpy(name + QONTO_FILE_NAME_BYTES_MAX - 4, ".pdf", 5);
    assert_checked(order_of(pdf, "application/pdf", name), NULL);
    memset(name, 'a', sizeof name);
    memcpy(name + QONTO_FILE_NAME_BYTES_MAX - 3, ".pdf", 5);
    assert_checked(order_of(pdf, "application/pdf", name), "file_name");
}

static void test_operations_and_key(void **state)
{
    (void)state;
    struct delivery_order order = order_of(pdf, "application/pdf", "a.pdf");
    order.operation = "update";
    assert_checked(order, "operation");
    order.operation = NULL;
    assert_checked(order, "operation");
    order = order_of(pdf, "application/pdf", "a.pdf");
    memset(&order.idempotency_key, 0, sizeof order.idempotency_key);
    assert_checked(order, "idempotency_key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_documents_pass), cmocka_unit_test(test_content_decides),
        cmocka_unit_test(test_size_is_bounded),     cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_operations_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
