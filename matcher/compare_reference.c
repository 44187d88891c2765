/* References: equal, inside a text or the name of a file, alike, different. */
#include "base/base.h"

#include "matcher/compare.h"
#include "matcher/similarity.h"

enum {
    REFERENCE_CONTAINED_MIN = 5, /* shorter references occur in any text */
    REFERENCE_DIGITS_MIN = 5,
    REFERENCE_NEAR_BYTES_MIN = 6,
    REFERENCE_NEAR_FROM = 9200,
    REFERENCE_FOUND = 3 /* levels from here: at least its digits agree */
};

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

static bool told_contains(const struct match_side *entry, const char *reference)
{
    return contained(reference, entry->text) || contained(reference, entry->file_name) ||
           contained(reference, entry->reference);
}

static bool found_in_text(const struct match_side *record, const struct match_side *entry)
{
    if (told_contains(entry, record->reference) || contained(entry->reference, record->text) ||
        contained(entry->reference, record->reference))
        return true;
    for (size_t i = 0; i < record->number_count; i++) {
        if (told_contains(entry, record->numbers[i]))
            return true;
    }
    return false;
}

static int reference_level(const struct match_side *record, const struct match_side *entry)
{
    const char *mine = record->reference, *theirs = entry->reference;
    if (mine && theirs && strcmp(mine, theirs) == 0)
        return 5;
    if (found_in_text(record, entry))
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

void reference_features(const struct match_side *record, const struct match_side *entry,
                        uint8_t *level)
{
    static const int from[] = {1000, 3000, 6000};
    int found = reference_level(record, entry);
    level[FEATURE_REFERENCE] = (uint8_t)found;
    if (record->number_count > 0 && entry->reference && has_digit(entry->reference) &&
        found < REFERENCE_FOUND)
        level[FEATURE_STATED_NUMBER] = 1;
    if (record->description.count > 0 && entry->description.count > 0)
        level[FEATURE_DESCRIPTION] = (uint8_t)level_from(
            grams_similarity(&record->description, &entry->description), from, COUNT(from));
}
