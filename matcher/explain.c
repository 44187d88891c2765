#include "base/base.h"

#include "base/buf.h"
#include "matcher/explain.h"
#include "matcher/judge.h"
#include "matcher/scan.h"

static void add_money(struct buf *text, struct money money)
{
    buf_format(text, "%" PRId64 " %s", money.minor, *money.currency ? money.currency : "-");
}

static void add_date(struct buf *text, struct date date)
{
    buf_add_text(text, date.days == DATE_NONE ? "-" : date_format(text->arena, date));
}

static void add_limits(struct buf *text, const char *name, const struct money *limits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_format(text, "%s ", name);
        add_money(text, limits[i]);
        buf_add_char(text, '\n');
    }
}

static void add_settings(struct buf *text, const struct policy_settings *settings)
{
    buf_format(text,
               "settings flow_min=%" PRId64 " hold_min=%" PRId64 " margin_min=%" PRId64
               " new_counterparty_posts=%" PRId64 " caps=%zu new_counterparty_limits=%zu"
               " currencies=%zu\n",
               settings->flow_min_micro, settings->hold_min_micro, settings->margin_min_micro,
               settings->new_counterparty_posts, settings->cap_count,
               settings->new_counterparty_count, settings->currency_count);
    add_limits(text, "cap", settings->caps, settings->cap_count);
    add_limits(text, "new_counterparty_limit", settings->new_counterparty_max,
               settings->new_counterparty_count);
    for (size_t i = 0; i < settings->currency_count; i++)
        buf_format(text, "currency %s\n", settings->currencies[i]);
}

/* The facts that are yes or no, in the order in which they are written. */
#define FACT_FLAGS(X)                                                                              \
    X(changed_after_delivery)                                                                      \
    X(correction)                                                                                  \
    X(provenance_ours)                                                                             \
    X(suspected_duplicate)                                                                         \
    X(iban_changed)                                                                                \
    X(iban_under_two_names)                                                                        \
    X(document_bank_details_differ)                                                                \
    X(look_alike_name)                                                                             \
    X(counterparty_known)

static void add_facts(struct buf *text, const struct policy_facts *facts)
{
    buf_add_text(text, "facts closed_until=");
    add_date(text, facts->closed_until);
#define FACT_WRITE(name) buf_format(text, " " #name "=%d", facts->name);
    FACT_FLAGS(FACT_WRITE)
#undef FACT_WRITE
    buf_format(text, " counterparty_posts=%" PRId64 "\n", facts->counterparty_posts);
}

static void add_role_inputs(struct buf *text, const struct role_result *role)
{
    buf_format(text,
               "role %s model=%s view=%s fields_missing=%d null_shift=%" PRId64 " candidates=%zu\n",
               match_role_name(role->model->role), role->model->id, ledger_view_name(role->view),
               role->fields_missing, role->null_shift_micro, role->candidate_count);
    for (size_t i = 0; i < role->candidate_count; i++) {
        const struct candidate *candidate = &role->candidates[i];
        buf_format(text, "entry %s consumed=%d analysed=%d ",
                   uuid_format(text->arena, candidate->entry), candidate->consumed,
                   candidate->analysed);
        features_write(text, &candidate->features);
        buf_add_char(text, '\n');
    }
}

static void add_inputs(struct buf *text, const struct decision *decision)
{
    buf_format(text,
               "sluice-decision 1\nnorm %s\nfeatures " FEATURE_SCHEMA "\npolicy " POLICY_VERSION
               "\n",
               decision->norm_version);
    buf_format(text, "item %s\namount ", uuid_format(text->arena, decision->item));
    add_money(text, decision->amount);
    buf_add_text(text, "\ndate ");
    add_date(text, decision->date);
    buf_add_char(text, '\n');
    add_settings(text, &decision->settings);
    add_facts(text, &decision->facts);
    buf_format(text, "contested document=%d settlement=%d\n", decision->contested,
               decision->settlement_contested);
    buf_format(text, "gate model=%s shift=%" PRId64 " reviews=%" PRId64 " ",
               decision->gate_model->id, decision->gate_shift_micro, decision->reviews);
    gate_write(text, &decision->gate_features);
    buf_add_char(text, '\n');
    add_role_inputs(text, &decision->document);
    add_role_inputs(text, &decision->settlement);
}

