#include "base/base.h"

#include "base/buf.h"
#include "matcher/fold.h"
#include "matcher/normalise.h"
#include "matcher/record.h"
#include "matcher/words.h"

enum { CORE_BYTES_MAX = 4 * MATCH_TEXT_BYTES_MAX };

static bool only_digits(const char *word)
{
    return word[strspn(word, "0123456789")] == '\0';
}

static struct name_token token_of(struct arena *arena, const char *word)
{
    struct name_token token = {.text = word, .kind = TOKEN_WORD};
    int ordinal = ordinal_value(word);
    const char *common = common_word(word);
    if (only_digits(word)) {
        token.kind = TOKEN_NUMBER;
        token.text = word + strspn(word, "0");
        if (!*token.text)
            token.text = "0";
    } else if (ordinal > 0) {
        token.kind = TOKEN_ORDINAL;
        token.text = arena_format(arena, "%d", ordinal);
    } else if (common) {
        token.kind = TOKEN_COMMON;
        token.text = common;
    }
    token.n = strlen(token.text);
    return token;
}

/* A legal form of two letters counts at the end; in front only these, which are written there. */
static bool short_form_leads(const char *word)
{
    return strcmp(word, "sa") == 0 || strcmp(word, "sc") == 0 || strcmp(word, "pt") == 0;
}

/* Does the form of `n` words at `i` count where it stands? */
static bool legal_counts(const struct words *words, size_t i, size_t n)
{
    if (n == 0)
        return false;
    if (n > 1 || strlen(words->at[i]) > 2)
        return true;
    bool at_end = i + 1 == words->count;
    return words->count > 1 && (at_end || (i == 0 && short_form_leads(words->at[i])));
}

/* Which words belong to a legal form. */
struct legal_tags {
    bool tagged[WORDS_MAX];
    size_t tagged_count;
    struct legal_form first;
};

static void legal_tag(const struct words *words, struct legal_tags *tags)
{
    memset(tags, 0, sizeof *tags);
    for (size_t i = 0; i < words->count;) {
        struct legal_form form;
        size_t n = legal_match(words->at + i, words->count - i, &form);
        if (!legal_counts(words, i, n)) {
            i++;
            continue;
        }
        if (tags->tagged_count == 0)
            tags->first = form;
        for (size_t k = 0; k < n; k++)
            tags->tagged[i + k] = true;
        tags->tagged_count += n;
        i += n;
    }
}

static void join(struct arena *arena, struct name_form *into)
{
    struct buf core = buf_new(arena, CORE_BYTES_MAX);
    struct buf compact = buf_new(arena, CORE_BYTES_MAX);
    for (size_t i = 0; i < into->token_count; i++) {
        if (i > 0)
            buf_add_char(&core, ' ');
        buf_add(&core, into->tokens[i].text, into->tokens[i].n);
        buf_add(&compact, into->tokens[i].text, into->tokens[i].n);
    }
    into->core = core.data;
    into->compact = compact.data;
}

static bool is_and(const char *word)
{
    return strcmp(word, "and") == 0;
}

/* "and" counts between two words, not where a legal form was cut off beside it. */
static bool keeps(const struct words *words, const struct legal_tags *tags, size_t i)
{
    if (tags->tagged[i])
        return false;
    if (!is_and(words->at[i]))
        return true;
    return i > 0 && i + 1 < words->count && !tags->tagged[i - 1] && !tags->tagged[i + 1];
}

static void tokens_take(struct arena *arena, const struct words *words, struct name_form *into)
{
    struct legal_tags tags;
    legal_tag(words, &tags);
    bool all_legal = tags.tagged_count >= words->count;
    struct name_token *tokens = arena_array(arena, NAME_TOKENS_MAX, sizeof *tokens);
    size_t count = 0;
    for (size_t i = 0; i < words->count && count < NAME_TOKENS_MAX; i++) {
        if (all_legal || keeps(words, &tags, i))
            tokens[count++] = token_of(arena, words->at[i]);
    }
    into->tokens = tokens;
    into->token_count = count;
    if (tags.tagged_count > 0 && !all_legal) {
        into->legal = tags.first.form;
        into->class_name = tags.first.class_name;
    }
}

struct name_form name_normalise(struct arena *arena, const char *raw)
{
    struct name_form form = {"", "", "", "", "", NULL, 0};
    if (!raw)
        return form;
    struct buf descriptor = buf_new(arena, CORE_BYTES_MAX);
    struct words words;
    words_split(arena, descriptor_split(arena, text_fold(arena, raw), &descriptor), &words);
    tokens_take(arena, &words, &form);
    join(arena, &form);
    form.descriptor = descriptor.data;
    return form;
}

const char *name_core(struct arena *arena, const char *raw)
{
    struct name_form form = name_normalise(arena, raw);
    return *form.core ? form.core : NULL;
}
