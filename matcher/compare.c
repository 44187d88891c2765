#include "base/base.h"

#include "base/text.h"
#include "matcher/compare.h"
#include "matcher/fold.h"
#include "matcher/similarity.h"

enum {
    REFERENCE_CONTAINED_MIN = 5, /* shorter references occur in any text */
    REFERENCE_DIGITS_MIN = 5,
    REFERENCE_NEAR_BYTES_MIN = 6,
    REFERENCE_NEAR_FROM = 9200,
    RARITY_USUAL = 40,
    RARITY_RARE = 80,
    NUMBER_DIGITS_MIN = 5, /* shorter ones are years and quantities */
    NUMBERS_MAX = 8,       /* of one description; later ones are not looked at */
    REFERENCE_FOUND = 3,   /* levels from here: at least its digits agree */
    DATE_ORDER_FROM_DAYS = 4,
    DUE_AFTER_DAYS = 14, /* what is paid sooner is near its own date */
    DUE_NEAR_DAYS = 3
};

/* Identifiers of one side, as given or canonical; NULL when absent or not valid. */
struct identity {
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *customer_id;
    const char *email;
    const char *domain;
};

struct comparer {
    struct arena *arena;
    const struct match_record *record;
    enum match_role role;
    const struct token_counts *counts;
    struct name_form name;
    struct trigrams name_trigrams;
    struct identity identity;
    const char *reference;            /* normalised */
    const char *description_norm;     /* the description as if it were a reference */
    const char *numbers[NUMBERS_MAX]; /* that the description states, normalised */
    size_t number_count;
    struct trigrams description;
};

static const char *present(const char *text)
{
    return text_blank(text) ? NULL : text;
}

/* Only what `other` has as well (NULL: everything): the rest cannot agree or differ. */
static struct identity identity_of(struct arena *arena, const struct identity *raw,
                                   const struct identity *other)
{
    struct identity identity = {.customer_id = present(raw->customer_id)};
    if ((!other || other->vat_id || other->siren) && present(raw->vat_id))
        identity.vat_id = vat_normalise(arena, raw->vat_id);
    if ((!other || other->siren) && present(raw->siren))
        identity.siren = siren_normalise(arena, raw->siren);
    if (!identity.siren && identity.vat_id)
        identity.siren = siren_normalise(arena, identity.vat_id);
    if ((!other || other->iban) && present(raw->iban))
        identity.iban = iban_normalise(arena, raw->iban);
    if ((!other || other->email) && present(raw->email)) {
        identity.email = text_fold(arena, raw->email);
        identity.domain = email_domain(arena, raw->email);
        if (identity.domain && email_domain_is_public(identity.domain))
            identity.domain = NULL;
    }
    return identity;
}

static void description_trigrams(struct arena *arena, const char *text, struct trigrams *into)
{
    into->count = 0;
    if (present(text))
        trigrams_of(text_fold(arena, text), into);
}

static bool ends_number(char c)
{
    return strchr(" \t\r\n,;:()[]#", c) != NULL;
}

/* Three groups of digits, six or eight in all: a day, not a number. */
static bool looks_like_day(size_t digits, size_t letters, size_t separators)
{
    return letters == 0 && separators == 2 && (digits == 6 || digits == 8);
}

static bool is_number_word(const char *word, size_t n)
{
    size_t digits = 0, letters = 0, separators = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)word[i];
        bool digit = c >= '0' && c <= '9';
        bool separator = strchr("-/._", c) != NULL;
        digits += digit;
        separators += separator;
        letters += !digit && !separator;
    }
    return digits >= NUMBER_DIGITS_MIN && !looks_like_day(digits, letters, separators);
}

