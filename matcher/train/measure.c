#include "base/base.h"

#include <math.h>

#include "matcher/train/measure.h"

enum { BINS = 15, TEACHING = 150, FLOW_MICRO = 850000, MARGIN_MICRO = 900000, HOLD_MICRO = 550000 };

/* One best action: its claim and its truth. */
struct claim {
    int64_t p_micro;
    bool right;
    bool links;
};

static void example_score(const struct match_model *model, const struct example *example,
                          int64_t shift, struct model_output *output)
{
    struct model_input input = {
        .vectors = example->vectors,
        .count = example->count,
        .view = example->view,
        .fields_missing = example->fields_missing,
        .null_shift_micro = shift,
    };
    model_score(model, &input, output);
}

static int best_candidate(const struct example *example, const struct model_output *output)
{
    int best = OUTCOME_NONE;
    for (size_t i = 0; i < example->count; i++) {
        if (best < 0 || output->log_odds_micro[i] > output->log_odds_micro[best])
            best = (int)i;
    }
    return best;
}

static int64_t world_shift(const struct match_model *model, const struct example *first,
                           size_t count)
{
    struct model_output output;
    int64_t observed = 0, expected = 0;
    for (size_t i = 0; i < count; i++) {
        example_score(model, &first[i], 0, &output);
        observed += first[i].truth == OUTCOME_NONE;
        expected += output.null_p_micro;
    }
    return intercept_shift(observed, expected, (int64_t)count);
}

static int claim_order(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    if (a->p_micro != b->p_micro)
        return a->p_micro < b->p_micro ? -1 : 1;
    return a->right - b->right;
}

static double calibration_error(struct claim *claims, size_t count)
{
    double error = 0;
    qsort(claims, count, sizeof *claims, claim_order);
    for (size_t bin = 0; bin < BINS; bin++) {
        size_t from = count * bin / BINS, to = count * (bin + 1) / BINS;
        double claimed = 0, right = 0;
        for (size_t i = from; i < to; i++) {
            claimed += (double)claims[i].p_micro / MICRO;
            right += claims[i].right;
        }
        error += fabs(claimed - right);
    }
    return error / (double)count;
}

/* Share of the claims within [from, to) and how many of them were right. */
static void band(const struct claim *claims, size_t count, int64_t from, int64_t to, double *share,
                 double *right)
{
    size_t inside = 0, hits = 0;
    for (size_t i = 0; i < count; i++) {
        if (claims[i].p_micro < from || claims[i].p_micro >= to)
            continue;
        inside++;
        hits += claims[i].right;
    }
    *share = count ? (double)inside / (double)count : 0;
    *right = inside ? (double)hits / (double)inside : 0;
}

static void flowing_links(const struct claim *claims, size_t count, double *share, double *right)
{
    size_t inside = 0, hits = 0;
    for (size_t i = 0; i < count; i++) {
        bool linked = claims[i].links && claims[i].p_micro >= FLOW_MICRO;
        inside += linked;
        hits += linked && claims[i].right;
    }
    *share = count ? (double)inside / (double)count : 0;
    *right = inside ? (double)hits / (double)inside : 0;
}

/* Wilson 1927, at 1.96 deviations. */
static double wilson_lower(double share, double count)
{
    static const double z = 1.96;
    if (count == 0)
        return 0;
    double centre = share + z * z / (2 * count);
    double spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    return (centre - spread) / (1 + z * z / count);
}

static void measures_of(struct claim *claims, size_t count, struct measures *into)
{
    into->count = count;
    double right = 0, brier = 0;
    for (size_t i = 0; i < count; i++) {
        double miss = claims[i].right - (double)claims[i].p_micro / MICRO;
        right += claims[i].right;
        brier += miss * miss;
    }
    into->accuracy = right / (double)count;
    into->brier = brier / (double)count;
    into->ece = calibration_error(claims, count);
    band(claims, count, FLOW_MICRO, MICRO + 1, &into->auto_share, &into->auto_precision);
    into->auto_wilson = wilson_lower(into->auto_precision, into->auto_share * (double)count);
    flowing_links(claims, count, &into->link_share, &into->link_precision);
    band(claims, count, FLOW_MICRO, MARGIN_MICRO, &into->margin_share, &into->margin_right);
    band(claims, count, HOLD_MICRO, FLOW_MICRO, &into->review_share, &into->review_right);
}

