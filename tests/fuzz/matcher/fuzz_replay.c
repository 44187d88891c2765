/* Any bytes as a stored decision, a model, a vector: refused, or taken again to a fixed point. */
#include "base/base.h"

#include "matcher/matcher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct model_set *models;
    if (model_set_new(arena, &models) != OK)
        abort();
    char *text = arena_text_n(arena, (const char *)data, size);
    struct feature_vector features;
    struct gate_vector gate;
    struct match_model match_model;
    struct gate_model gate_model;
    const char *once, *twice;
    (void)features_parse(text, size, &features);
    (void)gate_parse(text, size, &gate);
    struct bytes bytes = {data, size};
    if (match_model_parse(arena, bytes, &match_model) == OK &&
        gate_model_parse(arena, bytes, &gate_model) == OK)
        abort(); /* no text is both */
    if (match_replay(arena, models, text, &once) == OK) {
        if (match_replay(arena, models, once, &twice) != OK || strcmp(once, twice) != 0)
            abort();
    }
    arena_close(arena);
    return 0;
}
