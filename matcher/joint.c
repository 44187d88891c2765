#include "base/base.h"

#include "matcher/joint.h"
#include "matcher/fixed.h"

/* Odds of a claim are in units of 2^-20, at most 2^40 of them: a hundred thousand add up in 64
 * bits. Shares that are left to a record are in units of 2^-31. */
#define ODDS_ONE (UINT64_C(1) << 20)
#define ODDS_MAX (UINT64_C(1) << 40)
#define LEFT_ALL (UINT64_C(1) << 31)

enum { SHARE_MIN_MICRO = 5000 };

struct joint {
    struct joint_plan plan;
    const struct joint_item *items;
    size_t count;
    size_t *first;     /* of each item: where its candidates begin */
    int64_t *log_odds; /* of each candidate, by its own evidence */
    uint64_t *part;    /* of each candidate: exp of them over the best of its item */
    int64_t *best;     /* of each item: log-odds of the best outcome but null */
    uint64_t *unseen;  /* of each item: the part of that outcome */
    uint64_t *left;    /* of each candidate: the share that other records leave */
    uint64_t *odds;    /* of each candidate: how strongly its record claims it */
    uint64_t *claims;  /* of each entry: Σ odds */
    int64_t null_shift;
    int64_t unclaimed_shift;
    int64_t habit[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    struct joint_weights weights; /* as they are for this batch */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* exp of each outcome of an item over the best one's, in units of 2^-32. */
struct parts {
    uint64_t alone[MATCH_CANDIDATES_MAX]; /* if nobody else wanted it */
    uint64_t candidate[MATCH_CANDIDATES_MAX];
    uint64_t null, unseen, whole;
};

static int64_t null_log_odds(const struct joint *joint, const struct joint_item *item)
{
    return joint->weights.null_micro + joint->weights.null_missing_micro[item->fields_missing] +
           joint->null_shift;
}

/* The best of an item's outcomes but null, whose log-odds move from round to round. */
static int64_t best_of(const struct joint *joint, size_t index)
{
    int64_t best = joint->weights.unseen_micro[joint->plan.view];
    for (size_t i = joint->first[index]; i < joint->first[index + 1]; i++)
        best = larger(best, joint->log_odds[i]);
    return best;
}

/* Each candidate is kept as a part of the best outcome; where null is better still, all shrink. */
static void parts_of(const struct joint *joint, size_t index, struct parts *into)
{
    const struct joint_item *item = &joint->items[index];
    const uint64_t *part = joint->part + joint->first[index];
    const uint64_t *left = joint->left + joint->first[index];
    int64_t ahead = joint->best[index] - null_log_odds(joint, item);
    uint64_t scale = fixed_exp_neg(ahead < 0 ? -ahead : 0) / 2; /* 2^31: nothing overflows */
    into->null = fixed_exp_neg(ahead > 0 ? ahead : 0);
    into->unseen = (joint->unseen[index] * scale) >> 31;
    into->whole = into->null + into->unseen;
    for (size_t i = 0; i < item->count; i++) {
        into->alone[i] = (part[i] * scale) >> 31;
        into->candidate[i] = (into->alone[i] * left[i]) >> 31;
        into->whole += into->candidate[i];
    }
}

/* How strongly a record claims a candidate when nobody else wants it, over its other outcomes. */
static uint64_t claim_odds(uint64_t alone, uint64_t rest)
{
    uint64_t odds = alone * ODDS_ONE / (rest ? rest : 1);
    return odds < ODDS_MAX ? odds : ODDS_MAX;
}

static int64_t share_of(uint64_t part, uint64_t whole)
{
    return whole ? (int64_t)((part * MICRO + whole / 2) / whole) : 0;
}

/* What every record claims; returns the sum of the shares that have no entry. */
static int64_t claims_make(struct joint *joint)
{
    struct parts parts;
    int64_t nulls = 0;
    memset(joint->claims, 0, joint->plan.entries * sizeof *joint->claims);
    for (size_t k = 0; k < joint->count; k++) {
        const struct joint_item *item = &joint->items[k];
        parts_of(joint, k, &parts);
        nulls += share_of(parts.null, parts.whole);
        for (size_t i = 0; i < item->count && joint->plan.exclusive; i++) {
            size_t at = joint->first[k] + i;
            joint->odds[at] = claim_odds(parts.alone[i], parts.whole - parts.candidate[i]);
            joint->claims[item->entries[i]] += joint->odds[at];
        }
    }
    return nulls;
}

static void claims_share(struct joint *joint)
{
    for (size_t k = 0; k < joint->count && joint->plan.exclusive; k++) {
        const struct joint_item *item = &joint->items[k];
        for (size_t i = 0; i < item->count; i++) {
            size_t at = joint->first[k] + i;
            uint64_t others = joint->claims[item->entries[i]] - joint->odds[at];
            joint->left[at] = ODDS_ONE * LEFT_ALL / (ODDS_ONE + others);
        }
    }
}

static int64_t clamped(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* From the usual share to what `sum` of `count` shows, in log-odds. */
static int64_t share_shift(int64_t sum, int64_t count, int64_t usual)
{
    int64_t share = (sum + SHIFT_PSEUDO_COUNT * usual) / (count + SHIFT_PSEUDO_COUNT);
    share = clamped(share, SHARE_MIN_MICRO, MICRO - SHARE_MIN_MICRO);
    return fixed_logit(share) - fixed_logit(usual);
}

/* Σ of the probabilities that nobody claims an entry. */
static int64_t unclaimed(const struct joint *joint)
{
    int64_t sum = 0;
    for (size_t i = 0; i < joint->plan.entries; i++)
        sum += share_of(ODDS_ONE, ODDS_ONE + joint->claims[i]);
    return sum;
}

/* The usual share is one of records that the model saw; the batch says its own. Where the ledger
 * does not show everything, "none" and "not seen" look alike, and the batch cannot tell. */
static void shift_follow(struct joint *joint, int64_t nulls)
{
    if (joint->plan.view != VIEW_FRESH)
        return;
    int64_t usual = joint->plan.model->null_share_micro;
    joint->null_shift = share_shift(nulls, (int64_t)joint->count, usual);
    if (!joint->plan.exclusive)
        return;
    const struct joint_weights *fitted = &joint->plan.model->joint;
    /* A few records leave most of any ledger unclaimed: that says nothing yet. */
    int64_t count = (int64_t)joint->count;
    int64_t whole =
        share_shift(unclaimed(joint), (int64_t)joint->plan.entries, fitted->unclaimed_share_micro);
    joint->unclaimed_shift = whole * count / (count + SHIFT_PSEUDO_COUNT);
    joint->null_shift += joint->unclaimed_shift * fitted->unclaimed_follow_micro / MICRO;
}

static struct joint *joint_new(struct arena *arena, const struct joint_plan *plan,
                               const struct joint_item *items, size_t count)
{
    struct joint *joint = arena_alloc(arena, sizeof *joint);
    joint->plan = *plan;
    joint->items = items;
    joint->count = count;
    joint->first = arena_array(arena, count + 1, sizeof *joint->first);
    for (size_t k = 0; k < count; k++) {
        assert(items[k].count <= MATCH_CANDIDATES_MAX);
        joint->first[k + 1] = joint->first[k] + items[k].count;
    }
    size_t candidates = joint->first[count];
    joint->log_odds = arena_array(arena, candidates, sizeof *joint->log_odds);
    joint->part = arena_array(arena, candidates, sizeof *joint->part);
    joint->best = arena_array(arena, count, sizeof *joint->best);
    joint->unseen = arena_array(arena, count, sizeof *joint->unseen);
    joint->left = arena_array(arena, candidates, sizeof *joint->left);
    joint->odds = arena_array(arena, candidates, sizeof *joint->odds);
    joint->claims = arena_array(arena, plan->entries, sizeof *joint->claims);
    return joint;
}

static void parts_keep(struct joint *joint, size_t index)
{
    int64_t best = joint->best[index] = best_of(joint, index);
    joint->unseen[index] = fixed_exp_neg(best - joint->weights.unseen_micro[joint->plan.view]);
    for (size_t i = joint->first[index]; i < joint->first[index + 1]; i++)
        joint->part[i] = fixed_exp_neg(best - joint->log_odds[i]);
}

/* The evidence of every candidate by the weights as they are now. */
static void evidence_take(struct joint *joint)
{
    joint->null_shift = joint->unclaimed_shift = 0;
    for (size_t k = 0; k < joint->count; k++) {
        for (size_t i = 0; i < joint->items[k].count; i++) {
            const uint8_t *level = joint->items[k].vectors[i].level;
            int64_t sum = 0;
            for (int f = 0; f < FEATURE_COUNT; f++)
                sum += joint->weights.weight[f][level[f]];
            joint->log_odds[joint->first[k] + i] = sum;
            joint->left[joint->first[k] + i] = LEFT_ALL;
        }
        parts_keep(joint, k);
    }
}

static void rounds_run(struct joint *joint, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        int64_t nulls = claims_make(joint);
        claims_share(joint);
        shift_follow(joint, nulls);
    }
}

/* How often each level occurs, in millionths of a pair. */
struct habits {
    int64_t right[FEATURE_COUNT][FEATURE_LEVELS_MAX];
    int64_t other[FEATURE_COUNT][FEATURE_LEVELS_MAX];
};

static void habits_count(const struct joint *joint, struct habits *into)
{
    memset(into, 0, sizeof *into);
    for (size_t k = 0; k < joint->count; k++) {
        struct parts parts;
        parts_of(joint, k, &parts);
        for (size_t i = 0; i < joint->items[k].count; i++) {
            const uint8_t *level = joint->items[k].vectors[i].level;
            int64_t p = share_of(parts.candidate[i], parts.whole);
            for (int f = 0; f < FEATURE_COUNT; f++) {
                into->right[f][level[f]] += p;
                into->other[f][level[f]] += MICRO - p;
            }
        }
    }
}

/* ln of what is seen over what is usual, with some imagined pairs that are as usual. */
static void habit_add(const int64_t *seen, const int64_t *usual, int levels, int sign,
                      int64_t *into)
{
    int64_t whole = 0;
    for (int level = 1; level <= levels; level++)
        whole += seen[level];
    for (int level = 1; level <= levels; level++) {
        int64_t imagined = HABIT_PSEUDO_COUNT * usual[level];
        int64_t expected = (whole / MICRO + HABIT_PSEUDO_COUNT) * usual[level];
        if (seen[level] + imagined > 0 && expected > 0)
            into[level] += sign * (fixed_ln((uint64_t)(seen[level] + imagined)) -
                                   fixed_ln((uint64_t)expected));
    }
}

static void habits_follow(struct joint *joint)
{
    struct habits habits;
    const struct joint_weights *usual = &joint->plan.model->joint;
    habits_count(joint, &habits);
    memset(joint->habit, 0, sizeof joint->habit);
    for (int f = 0; f < FEATURE_COUNT; f++) {
        const struct feature_info *info = feature_info((enum feature)f);
        habit_add(habits.right[f], usual->usual_right[f], info->levels, 1, joint->habit[f]);
        habit_add(habits.other[f], usual->usual_other[f], info->levels, -1, joint->habit[f]);
        for (int level = 1; level <= info->levels; level++)
            joint->weights.weight[f][level] =
                usual->weight[f][level] +
                joint->habit[f][level] * usual->follow_micro[info->group] / MICRO;
    }
}

/* Nothing is known of the batch yet: every record weighs as if it were alone. */
static void weights_alone(struct joint *joint)
{
    const struct match_model *model = joint->plan.model;
    struct joint_weights *weights = &joint->weights;
    weights->null_micro = model->null_micro;
    memcpy(weights->null_missing_micro, model->null_missing_micro,
           sizeof weights->null_missing_micro);
    memcpy(weights->unseen_micro, model->unseen_micro, sizeof weights->unseen_micro);
    memcpy(weights->weight, model->weight, sizeof weights->weight);
}

struct joint *joint_solve(struct arena *arena, const struct joint_plan *plan,
                          const struct joint_item *items, size_t count)
{
    struct joint *joint = joint_new(arena, plan, items, count);
    weights_alone(joint);
    evidence_take(joint);
    rounds_run(joint, HABIT_ROUNDS);
    joint->weights = plan->model->joint;
    habits_follow(joint);
    evidence_take(joint);
    rounds_run(joint, JOINT_ROUNDS);
    return joint;
}

int64_t joint_habit(const struct joint *joint, enum feature feature, int level)
{
    return joint->habit[feature][level];
}

int64_t joint_weight(const struct joint *joint, enum feature feature, int level)
{
    return joint->weights.weight[feature][level];
}

int64_t joint_unclaimed_shift(const struct joint *joint)
{
    return joint->unclaimed_shift;
}

int64_t joint_null_shift(const struct joint *joint)
{
    return joint->null_shift;
}

void joint_answer(const struct joint *joint, size_t index, struct model_output *output,
                  int64_t *claimed_micro)
{
    const struct joint_item *item = &joint->items[index];
    struct parts parts;
    parts_of(joint, index, &parts);
    for (size_t i = 0; i < item->count; i++) {
        size_t at = joint->first[index] + i;
        uint64_t left = joint->left[at] ? joint->left[at] : 1;
        claimed_micro[i] = fixed_ln(left) - fixed_ln(LEFT_ALL);
        if (claimed_micro[i] > 0)
            claimed_micro[i] = 0;
        output->log_odds_micro[i] = joint->log_odds[at] + claimed_micro[i];
        output->p_micro[i] = share_of(parts.candidate[i], parts.whole);
    }
    output->null_log_odds_micro = null_log_odds(joint, item);
    output->null_p_micro = share_of(parts.null, parts.whole);
    output->unseen_log_odds_micro = joint->weights.unseen_micro[joint->plan.view];
    output->unseen_p_micro = share_of(parts.unseen, parts.whole);
}
