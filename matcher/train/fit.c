#include "base/base.h"

#include <math.h>

#include "matcher/train/fit.h"

enum {
    AT_NULL = 0,
    AT_MISSING = 1, /* for 1, 2, 3 missing fields */
    AT_UNSEEN = 4,
    AT_FOLLOW = AT_UNSEEN + VIEW_COUNT,
    AT_UNCLAIMED = AT_FOLLOW + GROUP_COUNT,
    AT_FEATURES,
    PARAMETERS_MAX = 256,
    STEPS_MAX = 60,
    ROUNDS = 7, /* with what the batches say */
    HALVINGS_MAX = 20,
    ACTIVE_MAX = FEATURE_COUNT + GROUP_COUNT
};

static const double penalty_feature = 1.0, penalty_other = 0.05;
static const double least_p = 1e-9;      /* what is less likely moves nothing */
static const double alone_weight = 0.15; /* of an example of a public set */
static const double enough = 1e-6;       /* decrease of the objective that ends it */

/* Where the parameters stand. Each level of a feature has one, the step away from the neutral point
 * between its levels against and its levels for; none is negative. */
struct layout {
    int feature_at[FEATURE_COUNT];
    int count;
    bool bounded[PARAMETERS_MAX]; /* must not be negative */
};

struct fit {
    const struct example_list *examples;
    struct layout layout;
    double theta[PARAMETERS_MAX];
    double weight[PARAMETERS_MAX]; /* of levels, from theta */
    double gradient[PARAMETERS_MAX];
    double hessian[PARAMETERS_MAX * PARAMETERS_MAX];
};

static struct layout layout_new(void)
{
    struct layout layout = {.count = AT_FEATURES};
    for (int group = 0; group < GROUP_COUNT; group++)
        layout.bounded[AT_FOLLOW + group] = true;
    layout.bounded[AT_UNCLAIMED] = true;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        layout.feature_at[i] = layout.count;
        int levels = feature_info((enum feature)i)->levels;
        for (int level = 1; level <= levels; level++)
            layout.bounded[layout.count++] = true;
    }
    assert(layout.count <= PARAMETERS_MAX);
    return layout;
}

/* The steps of one feature added up: downwards below the neutral point, upwards above it. */
static void weights_from_theta(struct fit *fit, const double *theta)
{
    memcpy(fit->weight, theta, sizeof fit->weight);
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        double *weight = fit->weight + fit->layout.feature_at[i] - 1; /* by level from 1 */
        for (int level = info->against + 2; level <= info->levels; level++)
            weight[level] += weight[level - 1];
        for (int level = info->against; level >= 1; level--)
            weight[level] = (level < info->against ? weight[level + 1] : 0) - weight[level];
    }
}

/* Where the levels of a candidate stand, and what the habits of its batch say; missing levels have
 * no parameter. */
static int active_of(const struct layout *layout, const struct example *example, size_t candidate,
                     int *active, double *value)
{
    int count = 0;
    const uint8_t *level = example->vectors[candidate].level;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (level[i] == 0)
            continue;
        value[count] = 1;
        active[count++] = layout->feature_at[i] + level[i] - 1;
    }
    for (int group = 0; group < GROUP_COUNT; group++) {
        if (example->habits[candidate][group] == 0)
            continue;
        value[count] = example->habits[candidate][group];
        active[count++] = AT_FOLLOW + group;
    }
    return count;
}

/* The outcomes of one example: its candidates, then null, then unseen. */
struct outcomes {
    int active[MATCH_CANDIDATES_MAX + 2][ACTIVE_MAX];
    double value[MATCH_CANDIDATES_MAX + 2][ACTIVE_MAX];
    int active_count[MATCH_CANDIDATES_MAX + 2];
    double p[MATCH_CANDIDATES_MAX + 2];
    size_t count;
    size_t truth;
    double log_whole;
    double truth_score;
};

