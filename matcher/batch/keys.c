#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/keys.h"
#include "matcher/fold.h"
#include "matcher/matcher.h"

enum {
    NUMBER_DIGITS_MIN = 4,
    NUMBER_BYTES_MIN = 5,
    PHONE_DIGITS_MIN = 7,
    PHONE_DIGITS_COMPARED = 9, /* the rest is country code and trunk prefix */
    ADDRESS_BYTES_MIN = 8
};

struct key {
    uint64_t hash;
    int32_t day;
    uint32_t rank;
    uint32_t at;
};

struct key_index {
    struct key *keys; /* by hash, day, rank */
    size_t count;
};

/* FNV-1a; the kind in front keeps a phone number from being a reference. */
static uint64_t key_hash(enum key_kind kind, const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)kind;
    for (const uint8_t *at = (const uint8_t *)text; *at; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return hash;
}

static void add(struct row_keys *keys, enum key_kind kind, const char *text)
{
    if (!text || !*text || keys->count == ROW_KEYS_MAX)
        return;
    uint64_t hash = key_hash(kind, text);
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->hash[i] == hash)
            return;
    }
    keys->hash[keys->count] = hash;
    keys->kind[keys->count++] = kind;
}

/* ---- the keys of a row ---- */

static bool ends_word(char c)
{
    return strchr(" \t\r\n,;:()[]#", c) != NULL;
}

static bool states_number(const char *word, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += word[i] >= '0' && word[i] <= '9';
    return n >= NUMBER_BYTES_MIN && digits >= NUMBER_DIGITS_MIN;
}

/* Words with enough digits are looked up as if they were references. */
static void add_numbers(struct arena *arena, const char *text, struct row_keys *keys)
{
    enum { NUMBERS_MAX = 8 };
    size_t left = text ? strnlen(text, MATCH_TEXT_BYTES_MAX) : 0;
    size_t before = keys->count;
    for (const char *at = text; left > 0 && keys->count < before + NUMBERS_MAX;) {
        size_t n = 0;
        while (n < left && !ends_word(at[n]))
            n++;
        if (states_number(at, n))
            add(keys, KEY_REFERENCE, reference_normalise(arena, arena_text_n(arena, at, n)));
        n += n < left;
        at += n;
        left -= n;
    }
}

static const char *phone_digits(struct arena *arena, const char *raw)
{
    if (!raw)
        return NULL;
    char *digits = arena_alloc(arena, strlen(raw) + 1);
    size_t n = 0;
    for (const char *at = raw; *at; at++) {
        if (*at >= '0' && *at <= '9')
            digits[n++] = *at;
    }
    if (n < PHONE_DIGITS_MIN)
        return NULL;
    return n > PHONE_DIGITS_COMPARED ? digits + n - PHONE_DIGITS_COMPARED : digits;
}

static const char *address_letters(struct arena *arena, const char *raw)
{
    if (!raw)
        return NULL;
    char *folded = text_fold(arena, raw);
    size_t n = 0;
    for (const char *at = folded; *at; at++) {
        if (*at != ' ' && !strchr(".,;:-/'", *at))
            folded[n++] = *at;
    }
    folded[n] = '\0';
    return n < ADDRESS_BYTES_MIN ? NULL : folded;
}

void row_keys_of(struct arena *arena, const struct table_row *row, struct row_keys *into)
{
    const char *const *text = row->text;
    const char *vat_id = vat_normalise(arena, text[TABLE_VAT_ID]);
    into->count = 0;
    add(into, KEY_REFERENCE, reference_normalise(arena, text[TABLE_REFERENCE]));
    add(into, KEY_VAT_ID, vat_id);
    add(into, KEY_SIREN, siren_normalise(arena, text[TABLE_VAT_ID]));
    add(into, KEY_IBAN, iban_normalise(arena, text[TABLE_IBAN]));
    if (text[TABLE_EMAIL])
        add(into, KEY_EMAIL, text_fold(arena, text[TABLE_EMAIL]));
    add(into, KEY_PHONE, phone_digits(arena, text[TABLE_PHONE]));
    add(into, KEY_ADDRESS, address_letters(arena, text[TABLE_ADDRESS]));
    add_numbers(arena, text[TABLE_REFERENCE], into);
    add_numbers(arena, text[TABLE_DESCRIPTION], into);
}

/* ---- the index ---- */

static int key_order(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

struct key_index *key_index_new(struct arena *arena, const struct table *table,
                                const struct sketch *sketches)
{
    struct key_index *index = arena_alloc(arena, sizeof *index);
    struct arena *scratch = arena_open();
    size_t capacity = 0;
    struct row_keys keys;
    for (size_t i = 0; i < table->count; i++) {
        row_keys_of(scratch, &table->rows[i], &keys);
        capacity += keys.count;
        arena_reset(scratch);
    }
    index->keys = arena_array(arena, capacity, sizeof *index->keys);
    for (size_t i = 0; i < table->count; i++) {
        row_keys_of(scratch, &table->rows[sketches[i].row], &keys);
        for (size_t k = 0; k < keys.count; k++)
            index->keys[index->count++] =
                (struct key){keys.hash[k], sketches[i].day, sketches[i].rank, (uint32_t)i};
        arena_reset(scratch);
    }
    arena_close(scratch);
    if (index->count > 1)
        qsort(index->keys, index->count, sizeof *index->keys, key_order);
    return index;
}

/* The first key that is not before (hash, day). */
static size_t lower_bound(const struct key_index *index, uint64_t hash, int32_t day)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct key *key = &index->keys[middle];
        bool before = key->hash < hash || (key->hash == hash && key->day < day);
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

static bool offer(const struct key *key, enum key_kind kind, int32_t day, struct shortlist *into)
{
    bool dated = day != DATE_NONE && key->day != DATE_NONE;
    int64_t apart = dated ? (int64_t)key->day - day : KEY_DAYS_MAX;
    apart = apart < 0 ? -apart : apart;
    if (kind != KEY_REFERENCE && apart > KEY_DAYS_MAX)
        return false;
    shortlist_offer(into, (struct hit){.first = apart, .rank = key->rank, .at = key->at});
    return true;
}

/* Outwards from the day, on both sides, no more of either than the list takes; then those that have
 * no date. */
static void find_one(const struct key_index *index, uint64_t hash, enum key_kind kind, int32_t day,
                     struct shortlist *into)
{
    size_t start = lower_bound(index, hash, day);
    for (size_t i = start, taken = 0; i < index->count && taken < KEY_ENTRIES_MAX; i++, taken++) {
        if (index->keys[i].hash != hash || !offer(&index->keys[i], kind, day, into))
            break;
    }
    for (size_t i = start, taken = 0; i > 0 && taken < KEY_ENTRIES_MAX; i--, taken++) {
        if (index->keys[i - 1].hash != hash || !offer(&index->keys[i - 1], kind, day, into))
            break;
    }
    if (day == DATE_NONE)
        return;
    start = lower_bound(index, hash, DATE_NONE);
    for (size_t i = start, taken = 0; i < index->count && taken < KEY_ENTRIES_MAX; i++, taken++) {
        const struct key *key = &index->keys[i];
        if (key->hash != hash || key->day != DATE_NONE || !offer(key, kind, day, into))
            break;
    }
}

void key_index_find(const struct key_index *index, const struct row_keys *keys, enum key_kind kind,
                    int32_t day, struct shortlist *into)
{
    into->count = 0;
    into->limit = KEY_ENTRIES_MAX;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->kind[i] == kind)
            find_one(index, keys->hash[i], kind, day, into);
    }
}
