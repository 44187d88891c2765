/* Golden tests: every row in tests/golden/stripe against the record that it must become. To accept
 * a change, run with GOLDEN_WRITE=1 and read the difference. */
#include "base/base.h"

#include <dirent.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/text.h"
#include "connectors/stripe/stripe_map.h"

#define GOLDEN SOURCE_ROOT "/tests/golden/stripe"

enum { FILE_BYTES_MAX = 64 * 1024, CASES_MAX = 100 };

static struct bytes file_read(struct arena *arena, const char *path)
{
    uint8_t *data = arena_alloc(arena, FILE_BYTES_MAX);
    FILE *file = fopen(path, "rb");
    if (!file)
        return (struct bytes){0};
    size_t n = fread(data, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return (struct bytes){data, n};
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static json_t *money_json(struct arena *arena, struct money money)
{
    if (!money.currency[0])
        return json_null();
    return json_pack("{s:I, s:s, s:s}", "minor", (json_int_t)money.minor, "currency",
                     money.currency, "decimal", money_decimal(arena, money));
}

static json_t *party_json(const struct party *party)
{
    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:b}", "name",
                     party->name, "email", party->email, "country", party->country, "address",
                     party->address, "postcode", party->postcode, "phone", party->phone, "vat_id",
                     party->vat_id, "siren", party->siren, "iban", party->iban, "customer_id",
                     party->customer_id, "company", (int)party->company);
}

static const char *record_text(struct arena *arena, const struct source_record *record)
{
    static const char *const postings[] = {"post", "wait", "ignore", "correct"};
    json_t *value = json_pack(
        "{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:o, s:o, s:o, s:s*, s:s*, s:s*, s:o, s:s*, s:s}",
        "source_id", record->source_id, "kind", record_kind_name(record->kind), "posting",
        postings[record->posting], "posting_reason", record->posting_reason, "source_txn_id",
        record->source_txn_id, "parent_source_id", record->parent_source_id, "amount",
        money_json(arena, record->amount), "fee", money_json(arena, record->fee), "net",
        money_json(arena, record->net), "date",
        record->date.days == DATE_NONE ? NULL : date_format(arena, record->date), "description",
        record->description, "reference", record->reference, "counterparty",
        party_json(&record->counterparty), "quarantine", record->quarantine, "material_hash",
        record->material_hash);
    assert_non_null(value);
    if (record->due_date.days != DATE_NONE)
        json_object_set_new(value, "due_date", json_string(date_format(arena, record->due_date)));
    char *text = json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS);
    char *copy = arena_format(arena, "%s\n", text);
    free(text);
    json_decref(value);
    return copy;
}

static bool case_run(struct arena *arena, const char *name)
{
    const char *from = arena_format(arena, GOLDEN "/%s.json", name);
    const char *to = arena_format(arena, GOLDEN "/%s.expected", name);
    struct bytes row = file_read(arena, from);
    struct source_record record;
    stripe_map(arena, text_starts(name, "refund") ? KIND_REFUND : KIND_CHARGE, row, &record);
    const char *got = record_text(arena, &record);
    assert_int_equal(strlen(record.raw), row.n);
    assert_memory_equal(record.raw, row.at, row.n);
    if (getenv("GOLDEN_WRITE"))
        file_write(to, got);
    const char *expected = (const char *)file_read(arena, to).at;
    if (expected && strcmp(expected, got) == 0)
        return true;
    print_message("%s\nexpected: %s\ngot: %s\n", name, expected ? expected : "(nothing)", got);
    return false;
}

static void every_row_becomes_its_record(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    DIR *folder = opendir(GOLDEN);
    int cases = 0, wrong = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!text_ends(entry->d_name, ".json"))
            continue;
        cases++;
        wrong += !case_run(arena, arena_text_n(arena, entry->d_name, strlen(entry->d_name) - 5));
    }
    closedir(folder);
    arena_close(arena);
    assert_int_equal(wrong, 0);
    assert_true(cases > 30);
}

static struct source_record map_with(struct arena *arena, const char *golden, const char *path,
                                     json_t *value)
{
    struct source_record record;
    json_t *object = NULL;
    struct bytes row = file_read(arena, arena_format(arena, GOLDEN "/%s.json", golden));
    assert_int_equal(json_parse(arena, row, &object), OK);
    json_object_set_new(object, path, value);
    const char *text = json_write(arena, object);
    stripe_map(arena, text_starts(golden, "refund") ? KIND_REFUND : KIND_CHARGE,
               (struct bytes){(const uint8_t *)text, strlen(text)}, &record);
    return record;
}

/* What is declared material makes a new version, what is not does not. */
static void only_material_changes_change_the_hash(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const char *before = map_with(arena, "charge_expanded", "x", json_null()).material_hash;
    const struct {
        const char *path;
        json_t *value;
        bool material;
    } changes[] = {
        {"amount_captured", json_integer(12901), true},
        {"currency", json_string("usd"), true},
        {"created", json_integer(1790000000 + 86400), true},
        {"customer", json_pack("{s:s, s:s}", "id", "cus_2", "name", "Other"), true},
        {"receipt_number", json_string("1-2"), false},
        {"description", json_string("other words"), false},
        {"refunded", json_true(), false},
        {"balance_transaction", json_null(), false},
        {"disputed", json_true(), false},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        const char *after =
            map_with(arena, "charge_expanded", changes[i].path, changes[i].value).material_hash;
        if ((strcmp(before, after) != 0) != changes[i].material)
            fail_msg("%s", changes[i].path);
    }
    const char *posted = map_with(arena, "refund_unexpanded", "x", json_null()).material_hash;
    assert_string_equal(
        posted,
        map_with(arena, "refund_unexpanded", "status", json_string("pending")).material_hash);
    assert_string_not_equal(
        posted,
        map_with(arena, "refund_unexpanded", "status", json_string("failed")).material_hash);
    arena_close(arena);
}

static void stripes_minor_units_are_not_those_of_iso_4217(void **state)
{
    (void)state;
    struct money money;
    const struct {
        int64_t amount;
        const char *currency;
        int64_t minor; /* -1: refused */
    } rows[] = {
        {1050, "usd", 1050}, {500, "jpy", 500}, {5120, "kwd", 5120}, {500, "isk", 5},
        {550, "isk", -1},    {100, "ugx", 1},   {5, "mga", 500},     {INT64_MAX, "mga", -1},
        {100, "huf", 100},   {100, "eu", -1},   {100, "e1r", -1},    {100, "euro", -1},
        {100, NULL, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool taken = stripe_money(rows[i].amount, rows[i].currency, &money);
        if (taken != (rows[i].minor >= 0) || (taken && money.minor != rows[i].minor))
            fail_msg("%" PRId64 " %s", rows[i].amount, rows[i].currency);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_becomes_its_record),
        cmocka_unit_test(only_material_changes_change_the_hash),
        cmocka_unit_test(stripes_minor_units_are_not_those_of_iso_4217),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
