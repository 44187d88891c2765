/* How alike two names are: words weighted by how rare they are, aligned by spelling. */
#include "base/base.h"

#include "matcher/compare.h"
#include "matcher/similarity.h"

enum {
    WEIGHT_RARE = 100,
    WEIGHT_SHORT = 50, /* words of at most two letters */
    WEIGHT_NUMBER = 60,
    WEIGHT_COMMON = 25,
    WEIGHT_SEEN_MIN = 10, /* a word that every name of the workspace has */
    COUNTED_NAMES_MIN = 100,
    FUZZY_BYTES_MIN = 4, /* shorter words agree only when they are equal */
    FUZZY_FROM = 8800,
    PREFIX_BYTES_MIN = 4,
    PREFIX_SCORE = 8500, /* an abbreviation or a truncated word */
    INITIAL_SCORE = 6000,
    TRUNCATED_BYTES_MIN = 8,
    TRUNCATED_SCORE = 8500,
    EXTRA_PERCENT = 20
};

/* Whole bits of log2: enough to tell rare from usual, and the same everywhere. */
static int log2_floor(uint64_t value)
{
    return value ? 63 - __builtin_clzll(value) : 0;
}

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
    uint64_t share = (uint64_t)counts->names * 16 / (uint64_t)(having > 0 ? having : 1);
    int full = log2_floor((uint64_t)counts->names * 16);
    if (full == 0)
        return weight;
    int seen = WEIGHT_SEEN_MIN + (WEIGHT_RARE - WEIGHT_SEEN_MIN) * log2_floor(share) / full;
    return seen < weight ? seen : weight;
}

static bool starts_with(const struct name_token *longer, const struct name_token *shorter)
{
    return longer->n > shorter->n && memcmp(longer->text, shorter->text, shorter->n) == 0;
}

static int token_likeness(const struct name_token *a, const struct name_token *b)
{
    if (a->n == b->n && memcmp(a->text, b->text, a->n) == 0)
        return SIMILARITY_ONE;
    if (a->kind == TOKEN_NUMBER || b->kind == TOKEN_NUMBER || a->kind == TOKEN_ORDINAL ||
        b->kind == TOKEN_ORDINAL)
        return 0;
    const struct name_token *shorter = a->n < b->n ? a : b, *longer = a->n < b->n ? b : a;
    int fuzzy = 0;
    if (shorter->n >= FUZZY_BYTES_MIN)
        fuzzy = jaro_winkler(a->text, a->n, b->text, b->n);
    if (fuzzy < FUZZY_FROM)
        fuzzy = 0;
    if (fuzzy < PREFIX_SCORE && shorter->n >= PREFIX_BYTES_MIN && starts_with(longer, shorter))
        fuzzy = PREFIX_SCORE;
    if (fuzzy == 0 && shorter->n == 1 && starts_with(longer, shorter))
        fuzzy = INITIAL_SCORE;
    return fuzzy;
}

struct alignment {
    int likeness[NAME_TOKENS_MAX][NAME_TOKENS_MAX];
    int weight_a[NAME_TOKENS_MAX], weight_b[NAME_TOKENS_MAX];
    bool taken_a[NAME_TOKENS_MAX], taken_b[NAME_TOKENS_MAX];
    int64_t agreed; /* Σ likeness × both weights */
    int total_a, total_b;
    int left_a, left_b; /* weight without a partner */
    int rarest;
};

static void alignment_start(const struct name_form *a, const struct name_form *b,
                            const struct token_counts *counts, struct alignment *into)
{
    into->agreed = into->total_a = into->total_b = into->rarest = 0;
    for (size_t i = 0; i < a->token_count; i++) {
        into->weight_a[i] = token_weight(&a->tokens[i], counts);
        into->total_a += into->weight_a[i];
        into->taken_a[i] = false;
    }
    for (size_t j = 0; j < b->token_count; j++) {
        into->weight_b[j] = token_weight(&b->tokens[j], counts);
        into->total_b += into->weight_b[j];
        into->taken_b[j] = false;
    }
    for (size_t i = 0; i < a->token_count; i++) {
        for (size_t j = 0; j < b->token_count; j++)
            into->likeness[i][j] = token_likeness(&a->tokens[i], &b->tokens[j]);
    }
    into->left_a = into->total_a;
    into->left_b = into->total_b;
}

/* The best pair of words that are both free; false when none agrees. */
static bool alignment_step(size_t a_count, size_t b_count, struct alignment *alignment)
{
    size_t best_i = 0, best_j = 0;
    int best = 0;
    for (size_t i = 0; i < a_count; i++) {
        for (size_t j = 0; j < b_count && !alignment->taken_a[i]; j++) {
            if (alignment->taken_b[j] || alignment->likeness[i][j] <= best)
                continue;
            best = alignment->likeness[i][j];
            best_i = i;
            best_j = j;
        }
    }
    if (best == 0)
        return false;
    int weight_a = alignment->weight_a[best_i], weight_b = alignment->weight_b[best_j];
    alignment->taken_a[best_i] = alignment->taken_b[best_j] = true;
    alignment->agreed += (int64_t)best * (weight_a + weight_b);
    alignment->left_a -= weight_a;
    alignment->left_b -= weight_b;
    int rarity = weight_a < weight_b ? weight_a : weight_b;
    if (best == SIMILARITY_ONE && rarity > alignment->rarest)
        alignment->rarest = rarity;
    return true;
}

static bool truncated(const char *a, const char *b)
{
    size_t a_n = strlen(a), b_n = strlen(b);
    size_t shorter = a_n < b_n ? a_n : b_n;
    return shorter >= TRUNCATED_BYTES_MIN && memcmp(a, b, shorter) == 0;
}

struct name_likeness name_compare(const struct name_form *a, const struct name_form *b,
                                  const struct token_counts *counts)
{
    struct alignment alignment;
    alignment_start(a, b, counts, &alignment);
    while (alignment_step(a->token_count, b->token_count, &alignment))
        continue;
    int total = alignment.total_a + alignment.total_b;
    struct name_likeness likeness = {
        .score = total ? (int)(alignment.agreed / total) : 0,
        .extra_left = alignment.left_a * 100 >= alignment.total_a * EXTRA_PERCENT,
        .extra_right = alignment.left_b * 100 >= alignment.total_b * EXTRA_PERCENT,
        .rarest_shared = alignment.rarest,
        .equal = a->token_count > 0 && strcmp(a->compact, b->compact) == 0,
    };
    if (likeness.equal) {
        likeness.score = SIMILARITY_ONE;
        likeness.extra_left = likeness.extra_right = false;
    } else if (likeness.score < TRUNCATED_SCORE && truncated(a->compact, b->compact)) {
        likeness.score = TRUNCATED_SCORE;
    }
    return likeness;
}