static void add_contributions(struct buf *text, const struct contribution *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(text, "  %s.%s %s %+" PRId64 "\n", list[i].group, list[i].feature, list[i].value,
                   list[i].log_odds_micro);
}

static void add_role_outcome(struct buf *text, const struct role_result *role)
{
    const char *name = match_role_name(role->model->role);
    buf_format(text, "%s none p=%" PRId64 " log_odds=%+" PRId64 "\n", name, role->null_p_micro,
               role->null_log_odds_micro);
    add_contributions(text, role->null_contributions, role->null_contribution_count);
    buf_format(text, "%s unseen p=%" PRId64 " log_odds=%+" PRId64 "\n", name, role->unseen_p_micro,
               role->unseen_log_odds_micro);
    for (size_t i = 0; i < role->candidate_count; i++) {
        const struct candidate *candidate = &role->candidates[i];
        buf_format(text, "%s candidate rank=%d entry=%s p=%" PRId64 " log_odds=%+" PRId64 "\n",
                   name, candidate->rank, uuid_format(text->arena, candidate->entry),
                   candidate->p_micro, candidate->log_odds_micro);
        add_contributions(text, candidate->contributions, candidate->contribution_count);
    }
}

static void add_gate_outcome(struct buf *text, const struct gate_result *gate)
{
    buf_format(text, "gate p=%" PRId64 " base=%+" PRId64 " uncalibrated=%d\n", gate->p_micro,
               gate->base_log_odds_micro, gate->uncalibrated);
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        buf_format(text, "axis %s value=%" PRId64 " log_odds=%+" PRId64 "\n",
                   gate_axis_name((enum gate_axis)axis), gate->axes[axis].value_e4,
                   gate->axes[axis].log_odds_micro);
        for (int i = 0; i < GATE_PART_COUNT; i++) {
            const struct gate_part_result *part = &gate->parts[i];
            if ((int)gate_part_info(part->part)->axis == axis)
                buf_format(text, "  %s %s %+" PRId64 "\n", gate_part_info(part->part)->name,
                           gate_reason(part->part, part->level), part->log_odds_micro);
        }
    }
}

static void add_outcome(struct buf *text, const struct decision *decision)
{
    buf_format(text, "outcome\naction %s", match_action_name(decision->action));
    if (decision->action == ACTION_LINK)
        buf_format(text, " %s", uuid_format(text->arena, decision->entry));
    buf_format(text,
               "\np=%" PRId64 " match_p=%" PRId64 " gate_p=%" PRId64 "\nband %s score_band=%s\n",
               decision->p_micro, decision->match_p_micro, decision->gate_p_micro,
               match_band_name(decision->band), match_band_name(decision->score_band));
    for (size_t i = 0; i < decision->policies.count; i++)
        buf_format(text, "code %s\n", policy_code(decision->policies.codes[i]));
    buf_format(text, "settles %s p=%" PRId64 "\n",
               decision->settles ? uuid_format(text->arena, decision->settlement_entry) : "-",
               decision->settlement_p_micro);
    add_role_outcome(text, &decision->document);
    add_role_outcome(text, &decision->settlement);
    add_gate_outcome(text, &decision->gate);
}

enum err decision_text(struct arena *arena, const struct decision *decision, const char **into)
{
    struct buf text = buf_new(arena, DECISION_BYTES_MAX);
    add_inputs(&text, decision);
    add_outcome(&text, decision);
    if (text.overflowed)
        return arena_fail(arena, ERR_LIMIT, "decision", "A stored decision has at most %d bytes.",
                          DECISION_BYTES_MAX);
    *into = text.data;
    return OK;
}

static bool scan_number(struct scan *scan, const char *before, int64_t min, int64_t max,
                        int64_t *into)
{
    return scan_literal(scan, before) && scan_int(scan, min, max, into);
}

static bool scan_limits(struct scan *scan, const char *name, struct money *limits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!scan_literal(scan, name) || !scan_money(scan, &limits[i]) || !scan_literal(scan, "\n"))
            return false;
    }
    return true;
}