/* What the batch adds: competition for a candidate, its own share of "no entry exists". */
static double offset_of(const struct example *example, size_t outcome)
{
    if (outcome < example->count)
        return (double)example->claimed_micro[outcome] / MICRO;
    return outcome == example->count ? (double)example->null_shift_micro / MICRO : 0;
}

static void outcomes_of(const struct fit *fit, const struct example *example, struct outcomes *into)
{
    size_t n = example->count;
    into->count = n + 2;
    for (size_t i = 0; i < n; i++)
        into->active_count[i] =
            active_of(&fit->layout, example, i, into->active[i], into->value[i]);
    for (int k = 0; k < 2; k++)
        into->value[n][k] = into->value[n + 1][k] = 1;
    into->active[n][0] = AT_NULL;
    into->active_count[n] = 1;
    if (example->fields_missing > 0)
        into->active[n][into->active_count[n]++] = AT_MISSING + example->fields_missing - 1;
    if (example->unclaimed_shift != 0) {
        into->value[n][into->active_count[n]] = example->unclaimed_shift;
        into->active[n][into->active_count[n]++] = AT_UNCLAIMED;
    }
    into->active[n + 1][0] = AT_UNSEEN + (int)example->view;
    into->active_count[n + 1] = 1;
    into->truth = example->truth >= 0              ? (size_t)example->truth
                  : example->truth == OUTCOME_NONE ? n
                                                   : n + 1;
    double best = -1e300;
    for (size_t i = 0; i < into->count; i++) {
        double score = offset_of(example, i);
        for (int k = 0; k < into->active_count[i]; k++)
            score += into->value[i][k] * fit->weight[into->active[i][k]];
        into->p[i] = score;
        best = score > best ? score : best;
    }
    into->truth_score = into->p[into->truth];
    double whole = 0;
    for (size_t i = 0; i < into->count; i++)
        whole += into->p[i] = exp(into->p[i] - best);
    for (size_t i = 0; i < into->count; i++)
        into->p[i] /= whole;
    into->log_whole = best + log(whole);
}

static double penalty_of(size_t parameter)
{
    return parameter < AT_FEATURES ? penalty_other : penalty_feature;
}

static double objective(struct fit *fit, const double *theta)
{
    struct outcomes outcomes;
    double sum = 0;
    weights_from_theta(fit, theta);
    for (size_t i = 0; i < fit->examples->count; i++) {
        outcomes_of(fit, &fit->examples->at[i], &outcomes);
        sum += fit->examples->at[i].weight * (outcomes.log_whole - outcomes.truth_score);
    }
    for (size_t j = 0; j < (size_t)fit->layout.count; j++)
        sum += 0.5 * penalty_of(j) * theta[j] * theta[j];
    return sum;
}

static void derivatives_add(struct fit *fit, const struct outcomes *outcomes, double weight)
{
    double mean[PARAMETERS_MAX] = {0};
    int n = fit->layout.count;
    for (size_t i = 0; i < outcomes->count; i++) {
        const int *active = outcomes->active[i];
        const double *value = outcomes->value[i];
        double p = outcomes->p[i];
        if (p < least_p)
            continue;
        for (int a = 0; a < outcomes->active_count[i]; a++) {
            mean[active[a]] += p * value[a];
            for (int b = 0; b < outcomes->active_count[i]; b++)
                fit->hessian[active[a] * n + active[b]] += weight * p * value[a] * value[b];
        }
    }
    for (int a = 0; a < n; a++) {
        fit->gradient[a] += weight * mean[a];
        for (int b = 0; mean[a] != 0 && b < n; b++)
            fit->hessian[a * n + b] -= weight * mean[a] * mean[b];
    }
    const int *active = outcomes->active[outcomes->truth];
    for (int a = 0; a < outcomes->active_count[outcomes->truth]; a++)
        fit->gradient[active[a]] -= weight * outcomes->value[outcomes->truth][a];
}

/* From levels to steps: the derivative of a step is the sum over the levels that contain it, with
 * the sign that it has in them. */
