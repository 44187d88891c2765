/* Any bytes as a name, a reference, an identifier: bounded, valid UTF-8, stable. */
#include "base/base.h"

#include "base/text.h"
#include "matcher/matcher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    char *text = arena_text_n(arena, (const char *)data, size);
    struct name_form form = name_normalise(arena, text);
    require(form.token_count <= NAME_TOKENS_MAX);
    require(utf8_valid(form.core, strlen(form.core)));
    struct name_form again = name_normalise(arena, form.core);
    require(strlen(again.core) <= strlen(form.core) + 1 || again.token_count <= NAME_TOKENS_MAX);
    const char *reference = reference_normalise(arena, text);
    if (reference)
        require(strcmp(reference_normalise(arena, reference), reference) == 0);
    identifier_classify(text);
    email_domain(arena, text);
    struct trigrams trigrams;
    trigrams_of(form.core, &trigrams);
    require(trigrams.count == 0 || trigrams_similarity(&trigrams, &trigrams) == SIMILARITY_ONE);
    size_t half = size / 2;
    int one = jaro_winkler(text, half, text + half, strnlen(text + half, size - half));
    require(one >= 0 && one <= SIMILARITY_ONE);
    arena_close(arena);
    return 0;
}
