/* A side without what making it left behind: normalising takes several times the memory of its
 * result. */
#include "base/base.h"

#include "matcher/side.h"

static const char *text_copy(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    return *text ? arena_text(arena, text) : "";
}

static struct grams grams_copy(struct arena *arena, struct grams grams)
{
    if (grams.count > 0)
        grams.code = arena_copy(arena, grams.code, grams.count * sizeof grams.code[0]);
    return grams;
}

/* The texts of all tokens lie behind one another. */
static const struct name_token *tokens_copy(struct arena *arena, const struct name_token *tokens,
                                            size_t count)
{
    if (count == 0)
        return NULL;
    struct name_token *copies = arena_copy(arena, tokens, count * sizeof *copies);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += tokens[i].n + 1;
    char *at = arena_alloc(arena, bytes);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, tokens[i].text, tokens[i].n + 1);
        copies[i].text = at;
        at += tokens[i].n + 1;
    }
    return copies;
}

/* `tokens` is the copy of those of the words. */
static struct weighed weighed_copy(struct arena *arena, struct weighed words,
                                   const struct name_token *tokens)
{
    words.tokens = tokens;
    if (words.weight && words.count > 0)
        words.weight = arena_copy(arena, words.weight, words.count);
    return words;
}

static struct identity identity_copy(struct arena *arena, const struct identity *identity)
{
    return (struct identity){
        .vat_id = text_copy(arena, identity->vat_id),
        .siren = text_copy(arena, identity->siren),
        .iban = text_copy(arena, identity->iban),
        .customer_id = text_copy(arena, identity->customer_id),
        .email = text_copy(arena, identity->email),
        .domain = text_copy(arena, identity->domain),
    };
}

const struct match_side *side_copy(struct arena *arena, const struct match_side *side)
{
    struct match_side *copy = arena_copy(arena, side, sizeof *side);
    /* The legal form and its class are the tables'. */
    copy->name.core = text_copy(arena, side->name.core);
    copy->name.compact = text_copy(arena, side->name.compact);
    copy->name.descriptor = text_copy(arena, side->name.descriptor);
    copy->name.tokens = tokens_copy(arena, side->name.tokens, side->name.token_count);
    copy->name_words = weighed_copy(arena, side->name_words, copy->name.tokens);
    copy->name_grams = grams_copy(arena, side->name_grams);
    copy->label_words =
        weighed_copy(arena, side->label_words,
                     tokens_copy(arena, side->label_words.tokens, side->label_words.count));
    copy->label_grams = grams_copy(arena, side->label_grams);
    copy->identity = identity_copy(arena, &side->identity);
    copy->reference = text_copy(arena, side->reference);
    copy->text = text_copy(arena, side->text);
    copy->file_name = text_copy(arena, side->file_name);
    for (size_t i = 0; i < side->number_count; i++)
        copy->numbers[i] = text_copy(arena, side->numbers[i]);
    copy->description = grams_copy(arena, side->description);
    copy->address = weighed_copy(arena, side->address,
                                 tokens_copy(arena, side->address.tokens, side->address.count));
    copy->postcode = text_copy(arena, side->postcode);
    copy->phone = text_copy(arena, side->phone);
    return copy;
}