static void steps_from_levels(const struct layout *layout, double *values, size_t stride)
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        double *value = values + (size_t)layout->feature_at[i] * stride; /* by level from 0 */
        size_t levels = (size_t)info->levels, against = (size_t)info->against;
        for (size_t level = levels - 1; level > against; level--)
            value[(level - 1) * stride] += value[level * stride];
        for (size_t level = 0; level < against; level++)
            value[level * stride] =
                (level > 0 ? value[(level - 1) * stride] : 0) - value[level * stride];
    }
}

static void derivatives(struct fit *fit)
{
    struct outcomes outcomes;
    size_t n = (size_t)fit->layout.count;
    memset(fit->gradient, 0, sizeof fit->gradient);
    memset(fit->hessian, 0, sizeof fit->hessian);
    weights_from_theta(fit, fit->theta);
    for (size_t i = 0; i < fit->examples->count; i++) {
        outcomes_of(fit, &fit->examples->at[i], &outcomes);
        derivatives_add(fit, &outcomes, fit->examples->at[i].weight);
    }
    steps_from_levels(&fit->layout, fit->gradient, 1);
    for (size_t a = 0; a < n; a++)
        steps_from_levels(&fit->layout, fit->hessian + a * n, 1);
    for (size_t b = 0; b < n; b++)
        steps_from_levels(&fit->layout, fit->hessian + b, n);
    for (size_t j = 0; j < n; j++) {
        fit->gradient[j] += penalty_of(j) * fit->theta[j];
        fit->hessian[j * n + j] += penalty_of(j);
    }
}

bool cholesky_solve(double *matrix, double *vector, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = matrix[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= matrix[i * n + k] * matrix[j * n + k];
            if (i == j && sum <= 0)
                return false;
            matrix[i * n + j] = i == j ? sqrt(sum) : sum / matrix[j * n + j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            vector[i] -= matrix[i * n + k] * vector[k];
        vector[i] /= matrix[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            vector[i] -= matrix[k * n + i] * vector[k];
        vector[i] /= matrix[i * n + i];
    }
    return true;
}

/* The Newton direction of the parameters that are not held at their bound. */
static void direction(struct fit *fit, double *into)
{
    static const double ridge = 1e-9;
    int n = fit->layout.count, free_at[PARAMETERS_MAX];
    size_t count = 0;
    double matrix[PARAMETERS_MAX * PARAMETERS_MAX], vector[PARAMETERS_MAX];
    for (int j = 0; j < n; j++) {
        into[j] = 0;
        if (!fit->layout.bounded[j] || fit->theta[j] > 0 || fit->gradient[j] < 0)
            free_at[count++] = j;
    }
    for (size_t a = 0; a < count; a++) {
        vector[a] = -fit->gradient[free_at[a]];
        for (size_t b = 0; b < count; b++)
            matrix[a * count + b] =
                fit->hessian[free_at[a] * n + free_at[b]] + (a == b ? ridge : 0);
    }
    bool solved = cholesky_solve(matrix, vector, count);
    assert(solved); /* the penalty makes it positive definite */
    for (size_t a = 0; a < count && solved; a++)
        into[free_at[a]] = vector[a];
}

static double step(struct fit *fit, double before)
{
    double move[PARAMETERS_MAX] = {0}, tried[PARAMETERS_MAX], length = 1;
    direction(fit, move);
    for (int halvings = 0; halvings < HALVINGS_MAX; halvings++) {
        memcpy(tried, fit->theta, sizeof tried);
        for (int j = 0; j < fit->layout.count; j++) {
            tried[j] += length * move[j];
            if (fit->layout.bounded[j] && tried[j] < 0)
                tried[j] = 0;
        }
        double after = objective(fit, tried);
        if (after < before) {
            memcpy(fit->theta, tried, sizeof tried);
            return after;
        }
        length /= 2;
    }
    return before;
}

static int64_t micro_of(double value)
{
    return (int64_t)llround(value * MICRO);
}

static void levels_fill(const struct fit *fit, int64_t into[FEATURE_COUNT][FEATURE_LEVELS_MAX])
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        for (int level = 1; level <= feature_info((enum feature)i)->levels; level++)
            into[i][level] = micro_of(fit->weight[fit->layout.feature_at[i] + level - 1]);
    }
}