struct measuring {
    const struct match_model *model;
    const struct example_list *examples;
    struct claim *claims;
    size_t count, linked, first_right, nulls, nulls_right;
    double log_loss;
};

static void outcome_add(struct measuring *measuring, const struct example *example,
                        const struct model_output *output)
{
    int best = best_candidate(example, output);
    bool links = best >= 0 && output->log_odds_micro[best] > output->null_log_odds_micro;
    bool right = example->truth == (links ? best : OUTCOME_NONE);
    measuring->linked += example->truth >= 0;
    measuring->first_right += example->truth >= 0 && best == example->truth;
    measuring->nulls += example->truth == OUTCOME_NONE;
    measuring->nulls_right += example->truth == OUTCOME_NONE && right;
    int64_t truth = example->truth >= 0              ? output->p_micro[example->truth]
                    : example->truth == OUTCOME_NONE ? output->null_p_micro
                                                     : output->unseen_p_micro;
    measuring->log_loss -= log((double)(truth > 0 ? truth : 1) / MICRO);
    measuring->claims[measuring->count++] =
        (struct claim){links ? output->p_micro[best] : output->null_p_micro, right, links};
}

static void batch_together(struct measuring *measuring, const struct example_batch *batch)
{
    struct arena *arena = arena_open();
    struct model_output output;
    int64_t claimed[MATCH_CANDIDATES_MAX];
    const struct joint *joint = examples_joint(arena, measuring->model, measuring->examples, batch);
    for (size_t k = 0; k < batch->count; k++) {
        joint_answer(joint, k, &output, claimed);
        outcome_add(measuring, &measuring->examples->at[batch->first + k], &output);
    }
    arena_close(arena);
}

static void batch_alone(struct measuring *measuring, const struct example_batch *batch,
                        bool learned)
{
    const struct example *first = &measuring->examples->at[batch->first];
    size_t taught = batch->count < TEACHING ? batch->count : TEACHING;
    int64_t shift = learned ? world_shift(measuring->model, first, taught) : 0;
    for (size_t k = learned ? taught : 0; k < batch->count; k++) {
        struct model_output output;
        example_score(measuring->model, &first[k], shift, &output);
        outcome_add(measuring, &first[k], &output);
    }
}

void measure(struct arena *arena, const struct match_model *model,
             const struct example_list *examples, enum measured_alone how, struct measures *into)
{
    struct measuring measuring = {
        .model = model,
        .examples = examples,
        .claims = arena_array(arena, examples->count, sizeof(struct claim)),
    };
    memset(into, 0, sizeof *into);
    for (size_t i = 0; i < examples->batch_count; i++) {
        if (how == MEASURED_TOGETHER)
            batch_together(&measuring, &examples->batches[i]);
        else
            batch_alone(&measuring, &examples->batches[i], how == MEASURED_LEARNED);
    }
    measures_of(measuring.claims, measuring.count, into);
    into->top1 = measuring.linked ? (double)measuring.first_right / (double)measuring.linked : 1;
    into->nulls_right =
        measuring.nulls ? (double)measuring.nulls_right / (double)measuring.nulls : 1;
    into->log_loss = measuring.log_loss / (double)measuring.count;
    into->blocking_recall = examples->true_entries
                                ? (double)examples->blocked_entries / (double)examples->true_entries
                                : 1;
}

void measures_write(struct buf *into, const char *name, const struct measures *measures)
{
    buf_format(into,
               "metric %s n=%zu blocking_recall=%.4f top1=%.4f accuracy=%.4f ece=%.4f brier=%.4f "
               "auto_share=%.4f auto_precision=%.4f auto_wilson=%.4f link_share=%.4f "
               "link_precision=%.4f margin_share=%.4f "
               "margin_right=%.4f review_share=%.4f review_right=%.4f log_loss=%.4f "
               "nulls_right=%.4f\n",
               name, measures->count, measures->blocking_recall, measures->top1, measures->accuracy,
               measures->ece, measures->brier, measures->auto_share, measures->auto_precision,
               measures->auto_wilson, measures->link_share, measures->link_precision,
               measures->margin_share, measures->margin_right, measures->review_share,
               measures->review_right, measures->log_loss, measures->nulls_right);
}
