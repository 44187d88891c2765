#include "base/base.h"

#include "matcher/compare.h"
#include "matcher/similarity.h"

enum {
    RARITY_USUAL = 40,
    RARITY_RARE = 80,
    TRUNCATED_BYTES_MIN = 8,
    TRUNCATED_SCORE = 8500,
    EMAIL_RESEMBLES_FROM = 9000,
    POSTCODE_AREA_BYTES = 3, /* of a postcode: the district */
    PHONE_NEAR_FROM = 9300,
    DUE_AFTER_DAYS = 14, /* what is paid sooner is near its own date */
    DUE_NEAR_DAYS = 3,
    DATE_ORDER_FROM_DAYS = 4
};

int level_from(int value, const int *from, size_t count)
{
    int level = 1;
    while ((size_t)level <= count && value >= from[level - 1])
        level++;
    return level;
}

int grams_similarity(const struct grams *a, const struct grams *b)
{
    return codes_similarity(a->code, a->count, b->code, b->count);
}

/* Both say it: equal (1), different (-1); else 0. */
static int agreement(const char *a, const char *b)
{
    if (!a || !b)
        return 0;
    return strcmp(a, b) == 0 ? 1 : -1;
}

static int identifier_level(const struct identity *a, const struct identity *b,
                            bool same_counterparty)
{
    int vat = agreement(a->vat_id, b->vat_id), siren = agreement(a->siren, b->siren);
    int iban = agreement(a->iban, b->iban);
    if (same_counterparty || vat > 0 || siren > 0 || agreement(a->customer_id, b->customer_id) > 0)
        return 6;
    if (vat < 0 || siren < 0)
        return 1;
    if (iban > 0)
        return 5;
    if (agreement(a->email, b->email) > 0)
        return 4;
    if (agreement(a->domain, b->domain) > 0)
        return 3;
    return iban < 0 || agreement(a->customer_id, b->customer_id) < 0 ? 2 : 0;
}

static int text_likeness(const char *a, const char *b)
{
    return jaro_winkler(a, strlen(a), b, strlen(b));
}

static int email_level(const struct identity *a, const struct identity *b)
{
    if (!a->email || !b->email)
        return 0;
    int likeness = text_likeness(a->email, b->email);
    return likeness == SIMILARITY_ONE ? 3 : likeness >= EMAIL_RESEMBLES_FROM ? 2 : 1;
}

static bool is_number(const struct name_token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_ORDINAL;
}

static size_t numbers_without_partner(const struct name_token *a, size_t a_count,
                                      const struct name_token *b, size_t b_count, size_t *numbers)
{
    size_t missing = 0;
    *numbers = 0;
    for (size_t i = 0; i < a_count; i++) {
        if (!is_number(&a[i]))
            continue;
        (*numbers)++;
        bool found = false;
        for (size_t j = 0; j < b_count; j++)
            found = found || strcmp(a[i].text, b[j].text) == 0;
        missing += !found;
    }
    return missing;
}

static int number_level(const struct name_token *a, size_t a_count, const struct name_token *b,
                        size_t b_count)
{
    size_t in_a, in_b;
    size_t missing = numbers_without_partner(a, a_count, b, b_count, &in_a);
    missing += numbers_without_partner(b, b_count, a, a_count, &in_b);
    if (in_a == 0 && in_b == 0)
        return 0;
    if (in_a == 0 || in_b == 0)
        return 2;
    return missing ? 1 : 3;
}

static int legal_level(const struct name_form *a, const struct name_form *b)
{
    if (!*a->legal || !*b->legal)
        return 0;
    if (strcmp(a->legal, b->legal) == 0)
        return 3;
    return *a->class_name && strcmp(a->class_name, b->class_name) == 0 ? 2 : 1;
}

static bool truncated(const char *a, const char *b)
{
    size_t a_n = strlen(a), b_n = strlen(b);
    size_t shorter = a_n < b_n ? a_n : b_n;
    return shorter >= TRUNCATED_BYTES_MIN && memcmp(a, b, shorter) == 0;
}

static struct likeness names_compare(const struct match_side *a, const struct match_side *b)
{
    struct likeness likeness = words_compare(&a->name_words, &b->name_words);
    if (strcmp(a->name.compact, b->name.compact) == 0) {
        likeness.score = SIMILARITY_ONE;
        likeness.extra_left = likeness.extra_right = false;
    } else if (likeness.score < TRUNCATED_SCORE && truncated(a->name.compact, b->name.compact)) {
        likeness.score = TRUNCATED_SCORE;
    }
    return likeness;
}