static void alone_fill(const struct fit *fit, struct match_model *into)
{
    into->null_micro = micro_of(fit->weight[AT_NULL]);
    for (int i = 1; i <= 3; i++)
        into->null_missing_micro[i] = micro_of(fit->weight[AT_MISSING + i - 1]);
    for (int view = 0; view < VIEW_COUNT; view++)
        into->unseen_micro[view] = micro_of(fit->weight[AT_UNSEEN + view]);
    levels_fill(fit, into->weight);
}

static void joint_fill(const struct fit *fit, struct joint_weights *into)
{
    into->null_micro = micro_of(fit->weight[AT_NULL]);
    for (int i = 1; i <= 3; i++)
        into->null_missing_micro[i] = micro_of(fit->weight[AT_MISSING + i - 1]);
    for (int view = 0; view < VIEW_COUNT; view++)
        into->unseen_micro[view] = micro_of(fit->weight[AT_UNSEEN + view]);
    for (int group = 0; group < GROUP_COUNT; group++)
        into->follow_micro[group] = micro_of(fit->weight[AT_FOLLOW + group]);
    into->unclaimed_follow_micro = micro_of(fit->weight[AT_UNCLAIMED]);
    levels_fill(fit, into->weight);
}

static double whole_weight(const struct example_list *examples)
{
    double sum = 0;
    for (size_t i = 0; i < examples->count; i++)
        sum += examples->at[i].weight;
    return sum;
}

static void newton(struct fit *fit, struct fit_report *report)
{
    double value = objective(fit, fit->theta), before = value + 1;
    report->steps = 0;
    for (; before - value > enough && report->steps < STEPS_MAX; report->steps++) {
        before = value;
        derivatives(fit);
        value = step(fit, before);
    }
    weights_from_theta(fit, fit->theta);
    double penalty = 0;
    for (size_t j = 0; j < (size_t)fit->layout.count; j++)
        penalty += 0.5 * penalty_of(j) * fit->theta[j] * fit->theta[j];
    report->log_loss = (value - penalty) / whole_weight(fit->examples);
}

static void habits_take(const struct joint *joint, struct example *example)
{
    for (size_t i = 0; i < example->count; i++) {
        memset(example->habits[i], 0, sizeof example->habits[i]);
        for (int f = 0; f < FEATURE_COUNT; f++)
            example->habits[i][feature_info((enum feature)f)->group] +=
                (double)joint_habit(joint, (enum feature)f, example->vectors[i].level[f]) / MICRO;
    }
}

/* What the batches say under the weights of the last round is given to the next. */
static void batches_follow(const struct match_model *model, const struct example_list *examples)
{
    for (size_t i = 0; i < examples->batch_count; i++) {
        const struct example_batch *batch = &examples->batches[i];
        struct arena *arena = arena_open();
        const struct joint *joint = examples_joint(arena, model, examples, batch);
        for (size_t k = 0; k < batch->count; k++) {
            struct model_output output;
            struct example *example = &examples->at[batch->first + k];
            joint_answer(joint, k, &output, example->claimed_micro);
            int64_t believed = joint_unclaimed_shift(joint) * model->joint.unclaimed_follow_micro;
            example->null_shift_micro = joint_null_shift(joint) - believed / MICRO;
            example->unclaimed_shift = (double)joint_unclaimed_shift(joint) / MICRO;
            habits_take(joint, example);
        }
        arena_close(arena);
    }
}

