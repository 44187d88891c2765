/* A decision with everything that explains it. What each feature belongs to and what each policy
 * says stands in the matcher's tables; what is stored are codes and numbers. */
#include "base/text.h"
#include "handlers/view.h"
#include "json/json.h"
#include "matcher/features.h"
#include "matcher/gate.h"
#include "matcher/policy.h"

enum { E4_TO_MICRO = 100 };

typedef const char *group_finder(const char *feature);

static const char *gate_group(const char *feature)
{
    for (unsigned part = 0; part < GATE_PART_COUNT; part++) {
        const struct gate_part_info *info = gate_part_info((enum gate_part)part);
        if (text_equal(info->name, feature))
            return gate_axis_name(info->axis);
    }
    return "other"; /* of a model that had more parts than this one */
}

static const char *match_group(const char *feature)
{
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature)i);
        if (text_equal(info->name, feature))
            return feature_group_name(info->group);
    }
    return "other";
}

static enum err read_json(struct json_out *out, const char *text, json_t **into)
{
    return json_parse(out->buf.arena, (struct bytes){(const uint8_t *)text, strlen(text)}, into);
}

static enum err out_contributions(struct json_out *out, const char *text, group_finder *group_of)
{
    json_t *contributions = NULL, *one;
    size_t i;
    TRY(read_json(out, text ? text : "[]", &contributions));
    out_array(out, "contributions");
    json_array_foreach(contributions, i, one)
    {
        const char *feature = json_text(one, "feature");
        out_object(out, NULL);
        out_text(out, "group", group_of(feature));
        out_text(out, "feature", feature);
        out_text(out, "reason", json_text(one, "reason"));
        out_millionths(out, "log_odds", json_int(one, "log_odds_micro", 0));
        out_end(out);
    }
    out_end(out);
    return OK;
}

static enum err out_axes(struct json_out *out, const char *text)
{
    json_t *axes = NULL;
    if (!text) {
        out_null(out, "axes");
        return OK;
    }
    TRY(read_json(out, text, &axes));
    out_object(out, "axes");
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        const char *name = gate_axis_name((enum gate_axis)axis);
        out_millionths(out, name, json_int(axes, name, 0) * E4_TO_MICRO);
    }
    out_end(out);
    return OK;
}

static void out_policies(struct json_out *out, const struct decisions_view *decisions,
                         struct uuid decision)
{
    const struct policy_view *policies = decisions->policies.at;
    out_array(out, "policies");
    for (size_t i = 0; i < decisions->policies.count; i++) {
        enum policy policy;
        if (!uuid_equal(policies[i].decision, decision))
            continue;
        bool known = policy_parse(policies[i].code, &policy);
        out_object(out, NULL);
        out_text(out, "code", policies[i].code);
        out_text(out, "effect", policies[i].effect);
        out_text(out, "text", known ? policy_sentence(policy) : policies[i].code);
        out_end(out);
    }
    out_end(out);
}

static enum err out_candidate(struct json_out *out, const struct candidate_view *candidate)
{
    out_object(out, NULL);
    out_int(out, "rank", candidate->rank);
    out_text(out, "role", candidate->role);
    if (uuid_is_nil(candidate->entry.id)) {
        out_null(out, "entry");
    } else {
        out_object(out, "entry");
        out_entry(out, &candidate->entry);
        out_end(out);
    }
    out_array(out, "members");
    for (size_t i = 0; i < candidate->members.n; i++)
        out_uuid(out, NULL, candidate->members.at[i]);
    out_end(out);
    out_millionths(out, "p", candidate->p_micro);
    out_millionths(out, "log_odds", candidate->log_odds_micro);
    TRY(out_contributions(out, candidate->contributions, match_group));
    out_end(out);
    return OK;
}

static enum err out_candidates(struct json_out *out, const struct decisions_view *decisions,
                               struct uuid decision)
{
    const struct candidate_view *candidates = decisions->candidates.at;
    out_array(out, "candidates");
    for (size_t i = 0; i < decisions->candidates.count; i++) {
        if (uuid_equal(candidates[i].decision, decision))
            TRY(out_candidate(out, &candidates[i]));
    }
    out_end(out);
    return OK;
}

void out_decision_summary(struct json_out *out, const struct decision_view *decision)
{
    out_uuid(out, "id", decision->id);
    out_int(out, "seq", decision->seq);
    out_text(out, "band", decision->band);
    out_text(out, "action", decision->action);
    out_uuid_or_null(out, "entry_id", decision->entry);
    out_probability(out, "p", decision->p_micro);
    out_actor(out, "decided_by", &decision->decided_by);
    out_instant(out, "decided_at", decision->decided_at);
}

static void out_figures(struct json_out *out, const struct decision_view *decision)
{
    out_uuid_or_null(out, "settlement_entry_id", decision->settlement_entry);
    out_probability(out, "match_p", decision->match_p_micro);
    out_bool(out, "match_calibrated", decision->match_calibrated);
    out_probability(out, "gate_p", decision->gate_p_micro);
    out_bool(out, "gate_calibrated", decision->gate_calibrated);
    out_probability(out, "settlement_p", decision->settlement_p_micro);
    out_probability(out, "no_entry_p", decision->no_entry_p_micro);
    out_object(out, "versions");
    out_text(out, "model", decision->model_version);
    out_text(out, "policy", decision->policy_version);
    out_text(out, "normalisation", decision->norm_version);
    out_int(out, "settings", decision->settings_version);
    out_end(out);
}

enum err out_decision(struct json_out *out, const char *name,
                      const struct decisions_view *decisions, struct uuid item)
{
    const struct decision_view *decision = decision_of_item(decisions, item);
    if (!decision) {
        out_null(out, name);
        return OK;
    }
    out_object(out, name);
    out_decision_summary(out, decision);
    out_figures(out, decision);
    TRY(out_axes(out, decision->axes));
    TRY(out_contributions(out, decision->contributions, gate_group));
    out_policies(out, decisions, decision->id);
    TRY(out_candidates(out, decisions, decision->id));
    out_end(out);
    return OK;
}