/* "Invoice INV-2026-00042" states a number, whatever the source's own reference is. */
static void numbers_find(struct comparer *comparer, const char *text)
{
    size_t left = text ? strnlen(text, MATCH_TEXT_BYTES_MAX) : 0;
    for (const char *at = text; left > 0 && comparer->number_count < NUMBERS_MAX;) {
        size_t n = 0;
        while (n < left && !ends_number(at[n]))
            n++;
        const char *number = NULL;
        if (n > 0 && is_number_word(at, n))
            number = reference_normalise(comparer->arena,
                                         arena_format(comparer->arena, "%.*s", (int)n, at));
        if (number)
            comparer->numbers[comparer->number_count++] = number;
        n += n < left;
        at += n;
        left -= n;
    }
}

struct comparer *comparer_new(struct arena *arena, const struct match_record *record,
                              enum match_role role, const struct token_counts *counts)
{
    struct comparer *comparer = arena_alloc(arena, sizeof *comparer);
    comparer->arena = arena;
    comparer->record = record;
    comparer->role = role;
    comparer->counts = counts;
    comparer->name = name_normalise(arena, record->name);
    trigrams_of(comparer->name.core, &comparer->name_trigrams);
    struct identity raw = {.vat_id = record->vat_id,
                           .siren = record->siren,
                           .iban = record->iban,
                           .customer_id = record->customer_id,
                           .email = record->email};
    comparer->identity = identity_of(arena, &raw, NULL);
    comparer->reference = reference_normalise(arena, record->reference);
    comparer->description_norm = reference_normalise(arena, record->description);
    comparer->number_count = 0;
    numbers_find(comparer, record->description);
    description_trigrams(arena, record->description, &comparer->description);
    return comparer;
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

static int name_level(const struct name_likeness *likeness)
{
    static const int from[] = {2000, 4000, 5500, 7000, 8200, 9200};
    if (likeness->equal || likeness->score == SIMILARITY_ONE)
        return (int)COUNT(from) + 2;
    int level = 1;
    while ((size_t)level <= COUNT(from) && likeness->score >= from[level - 1])
        level++;
    return level;
}

static bool is_number(const struct name_token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_ORDINAL;
}

static size_t numbers_without_partner(const struct name_form *a, const struct name_form *b,
                                      size_t *numbers)
{
    size_t missing = 0;
    *numbers = 0;
    for (size_t i = 0; i < a->token_count; i++) {
        if (!is_number(&a->tokens[i]))
            continue;
        (*numbers)++;
        bool found = false;
        for (size_t j = 0; j < b->token_count; j++)
            found = found || strcmp(a->tokens[i].text, b->tokens[j].text) == 0;
        missing += !found;
    }
    return missing;
}

static int number_level(const struct name_form *a, const struct name_form *b)
{
    size_t in_a, in_b;
    size_t missing = numbers_without_partner(a, b, &in_a);
    missing += numbers_without_partner(b, a, &in_b);
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

static int name_features(struct comparer *comparer, const struct match_entry *entry, uint8_t *level)
{
    /* A bank's label often is the only place where a name stands. */
    const char *raw = present(entry->name) ? entry->name : entry->description;
    struct name_form name = name_normalise(comparer->arena, raw);
    if (name.token_count == 0 || comparer->name.token_count == 0)
        return 0;
    struct name_likeness likeness = name_compare(&comparer->name, &name, comparer->counts);
    if (!likeness.equal) {
        struct trigrams trigrams;
        trigrams_of(name.core, &trigrams);
        int by_trigrams = trigrams_similarity(&comparer->name_trigrams, &trigrams);
        if (by_trigrams > likeness.score)
            likeness.score = by_trigrams;
    }
    int value = name_level(&likeness);
    level[FEATURE_NAME] = (uint8_t)value;
    if (value >= NAME_AGREES)
        level[FEATURE_NAME_RARITY] = likeness.rarest_shared >= RARITY_RARE    ? 3
                                     : likeness.rarest_shared >= RARITY_USUAL ? 2
                                                                              : 1;
    if (value >= 3)
        level[FEATURE_NAME_EXTRA] = likeness.extra_left && likeness.extra_right   ? 1
                                    : likeness.extra_left || likeness.extra_right ? 2
                                                                                  : 3;
    level[FEATURE_NAME_NUMBER] = (uint8_t)number_level(&comparer->name, &name);
    level[FEATURE_LEGAL_FORM] = (uint8_t)legal_level(&comparer->name, &name);
    return likeness.score;
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

static bool fee_explains(const struct match_record *record, int64_t entry_minor)
{
    if (strcmp(record->fee.currency, record->amount.currency) != 0 || record->fee.minor == 0)
        return false;
    int64_t net;
    return !__builtin_sub_overflow(record->amount.minor, record->fee.minor, &net) &&
           net == entry_minor;
}

static int amount_level(const struct match_record *record, const struct money *amount)
{
    if (strcmp(record->amount.currency, amount->currency) != 0)
        return 0;
    if (record->amount.minor == amount->minor)
        return 7;
    if (fee_explains(record, amount->minor))
        return AMOUNT_EXPLAINED;
    if ((record->amount.minor < 0) != (amount->minor < 0))
        return 1;
    uint64_t a = magnitude(record->amount.minor), b = magnitude(amount->minor);
    return within(a, b, 5)     ? 5
           : within(a, b, 30)  ? 4
           : within(a, b, 100) ? 3
           : within(a, b, 250) ? 2
                               : 1;
}

static int64_t days_between(struct date a, struct date b)
{
    int64_t days = (int64_t)a.days - b.days;
    return days < 0 ? -days : days;
}

static int distance_level(int64_t days)
{
    static const int64_t up_to[] = {62, 24, 14, 7, 3, 0}; /* a month is beyond 24 */
    int level = 1;
    while ((size_t)level <= COUNT(up_to) && days <= up_to[level - 1])
        level++;
    return level;
}

static void date_features(const struct comparer *comparer, const struct match_entry *entry,
                          uint8_t *level)
{
    struct date date = comparer->record->date;
    if (date.days == DATE_NONE || entry->date.days == DATE_NONE)
        return;
    int64_t days = days_between(date, entry->date);
    if (days >= DATE_ORDER_FROM_DAYS) {
        /* An invoice comes before it is paid, money arrives after it was sent. */
        bool before = entry->date.days < date.days;
        level[FEATURE_DATE_ORDER] = before == (comparer->role == MATCH_DOCUMENT) ? 2 : 1;
    }
    /* Paid when it was due. It is not the same as being of that day: what comes every month is due
     * when the next one is written. */
    if (entry->due_date.days != DATE_NONE && days > DUE_AFTER_DAYS &&
        days_between(date, entry->due_date) <= DUE_NEAR_DAYS)
        level[FEATURE_DUE_DATE] = 1;
    level[FEATURE_DATE_DISTANCE] = (uint8_t)distance_level(days);
}

static bool has_digit(const char *text)
{
    return text[strcspn(text, "0123456789")] != '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does `text` have these bytes, and not as a part of a longer run of digits? "F20261" is not in
 * "F202612". */
static bool stands_in(const char *bytes, size_t n, const char *text)
{
    for (const char *at = text; n > 0 && (at = strstr(at, bytes)) != NULL; at++) {
        bool starts = at == text || !is_digit(bytes[0]) || !is_digit(at[-1]);
        if (starts && (!is_digit(bytes[n - 1]) || !is_digit(at[n])))
            return true;
    }
    return false;
}

static bool contained(const char *reference, const char *text)
{
    return reference && text && strlen(reference) >= REFERENCE_CONTAINED_MIN &&
           has_digit(reference) && stands_in(reference, strlen(reference), text);
}

/* A run of enough digits of `a` that occurs in `b`. */
static bool digits_shared(const char *a, const char *b)
{
    for (const char *at = a; *at;) {
        size_t n = strspn(at, "0123456789");
        char run[SIMILARITY_BYTES_MAX];
        if (n >= REFERENCE_DIGITS_MIN && n < sizeof run) {
            memcpy(run, at, n);
            run[n] = '\0';
            if (stands_in(run, n, b))
                return true;
        }
        at += n > 0 ? n : 1;
    }
    return false;
}

/* What an entry says about itself, as references. */
struct told {
    const char *reference, *description, *file_name;
};

static bool told_contains(const struct told *told, const char *reference)
{
    return contained(reference, told->description) || contained(reference, told->file_name) ||
           contained(reference, told->reference);
}

static bool found_in_text(const struct comparer *comparer, const struct told *told)
{
    if (told_contains(told, comparer->reference) ||
        contained(told->reference, comparer->description_norm) ||
        contained(told->reference, comparer->reference))
        return true;
    for (size_t i = 0; i < comparer->number_count; i++) {
        if (told_contains(told, comparer->numbers[i]))
            return true;
    }
    return false;
}

static int reference_level(const struct comparer *comparer, const struct told *told)
{
    const char *mine = comparer->reference, *theirs = told->reference;
    if (mine && theirs && strcmp(mine, theirs) == 0)
        return 5;
    if (found_in_text(comparer, told))
        return 4;
    if (!mine || !theirs)
        return 0;
    if (digits_shared(mine, theirs) || digits_shared(theirs, mine))
        return 3;
    size_t mine_n = strlen(mine), theirs_n = strlen(theirs);
    bool near = mine_n >= REFERENCE_NEAR_BYTES_MIN && theirs_n >= REFERENCE_NEAR_BYTES_MIN &&
                jaro_winkler(mine, mine_n, theirs, theirs_n) >= REFERENCE_NEAR_FROM;
    return near ? 2 : 1;
}

static void reference_features(struct comparer *comparer, const struct match_entry *entry,
                               uint8_t *level)
{
    struct told told = {
        .reference = reference_normalise(comparer->arena, entry->reference),
        .description = reference_normalise(comparer->arena, entry->description),
        .file_name = reference_normalise(comparer->arena, entry->file_name),
    };
    int found = reference_level(comparer, &told);
    level[FEATURE_REFERENCE] = (uint8_t)found;
    if (comparer->number_count > 0 && told.reference && has_digit(told.reference) &&
        found < REFERENCE_FOUND)
        level[FEATURE_STATED_NUMBER] = 1;
}

static int description_level(struct comparer *comparer, const char *text)
{
    struct trigrams trigrams;
    if (comparer->description.count == 0 || !present(text))
        return 0;
    trigrams_of(text_fold(comparer->arena, text), &trigrams);
    if (trigrams.count == 0)
        return 0;
    int value = trigrams_similarity(&comparer->description, &trigrams);
    return value >= 6000 ? 4 : value >= 3000 ? 3 : value >= 1000 ? 2 : 1;
}

struct comparison compare_entry(struct comparer *comparer, const struct match_entry *entry,
                                struct feature_vector *into)
{
    const struct match_record *record = comparer->record;
    memset(into, 0, sizeof *into);
    uint8_t *level = into->level;
    struct identity raw = {.vat_id = entry->vat_id,
                           .siren = entry->siren,
                           .iban = entry->iban,
                           .customer_id = entry->customer_id,
                           .email = entry->email};
    struct identity identity = identity_of(comparer->arena, &raw, &comparer->identity);
    level[FEATURE_IDENTIFIER] =
        (uint8_t)identifier_level(&comparer->identity, &identity, entry->same_counterparty);
    level[FEATURE_ALIAS] = entry->alias_confirmed;
    struct comparison comparison = {name_features(comparer, entry, level)};
    if (*record->amount.currency && *entry->amount.currency) {
        level[FEATURE_AMOUNT] = (uint8_t)amount_level(record, &entry->amount);
        level[FEATURE_CURRENCY] = strcmp(record->amount.currency, entry->amount.currency) ? 1 : 2;
    }
    date_features(comparer, entry, level);
    reference_features(comparer, entry, level);
    level[FEATURE_DESCRIPTION] = (uint8_t)description_level(comparer, entry->description);
    return comparison;
}
