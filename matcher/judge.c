#include "base/base.h"

#include "matcher/compare.h"
#include "matcher/judge.h"

enum {
    NOT_ANALYSED_FROM_MICRO = 20000, /* an entry that may be the record, though unread */
    REFERENCE_DIFFERS = 1
};

static int candidate_order(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->consumed != b->consumed)
        return a->consumed ? 1 : -1;
    if (a->log_odds_micro != b->log_odds_micro)
        return a->log_odds_micro > b->log_odds_micro ? -1 : 1;
    return memcmp(a->entry.b, b->entry.b, sizeof a->entry.b);
}

static void candidate_explain(struct arena *arena, const struct match_model *model,
                              struct candidate *candidate)
{
    struct contribution *list = arena_array(arena, FEATURE_COUNT, sizeof *list);
    size_t count = 0;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        int level = candidate->features.level[i];
        const struct feature_info *info = feature_info((enum feature)i);
        if (model->weight[i][level] == 0)
            continue;
        list[count++] = (struct contribution){
            .group = feature_group_name(info->group),
            .feature = info->name,
            .value = feature_reason((enum feature)i, level),
            .log_odds_micro = model->weight[i][level],
        };
    }
    candidate->contributions = list;
    candidate->contribution_count = count;
}

static void null_explain(struct arena *arena, struct role_result *role)
{
    static const char *const missing[] = {"fields_all_there", "one_field_missing",
                                          "two_fields_missing", "three_fields_missing"};
    struct contribution *list = arena_array(arena, 3, sizeof *list);
    const struct match_model *model = role->model;
    size_t count = 0;
    list[count++] = (struct contribution){"prior", "no_entry", "prior", model->null_micro};
    int64_t by_missing = model->null_missing_micro[role->fields_missing];
    if (by_missing)
        list[count++] = (struct contribution){"prior", "fields_missing",
                                              missing[role->fields_missing], by_missing};
    if (role->null_shift_micro)
        list[count++] =
            (struct contribution){"workspace", "null_shift", "learned", role->null_shift_micro};
    role->null_contributions = list;
    role->null_contribution_count = count;
}

static int64_t difference(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_sub_overflow(a, b, &result) ? INT64_MAX : result;
}

/* The margin is over the second of the answers that could be given: candidates, or none. */
static void role_choose(struct role_result *role)
{
    int64_t null = role->null_log_odds_micro;
    int64_t first = role->linkable_count > 0 ? role->candidates[0].log_odds_micro : 0;
    int64_t second = role->linkable_count > 1 ? role->candidates[1].log_odds_micro : null;
    role->linked = role->linkable_count > 0 && first > null;
    if (role->linkable_count == 0)
        role->margin_micro = INT64_MAX;
    else if (role->linked)
        role->margin_micro = difference(first, second > null ? second : null);
    else
        role->margin_micro = difference(null, first);
}

static void role_judge(struct arena *arena, struct role_result *role)
{
    struct feature_vector vectors[MATCH_CANDIDATES_MAX];
    struct model_output output;
    role->linkable_count = 0;
    for (size_t i = 0; i < role->candidate_count; i++) {
        struct candidate *candidate = &role->candidates[i];
        candidate->log_odds_micro = model_log_odds(role->model, &candidate->features);
        role->linkable_count += !candidate->consumed;
    }
    if (role->candidate_count > 1)
        qsort(role->candidates, role->candidate_count, sizeof role->candidates[0], candidate_order);
    for (size_t i = 0; i < role->linkable_count; i++)
        vectors[i] = role->candidates[i].features;
    struct model_input input = {
        .vectors = vectors,
        .count = role->linkable_count,
        .view = role->view,
        .fields_missing = role->fields_missing,
        .null_shift_micro = role->null_shift_micro,
    };
    model_score(role->model, &input, &output);
    for (size_t i = 0; i < role->candidate_count; i++) {
        struct candidate *candidate = &role->candidates[i];
        candidate->rank = (int)i + 1;
        candidate->p_micro = i < role->linkable_count ? output.p_micro[i] : 0;
        candidate_explain(arena, role->model, candidate);
    }
    role->null_log_odds_micro = output.null_log_odds_micro;
    role->null_p_micro = output.null_p_micro;
    role->unseen_log_odds_micro = output.unseen_log_odds_micro;
    role->unseen_p_micro = output.unseen_p_micro;
    null_explain(arena, role);
    role_choose(role);
}