static int name_features(const struct match_side *a, const struct match_side *b, uint8_t *level)
{
    static const int from[] = {2000, 4000, 5500, 7000, 8200, 8800, 9300, SIMILARITY_ONE};
    static const int spelling_from[] = {1500, 3000, 4500, 6000, 7500, 9000};
    if (a->name.token_count == 0 || b->name.token_count == 0)
        return 0;
    struct likeness likeness = names_compare(a, b);
    int spelling = grams_similarity(&a->name_grams, &b->name_grams);
    if (likeness.score < spelling && likeness.score < SIMILARITY_ONE)
        likeness.score = spelling;
    int value = level_from(likeness.score, from, COUNT(from));
    level[FEATURE_NAME] = (uint8_t)value;
    level[FEATURE_NAME_SPELLING] =
        (uint8_t)level_from(spelling, spelling_from, COUNT(spelling_from));
    if (value >= NAME_AGREES)
        level[FEATURE_NAME_RARITY] = likeness.rarest_shared >= RARITY_RARE    ? 3
                                     : likeness.rarest_shared >= RARITY_USUAL ? 2
                                                                              : 1;
    if (value >= 3)
        level[FEATURE_NAME_EXTRA] = likeness.extra_left && likeness.extra_right   ? 1
                                    : likeness.extra_left || likeness.extra_right ? 2
                                                                                  : 3;
    level[FEATURE_NAME_NUMBER] = (uint8_t)number_level(a->name.tokens, a->name.token_count,
                                                       b->name.tokens, b->name.token_count);
    level[FEATURE_NAME_ACRONYM] = value < NAME_AGREES && acronym_of(&a->name, &b->name);
    level[FEATURE_LEGAL_FORM] = (uint8_t)legal_level(&a->name, &b->name);
    return likeness.score;
}

/* A memo says who and what for in a few words, cut off at some length: what counts is which words,
 * how rare they are and how many of the shorter one's are in the longer. */
static int label_features(const struct match_side *a, const struct match_side *b, uint8_t *level)
{
    static const int from[] = {1000, 2500, 4000, 5000, 6000, 7000, 8000, 9500};
    static const int cover_from[] = {3000, 5000, 7000, 8500, 9900};
    static const int spelling_from[] = {500, 1500, 2500, 3500, 4500, 5500, 7000, 9000};
    static const int rarity_from[] = {20, 35, 50, 65, 80};
    if (!a->labelled || !b->labelled)
        return 0;
    struct likeness likeness = words_compare(&a->label_words, &b->label_words);
    int spelling = grams_similarity(&a->label_grams, &b->label_grams);
    level[FEATURE_LABEL] = (uint8_t)level_from(likeness.score, from, COUNT(from));
    level[FEATURE_LABEL_COVER] = (uint8_t)level_from(likeness.cover, cover_from, COUNT(cover_from));
    level[FEATURE_LABEL_SPELLING] =
        (uint8_t)level_from(spelling, spelling_from, COUNT(spelling_from));
    level[FEATURE_LABEL_RARITY] =
        (uint8_t)level_from(likeness.rarest_shared, rarity_from, COUNT(rarity_from));
    return (likeness.score + likeness.cover) / 2;
}

static int postcode_level(const char *a, const char *b)
{
    if (!a || !b)
        return 0;
    if (strcmp(a, b) == 0)
        return 3;
    return strncmp(a, b, POSTCODE_AREA_BYTES) == 0 ? 2 : 1;
}

static int phone_level(const char *a, const char *b)
{
    if (!a || !b)
        return 0;
    size_t a_n = strlen(a), b_n = strlen(b), n = a_n < b_n ? a_n : b_n;
    if (strcmp(a + (a_n - n), b + (b_n - n)) == 0)
        return 3;
    return text_likeness(a, b) >= PHONE_NEAR_FROM ? 2 : 1;
}

