#include "base/base.h"

#include <math.h>

#include "matcher/train/fit.h"
#include "matcher/train/gate_fit.h"

enum { ITEMS = 60000, PARAMETERS = AXIS_COUNT + 1, STEPS = 30, BINS = 15 };

/* The assumed chance that a level of a part makes the item fail. Cautious on purpose: a
 * counterparty that is only a new name is wrong in nearly one case of five. */
struct risk {
    enum gate_part part;
    int level;
    double chance;
};

static const struct risk risks[] = {{GATE_NAME, 0, 0.25},
                                    {GATE_CONTACT, 0, 0.03},
                                    {GATE_AMOUNT, 0, 0.95},
                                    {GATE_DATE, 0, 0.30},
                                    {GATE_REFERENCE, 0, 0.04},
                                    {GATE_DOCUMENT, 0, 0.30},
                                    {GATE_TAX, 0, 0.02},
                                    {GATE_BASIS, 0, 0.80},
                                    {GATE_BASIS, 1, 0.25},
                                    {GATE_BASIS, 2, 0.06},
                                    {GATE_BASIS, 3, 0.015},
                                    {GATE_BASIS, 4, 0.004},
                                    {GATE_OVERTURNED, 0, 0.40},
                                    {GATE_OVERTURNED, 1, 0.12},
                                    {GATE_AMOUNT_USUAL, 0, 0.010},
                                    {GATE_AMOUNT_USUAL, 1, 0.08},
                                    {GATE_AMOUNT_USUAL, 2, 0.008},
                                    {GATE_AMOUNT_USUAL, 3, 0.002},
                                    {GATE_CURRENCY_USUAL, 0, 0.004},
                                    {GATE_CURRENCY_USUAL, 1, 0.05},
                                    {GATE_KIND_USUAL, 0, 0.004},
                                    {GATE_KIND_USUAL, 1, 0.05}};

static const double base_risk = 0.01;         /* what nobody foresees */
static const double risk_left_by_post = 0.35; /* of a wrong counterparty, per earlier post */

struct item {
    double axis[AXIS_COUNT]; /* 0..1 */
    bool stands;
};

static double basis_risk(const struct gate_vector *vector, double chance)
{
    return chance * pow(risk_left_by_post, vector->level[GATE_POSTS]);
}

static bool stands(struct random *random, const struct gate_vector *vector)
{
    double p = 1 - base_risk;
    for (size_t i = 0; i < COUNT(risks); i++) {
        if (vector->level[risks[i].part] != risks[i].level)
            continue;
        double chance = risks[i].chance;
        p *= 1 - (risks[i].part == GATE_BASIS ? basis_risk(vector, chance) : chance);
    }
    return random_chance(random, p);
}

/* Present in most items; one item in four lacks a good deal. */
static struct gate_vector vector_draw(struct random *random)
{
    struct gate_vector vector;
    double there = random_chance(random, 0.25) ? 0.5 : 0.93;
    for (int part = GATE_NAME; part <= GATE_TAX; part++)
        vector.level[part] = random_chance(random, there);
    vector.level[GATE_BASIS] = (uint8_t)random_below(random, 5);
    if (!vector.level[GATE_NAME] && !vector.level[GATE_CONTACT])
        vector.level[GATE_BASIS] = 0;
    vector.level[GATE_POSTS] = 0;
    if (vector.level[GATE_BASIS] >= 2 && random_chance(random, 0.6))
        vector.level[GATE_POSTS] = (uint8_t)random_below(random, 4);
    vector.level[GATE_OVERTURNED] =
        random_chance(random, 0.9) ? 2 : (uint8_t)random_below(random, 2);
    bool history = vector.level[GATE_POSTS] > 0;
    vector.level[GATE_AMOUNT_USUAL] =
        history ? (uint8_t)(random_chance(random, 0.2) ? 1 + random_below(random, 2) : 3) : 0;
    vector.level[GATE_CURRENCY_USUAL] = history ? (random_chance(random, 0.05) ? 1 : 2) : 0;
    vector.level[GATE_KIND_USUAL] = history ? (random_chance(random, 0.05) ? 1 : 2) : 0;
    return vector;
}

