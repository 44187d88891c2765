/* How often words occur among many texts. */
#include "base/base.h"

#include "base/text.h"
#include "matcher/fold.h"
#include "matcher/side.h"

struct counting {
    const char **words;
    size_t count, capacity;
    struct arena *arena;
};

static int word_order(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void word_add(struct counting *counting, const char *word)
{
    if (counting->count == counting->capacity) {
        size_t capacity = counting->capacity * 2;
        const char **words = arena_array(counting->arena, capacity, sizeof *words);
        memcpy(words, counting->words, counting->count * sizeof *words);
        counting->words = words;
        counting->capacity = capacity;
    }
    counting->words[counting->count++] = word;
}

/* The words of one text, each once, in both ways in which a text is cut into words. */
static void text_count(struct counting *counting, struct arena *scratch, const char *raw)
{
    const char *words[2 * NAME_TOKENS_MAX];
    size_t count = 0;
    struct name_form name = name_normalise(scratch, raw);
    for (size_t i = 0; i < name.token_count; i++)
        words[count++] = name.tokens[i].text;
    struct weighed plain = words_plain(scratch, raw);
    for (size_t i = 0; i < plain.count; i++)
        words[count++] = plain.tokens[i].text;
    if (count > 1)
        qsort(words, count, sizeof *words, word_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(words[i], words[i - 1]) != 0)
            word_add(counting, arena_text(counting->arena, words[i]));
    }
}

struct token_counts token_counts_of(struct arena *arena, const char *const *texts, size_t count)
{
    struct arena *scratch = arena_open(), *word_arena = arena_open();
    struct counting counting = {.capacity = 1024, .arena = word_arena};
    struct token_counts counts = {0};
    counting.words = arena_array(word_arena, counting.capacity, sizeof *counting.words);
    for (size_t i = 0; i < count; i++) {
        if (text_blank(texts[i]))
            continue;
        text_count(&counting, scratch, texts[i]);
        counts.names++;
        arena_reset(scratch);
    }
    if (counting.count > 1)
        qsort(counting.words, counting.count, sizeof *counting.words, word_order);
    for (size_t i = 0; i < counting.count; i++)
        counts.count += i == 0 || strcmp(counting.words[i], counting.words[i - 1]) != 0;
    struct token_count *tokens = arena_array(arena, counts.count, sizeof *tokens);
    counts.tokens = tokens;
    for (size_t i = 0, at = 0; i < counting.count; i++) {
        if (i > 0 && strcmp(counting.words[i], counting.words[i - 1]) == 0) {
            tokens[at - 1].names++;
            continue;
        }
        tokens[at++] = (struct token_count){arena_text(arena, counting.words[i]), 1};
    }
    arena_close(scratch);
    arena_close(word_arena);
    return counts;
}