static bool scan_settings(struct scan *scan, struct policy_settings *into)
{
    int64_t caps, limits, currencies;
    if (!scan_number(scan, "settings flow_min=", 0, MICRO, &into->flow_min_micro) ||
        !scan_number(scan, " hold_min=", 0, MICRO, &into->hold_min_micro) ||
        !scan_number(scan, " margin_min=", 0, INT64_MAX, &into->margin_min_micro) ||
        !scan_number(scan, " new_counterparty_posts=", 0, INT64_MAX,
                     &into->new_counterparty_posts) ||
        !scan_number(scan, " caps=", 0, POLICY_LIMITS_MAX, &caps) ||
        !scan_number(scan, " new_counterparty_limits=", 0, POLICY_LIMITS_MAX, &limits) ||
        !scan_number(scan, " currencies=", 0, POLICY_CURRENCIES_MAX, &currencies) ||
        !scan_literal(scan, "\n"))
        return false;
    into->cap_count = (size_t)caps;
    into->new_counterparty_count = (size_t)limits;
    into->currency_count = (size_t)currencies;
    if (!scan_limits(scan, "cap ", into->caps, into->cap_count) ||
        !scan_limits(scan, "new_counterparty_limit ", into->new_counterparty_max,
                     into->new_counterparty_count))
        return false;
    for (size_t i = 0; i < into->currency_count; i++) {
        char word[SCAN_WORD_BYTES];
        if (!scan_literal(scan, "currency ") || !scan_word(scan, word) || !currency_valid(word) ||
            !scan_literal(scan, "\n"))
            return false;
        memcpy(into->currencies[i], word, sizeof into->currencies[i]);
    }
    return true;
}