static void items_draw(uint64_t seed, struct item *items)
{
    static const struct gate_model neutral = {.p_max_micro = MICRO};
    struct random random = {seed};
    for (size_t i = 0; i < ITEMS; i++) {
        struct gate_vector vector = vector_draw(&random);
        struct gate_result result;
        gate_score(&neutral, &vector, 0, 0, &result);
        for (int axis = 0; axis < AXIS_COUNT; axis++)
            items[i].axis[axis] = (double)result.axes[axis].value_e4 / 10000;
        items[i].stands = stands(&random, &vector);
    }
}

static double item_p(const double *theta, const struct item *item)
{
    double sum = theta[0];
    for (int axis = 0; axis < AXIS_COUNT; axis++)
        sum += theta[1 + axis] * item->axis[axis];
    return 1 / (1 + exp(-sum));
}

/* Plain Newton; an axis whose weight would fall below zero stays there. */
static void newton(const struct item *items, double *theta)
{
    for (int round = 0; round < STEPS; round++) {
        double gradient[PARAMETERS] = {0}, hessian[PARAMETERS * PARAMETERS] = {0};
        for (size_t i = 0; i < ITEMS; i++) {
            double x[PARAMETERS] = {1, items[i].axis[0], items[i].axis[1], items[i].axis[2]};
            double p = item_p(theta, &items[i]);
            for (int a = 0; a < PARAMETERS; a++) {
                gradient[a] += (items[i].stands - p) * x[a];
                for (int b = 0; b < PARAMETERS; b++)
                    hessian[a * PARAMETERS + b] += p * (1 - p) * x[a] * x[b];
            }
        }
        for (int a = 0; a < PARAMETERS; a++)
            hessian[a * PARAMETERS + a] += 1e-3;
        bool solved = cholesky_solve(hessian, gradient, PARAMETERS);
        assert(solved);
        for (int a = 0; a < PARAMETERS && solved; a++) {
            theta[a] += gradient[a];
            if (a > 0 && theta[a] < 0)
                theta[a] = 0;
        }
    }
}

struct scored {
    double p;
    bool stands;
};

static int scored_order(const void *left, const void *right)
{
    const struct scored *a = left, *b = right;
    if (a->p != b->p)
        return a->p < b->p ? -1 : 1;
    return a->stands - b->stands;
}

static void report_on(struct arena *arena, const struct item *items, const double *theta,
                      struct gate_report *report)
{
    struct scored *scored = arena_array(arena, ITEMS, sizeof *scored);
    *report = (struct gate_report){.count = ITEMS};
    for (size_t i = 0; i < ITEMS; i++) {
        scored[i] = (struct scored){item_p(theta, &items[i]), items[i].stands};
        report->log_loss -= log(scored[i].stands ? scored[i].p : 1 - scored[i].p) / ITEMS;
    }
    qsort(scored, ITEMS, sizeof *scored, scored_order);
    for (size_t bin = 0; bin < BINS; bin++) {
        double claimed = 0, right = 0;
        for (size_t i = ITEMS * bin / BINS; i < ITEMS * (bin + 1) / BINS; i++) {
            claimed += scored[i].p;
            right += scored[i].stands;
        }
        report->ece += fabs(claimed - right) / ITEMS;
    }
}

void gate_fit(struct arena *arena, uint64_t seed, struct gate_model *into,
              struct gate_report *report)
{
    struct item *items = arena_array(arena, ITEMS, sizeof *items);
    double theta[PARAMETERS] = {0};
    items_draw(seed, items);
    newton(items, theta);
    into->intercept_micro = (int64_t)llround(theta[0] * MICRO);
    for (int axis = 0; axis < AXIS_COUNT; axis++)
        into->weight_micro[axis] = (int64_t)llround(theta[1 + axis] * MICRO);
    items_draw(seed + 1, items);
    report_on(arena, items, theta, report);
}
