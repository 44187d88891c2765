/* `sluice-train fit` and `sluice-train models`: from generated worlds to model files, and from
 * model files to what is compiled in. */
#include "base/base.h"

#include <dirent.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "matcher/train/fit.h"
#include "matcher/train/gate_fit.h"
#include "matcher/train/measure.h"
#include "matcher/train/train.h"

enum {
    TRAINING_WORLDS = 60,
    HELD_OUT_WORLDS = 40,
    EXAMPLES_MAX = 60000,
    FILES_MAX = 64,
    BUILTIN_BYTES_MAX = 4 * 1024 * 1024
};

static const uint64_t training_seed = 20260101, held_out_seed = 20279999;

struct profile {
    const char *name;
    enum match_role role;
};

static const struct profile profiles[] = {{"invoice", MATCH_DOCUMENT},
                                          {"bank_transaction", MATCH_SETTLEMENT},
                                          {"company", MATCH_COUNTERPARTY}};

struct held_out {
    const char *name;
    double null_share; /* negative: as the worlds have it */
    bool fresh;        /* the ledger shows all that exists, whatever the worlds have */
    bool learned;      /* the null intercept has followed */
    bool recurring;    /* every party buys the same again and again */
};

/* `held_out` NULL: the worlds of training. */
static enum err worlds_play(struct arena *arena, enum match_role role,
                            const struct held_out *held_out, struct example_list *into)
{
    int worlds = held_out ? HELD_OUT_WORLDS : TRAINING_WORLDS;
    *into = (struct example_list){.capacity = EXAMPLES_MAX};
    into->at = arena_array(arena, into->capacity, sizeof *into->at);
    for (int i = 0; i < worlds; i++) {
        uint64_t seed = (held_out ? held_out_seed : training_seed) + (uint64_t)i * 7919;
        struct world world = world_draw(seed, role, held_out != NULL);
        if (held_out && held_out->null_share >= 0)
            world.null_share = held_out->null_share;
        if (held_out && held_out->fresh)
            world.view = VIEW_FRESH;
        if (held_out && held_out->recurring)
            world.recurring = 1;
        TRY(world_play(arena, &world, i, into));
    }
    return OK;
}

/* Of everything that the fit sees, in order. */
static const char *training_hash(struct arena *arena, const struct example_list *examples)
{
    struct buf data = buf_new(arena, (size_t)256 * 1024 * 1024);
    for (size_t i = 0; i < examples->count; i++) {
        const struct example *example = &examples->at[i];
        buf_format(&data, "%d %d %d %zu\n", example->truth, example->fields_missing,
                   (int)example->view, example->count);
        buf_add(&data, example->vectors, example->count * sizeof *example->vectors);
    }
    return sha256_hex(arena, buf_bytes(&data));
}

static void match_model_write(struct buf *into, const struct match_model *model)
{
    buf_format(into, "sluice-model 1\nid %s\nkind match\ntraining_hash %s\nrole %s\n", model->id,
               model->training_hash, match_role_name(model->role));
    buf_format(into, "feature_schema " FEATURE_SCHEMA "\nnull %" PRId64 "\nnull_missing",
               model->null_micro);
    for (size_t i = 0; i < COUNT(model->null_missing_micro); i++)
        buf_format(into, " %" PRId64, model->null_missing_micro[i]);
    buf_add_text(into, "\nunseen");
    for (int view = 0; view < VIEW_COUNT; view++)
        buf_format(into, " %" PRId64, model->unseen_micro[view]);
    buf_add_char(into, '\n');
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        buf_format(into, "weight %s", info->name);
        for (int level = 0; level <= info->levels; level++)
            buf_format(into, " %" PRId64, model->weight[i][level]);
        buf_add_char(into, '\n');
    }
}

static enum err model_file_write(struct arena *arena, const char *directory, const char *id,
                                 struct buf *text)
{
    buf_add_text(text, "end\n");
    return file_write(arena, arena_format(arena, "%s/%s.model", directory, id), buf_bytes(text));
}

static enum err measures_add(const struct match_model *model, struct buf *text)
{
    static const struct held_out sets[] = {{"held_out", -1, false, false, false},
                                           {"held_out_learned", -1, false, true, false},
                                           {"held_out_fresh", -1, true, false, false},
                                           {"held_out_fresh_learned", -1, true, true, false},
                                           {"null_share_0", 0.0, true, false, false},
                                           {"null_share_0_learned", 0.0, true, true, false},
                                           {"null_share_15", 0.15, true, false, false},
                                           {"null_share_15_learned", 0.15, true, true, false},
                                           {"null_share_50", 0.5, true, false, false},
                                           {"null_share_50_learned", 0.5, true, true, false},
                                           {"recurring", -1, true, false, true},
                                           {"recurring_learned", -1, true, true, true}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (sets[i].recurring && model->role == MATCH_COUNTERPARTY)
            continue; /* companies do not come every month */
        struct arena *scratch = arena_open();
        struct example_list examples;
        struct measures measures;
        enum err err = worlds_play(scratch, model->role, &sets[i], &examples);
        if (err == OK) {
            measure(scratch, model, &examples, sets[i].learned, &measures);
            measures_write(text, sets[i].name, &measures);
        }
        arena_close(scratch);
        TRY(err);
    }
    return OK;
}

