/* The decision about one item, and the consumption of entries within one window.
 *
 * p = match_p × gate_p, the band by the thresholds, then policy, which may lower the band. The
 * outcome does not depend on the order of the candidates, nor on that of the items of a window. */
#ifndef SLUICE_MATCHER_DECIDE_H
#define SLUICE_MATCHER_DECIDE_H

#include "matcher/gate.h"
#include "matcher/policy.h"

enum match_action { ACTION_LINK, ACTION_CREATE };
enum match_band { BAND_FLOW, BAND_HOLD, BAND_STOP };

const char *match_action_name(enum match_action action); /* "link" */
const char *match_band_name(enum match_band band);       /* "flow" */

struct contribution {
    const char *group;   /* "amount"; of the other outcomes "ledger", "workspace", "prior" */
    const char *feature; /* "amount_rivals" */
    const char *value;   /* the reason code of the level: "amount_unique" */
    int64_t log_odds_micro;
};

struct candidate {
    struct uuid entry;
    enum match_role role;
    int rank; /* from 1 */
    int64_t log_odds_micro;
    int64_t p_micro;
    bool consumed;
    bool analysed;
    struct feature_vector features;
    const struct contribution *contributions; /* in the order of the features, without zeros */
    size_t contribution_count;
};

/* The answer of one role. */
struct role_result {
    const struct match_model *model;
    enum ledger_view view;
    int fields_missing; /* of the record: name, reference, amount */
    int64_t null_shift_micro;
    struct candidate *candidates; /* best first; those that are consumed come last, with p 0 */
    size_t candidate_count;
    size_t linkable_count; /* not consumed: the first ones */
    int64_t null_log_odds_micro, null_p_micro;
    int64_t unseen_log_odds_micro, unseen_p_micro;
    /* What speaks for "no entry exists", as of a candidate. */
    const struct contribution *null_contributions;
    size_t null_contribution_count;
    int64_t margin_micro; /* log-odds of the best answer over the second; INT64_MAX: no second */
    bool linked;          /* the best answer is candidates[0], not "no entry exists" */
};

struct decision {
    char norm_version[16]; /* of the normalisation that the levels were made with */
    struct uuid item;
    enum match_action action;
    struct uuid entry; /* of the link; nil when it is a creation */
    int64_t match_p_micro;
    int64_t gate_p_micro;
    int64_t p_micro;
    enum match_band band;       /* after policy */
    enum match_band score_band; /* by the thresholds alone */
    struct role_result document;
    struct role_result settlement;
    bool settles;                     /* a bank transaction is linked as well */
    struct uuid settlement_entry;     /* then this one */
    int64_t settlement_p_micro;       /* its own probability; not part of p */
    struct gate_vector gate_features; /* of the record and what is known of its counterparty */
    struct gate_vector gate_judged;   /* with what a link changes */
    struct gate_result gate;
    const struct gate_model *gate_model;
    struct policy_hits policies;
    /* Inputs that are stored for replay. */
    struct policy_settings settings;
    struct policy_facts facts;
    struct money amount;
    struct date date;
    int64_t reviews;
    int64_t gate_shift_micro;
    bool contested;            /* set by match_batch_assign */
    bool settlement_contested; /* likewise; the settlement link is dropped, nothing is held */
};

struct match_context {
    const struct model_set *models;
    const struct token_counts *counts; /* NULL: defaults */
    enum match_ledger ledger;
    int64_t ledger_age_s;     /* since the mirror was last complete */
    int64_t ledger_age_max_s; /* the named limit */
    int64_t null_shift_micro[MATCH_ROLE_COUNT];
    int64_t gate_shift_micro;
    int64_t reviews; /* reviewed decisions of the workspace */
};

/* Everything about one item. Refused pairs (match_refusal) are left out by the caller. */
struct match_request {
    const struct match_record *record;
    const struct match_entry *documents; /* candidates of the document role */
    size_t document_count;
    const struct match_entry *settlements;
    size_t settlement_count;
    const struct gate_facts *gate;
    const struct policy_facts *facts;
    const struct policy_settings *settings;
};

/* ERR_LIMIT above MATCH_CANDIDATES_MAX entries of a role. The decision lives in the arena. */
enum err match_decide(struct arena *arena, const struct match_context *context,
                      const struct match_request *request, struct decision *into) MUST_USE;

/* One window: an entry is consumed once per role. Greedy by p, then by item id; a loser is held
 * with `entry_contested`, and where the first two are equally sure, both are. Decisions are changed
 * in place; their order does not matter and stays. */
void match_batch_assign(struct arena *arena, struct decision **decisions, size_t count);

/* Orders decisions for delivery: best first, ties by item id. */
void match_batch_rank(struct decision **decisions, size_t count);

/* Who the record is about, among the counterparties of the workspace that blocking found. Strong
 * identifiers first, then confirmed aliases, then names by the model. */
struct known_counterparty {
    struct uuid id;
    const char *name;
    const char *email;
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *customer_id;
    bool alias_confirmed; /* a person confirmed the record's name as one of its names */
};

struct resolution {
    bool found; /* one of `known`; else a new counterparty */
    struct uuid id;
    /* What it rests on. A new counterparty that brings a strong identifier is BASIS_STRONG. */
    enum counterparty_basis basis;
    int64_t p_micro; /* of this answer; 1000000 for strong identifiers and confirmed aliases */
    bool look_alike; /* not proven, and the name is close to that of another counterparty */
    bool conflict;   /* strong identifiers (or aliases) point at two counterparties */
};

enum err match_resolve(struct arena *arena, const struct match_context *context,
                       const struct match_record *record, const struct known_counterparty *known,
                       size_t count, struct resolution *into) MUST_USE;

#endif