static bool scan_facts(struct scan *scan, struct policy_facts *into)
{
    if (!scan_literal(scan, "facts closed_until=") || !scan_date(scan, &into->closed_until))
        return false;
#define FACT_READ(name)                                                                            \
    if (!scan_literal(scan, " " #name "=") || !scan_flag(scan, &into->name))                       \
        return false;
    FACT_FLAGS(FACT_READ)
#undef FACT_READ
    return scan_number(scan, " counterparty_posts=", INT64_MIN, INT64_MAX,
                       &into->counterparty_posts) &&
           scan_literal(scan, "\n");
}

/* What a replay reads into, and what stopped it. */
struct replay {
    struct arena *arena;
    const struct model_set *models;
    struct scan scan;
    struct decision decision;
    char model_absent[SCAN_WORD_BYTES]; /* named, but not one of ours */
};

static bool scan_gate(struct replay *replay)
{
    struct scan *scan = &replay->scan;
    struct decision *decision = &replay->decision;
    char word[SCAN_WORD_BYTES];
    const char *line;
    size_t n;
    if (!scan_literal(scan, "gate model=") || !scan_word(scan, word))
        return false;
    decision->gate_model = gate_find(replay->models, word);
    if (!decision->gate_model) {
        memcpy(replay->model_absent, word, sizeof word);
        return false;
    }
    return scan_number(scan, " shift=", -MODEL_SHIFT_MAX, MODEL_SHIFT_MAX,
                       &decision->gate_shift_micro) &&
           scan_number(scan, " reviews=", 0, INT64_MAX, &decision->reviews) &&
           scan_literal(scan, " ") && scan_line(scan, &line, &n) &&
           gate_parse(line, n, &decision->gate_features);
}

static bool scan_view(struct scan *scan, enum ledger_view *into)
{
    char word[SCAN_WORD_BYTES];
    if (!scan_literal(scan, " view=") || !scan_word(scan, word))
        return false;
    for (int view = 0; view < VIEW_COUNT; view++) {
        if (strcmp(word, ledger_view_name((enum ledger_view)view)) == 0) {
            *into = (enum ledger_view)view;
            return true;
        }
    }
    return false;
}

static bool scan_entry(struct scan *scan, struct candidate *into)
{
    const char *line;
    size_t n;
    return scan_literal(scan, "entry ") && scan_uuid(scan, &into->entry) &&
           scan_literal(scan, " consumed=") && scan_flag(scan, &into->consumed) &&
           scan_literal(scan, " analysed=") && scan_flag(scan, &into->analysed) &&
           scan_literal(scan, " ") && scan_line(scan, &line, &n) &&
           features_parse(line, n, &into->features);
}

static bool scan_role(struct replay *replay, enum match_role role, struct role_result *into)
{
    struct scan *scan = &replay->scan;
    char word[SCAN_WORD_BYTES];
    int64_t missing, count;
    if (!scan_literal(scan, "role ") || !scan_literal(scan, match_role_name(role)) ||
        !scan_literal(scan, " model=") || !scan_word(scan, word))
        return false;
    into->model = model_find(replay->models, word);
    if (!into->model) {
        memcpy(replay->model_absent, word, sizeof word);
        return false;
    }
    if (into->model->role != role || !scan_view(scan, &into->view) ||
        !scan_number(scan, " fields_missing=", 0, 3, &missing) ||
        !scan_number(scan, " null_shift=", -MODEL_SHIFT_MAX, MODEL_SHIFT_MAX,
                     &into->null_shift_micro) ||
        !scan_number(scan, " candidates=", 0, MATCH_CANDIDATES_MAX, &count) ||
        !scan_literal(scan, "\n"))
        return false;
    into->fields_missing = (int)missing;
    into->candidate_count = (size_t)count;
    into->candidates = arena_array(replay->arena, into->candidate_count, sizeof *into->candidates);
    for (size_t i = 0; i < into->candidate_count; i++) {
        into->candidates[i].role = role;
        if (!scan_entry(scan, &into->candidates[i]))
            return false;
    }
    return true;
}

/* The levels stand in the text: whichever normalisation made them, they are taken as they are. */
static bool scan_versions(struct scan *scan, struct decision *decision)
{
    char word[SCAN_WORD_BYTES];
    if (!scan_literal(scan, "sluice-decision 1\nnorm ") || !scan_word(scan, word) ||
        strlen(word) >= sizeof decision->norm_version)
        return false;
    memcpy(decision->norm_version, word, strlen(word) + 1);
    return scan_literal(scan, "\nfeatures " FEATURE_SCHEMA "\npolicy " POLICY_VERSION "\nitem ");
}

static bool scan_inputs(struct replay *replay)
{
    struct scan *scan = &replay->scan;
    struct decision *decision = &replay->decision;
    return scan_versions(scan, decision) && scan_uuid(scan, &decision->item) &&
           scan_literal(scan, "\namount ") && scan_money(scan, &decision->amount) &&
           scan_literal(scan, "\ndate ") && scan_date(scan, &decision->date) &&
           scan_literal(scan, "\n") && scan_settings(scan, &decision->settings) &&
           scan_facts(scan, &decision->facts) && scan_literal(scan, "contested document=") &&
           scan_flag(scan, &decision->contested) && scan_literal(scan, " settlement=") &&
           scan_flag(scan, &decision->settlement_contested) && scan_literal(scan, "\n") &&
           scan_gate(replay) && scan_role(replay, MATCH_DOCUMENT, &decision->document) &&
           scan_role(replay, MATCH_SETTLEMENT, &decision->settlement) &&
           scan_literal(scan, "outcome\n");
}

enum err match_replay(struct arena *arena, const struct model_set *models, const char *text,
                      const char **into)
{
    size_t n = strnlen(text, DECISION_BYTES_MAX + 1);
    if (n > DECISION_BYTES_MAX)
        return arena_fail(arena, ERR_LIMIT, "decision", "A stored decision has at most %d bytes.",
                          DECISION_BYTES_MAX);
    struct replay *replay = arena_alloc(arena, sizeof *replay);
    replay->arena = arena;
    replay->models = models;
    replay->scan = scan_of(text, n);
    if (!scan_inputs(replay)) {
        if (*replay->model_absent)
            return arena_fail(arena, ERR_ABSENT, "model", "There is no model %s in this program.",
                              replay->model_absent);
        return arena_fail(arena, ERR_FIELD_INVALID, "decision",
                          "Line %d of the stored decision is not valid.", replay->scan.line);
    }
    decision_judge(arena, &replay->decision);
    return decision_text(arena, &replay->decision, into);
}