static enum err profile_fit(struct arena *arena, const struct profile *profile,
                            const char *directory, const char *version)
{
    struct example_list examples;
    struct fit_report report;
    struct match_model model = {.role = profile->role};
    TRY(worlds_play(arena, profile->role, NULL, &examples));
    match_fit(arena, &examples, &model, &report);
    snprintf(model.id, sizeof model.id, "%s-%s", profile->name, version);
    snprintf(model.training_hash, sizeof model.training_hash, "%s",
             training_hash(arena, &examples));
    struct buf text = buf_new(arena, MODEL_BYTES_MAX);
    match_model_write(&text, &model);
    buf_format(&text, "metric training source=generated worlds=%d n=%zu log_loss=%.5f steps=%d\n",
               TRAINING_WORLDS, examples.count, report.log_loss, report.steps);
    TRY(measures_add(&model, &text));
    printf("%s", text.data);
    return model_file_write(arena, directory, model.id, &text);
}

static enum err gate_model_fit(struct arena *arena, const char *directory, const char *version)
{
    struct gate_model model = {.p_max_micro = 980000, .reviews_min = 200};
    struct gate_report report;
    gate_fit(arena, training_seed, &model, &report);
    snprintf(model.id, sizeof model.id, "gate-%s", version);
    struct buf text = buf_new(arena, MODEL_BYTES_MAX);
    buf_format(&text, "intercept %" PRId64, model.intercept_micro);
    for (int axis = 0; axis < AXIS_COUNT; axis++)
        buf_format(&text, "\nweight %s %" PRId64, gate_axis_name((enum gate_axis)axis),
                   model.weight_micro[axis]);
    buf_format(&text, "\np_max %" PRId64 "\nreviews_min %" PRId64 "\n", model.p_max_micro,
               model.reviews_min);
    struct buf whole = buf_new(arena, MODEL_BYTES_MAX);
    buf_format(&whole, "sluice-model 1\nid %s\nkind gate\ntraining_hash %s\n", model.id,
               sha256_text_hex(arena, text.data));
    buf_add_text(&whole, text.data);
    buf_format(&whole,
               "metric training source=assumed_failure_rates calibrated=no n=%zu "
               "log_loss=%.5f ece=%.4f\n",
               report.count, report.log_loss, report.ece);
    printf("%s", whole.data);
    return model_file_write(arena, directory, model.id, &whole);
}

enum err models_fit(struct arena *arena, const char *directory, const char *version)
{
    for (size_t i = 0; i < COUNT(profiles); i++) {
        struct arena *scratch = arena_open();
        enum err err = profile_fit(scratch, &profiles[i], directory, version);
        arena_close(scratch);
        TRY(err);
    }
    return gate_model_fit(arena, directory, version);
}

static int name_order(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int is_model(const struct dirent *file)
{
    return text_ends(file->d_name, ".model");
}

static enum err model_names(struct arena *arena, const char *directory, const char **names,
                            size_t *count)
{
    struct dirent **files;
    int found = scandir(directory, &files, is_model, NULL);
    if (found < 0)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be read.", directory);
    *count = 0;
    for (int i = 0; i < found; i++) {
        if (*count < FILES_MAX)
            names[(*count)++] = arena_text(arena, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    qsort(names, *count, sizeof *names, name_order);
    return OK;
}

static enum err lines_add(struct arena *arena, const char *path, size_t number, struct buf *out)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be read.", path);
    char line[1024];
    buf_format(out, "static const char *const model_%zu_lines[] = {\n", number);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        buf_format(out, "    \"%s\",\n", line);
    }
    buf_add_text(out, "    NULL};\n");
    fclose(file);
    return OK;
}

enum err models_embed(struct arena *arena, const char *directory)
{
    const char *names[FILES_MAX];
    size_t count = 0;
    TRY(model_names(arena, directory, names, &count));
    struct buf out = buf_new(arena, BUILTIN_BYTES_MAX);
    buf_add_text(&out, "/* Made by `sluice-train models` from matcher/models; do not edit. */\n"
                       "/* clang-format off */\n");
    for (size_t i = 0; i < count; i++)
        TRY(lines_add(arena, arena_format(arena, "%s/%s", directory, names[i]), i, &out));
    buf_add_text(&out, "static const struct builtin_model builtin_models[] = {\n");
    for (size_t i = 0; i < count; i++)
        buf_format(&out, "    {model_%zu_lines},\n", i);
    buf_add_text(&out, "};\n/* clang-format on */\n");
    return file_write(arena, arena_format(arena, "%s/builtin.inc", directory), buf_bytes(&out));
}
