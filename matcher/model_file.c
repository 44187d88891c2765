/* Model files: versioned text, read strictly. What is compiled in was made by `sluice-train models`
 * from matcher/models. */
#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/model.h"
#include "matcher/scan.h"

enum { WEIGHT_MICRO_MAX = 50000000, FOLLOW_MICRO_MAX = 5000000, MODELS_MAX = 64 };

struct builtin_model {
    const char *const *lines; /* NULL-terminated */
};

#include "matcher/models/builtin.inc"

struct model_set {
    struct match_model match[MODELS_MAX];
    size_t match_count;
    struct gate_model gate[MODELS_MAX];
    size_t gate_count;
};

static bool scan_weight(struct scan *scan, int64_t *into)
{
    return scan_literal(scan, " ") && scan_int(scan, -WEIGHT_MICRO_MAX, WEIGHT_MICRO_MAX, into);
}

static bool scan_head(struct scan *scan, const char *kind, char id[32], char hash[65])
{
    char word[SCAN_WORD_BYTES];
    if (!scan_literal(scan, "sluice-model 1\nid ") || !scan_word(scan, word) || strlen(word) >= 32)
        return false;
    memcpy(id, word, strlen(word) + 1);
    if (!scan_literal(scan, "\nkind ") || !scan_literal(scan, kind) ||
        !scan_literal(scan, "\ntraining_hash ") || !scan_word(scan, word) || strlen(word) != 64)
        return false;
    memcpy(hash, word, 65);
    return scan_literal(scan, "\n");
}

/* The lines "metric name value …" up to "end". */
static bool scan_metrics(struct scan *scan, struct arena *arena, const char **into)
{
    struct buf metrics = buf_new(arena, MODEL_BYTES_MAX);
    while (scan_literal(scan, "metric ")) {
        const char *text;
        size_t n;
        if (!scan_line(scan, &text, &n))
            return false;
        buf_add(&metrics, text, n);
        buf_add_char(&metrics, '\n');
    }
    *into = metrics.data;
    return scan_literal(scan, "end\n") && scan->at == scan->end;
}

static bool scan_role(struct scan *scan, enum match_role *into)
{
    char word[SCAN_WORD_BYTES];
    if (!scan_literal(scan, "role ") || !scan_word(scan, word))
        return false;
    for (int role = 0; role < MATCH_ROLE_COUNT; role++) {
        if (strcmp(word, match_role_name((enum match_role)role)) == 0) {
            *into = (enum match_role)role;
            return scan_literal(scan, "\nfeature_schema " FEATURE_SCHEMA "\n");
        }
    }
    return false;
}

/* Levels from 1 up must not fall, and agreement never speaks against. */
static bool scan_feature(struct scan *scan, enum feature feature,
                         int64_t into[FEATURE_COUNT][FEATURE_LEVELS_MAX])
{
    const struct feature_info *info = feature_info(feature);
    if (!scan_literal(scan, "weight ") || !scan_literal(scan, info->name))
        return false;
    int64_t *weight = into[feature];
    for (int level = 0; level <= info->levels; level++) {
        if (!scan_weight(scan, &weight[level]))
            return false;
        if (level >= 2 && weight[level] < weight[level - 1])
            return false;
        if (level >= 1 && (level <= info->against ? weight[level] > 0 : weight[level] < 0))
            return false;
    }
    return scan_literal(scan, "\n");
}

static bool scan_features(struct scan *scan, int64_t into[FEATURE_COUNT][FEATURE_LEVELS_MAX])
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (!scan_feature(scan, (enum feature)i, into))
            return false;
    }
    return true;
}

static bool scan_intercepts(struct scan *scan, int64_t *null, int64_t null_missing[4],
                            int64_t unseen[VIEW_COUNT])
{
    if (!scan_literal(scan, "null") || !scan_weight(scan, null) ||
        !scan_literal(scan, "\nnull_missing"))
        return false;
    for (int i = 0; i < 4; i++) {
        if (!scan_weight(scan, &null_missing[i]))
            return false;
    }
    if (!scan_literal(scan, "\nunseen"))
        return false;
    for (int view = 0; view < VIEW_COUNT; view++) {
        if (!scan_weight(scan, &unseen[view]))
            return false;
    }
    return scan_literal(scan, "\n");
}

static bool scan_follow(struct scan *scan, struct joint_weights *into)
{
    if (!scan_literal(scan, "follow"))
        return false;
    for (int group = 0; group < GROUP_COUNT; group++) {
        if (!scan_literal(scan, " ") ||
            !scan_int(scan, 0, FOLLOW_MICRO_MAX, &into->follow_micro[group]))
            return false;
    }
    return scan_literal(scan, "\n");
}

/* Shares of levels, in millionths. */
static bool scan_usual(struct scan *scan, const char *word,
                       int64_t into[FEATURE_COUNT][FEATURE_LEVELS_MAX])
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        if (!scan_literal(scan, word) || !scan_literal(scan, info->name))
            return false;
        for (int level = 0; level <= info->levels; level++) {
            if (!scan_literal(scan, " ") || !scan_int(scan, 0, MICRO, &into[i][level]))
                return false;
        }
        if (!scan_literal(scan, "\n"))
            return false;
    }
    return true;
}

