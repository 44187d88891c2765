#include "base/base.h"

#include "matcher/similarity.h"

enum { WORD_BITS = 64, PREFIX_MAX = 4, BOOST_FROM = 7000 };

struct jaro {
    int common;
    int half_transpositions;
};

static size_t bounded(size_t n)
{
    return n < SIMILARITY_BYTES_MAX ? n : SIMILARITY_BYTES_MAX;
}

/* How far apart two equal characters may stand. */
static size_t window_of(size_t a, size_t b)
{
    size_t longer = a > b ? a : b;
    return longer / 2 > 0 ? longer / 2 - 1 : 0;
}

static uint64_t bits_from_to(size_t from, size_t to)
{
    if (from >= WORD_BITS)
        return 0;
    uint64_t below_to = to >= WORD_BITS ? UINT64_MAX : (UINT64_C(1) << to) - 1;
    return below_to & ~((UINT64_C(1) << from) - 1);
}

/* `a` of at most 64 bytes: its positions per byte value are masks, and the first free common
 * character inside the window is the lowest bit. */
static struct jaro jaro_bits(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    uint64_t at[256];
    for (size_t j = 0; j < b_n; j++)
        at[b[j]] = 0;
    for (size_t i = 0; i < a_n; i++)
        at[a[i]] = 0;
    for (size_t i = 0; i < a_n; i++)
        at[a[i]] |= UINT64_C(1) << i;
    size_t window = window_of(a_n, b_n);
    uint64_t taken = 0;
    uint8_t matched_b[SIMILARITY_BYTES_MAX] = {0};
    struct jaro jaro = {0, 0};
    for (size_t j = 0; j < b_n; j++) {
        uint64_t inside = bits_from_to(j > window ? j - window : 0, j + window + 1);
        uint64_t free_here = at[b[j]] & inside & ~taken;
        if (!free_here)
            continue;
        taken |= free_here & (0 - free_here);
        matched_b[jaro.common++] = b[j];
    }
    int k = 0;
    for (uint64_t rest = taken; rest; rest &= rest - 1, k++)
        jaro.half_transpositions += a[__builtin_ctzll(rest)] != matched_b[k];
    return jaro;
}

static struct jaro jaro_plain(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    bool taken[SIMILARITY_BYTES_MAX] = {false};
    uint8_t matched_b[SIMILARITY_BYTES_MAX];
    size_t window = window_of(a_n, b_n);
    struct jaro jaro = {0, 0};
    for (size_t j = 0; j < b_n; j++) {
        size_t i = j > window ? j - window : 0;
        size_t end = j + window + 1 < a_n ? j + window + 1 : a_n;
        while (i < end && (taken[i] || a[i] != b[j]))
            i++;
        if (i >= end)
            continue;
        taken[i] = true;
        matched_b[jaro.common++] = b[j];
    }
    for (size_t i = 0, k = 0; i < a_n; i++) {
        if (taken[i])
            jaro.half_transpositions += a[i] != matched_b[k++];
    }
    return jaro;
}

/* (m/a + m/b + (m - t)/m) / 3 as one fraction, rounded down. */
static int jaro_value(struct jaro jaro, size_t a_n, size_t b_n)
{
    if (jaro.common == 0)
        return 0;
    int64_t a = (int64_t)a_n, b = (int64_t)b_n, m = jaro.common;
    int64_t t = jaro.half_transpositions / 2;
    return (int)((m * m * (a + b) + (m - t) * a * b) * SIMILARITY_ONE / (3 * a * b * m));
}

int jaro_winkler(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    size_t a_n = bounded(a_bytes), b_n = bounded(b_bytes);
    if (a_n == 0 || b_n == 0)
        return a_n == b_n ? SIMILARITY_ONE : 0;
    const uint8_t *left = (const uint8_t *)a, *right = (const uint8_t *)b;
    struct jaro jaro;
    if (a_n <= WORD_BITS)
        jaro = jaro_bits(left, a_n, right, b_n);
    else
        jaro = jaro_plain(left, a_n, right, b_n);
    int value = jaro_value(jaro, a_n, b_n);
    if (value < BOOST_FROM)
        return value;
    int prefix = 0;
    while (prefix < PREFIX_MAX && (size_t)prefix < a_n && (size_t)prefix < b_n &&
           a[prefix] == b[prefix])
        prefix++;
    return value + prefix * (SIMILARITY_ONE - value) / 10;
}

static bool word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

/* Shell's sort with Ciura's gaps: a name has a few dozen trigrams. */
static void codes_sort(uint32_t *code, size_t count)
{
    static const size_t gaps[] = {301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < COUNT(gaps); g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < count; i++) {
            uint32_t moving = code[i];
            size_t at = i;
            for (; at >= gap && code[at - gap] > moving; at -= gap)
                code[at] = code[at - gap];
            code[at] = moving;
        }
    }
}

static void word_trigrams(const uint8_t *word, size_t n, struct trigrams *into)
{
    uint32_t code = ' ' * 0x101u;
    for (size_t i = 0; i <= n && into->count < TRIGRAMS_MAX; i++) {
        code = ((code << 8) | (i < n ? word[i] : (uint8_t)' ')) & 0xFFFFFF;
        into->code[into->count++] = code;
    }
}

void trigrams_of(const char *text, struct trigrams *into)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t n = strnlen(text, SIMILARITY_BYTES_MAX);
    into->count = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && word_byte(at[end]))
            end++;
        if (end > i)
            word_trigrams(at + i, end - i, into);
        i = end + 1;
    }
    codes_sort(into->code, into->count);
    size_t kept = 0;
    for (size_t i = 0; i < into->count; i++) {
        if (kept == 0 || into->code[kept - 1] != into->code[i])
            into->code[kept++] = into->code[i];
    }
    into->count = kept;
}

int codes_similarity(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    size_t shared = 0;
    for (size_t i = 0, j = 0; i < a_count && j < b_count;) {
        uint32_t left = a[i], right = b[j];
        shared += left == right;
        i += left <= right;
        j += right <= left;
    }
    size_t all = a_count + b_count - shared;
    return all == 0 ? 0 : (int)(shared * SIMILARITY_ONE / all);
}

int trigrams_similarity(const struct trigrams *a, const struct trigrams *b)
{
    return codes_similarity(a->code, a->count, b->code, b->count);
}
