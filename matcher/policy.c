#include "base/base.h"

#include "matcher/policy.h"

struct policy_row {
    const char *code;
    enum policy_severity severity;
    const char *sentence;
};

static const struct policy_row rows[] = {
#define POLICY_ROW(id, code, severity, sentence) {code, severity, sentence},
    POLICY_TABLE(POLICY_ROW)
#undef POLICY_ROW
};

const char *policy_code(enum policy policy)
{
    assert(policy < POLICY_COUNT);
    return rows[policy].code;
}

enum policy_severity policy_severity(enum policy policy)
{
    assert(policy < POLICY_COUNT);
    return rows[policy].severity;
}

const char *policy_sentence(enum policy policy)
{
    assert(policy < POLICY_COUNT);
    return rows[policy].sentence;
}

bool policy_parse(const char *code, enum policy *into)
{
    for (int i = 0; i < POLICY_COUNT; i++) {
        if (strcmp(code, rows[i].code) == 0) {
            *into = (enum policy)i;
            return true;
        }
    }
    return false;
}

struct policy_settings policy_defaults(void)
{
    return (struct policy_settings){
        .flow_min_micro = 850000,
        .hold_min_micro = 550000,
        .margin_min_micro = 2000000,
        .new_counterparty_max = {{100000, "EUR"},
                                 {100000, "USD"},
                                 {100000, "GBP"},
                                 {100000, "CHF"}},
        .new_counterparty_count = 4,
        .new_counterparty_posts = 1,
    };
}

bool policy_hit(const struct policy_hits *hits, enum policy policy)
{
    for (size_t i = 0; i < hits->count; i++) {
        if (hits->codes[i] == policy)
            return true;
    }
    return false;
}

static bool currency_allowed(const struct policy_settings *settings, const char *currency)
{
    for (size_t i = 0; i < settings->currency_count; i++) {
        if (strcmp(settings->currencies[i], currency) == 0)
            return true;
    }
    return settings->currency_count == 0;
}

static bool above(const struct money *limits, size_t count, struct money amount)
{
    if (count == 0)
        return false;
    int64_t limit = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(limits[i].currency, amount.currency) == 0)
            limit = limits[i].minor;
    }
    return !*amount.currency || amount.minor > limit || amount.minor < -limit;
}

static bool applies(enum policy policy, const struct policy_settings *settings,
                    const struct policy_facts *facts, const struct policy_scores *scores,
                    const struct money *amount)
{
    switch (policy) {
    case POLICY_CHANGED_AFTER_DELIVERY:
        return facts->changed_after_delivery;
    case POLICY_CORRECTION:
        return facts->correction;
    case POLICY_PROVENANCE_OURS:
        return facts->provenance_ours;
    case POLICY_SUSPECTED_DUPLICATE:
        return facts->suspected_duplicate;
    case POLICY_IBAN_CHANGED:
        return facts->iban_changed;
    case POLICY_IBAN_UNDER_TWO_NAMES:
        return facts->iban_under_two_names;
    case POLICY_DOCUMENT_BANK_DETAILS_DIFFER:
        return facts->document_bank_details_differ;
    case POLICY_LOOK_ALIKE_NAME:
        return facts->look_alike_name;
    case POLICY_ENTRY_CONSUMED:
        return scores->entry_consumed;
    case POLICY_ENTRY_CONTESTED:
        return scores->entry_contested;
    case POLICY_ENTRY_NOT_ANALYSED:
        return scores->entry_not_analysed;
    case POLICY_MARGIN_TOO_SMALL:
        return scores->margin_micro < settings->margin_min_micro;
    case POLICY_NEW_COUNTERPARTY_ABOVE:
        return scores->creates && !facts->counterparty_known &&
               facts->counterparty_posts < settings->new_counterparty_posts &&
               above(settings->new_counterparty_max, settings->new_counterparty_count, *amount);
    case POLICY_CAP_EXCEEDED:
        return scores->creates && above(settings->caps, settings->cap_count, *amount);
    case POLICY_LEDGER_STALE:
        return scores->ledger_stale;
    case POLICY_CURRENCY_NOT_ALLOWED:
        return !currency_allowed(settings, amount->currency);
    case POLICY_CLOSED_PERIOD: /* asks for the date, see policy_check */
    case POLICY_COUNT:
        break;
    }
    return false;
}

static bool in_closed_period(const struct policy_facts *facts, struct date date)
{
    return facts->closed_until.days != DATE_NONE && date.days != DATE_NONE &&
           date.days <= facts->closed_until.days;
}

struct policy_hits policy_check(const struct policy_settings *settings,
                                const struct policy_facts *facts,
                                const struct policy_scores *scores, struct money amount,
                                struct date date)
{
    struct policy_hits hits = {.count = 0};
    for (int i = 0; i < POLICY_COUNT; i++) {
        enum policy policy = (enum policy)i;
        bool hit = policy == POLICY_CLOSED_PERIOD
                       ? in_closed_period(facts, date)
                       : applies(policy, settings, facts, scores, &amount);
        if (hit)
            hits.codes[hits.count++] = policy;
    }
    return hits;
}
