#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/compare.h"
#include "matcher/fixed.h"
#include "matcher/fold.h"
#include "matcher/side.h"
#include "matcher/similarity.h"
#include "matcher/words.h"

enum {
    WEIGHT_RARE = 100,
    WEIGHT_SHORT = 50, /* words of at most two letters */
    WEIGHT_NUMBER = 60,
    WEIGHT_COMMON = 25,
    WEIGHT_SEEN_MIN = 10, /* a word that every name of the workspace has */
    COUNTED_NAMES_MIN = 100,
    COUNTED_SCALE = 4,     /* how much a word of every name still says */
    NUMBER_DIGITS_MIN = 5, /* shorter ones are years and quantities */
    PHONE_DIGITS_MIN = 6,
    PHONE_DIGITS_MAX = 9, /* what stands before them is dialled or not */
    CODE_BYTES_MAX = 40,
    LABEL_CUT_BYTES = 10 /* a shorter text was hardly cut off */
};

static const char *present(const char *text)
{
    return text_blank(text) ? NULL : text;
}

/* ---- words and what they weigh ---- */

static int64_t names_having(const struct token_counts *counts, const struct name_token *token)
{
    size_t low = 0, high = counts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(counts->tokens[middle].token, token->text);
        if (order == 0)
            return counts->tokens[middle].names;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static int weight_by_kind(const struct name_token *token)
{
    switch (token->kind) {
    case TOKEN_NUMBER:
    case TOKEN_ORDINAL:
        return WEIGHT_NUMBER;
    case TOKEN_COMMON:
        return WEIGHT_COMMON;
    case TOKEN_WORD:
        break;
    }
    return token->n <= 2 ? WEIGHT_SHORT : WEIGHT_RARE;
}

static int token_weight(const struct name_token *token, const struct token_counts *counts)
{
    int weight = weight_by_kind(token);
    if (!counts || counts->names < COUNTED_NAMES_MIN)
        return weight;
    int64_t having = names_having(counts, token);
    uint64_t names = (uint64_t)counts->names * COUNTED_SCALE;
    int64_t share = fixed_ln(names / (uint64_t)(having > 0 ? having : 1));
    int seen = WEIGHT_SEEN_MIN + (int)((WEIGHT_RARE - WEIGHT_SEEN_MIN) * share / fixed_ln(names));
    return seen < weight ? seen : weight;
}

struct weighed words_weigh(struct arena *arena, const struct name_token *tokens, size_t count,
                           const struct token_counts *counts)
{
    uint8_t *weight = arena_alloc(arena, count);
    struct weighed words = {tokens, weight, count, 0, false};
    for (size_t i = 0; i < count; i++) {
        weight[i] = (uint8_t)token_weight(&tokens[i], counts);
        words.total += weight[i];
    }
    return words;
}

/* ---- texts ---- */

static struct grams grams_of(struct arena *arena, const char *folded)
{
    struct trigrams trigrams;
    trigrams_of(folded, &trigrams);
    if (trigrams.count == 0)
        return (struct grams){NULL, 0};
    return (struct grams){
        arena_copy(arena, trigrams.code, trigrams.count * sizeof trigrams.code[0]),
        trigrams.count,
    };
}

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((unsigned char)c & 0x80);
}

static bool digits_only(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (word[i] < '0' || word[i] > '9')
            return false;
    }
    return true;
}

/* The words of a text as they stand: nothing is glued, tagged or left out. */
static size_t words_cut(struct arena *arena, const char *folded, struct name_token *into)
{
    size_t count = 0;
    for (const char *at = folded; *at && count < LABEL_WORDS_MAX;) {
        size_t n = 0;
        while (word_byte(at[n]) || (at[n] == '\'' && n > 0 && word_byte(at[n + 1])))
            n++;
        if (n > 0) {
            bool number = digits_only(at, n);
            into[count++] = (struct name_token){arena_text_n(arena, at, n), n,
                                                number ? TOKEN_NUMBER : TOKEN_WORD};
        }
        at += n > 0 ? n : 1;
    }
    return count;
}

struct weighed words_plain(struct arena *arena, const char *raw)
{
    struct name_token words[LABEL_WORDS_MAX];
    size_t count = words_cut(arena, text_fold(arena, raw), words);
    const struct name_token *kept = count ? arena_copy(arena, words, count * sizeof *words) : NULL;
    return (struct weighed){kept, NULL, count, 0, false};
}

static struct weighed plain_words(struct arena *arena, const char *raw,
                                  const struct token_counts *counts)
{
    struct weighed words = words_plain(arena, raw);
    return words_weigh(arena, words.tokens, words.count, counts);
}

static struct grams folded_grams(struct arena *arena, const char *raw)
{
    return present(raw) ? grams_of(arena, text_fold(arena, raw)) : (struct grams){NULL, 0};
}

/* Upper case without separators; `digits` keeps digits only. */
static const char *code_of(struct arena *arena, const char *raw, bool digits)
{
    if (!present(raw))
        return NULL;
    struct buf code = buf_new(arena, CODE_BYTES_MAX);
    for (const char *at = text_fold(arena, raw); *at; at++) {
        bool digit = *at >= '0' && *at <= '9';
        if (digit || (!digits && *at >= 'a' && *at <= 'z'))
            buf_add_char(&code, *at);
    }
    return code.n > 0 && !code.overflowed ? code.data : NULL;
}