static bool scan_joint(struct scan *scan, struct match_model *into)
{
    struct joint_weights *joint = &into->joint;
    return scan_literal(scan, "joint null_share ") &&
           scan_int(scan, 1, MICRO - 1, &into->null_share_micro) &&
           scan_literal(scan, "\nunclaimed_share ") &&
           scan_int(scan, 1, MICRO - 1, &joint->unclaimed_share_micro) &&
           scan_literal(scan, " follow ") &&
           scan_int(scan, 0, FOLLOW_MICRO_MAX, &joint->unclaimed_follow_micro) &&
           scan_literal(scan, "\n") &&
           scan_intercepts(scan, &joint->null_micro, joint->null_missing_micro,
                           joint->unseen_micro) &&
           scan_features(scan, joint->weight) && scan_follow(scan, joint) &&
           scan_usual(scan, "right ", joint->usual_right) &&
           scan_usual(scan, "other ", joint->usual_other);
}

static bool scan_match_model(struct scan *scan, struct arena *arena, struct match_model *into)
{
    return scan_head(scan, "match", into->id, into->training_hash) &&
           scan_role(scan, &into->role) &&
           scan_intercepts(scan, &into->null_micro, into->null_missing_micro, into->unseen_micro) &&
           scan_features(scan, into->weight) && scan_joint(scan, into) &&
           scan_metrics(scan, arena, &into->metrics);
}

static bool scan_gate_model(struct scan *scan, struct arena *arena, struct gate_model *into)
{
    if (!scan_head(scan, "gate", into->id, into->training_hash) ||
        !scan_literal(scan, "intercept") || !scan_weight(scan, &into->intercept_micro))
        return false;
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        if (!scan_literal(scan, "\nweight ") ||
            !scan_literal(scan, gate_axis_name((enum gate_axis)axis)) ||
            !scan_weight(scan, &into->weight_micro[axis]) || into->weight_micro[axis] < 0)
            return false;
    }
    return scan_literal(scan, "\np_max ") && scan_int(scan, 1, MICRO, &into->p_max_micro) &&
           scan_literal(scan, "\nreviews_min ") &&
           scan_int(scan, 0, INT64_MAX, &into->reviews_min) && scan_literal(scan, "\n") &&
           scan_metrics(scan, arena, &into->metrics);
}

static enum err bad_line(struct arena *arena, const struct scan *scan)
{
    return arena_fail(arena, ERR_FIELD_INVALID, "model", "Line %d of the model is not valid.",
                      scan->line);
}

enum err match_model_parse(struct arena *arena, struct bytes text, struct match_model *into)
{
    struct scan scan = scan_of((const char *)text.at, text.n);
    memset(into, 0, sizeof *into);
    if (text.n > MODEL_BYTES_MAX)
        return arena_fail(arena, ERR_LIMIT, "model", "A model has at most %d bytes.",
                          MODEL_BYTES_MAX);
    return scan_match_model(&scan, arena, into) ? OK : bad_line(arena, &scan);
}

enum err gate_model_parse(struct arena *arena, struct bytes text, struct gate_model *into)
{
    struct scan scan = scan_of((const char *)text.at, text.n);
    memset(into, 0, sizeof *into);
    if (text.n > MODEL_BYTES_MAX)
        return arena_fail(arena, ERR_LIMIT, "model", "A model has at most %d bytes.",
                          MODEL_BYTES_MAX);
    return scan_gate_model(&scan, arena, into) ? OK : bad_line(arena, &scan);
}

static struct bytes joined(struct arena *arena, const struct builtin_model *model)
{
    struct buf text = buf_new(arena, MODEL_BYTES_MAX);
    for (const char *const *line = model->lines; *line; line++) {
        buf_add_text(&text, *line);
        buf_add_char(&text, '\n');
    }
    return buf_bytes(&text);
}

static enum err set_check(struct arena *arena, const struct model_set *set)
{
    bool has[MATCH_ROLE_COUNT] = {false};
    for (size_t i = 0; i < set->match_count; i++)
        has[set->match[i].role] = true;
    for (int role = 0; role < MATCH_ROLE_COUNT; role++) {
        if (!has[role] || set->gate_count == 0)
            return arena_fail(arena, ERR_INTERNAL, "model", "A model is not compiled in.");
    }
    return OK;
}

enum err model_set_new(struct arena *arena, struct model_set **into)
{
    struct model_set *set = arena_alloc(arena, sizeof *set);
    static_assert(COUNT(builtin_models) <= MODELS_MAX, "room for every version");
    for (size_t i = 0; i < COUNT(builtin_models); i++) {
        struct bytes text = joined(arena, &builtin_models[i]);
        if (strstr((const char *)text.at, "\nkind gate\n"))
            TRY(gate_model_parse(arena, text, &set->gate[set->gate_count++]));
        else
            TRY(match_model_parse(arena, text, &set->match[set->match_count++]));
    }
    *into = set;
    return set_check(arena, set);
}

const struct match_model *model_current(const struct model_set *set, enum match_role role)
{
    size_t at = set->match_count - 1; /* every role has a model: model_set_new saw to it */
    while (at > 0 && set->match[at].role != role)
        at--;
    return &set->match[at];
}

const struct match_model *model_find(const struct model_set *set, const char *id)
{
    for (size_t i = 0; i < set->match_count; i++) {
        if (strcmp(set->match[i].id, id) == 0)
            return &set->match[i];
    }
    return NULL;
}

const struct gate_model *gate_current(const struct model_set *set)
{
    assert(set->gate_count > 0);
    return &set->gate[set->gate_count - 1];
}

const struct gate_model *gate_find(const struct model_set *set, const char *id)
{
    for (size_t i = 0; i < set->gate_count; i++) {
        if (strcmp(set->gate[i].id, id) == 0)
            return &set->gate[i];
    }
    return NULL;
}
