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

void measure(struct arena *arena, const struct match_model *model,
             const struct example_list *examples, bool learned, struct measures *into)
{
    struct claim *claims = arena_array(arena, examples->count, sizeof *claims);
    size_t count = 0, linked = 0, first_right = 0;
    int64_t shift = 0;
    memset(into, 0, sizeof *into);
    for (size_t i = 0, start = 0; i < examples->count; i++) {
        const struct example *example = &examples->at[i];
        if (i == 0 || example->world != example[-1].world) {
            start = i;
            size_t left = examples->count - i;
            shift = learned ? world_shift(model, example, left < TEACHING ? left : TEACHING) : 0;
        }
        if (i < start + TEACHING)
            continue;
        struct model_output output;
        example_score(model, example, shift, &output);
        int best = best_candidate(example, &output);
        bool links = best >= 0 && output.log_odds_micro[best] > output.null_log_odds_micro;
        linked += example->truth >= 0;
        first_right += example->truth >= 0 && best == example->truth;
        claims[count++] = (struct claim){
            links ? output.p_micro[best] : output.null_p_micro,
            example->truth == (links ? best : OUTCOME_NONE),
            links,
        };
    }
    measures_of(claims, count, into);
    into->top1 = linked ? (double)first_right / (double)linked : 1;
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
               "margin_right=%.4f review_share=%.4f review_right=%.4f\n",
               name, measures->count, measures->blocking_recall, measures->top1, measures->accuracy,
               measures->ece, measures->brier, measures->auto_share, measures->auto_precision,
               measures->auto_wilson, measures->link_share, measures->link_precision,
               measures->margin_share, measures->margin_right, measures->review_share,
               measures->review_right);
}