/* A consumed entry that fits better than the answer, and does not name another record. */
static bool consumed_fits_better(const struct role_result *role)
{
    int64_t answer = role->linked ? role->candidates[0].log_odds_micro : role->null_log_odds_micro;
    for (size_t i = role->linkable_count; i < role->candidate_count; i++) {
        const struct candidate *candidate = &role->candidates[i];
        if (candidate->log_odds_micro > answer &&
            candidate->features.level[FEATURE_REFERENCE] != REFERENCE_DIFFERS)
            return true;
    }
    return false;
}

static bool unread_may_be_it(const struct role_result *role)
{
    for (size_t i = 0; i < role->linkable_count; i++) {
        const struct candidate *candidate = &role->candidates[i];
        if (!candidate->analysed && candidate->p_micro >= NOT_ANALYSED_FROM_MICRO)
            return true;
    }
    return false;
}

static enum match_band band_of(const struct policy_settings *settings, int64_t p_micro)
{
    if (p_micro >= settings->flow_min_micro)
        return BAND_FLOW;
    return p_micro >= settings->hold_min_micro ? BAND_HOLD : BAND_STOP;
}

static enum match_band lowered(enum match_band band, const struct policy_hits *hits)
{
    for (size_t i = 0; i < hits->count; i++) {
        enum match_band at_most =
            policy_severity(hits->codes[i]) == POLICY_STOP ? BAND_STOP : BAND_HOLD;
        if (band < at_most)
            band = at_most;
    }
    return band;
}

void decision_judge_again(struct decision *decision)
{
    const struct role_result *document = &decision->document;
    struct policy_scores scores = {
        .creates = decision->action == ACTION_CREATE,
        .margin_micro = document->margin_micro,
        .entry_consumed = consumed_fits_better(document),
        .entry_contested = decision->contested,
        .entry_not_analysed = unread_may_be_it(document),
        .ledger_stale = document->view == VIEW_STALE,
    };
    decision->policies = policy_check(&decision->settings, &decision->facts, &scores,
                                      decision->amount, decision->date);
    decision->band = lowered(decision->score_band, &decision->policies);
    const struct role_result *settlement = &decision->settlement;
    decision->settles = settlement->linked && !decision->settlement_contested &&
                        settlement->margin_micro >= decision->settings.margin_min_micro &&
                        settlement->candidates[0].p_micro >= decision->settings.flow_min_micro;
    decision->settlement_p_micro =
        settlement->linked ? settlement->candidates[0].p_micro : settlement->null_p_micro;
    memset(&decision->settlement_entry, 0, sizeof decision->settlement_entry);
    if (decision->settles)
        decision->settlement_entry = settlement->candidates[0].entry;
}

void decision_judge(struct arena *arena, struct decision *decision)
{
    struct role_result *document = &decision->document;
    role_judge(arena, document);
    role_judge(arena, &decision->settlement);
    memset(&decision->entry, 0, sizeof decision->entry);
    decision->action = document->linked ? ACTION_LINK : ACTION_CREATE;
    decision->match_p_micro = document->null_p_micro;
    if (document->linked) {
        decision->entry = document->candidates[0].entry;
        decision->match_p_micro = document->candidates[0].p_micro;
    }
    /* What the gate asks of a document that is made is not asked of a link, and an entry that
     * carries an identifier, the reference or the very name says who it is. */
    decision->gate_judged = decision->gate_features;
    if (document->linked) {
        const uint8_t *level = document->candidates[0].features.level;
        uint8_t *gate = decision->gate_judged.level;
        int named = level[FEATURE_IDENTIFIER] >= 5 || level[FEATURE_REFERENCE] >= 4 ? 4
                    : level[FEATURE_NAME] >= NAME_CLOSE                             ? 3
                                                                                    : 0;
        gate[GATE_DOCUMENT] = gate[GATE_TAX] = 1;
        if (gate[GATE_BASIS] < named)
            gate[GATE_BASIS] = (uint8_t)named;
    }
    gate_score(decision->gate_model, &decision->gate_judged, decision->gate_shift_micro,
               decision->reviews, &decision->gate);
    decision->gate_p_micro = decision->gate.p_micro;
    decision->p_micro = decision->match_p_micro * decision->gate_p_micro / MICRO;
    decision->score_band = band_of(&decision->settings, decision->p_micro);
    decision_judge_again(decision);
}