static void share_take(const double *seen, int levels, int64_t *into)
{
    static const double imagined = 0.5;
    double whole = 0;
    for (int level = 1; level <= levels; level++)
        whole += seen[level] + imagined;
    for (int level = 1; level <= levels; level++)
        into[level] = micro_of((seen[level] + imagined) / whole);
}

/* How often each level is seen among right pairs and among others. */
static void usual_take(const struct example_list *examples, struct match_model *into)
{
    double right[FEATURE_COUNT][FEATURE_LEVELS_MAX] = {{0}};
    double other[FEATURE_COUNT][FEATURE_LEVELS_MAX] = {{0}};
    for (size_t k = 0; k < examples->count; k++) {
        const struct example *example = &examples->at[k];
        for (size_t i = 0; i < example->count; i++) {
            bool true_pair = example->truth == (int)i;
            for (int f = 0; f < FEATURE_COUNT; f++)
                (true_pair ? right : other)[f][example->vectors[i].level[f]] += example->weight;
        }
    }
    for (int f = 0; f < FEATURE_COUNT; f++) {
        int levels = feature_info((enum feature)f)->levels;
        share_take(right[f], levels, into->joint.usual_right[f]);
        share_take(other[f], levels, into->joint.usual_other[f]);
    }
}

const struct joint *examples_joint(struct arena *arena, const struct match_model *model,
                                   const struct example_list *examples,
                                   const struct example_batch *batch)
{
    struct joint_item *items = arena_array(arena, batch->count, sizeof *items);
    for (size_t k = 0; k < batch->count; k++) {
        const struct example *example = &examples->at[batch->first + k];
        items[k] = (struct joint_item){example->vectors, example->entries, example->count,
                                       example->fields_missing};
    }
    enum ledger_view view = batch->count ? examples->at[batch->first].view : VIEW_FRESH;
    struct joint_plan plan = {model, batch->exclusive, view, batch->entry_count};
    return joint_solve(arena, &plan, items, batch->count);
}

static void examples_weigh(const struct example_list *examples, double factor)
{
    for (size_t i = 0; i < examples->batch_count; i++) {
        const struct example_batch *batch = &examples->batches[i];
        for (size_t k = 0; k < batch->count && batch->is_public; k++)
            examples->at[batch->first + k].weight *= factor;
    }
}

/* Of the ledgers of batches whose entries are consumed once; a half where there are none. */
static int64_t unclaimed_share_of(const struct example_list *examples)
{
    double entries = 1, claimed = 0.5;
    for (size_t i = 0; i < examples->batch_count; i++) {
        const struct example_batch *batch = &examples->batches[i];
        for (size_t k = 0; k < batch->count && batch->exclusive; k++)
            claimed += examples->at[batch->first + k].truth >= 0;
        entries += batch->exclusive ? (double)batch->entry_count : 0;
    }
    return micro_of(1 - claimed / entries);
}

static int64_t null_share_of(const struct example_list *examples)
{
    double nulls = 0;
    for (size_t i = 0; i < examples->count; i++)
        nulls += examples->at[i].truth == OUTCOME_NONE ? examples->at[i].weight : 0;
    return micro_of(nulls / whole_weight(examples));
}

/* Alone first, and what is decided alone is what a workspace is like: generated worlds weigh most.
 */
void match_fit(struct arena *arena, const struct example_list *examples, struct match_model *into,
               struct fit_report *report)
{
    struct fit *fit = arena_alloc(arena, sizeof *fit);
    fit->examples = examples;
    fit->layout = layout_new();
    into->null_share_micro = null_share_of(examples);
    into->joint.unclaimed_share_micro = unclaimed_share_of(examples);
    usual_take(examples, into);
    examples_weigh(examples, alone_weight);
    newton(fit, report);
    alone_fill(fit, into);
    joint_fill(fit, &into->joint);
    examples_weigh(examples, 1 / alone_weight);
    for (int round = 0; round < ROUNDS; round++) {
        batches_follow(into, examples);
        newton(fit, report);
        joint_fill(fit, &into->joint);
    }
}
