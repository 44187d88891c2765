#include "base/base.h"

#include "base/text.h"
#include "matcher/judge.h"

const char *match_action_name(enum match_action action)
{
    return action == ACTION_LINK ? "link" : "create";
}

const char *match_band_name(enum match_band band)
{
    static const char *const names[] = {"flow", "hold", "stop"};
    assert((size_t)band < COUNT(names));
    return names[band];
}

static int64_t bounded_shift(int64_t shift)
{
    return shift > MODEL_SHIFT_MAX    ? MODEL_SHIFT_MAX
           : shift < -MODEL_SHIFT_MAX ? -MODEL_SHIFT_MAX
                                      : shift;
}

static enum err role_prepare(struct arena *arena, const struct match_context *context,
                             const struct match_record *record, const struct match_entry *entries,
                             size_t count, struct role_result *into)
{
    enum match_role role = into->model->role;
    struct feature_vector vectors[MATCH_CANDIDATES_MAX];
    struct feature_question question = {record, entries, count, role, context->counts};
    TRY(features_of(arena, &question, vectors));
    into->view = ledger_view_of(context->ledger, context->ledger_age_s, context->ledger_age_max_s);
    into->fields_missing = record_fields_missing(record, role);
    into->null_shift_micro = bounded_shift(context->null_shift_micro[role]);
    into->candidates = arena_array(arena, count, sizeof *into->candidates);
    into->candidate_count = count;
    for (size_t i = 0; i < count; i++)
        into->candidates[i] = (struct candidate){
            .entry = entries[i].id,
            .role = role,
            .consumed = entries[i].consumed,
            .analysed = entries[i].analysed,
            .features = vectors[i],
        };
    return OK;
}

/* What could not be stored and read back is refused before it decides anything. */
static enum err request_check(struct arena *arena, const struct match_request *request)
{
    const struct policy_settings *settings = request->settings;
    const char *currency = request->record->amount.currency;
    if (*currency && !currency_valid(currency))
        return arena_fail(arena, ERR_FIELD_INVALID, "currency",
                          "A currency is three capital letters.");
    if (settings->flow_min_micro < 0 || settings->flow_min_micro > MICRO ||
        settings->hold_min_micro < 0 || settings->hold_min_micro > settings->flow_min_micro ||
        settings->margin_min_micro < 0 || settings->new_counterparty_posts < 0)
        return arena_fail(arena, ERR_FIELD_INVALID, "settings",
                          "Thresholds lie between 0 and 1, that of hold not above that of flow.");
    if (settings->cap_count > POLICY_LIMITS_MAX ||
        settings->new_counterparty_count > POLICY_LIMITS_MAX ||
        settings->currency_count > POLICY_CURRENCIES_MAX)
        return arena_fail(arena, ERR_LIMIT, "settings", "A list of the policy is too long.");
    return OK;
}

/* Years that a date can be written in; others count as absent. */
static struct date storable(struct date date)
{
    enum { DAYS_TO_YEAR_10000 = 2932897 };
    if (date.days < 0 || date.days >= DAYS_TO_YEAR_10000)
        date.days = DATE_NONE;
    return date;
}

enum err match_decide(struct arena *arena, const struct match_context *context,
                      const struct match_request *request, struct decision *into)
{
    const struct match_record *record = request->record;
    TRY(request_check(arena, request));
    memset(into, 0, sizeof *into);
    memcpy(into->norm_version, NORM_VERSION, sizeof NORM_VERSION);
    into->item = record->id;
    into->amount = record->amount;
    into->date = storable(record->date);
    into->settings = *request->settings;
    into->facts = *request->facts;
    into->facts.closed_until = storable(into->facts.closed_until);
    into->reviews = context->reviews < 0 ? 0 : context->reviews;
    into->gate_model = gate_current(context->models);
    into->gate_shift_micro = bounded_shift(context->gate_shift_micro);
    into->gate_features = gate_vector_of(record, request->gate);
    into->document.model = model_current(context->models, MATCH_DOCUMENT);
    into->settlement.model = model_current(context->models, MATCH_SETTLEMENT);
    TRY(role_prepare(arena, context, record, request->documents, request->document_count,
                     &into->document));
    TRY(role_prepare(arena, context, record, request->settlements, request->settlement_count,
                     &into->settlement));
    decision_judge(arena, into);
    return OK;
}

/* A decision's wish for an entry. */
struct claim {
    struct decision *decision;
    struct uuid entry;
    int64_t p_micro;
};

static int claim_order(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    int entry = memcmp(a->entry.b, b->entry.b, sizeof a->entry.b);
    if (entry)
        return entry;
    if (a->p_micro != b->p_micro)
        return a->p_micro > b->p_micro ? -1 : 1;
    return memcmp(a->decision->item.b, b->decision->item.b, sizeof a->decision->item.b);
}

static void contest(struct decision *decision, enum match_role role)
{
    if (role == MATCH_DOCUMENT)
        decision->contested = true;
    else
        decision->settlement_contested = true;
    decision_judge_again(decision);
}

/* Claims sorted: those of one entry stand together, the surest first. */
static void claims_settle(struct claim *claims, size_t count, enum match_role role)
{
    for (size_t i = 1; i < count; i++) {
        if (!uuid_equal(claims[i].entry, claims[i - 1].entry))
            continue;
        bool first_pair = i == 1 || !uuid_equal(claims[i - 2].entry, claims[i].entry);
        if (first_pair && claims[i - 1].p_micro == claims[i].p_micro)
            contest(claims[i - 1].decision, role);
        contest(claims[i].decision, role);
    }
}

void match_batch_assign(struct arena *arena, struct decision **decisions, size_t count)
{
    struct claim *claims = arena_array(arena, count, sizeof *claims);
    for (int role = MATCH_DOCUMENT; role <= MATCH_SETTLEMENT; role++) {
        size_t claimed = 0;
        for (size_t i = 0; i < count; i++) {
            struct decision *decision = decisions[i];
            bool document = role == MATCH_DOCUMENT;
            if (document ? decision->action != ACTION_LINK : !decision->settles)
                continue;
            claims[claimed++] = (struct claim){
                decision,
                document ? decision->entry : decision->settlement_entry,
                document ? decision->p_micro : decision->settlement_p_micro,
            };
        }
        if (claimed > 1)
            qsort(claims, claimed, sizeof *claims, claim_order);
        claims_settle(claims, claimed, (enum match_role)role);
    }
}

static int decision_order(const void *left, const void *right)
{
    const struct decision *a = *(struct decision *const *)left;
    const struct decision *b = *(struct decision *const *)right;
    if (a->p_micro != b->p_micro)
        return a->p_micro > b->p_micro ? -1 : 1;
    return memcmp(a->item.b, b->item.b, sizeof a->item.b);
}

void match_batch_rank(struct decision **decisions, size_t count)
{
    if (count > 1)
        qsort(decisions, count, sizeof(struct decision *), decision_order);
}