static void place_features(const struct match_side *a, const struct match_side *b, uint8_t *level)
{
    static const int from[] = {3000, 5500, 7500, 8800, 9900};
    level[FEATURE_POSTCODE] = (uint8_t)postcode_level(a->postcode, b->postcode);
    level[FEATURE_PHONE] = (uint8_t)phone_level(a->phone, b->phone);
    if (a->address.count == 0 || b->address.count == 0)
        return;
    struct likeness likeness = words_compare(&a->address, &b->address);
    level[FEATURE_ADDRESS] = (uint8_t)level_from(likeness.score, from, COUNT(from));
    level[FEATURE_ADDRESS_NUMBER] = (uint8_t)number_level(a->address.tokens, a->address.count,
                                                          b->address.tokens, b->address.count);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Is the difference at most so many thousandths of the larger amount? */
static bool within(uint64_t a, uint64_t b, uint64_t thousandths)
{
    uint64_t larger = a > b ? a : b, difference = a > b ? a - b : b - a;
    return difference / thousandths < larger / 1000 ||
           (larger < UINT64_MAX / 1000 && difference * 1000 <= larger * thousandths);
}

static bool fee_explains(const struct match_side *record, int64_t entry_minor)
{
    if (strcmp(record->fee.currency, record->amount.currency) != 0 || record->fee.minor == 0)
        return false;
    int64_t net;
    return !__builtin_sub_overflow(record->amount.minor, record->fee.minor, &net) &&
           net == entry_minor;
}

static bool unit_unknown(const struct money *money)
{
    return strcmp(money->currency, "XXX") == 0;
}

static int amount_level(const struct match_side *record, const struct money *amount)
{
    if (record->amount.minor == amount->minor)
        return 9;
    if (fee_explains(record, amount->minor))
        return AMOUNT_EXPLAINED;
    if ((record->amount.minor < 0) != (amount->minor < 0))
        return 1;
    static const uint64_t within_thousandths[] = {250, 100, 60, 30, 10, 3};
    uint64_t a = magnitude(record->amount.minor), b = magnitude(amount->minor);
    int level = 1;
    for (size_t i = 0; i < COUNT(within_thousandths) && within(a, b, within_thousandths[i]); i++)
        level++;
    return level;
}

static void amount_features(const struct match_side *record, const struct match_side *entry,
                            uint8_t *level)
{
    const struct money *a = &record->amount, *b = &entry->amount;
    if (!*a->currency || !*b->currency)
        return;
    bool unit_open = unit_unknown(a) || unit_unknown(b);
    bool unit_equal = strcmp(a->currency, b->currency) == 0;
    if (unit_open || unit_equal)
        level[FEATURE_AMOUNT] = (uint8_t)amount_level(record, b);
    if (!unit_open)
        level[FEATURE_CURRENCY] = unit_equal ? 2 : 1;
}

static int64_t days_between(struct date a, struct date b)
{
    int64_t days = (int64_t)a.days - b.days;
    return days < 0 ? -days : days;
}

static int distance_level(int64_t days)
{
    static const int64_t up_to[] = {62, 24, 14, 7, 4, 2, 1, 0}; /* a month is beyond 24 */
    int level = 1;
    while ((size_t)level <= COUNT(up_to) && days <= up_to[level - 1])
        level++;
    return level;
}

static void date_features(const struct match_side *record, const struct match_side *entry,
                          enum match_role role, uint8_t *level)
{
    if (record->date.days == DATE_NONE || entry->date.days == DATE_NONE)
        return;
    int64_t days = days_between(record->date, entry->date);
    if (days > 0) {
        /* An invoice comes before it is paid, money arrives after it was sent. */
        bool usual = (entry->date.days < record->date.days) == (role == MATCH_DOCUMENT);
        level[FEATURE_DATE_ORDER] = usual ? 3 : days < DATE_ORDER_FROM_DAYS ? 2 : 1;
    }
    /* Paid when it was due. It is not the same as being of that day: what comes every month is due
     * when the next one is written. */
    if (entry->due_date.days != DATE_NONE && days > DUE_AFTER_DAYS &&
        days_between(record->date, entry->due_date) <= DUE_NEAR_DAYS)
        level[FEATURE_DUE_DATE] = 1;
    level[FEATURE_DATE_DISTANCE] = (uint8_t)distance_level(days);
}

struct comparison compare_sides(const struct match_side *record, const struct match_side *entry,
                                enum match_role role, struct feature_vector *into)
{
    memset(into, 0, sizeof *into);
    uint8_t *level = into->level;
    const struct match_entry *known = entry->entry;
    level[FEATURE_IDENTIFIER] =
        (uint8_t)identifier_level(&record->identity, &entry->identity, known->same_counterparty);
    level[FEATURE_EMAIL] = (uint8_t)email_level(&record->identity, &entry->identity);
    level[FEATURE_ALIAS] = known->alias_confirmed;
    struct comparison comparison = {
        name_features(record, entry, level),
        label_features(record, entry, level),
    };
    place_features(record, entry, level);
    amount_features(record, entry, level);
    date_features(record, entry, role, level);
    reference_features(record, entry, level);
    return comparison;
}
