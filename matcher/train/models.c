/* `sluice-train fit` and `sluice-train models`: from generated worlds to model files, and from
 * model files to what is compiled in. */
#include "base/base.h"

#include <dirent.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "matcher/train/fit.h"
#include "matcher/train/gate_fit.h"
#include "matcher/train/measure.h"
#include "matcher/train/mixture.h"
#include "matcher/train/train.h"

enum { FILES_MAX = 64, BUILTIN_BYTES_MAX = 4 * 1024 * 1024 };

static const uint64_t gate_seed = 20260101;

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

static void levels_add(struct buf *into, const char *word,
                       const int64_t values[FEATURE_COUNT][FEATURE_LEVELS_MAX])
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        buf_format(into, "%s %s", word, info->name);
        for (int level = 0; level <= info->levels; level++)
            buf_format(into, " %" PRId64, values[i][level]);
        buf_add_char(into, '\n');
    }
}

static void intercepts_add(struct buf *into, int64_t null, const int64_t null_missing[4],
                           const int64_t unseen[VIEW_COUNT])
{
    buf_format(into, "null %" PRId64 "\nnull_missing", null);
    for (int i = 0; i < 4; i++)
        buf_format(into, " %" PRId64, null_missing[i]);
    buf_add_text(into, "\nunseen");
    for (int view = 0; view < VIEW_COUNT; view++)
        buf_format(into, " %" PRId64, unseen[view]);
    buf_add_char(into, '\n');
}

static void match_model_write(struct buf *into, const struct match_model *model)
{
    buf_format(into, "sluice-model 1\nid %s\nkind match\ntraining_hash %s\nrole %s\n", model->id,
               model->training_hash, match_role_name(model->role));
    buf_add_text(into, "feature_schema " FEATURE_SCHEMA "\n");
    intercepts_add(into, model->null_micro, model->null_missing_micro, model->unseen_micro);
    levels_add(into, "weight", model->weight);
    const struct joint_weights *joint = &model->joint;
    buf_format(
        into, "joint null_share %" PRId64 "\nunclaimed_share %" PRId64 " follow %" PRId64 "\n",
        model->null_share_micro, joint->unclaimed_share_micro, joint->unclaimed_follow_micro);
    intercepts_add(into, joint->null_micro, joint->null_missing_micro, joint->unseen_micro);
    levels_add(into, "weight", joint->weight);
    buf_add_text(into, "follow");
    for (int group = 0; group < GROUP_COUNT; group++)
        buf_format(into, " %" PRId64, joint->follow_micro[group]);
    buf_add_char(into, '\n');
    levels_add(into, "right", joint->usual_right);
    levels_add(into, "other", joint->usual_other);
}

static enum err model_file_write(struct arena *arena, const char *directory, const char *id,
                                 struct buf *text)
{
    buf_add_text(text, "end\n");
    return file_write(arena, arena_format(arena, "%s/%s.model", directory, id), buf_bytes(text));
}

static void measured_write(struct arena *scratch, const struct match_model *model,
                           const struct example_list *examples, const char *name, struct buf *text)
{
    static const char *const how[] = {"", "_alone", "_learned"};
    for (int i = MEASURED_TOGETHER; i <= MEASURED_LEARNED; i++) {
        struct measures measures;
        measure(scratch, model, examples, (enum measured_alone)i, &measures);
        measures_write(text, arena_format(scratch, "%s%s", name, how[i]), &measures);
    }
}

static enum err measures_add(const struct profile *profile, const struct match_model *model,
                             const char *data, struct buf *text)
{
    const struct held_out *held_out;
    for (size_t i = 0; (held_out = mixture_held_out(profile, i)) != NULL; i++) {
        struct arena *scratch = arena_open();
        struct example_list examples;
        enum err err = mixture_measured(scratch, profile, data, held_out, &examples);
        if (err == OK)
            measured_write(scratch, model, &examples, held_out->name, text);
        else
            arena_failure_move(text->arena, scratch, err);
        arena_close(scratch);
        TRY(err);
    }
    return OK;
}

enum err profile_try(struct arena *arena, const char *name, const char *data, const char *left_out)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        if (strcmp(profiles[i].name, name) != 0)
            continue;
        struct example_list examples;
        struct fit_report report;
        struct match_model model = {.role = profiles[i].role};
        TRY(mixture_training(arena, &profiles[i], data, left_out, &examples));
        match_fit(arena, &examples, &model, &report);
        struct buf text = buf_new(arena, MODEL_BYTES_MAX);
        match_model_write(&text, &model);
        TRY(measures_add(&profiles[i], &model, data, &text));
        printf("%s", text.data);
        return OK;
    }
    return arena_fail(arena, ERR_CONFIG, NULL, "There is no profile named %s.", name);
}

static enum err profile_fit(struct arena *arena, const struct profile *profile, const char *data,
                            const char *directory, const char *version)
{
    struct example_list examples;
    struct fit_report report;
    struct match_model model = {.role = profile->role};
    TRY(mixture_training(arena, profile, data, NULL, &examples));
    match_fit(arena, &examples, &model, &report);
    snprintf(model.id, sizeof model.id, "%s-%s", profile->name, version);
    snprintf(model.training_hash, sizeof model.training_hash, "%s",
             training_hash(arena, &examples));
    struct buf text = buf_new(arena, MODEL_BYTES_MAX);
    match_model_write(&text, &model);
    buf_format(&text, "metric training batches=%zu n=%zu log_loss=%.5f steps=%d\n",
               examples.batch_count, examples.count, report.log_loss, report.steps);
    TRY(measures_add(profile, &model, data, &text));
    printf("%s", text.data);
    return model_file_write(arena, directory, model.id, &text);
}

static enum err gate_model_fit(struct arena *arena, const char *directory, const char *version)
{
    struct gate_model model = {.p_max_micro = 980000, .reviews_min = 200};
    struct gate_report report;
    gate_fit(arena, gate_seed, &model, &report);
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

enum err models_fit(struct arena *arena, const char *data, const char *directory,
                    const char *version)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        struct arena *scratch = arena_open();
        enum err err = profile_fit(scratch, &profiles[i], data, directory, version);
        if (err != OK)
            arena_failure_move(arena, scratch, err);
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
