#include "base/base.h"

#include "matcher/fixed.h"
#include "matcher/model.h"

enum { AGEING_FACTOR = 4, SHIFT_MAX_MICRO = 3000000, SHARE_MIN_MICRO = 1000 };

static const char *const ledger_names[] = {"mirrored", "imported", "none"};

bool match_ledger_parse(const char *name, enum match_ledger *into)
{
    for (int i = 0; i < LEDGER_KIND_COUNT; i++) {
        if (strcmp(name, ledger_names[i]) == 0) {
            *into = (enum match_ledger)i;
            return true;
        }
    }
    return false;
}

const char *ledger_view_name(enum ledger_view view)
{
    static const char *const names[] = {"fresh", "ageing", "stale", "imported", "none"};
    assert(view < VIEW_COUNT);
    return names[view];
}

enum ledger_view ledger_view_of(enum match_ledger ledger, int64_t age_s, int64_t age_max_s)
{
    if (ledger == LEDGER_NONE)
        return VIEW_NONE;
    if (ledger == LEDGER_IMPORTED)
        return VIEW_IMPORTED;
    if (age_s <= age_max_s)
        return VIEW_FRESH;
    return age_s / AGEING_FACTOR <= age_max_s ? VIEW_AGEING : VIEW_STALE;
}

int64_t model_log_odds(const struct match_model *model, const struct feature_vector *vector)
{
    int64_t sum = 0;
    for (int i = 0; i < FEATURE_COUNT; i++)
        sum += model->weight[i][vector->level[i]];
    return sum;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t share(uint64_t part, uint64_t whole)
{
    return (int64_t)((part * MICRO + whole / 2) / whole);
}

void model_score(const struct match_model *model, const struct model_input *input,
                 struct model_output *output)
{
    assert(input->count <= MATCH_CANDIDATES_MAX);
    assert(input->fields_missing >= 0 && input->fields_missing < 4);
    output->null_log_odds_micro = model->null_micro +
                                  model->null_missing_micro[input->fields_missing] +
                                  input->null_shift_micro;
    output->unseen_log_odds_micro = model->unseen_micro[input->view];
    int64_t best = larger(output->null_log_odds_micro, output->unseen_log_odds_micro);
    for (size_t i = 0; i < input->count; i++) {
        output->log_odds_micro[i] = model_log_odds(model, &input->vectors[i]);
        best = larger(best, output->log_odds_micro[i]);
    }
    uint64_t null_part = fixed_exp_neg(best - output->null_log_odds_micro);
    uint64_t unseen_part = fixed_exp_neg(best - output->unseen_log_odds_micro);
    uint64_t parts[MATCH_CANDIDATES_MAX];
    uint64_t whole = null_part + unseen_part;
    for (size_t i = 0; i < input->count; i++) {
        parts[i] = fixed_exp_neg(best - output->log_odds_micro[i]);
        whole += parts[i];
    }
    for (size_t i = 0; i < input->count; i++)
        output->p_micro[i] = share(parts[i], whole);
    output->null_p_micro = share(null_part, whole);
    output->unseen_p_micro = share(unseen_part, whole);
}

static int64_t clamped(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

int64_t intercept_shift(int64_t observed, int64_t expected_micro, int64_t count)
{
    if (count <= 0)
        return 0;
    int64_t expected = clamped(expected_micro / count, SHARE_MIN_MICRO, MICRO - SHARE_MIN_MICRO);
    int64_t shrunk =
        (observed * MICRO + SHIFT_PSEUDO_COUNT * expected) / (count + SHIFT_PSEUDO_COUNT);
    shrunk = clamped(shrunk, SHARE_MIN_MICRO, MICRO - SHARE_MIN_MICRO);
    return clamped(fixed_logit(shrunk) - fixed_logit(expected), -SHIFT_MAX_MICRO, SHIFT_MAX_MICRO);
}
