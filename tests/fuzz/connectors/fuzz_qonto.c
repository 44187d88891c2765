/* Everything that reads a byte of Qonto's: answers, objects, bulk answers, and our own markers as
 * they come back from the store. The first byte chooses. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/qonto/answer.h"
#include "connectors/qonto/cursor.h"
#include "connectors/qonto/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_entry(const struct mirrored_entry *entry)
{
    require(entry->external_id && !text_blank(entry->external_id) && entry->raw);
    require(entry->amount.minor != INT64_MIN);
    require(entry->amount.currency[0] == '\0' || currency_valid(entry->amount.currency));
}

static void fuzz_answer(struct arena *arena, int status, struct bytes body)
{
    struct http_answer answer = {
        .status = status, .content_type = "application/json", .body = body};
    json_t *object = NULL;
    enum err err = qonto_answer_read(arena, &answer, &object);
    require((err == OK) == (object != NULL));
    const char *excerpt = qonto_excerpt(arena, &answer);
    require(strlen(excerpt) <= QONTO_EXCERPT_BYTES_MAX && utf8_valid(excerpt, strlen(excerpt)));
    require(!strstr(excerpt, "://"));
}

static void fuzz_cursor(struct arena *arena, const json_t *value)
{
    struct qonto_cursor cursor, again;
    if (qonto_cursor_read(arena, value, (struct instant){0}, &cursor) != OK)
        return;
    json_t *written = qonto_cursor_write(arena, &cursor);
    require(qonto_cursor_read(arena, written, (struct instant){0}, &again) == OK);
    require(again.from.us == cursor.from.us && again.seen_count == cursor.seen_count);
}

static void fuzz_rows(struct arena *arena, const json_t *value)
{
    struct mirrored_entry entries[100];
    struct qonto_rows rows = {
        .entries = entries, .meta = json_object_at(value, "meta"), .per_page = COUNT(entries)};
    const json_t *list = json_list(value, "rows");
    struct qonto_cursor cursor = {.until = {INT64_C(1795000000000000)}, .page = 1};
    bool more;
    for (size_t i = 0; i < json_array_size(list) && i < COUNT(entries); i++) {
        rows.received++;
        rows.count += qonto_invoice_map(arena, json_array_get(list, i), &entries[rows.count]);
    }
    if (qonto_cursor_advance(arena, &cursor, &rows, &more) == OK)
        require(cursor.page >= 1 && cursor.page <= QONTO_TIE_PAGES_MAX);
}

static void fuzz_value(struct arena *arena, int choice, const json_t *value)
{
    struct mirrored_entry entry;
    struct qonto_bulk bulk;
    if (choice == 1 && qonto_invoice_map(arena, value, &entry))
        check_entry(&entry);
    if (choice == 2 && qonto_transaction_map(arena, value, &entry))
        check_entry(&entry);
    if (choice == 3) {
        qonto_bulk_map(arena, value, "abc-xyz", "a.pdf", &bulk);
        require(!bulk.retryable || bulk.failed);
    }
    if (choice == 4)
        fuzz_cursor(arena, value);
    if (choice == 5)
        fuzz_rows(arena, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CHOICES = 6 };
    if (size < 2)
        return 0;
    struct arena *arena = arena_open();
    int choice = data[0] % CHOICES;
    if (choice == 0) {
        fuzz_answer(arena, 100 + data[1] * 2, (struct bytes){data + 2, size - 2});
    } else {
        json_t *value = NULL;
        if (json_parse(arena, (struct bytes){data + 1, size - 1}, &value) == OK)
            fuzz_value(arena, choice, value);
    }
    arena_close(arena);
    return 0;
}
