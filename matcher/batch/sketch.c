#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/sketch.h"
#include "matcher/fold.h"
#include "matcher/matcher.h"

enum {
    EXACT_AMOUNT_SCORE = 2500,
    PERCENT_SCORE = 400, /* lost per percent of difference */
    PERCENTS_MAX = 20,
    DAY_SCORE = 180, /* lost per day */
    DAYS_MAX = 45
};

static const int64_t product_fits = INT64_C(100000000000000); /* times the loss of a whole */

static int64_t scale_of(const char *currency)
{
    int64_t scale = 1;
    for (int i = currency_exponent(currency); i < SKETCH_DIGITS; i++)
        scale *= 10;
    return scale;
}

int64_t sketch_amount(const struct table_row *row)
{
    return row->amount.minor * scale_of(row->has_currency ? row->amount.currency : "");
}

int64_t sketch_minor(int64_t scaled, const char *currency)
{
    int64_t scale = scale_of(currency);
    return (scaled + (scaled < 0 ? -scale : scale) / 2) / scale;
}

static uint32_t currency_number(const char *currency)
{
    const uint8_t *letter = (const uint8_t *)currency;
    return (uint32_t)letter[0] << 16 | (uint32_t)letter[1] << 8 | letter[2];
}

struct sketch sketch_of(const struct table_row *row, uint32_t at, const char *text)
{
    struct sketch sketch = {
        .currency = SKETCH_NO_AMOUNT, .day = row->date.days, .rank = row->rank, .row = at};
    if (row->has_amount) {
        sketch.currency = row->has_currency ? currency_number(row->amount.currency) : 0;
        sketch.amount = sketch_amount(row);
    }
    struct trigrams trigrams;
    trigrams_of(text, &trigrams);
    for (size_t i = 0; i < trigrams.count; i++) {
        uint32_t bit = (trigrams.code[i] * 2654435761u) >> 24;
        sketch.text[bit / 64 % SKETCH_WORDS] |= UINT64_C(1) << (bit % 64);
    }
    for (size_t i = 0; i < SKETCH_WORDS; i++)
        sketch.bits += (uint32_t)__builtin_popcountll(sketch.text[i]);
    return sketch;
}

/* Bits that are set in both, by adding up pairs, nibbles and bytes: without a special instruction
 * the compiler's own counts one word at a time from a table. */
static uint32_t shared_bits(const uint64_t *a, const uint64_t *b)
{
    const uint64_t twos = UINT64_C(0x5555555555555555), fours = UINT64_C(0x3333333333333333);
    const uint64_t bytes = UINT64_C(0x0f0f0f0f0f0f0f0f);
    const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff), ones = UINT64_C(0x0001000100010001);
    uint64_t sum = 0;
    for (size_t i = 0; i < SKETCH_WORDS; i++) {
        uint64_t word = a[i] & b[i];
        word -= (word >> 1) & twos;
        word = (word & fours) + ((word >> 2) & fours);
        sum += (word + (word >> 4)) & bytes;
    }
    sum = (sum & pairs) + ((sum >> 8) & pairs);
    return (uint32_t)((sum * ones) >> 48);
}

static int64_t text_score(const struct sketch *record, const struct sketch *entry)
{
    uint32_t all = record->bits + entry->bits;
    if (record->bits == 0 || entry->bits == 0)
        return 0;
    return (int64_t)(2 * shared_bits(record->text, entry->text) * SKETCH_TEXT_SCORE / all);
}

static int64_t amount_score(int64_t a, int64_t b)
{
    if (a == b)
        return EXACT_AMOUNT_SCORE;
    int64_t difference = a > b ? a - b : b - a;
    int64_t larger = (a < 0 ? -a : a) > (b < 0 ? -b : b) ? (a < 0 ? -a : a) : (b < 0 ? -b : b);
    if (larger < difference || difference / PERCENTS_MAX >= larger / 100)
        return (int64_t)-PERCENTS_MAX * PERCENT_SCORE;
    int64_t loss = (int64_t)100 * PERCENT_SCORE;
    return larger > product_fits ? -(difference / (larger / loss)) : -(difference * loss / larger);
}

static int64_t day_score(int32_t a, int32_t b)
{
    int64_t apart = (int64_t)a - b;
    apart = apart < 0 ? -apart : apart;
    return -DAY_SCORE * (apart < DAYS_MAX ? apart : DAYS_MAX);
}

int64_t sketch_nearness(const struct sketch *record, const struct sketch *entry)
{
    int64_t score = text_score(record, entry);
    if (record->currency != SKETCH_NO_AMOUNT && entry->currency != SKETCH_NO_AMOUNT)
        score += amount_score(record->amount, entry->amount);
    if (record->day != DATE_NONE && entry->day != DATE_NONE)
        score += day_score(record->day, entry->day);
    return score;
}

int64_t sketch_reach(const struct sketch *record, int32_t day, int64_t nearness)
{
    int64_t left = SKETCH_TEXT_SCORE - nearness;
    if (record->day != DATE_NONE && day != DATE_NONE)
        left += day_score(record->day, day);
    if (left < 0)
        return -1;
    int64_t percent = left / PERCENT_SCORE + 1, size = record->amount;
    if (percent >= PERCENTS_MAX)
        percent = 100;
    /* The difference counts against the larger amount: d <= p (size + d) / 100. */
    size = size < 0 ? -size : size;
    return percent == 100 ? size : size / (100 - percent) * percent + percent;
}

const char *row_core(struct arena *arena, const struct table_row *row)
{
    const char *core = name_core(arena, row->text[TABLE_COUNTERPARTY]);
    if (!core)
        core = name_core(arena, row->text[TABLE_DESCRIPTION]);
    return core ? core : "";
}

const char *row_contact(struct arena *arena, const struct table_row *row)
{
    static const enum table_column columns[] = {TABLE_ADDRESS, TABLE_POSTCODE, TABLE_PHONE,
                                                TABLE_EMAIL};
    struct buf contact = buf_new(arena, SIMILARITY_BYTES_MAX);
    for (size_t i = 0; i < COUNT(columns); i++) {
        const char *text = row->text[columns[i]];
        if (!text)
            continue;
        buf_add_text(&contact, contact.n ? " " : "");
        buf_add_text(&contact, text_fold(arena, text));
    }
    return contact.data;
}
