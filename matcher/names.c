/* How alike two texts are: words weighted by how rare they are, aligned by spelling. */
#include "base/base.h"

#include "matcher/compare.h"
#include "matcher/similarity.h"

enum {
    FUZZY_BYTES_MIN = 4, /* shorter words agree only when they are equal */
    FUZZY_FROM = 8800,
    PREFIX_BYTES_MIN = 4,
    PREFIX_SCORE = 8500, /* an abbreviation or a truncated word */
    INITIAL_SCORE = 6000,
    CUT_SCORE = 7000, /* the first letters of a word where the text was cut off */
    EXTRA_PERCENT = 20,
    ACRONYM_WORDS_MIN = 3
};

static bool starts_with(const struct name_token *longer, const struct name_token *shorter)
{
    return longer->n > shorter->n && memcmp(longer->text, shorter->text, shorter->n) == 0;
}

static bool is_number(const struct name_token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_ORDINAL;
}

static int token_likeness(const struct name_token *a, const struct name_token *b)
{
    if (a->n == b->n && memcmp(a->text, b->text, a->n) == 0)
        return SIMILARITY_ONE;
    if (is_number(a) || is_number(b))
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
    bool taken_a[NAME_TOKENS_MAX], taken_b[NAME_TOKENS_MAX];
    int64_t agreed;             /* Σ likeness × both weights */
    int64_t agreed_a, agreed_b; /* Σ likeness × the weight of one */
    int left_a, left_b;         /* weight without a partner */
    int rarest;
};

/* Where a text was cut, its last word may be any beginning of the other's. */
static int cut_likeness(const struct weighed *a, size_t i, const struct weighed *b, size_t j)
{
    const struct name_token *left = &a->tokens[i], *right = &b->tokens[j];
    if ((a->cut && i + 1 == a->count && starts_with(right, left)) ||
        (b->cut && j + 1 == b->count && starts_with(left, right)))
        return CUT_SCORE;
    return 0;
}

static void alignment_start(const struct weighed *a, const struct weighed *b,
                            struct alignment *into)
{
    into->agreed = into->agreed_a = into->agreed_b = into->rarest = 0;
    memset(into->taken_a, 0, sizeof into->taken_a);
    memset(into->taken_b, 0, sizeof into->taken_b);
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++) {
            int likeness = token_likeness(&a->tokens[i], &b->tokens[j]);
            if (likeness < CUT_SCORE) {
                int cut = cut_likeness(a, i, b, j);
                likeness = cut > likeness ? cut : likeness;
            }
            into->likeness[i][j] = likeness;
        }
    }
    into->left_a = a->total;
    into->left_b = b->total;
}

/* The best pair of words that are both free; false when none agrees. */
static bool alignment_step(const struct weighed *a, const struct weighed *b,
                           struct alignment *alignment)
{
    size_t best_i = 0, best_j = 0;
    int best = 0;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count && !alignment->taken_a[i]; j++) {
            if (alignment->taken_b[j] || alignment->likeness[i][j] <= best)
                continue;
            best = alignment->likeness[i][j];
            best_i = i;
            best_j = j;
        }
    }
    if (best == 0)
        return false;
    int weight_a = a->weight[best_i], weight_b = b->weight[best_j];
    alignment->taken_a[best_i] = alignment->taken_b[best_j] = true;
    alignment->agreed += (int64_t)best * (weight_a + weight_b);
    alignment->agreed_a += (int64_t)best * weight_a;
    alignment->agreed_b += (int64_t)best * weight_b;
    alignment->left_a -= weight_a;
    alignment->left_b -= weight_b;
    int rarity = weight_a < weight_b ? weight_a : weight_b;
    if (best == SIMILARITY_ONE && rarity > alignment->rarest)
        alignment->rarest = rarity;
    return true;
}

struct likeness words_compare(const struct weighed *a, const struct weighed *b)
{
    struct alignment alignment;
    if (a->total == 0 || b->total == 0)
        return (struct likeness){0};
    alignment_start(a, b, &alignment);
    while (alignment_step(a, b, &alignment))
        continue;
    bool a_less = a->total < b->total;
    return (struct likeness){
        .score = (int)(alignment.agreed / (a->total + b->total)),
        .cover = (int)(a_less ? alignment.agreed_a / a->total : alignment.agreed_b / b->total),
        .extra_left = alignment.left_a * 100 >= a->total * EXTRA_PERCENT,
        .extra_right = alignment.left_b * 100 >= b->total * EXTRA_PERCENT,
        .rarest_shared = alignment.rarest,
    };
}

static bool spells(const struct name_form *words, const char *initials, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < words->token_count; i++) {
        if (at < n && words->tokens[i].text[0] == initials[at])
            at++;
        else if (words->tokens[i].kind != TOKEN_COMMON && words->tokens[i].n > 3)
            return false;
    }
    return at == n;
}

bool acronym_of(const struct name_form *a, const struct name_form *b)
{
    const struct name_form *shorter = a->token_count < b->token_count ? a : b;
    const struct name_form *longer = shorter == a ? b : a;
    if (shorter->token_count == 0 || longer->token_count < ACRONYM_WORDS_MIN)
        return false;
    const struct name_token *word = &shorter->tokens[0];
    return word->n >= ACRONYM_WORDS_MIN && word->n <= longer->token_count && !is_number(word) &&
           spells(longer, word->text, word->n);
}
