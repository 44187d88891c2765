#include "base/base.h"

#include "matcher/words.h"

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((unsigned char)c & 0x80);
}

static bool is_letter(const char *word)
{
    return word[0] >= 'a' && word[0] <= 'z' && word[1] == '\0';
}

/* The words with, for each, whether only dots, slashes and spaces part it from the one before. */
struct pieces {
    const char *at[WORDS_MAX * 4];
    bool near_before[WORDS_MAX * 4];
    size_t count;
};

static void piece_add(struct pieces *pieces, const char *word, bool near_before)
{
    if (pieces->count == COUNT(pieces->at))
        return;
    pieces->at[pieces->count] = word;
    pieces->near_before[pieces->count++] = near_before;
}

static void pieces_cut(struct arena *arena, const char *folded, struct pieces *pieces)
{
    char *copy = arena_alloc(arena, 2 * strlen(folded) + 1);
    bool near_before = true;
    for (const char *at = folded; *at;) {
        if (*at == '&')
            piece_add(pieces, "and", false);
        if (!is_word_char(*at)) {
            near_before = near_before && strchr(" ./", *at);
            at++;
            continue;
        }
        char *word = copy;
        for (; is_word_char(*at) || (*at == '\'' && is_word_char(at[1])); at++) {
            if (*at != '\'')
                *copy++ = *at;
        }
        *copy++ = '\0';
        piece_add(pieces, word, near_before);
        near_before = true;
    }
}

/* How many single letters stand together from `i` on. */
static size_t initials_at(const struct pieces *pieces, size_t i)
{
    size_t n = 0;
    while (i + n < pieces->count && is_letter(pieces->at[i + n]) &&
           (n == 0 || pieces->near_before[i + n]))
        n++;
    return n;
}

static const char *glued(struct arena *arena, const struct pieces *pieces, size_t from, size_t n)
{
    char *word = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++)
        word[i] = pieces->at[from + i][0];
    return word;
}

static bool is_and(const char *word, bool inside)
{
    if (inside && strcmp(word, "y") == 0)
        return true;
    return strcmp(word, "et") == 0 || strcmp(word, "und") == 0;
}

void words_split(struct arena *arena, const char *folded, struct words *into)
{
    struct pieces pieces;
    pieces.count = 0;
    pieces_cut(arena, folded, &pieces);
    into->count = 0;
    for (size_t i = 0; i < pieces.count && into->count < WORDS_MAX;) {
        size_t n = initials_at(&pieces, i);
        bool inside = i > 0 && i + 1 < pieces.count;
        if (n >= 2)
            into->at[into->count++] = glued(arena, &pieces, i, n);
        else
            into->at[into->count++] = is_and(pieces.at[i], inside) ? "and" : pieces.at[i];
        i += n >= 2 ? n : 1;
    }
}

static int roman_value(const char *word)
{
    static const char *const romans[] = {"ii",  "iii",  "iv",  "vi",  "vii",  "viii",  "ix", "xi",
                                         "xii", "xiii", "xiv", "xvi", "xvii", "xviii", "xix"};
    static const int values[] = {2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19};
    for (size_t i = 0; i < COUNT(romans); i++) {
        if (strcmp(word, romans[i]) == 0)
            return values[i];
    }
    return 0;
}

int ordinal_value(const char *word)
{
    static const char *const endings[] = {"st", "nd", "rd", "th", "er", "re", "e", "eme", "ere"};
    int value = 0;
    const char *at = word;
    for (; *at >= '0' && *at <= '9' && at - word < 4; at++)
        value = value * 10 + (*at - '0');
    if (at == word)
        return roman_value(word);
    for (size_t i = 0; i < COUNT(endings); i++) {
        if (strcmp(at, endings[i]) == 0)
            return value;
    }
    return 0;
}