static const char *phone_of(struct arena *arena, const char *raw)
{
    const char *digits = code_of(arena, raw, true);
    size_t n = digits ? strlen(digits) : 0;
    if (n < PHONE_DIGITS_MIN)
        return NULL;
    return n > PHONE_DIGITS_MAX ? digits + (n - PHONE_DIGITS_MAX) : digits;
}

/* ---- numbers that a text states ---- */

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
static void numbers_find(struct arena *arena, struct match_side *side, const char *text)
{
    size_t left = text ? strnlen(text, MATCH_TEXT_BYTES_MAX) : 0;
    for (const char *at = text; left > 0 && side->number_count < NUMBERS_MAX;) {
        size_t n = 0;
        while (n < left && !ends_number(at[n]))
            n++;
        const char *number = NULL;
        if (n > 0 && is_number_word(at, n))
            number = reference_normalise(arena, arena_format(arena, "%.*s", (int)n, at));
        if (number)
            side->numbers[side->number_count++] = number;
        n += n < left;
        at += n;
        left -= n;
    }
}

/* ---- the side ---- */

/* What a record and an entry have alike, raw. */
struct texts {
    const char *name, *description, *address;
    struct identity identity;
};

static void identity_take(struct arena *arena, const struct identity *raw, struct identity *into)
{
    into->customer_id = present(raw->customer_id);
    if (present(raw->vat_id))
        into->vat_id = vat_normalise(arena, raw->vat_id);
    if (present(raw->siren))
        into->siren = siren_normalise(arena, raw->siren);
    if (!into->siren && into->vat_id)
        into->siren = siren_normalise(arena, into->vat_id);
    if (present(raw->iban))
        into->iban = iban_normalise(arena, raw->iban);
    if (!present(raw->email))
        return;
    into->email = text_fold(arena, raw->email);
    into->domain = email_domain(arena, raw->email);
    if (into->domain && email_domain_is_public(into->domain))
        into->domain = NULL;
}

static void label_take(struct arena *arena, const char *raw, const struct token_counts *counts,
                       struct match_side *side)
{
    side->labelled = true;
    side->label_words = plain_words(arena, raw, counts);
    side->label_words.cut = strnlen(raw, MATCH_TEXT_BYTES_MAX) >= LABEL_CUT_BYTES;
    side->label_grams = grams_of(arena, text_fold(arena, raw));
}

static void texts_take(struct arena *arena, const struct texts *texts,
                       const struct token_counts *counts, struct match_side *side)
{
    const char *name = present(texts->name), *description = present(texts->description);
    /* A bank's label often is the only place where a name stands. */
    side->name = name_normalise(arena, name ? name : description);
    side->name_words = words_weigh(arena, side->name.tokens, side->name.token_count, counts);
    side->name_grams = grams_of(arena, side->name.core);
    const char *text = description ? description : name;
    side->text = reference_normalise(arena, text);
    if (!name != !description)
        label_take(arena, text, counts, side);
    else
        side->description = folded_grams(arena, description);
    if (present(texts->address))
        side->address = plain_words(arena, texts->address, NULL);
    identity_take(arena, &texts->identity, &side->identity);
}

const struct match_side *side_of_record(struct arena *arena, const struct match_record *record,
                                        const struct token_counts *counts)
{
    struct match_side *side = arena_alloc(arena, sizeof *side);
    side->amount = record->amount;
    side->fee = record->fee;
    side->date = record->date;
    side->due_date.days = DATE_NONE;
    struct texts texts = {
        .name = record->name,
        .description = record->description,
        .address = record->address,
        .identity = {.vat_id = record->vat_id,
                     .siren = record->siren,
                     .iban = record->iban,
                     .customer_id = record->customer_id,
                     .email = record->email},
    };
    texts_take(arena, &texts, counts, side);
    side->reference = reference_normalise(arena, record->reference);
    side->postcode = code_of(arena, record->postcode, false);
    side->phone = phone_of(arena, record->phone);
    numbers_find(arena, side, record->description);
    return side;
}

const struct match_side *side_of_entry(struct arena *arena, const struct match_entry *entry,
                                       const struct token_counts *counts)
{
    struct match_side *side = arena_alloc(arena, sizeof *side);
    side->entry = entry;
    side->amount = entry->amount;
    side->date = entry->date;
    side->due_date = entry->due_date;
    struct texts texts = {
        .name = entry->name,
        .description = entry->description,
        .address = entry->address,
        .identity = {.vat_id = entry->vat_id,
                     .siren = entry->siren,
                     .iban = entry->iban,
                     .customer_id = entry->customer_id,
                     .email = entry->email},
    };
    texts_take(arena, &texts, counts, side);
    side->reference = reference_normalise(arena, entry->reference);
    side->file_name = reference_normalise(arena, entry->file_name);
    side->postcode = code_of(arena, entry->postcode, false);
    side->phone = phone_of(arena, entry->phone);
    return side;
}
