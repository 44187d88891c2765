/* Policy: hard rules after the score, in a fixed order, each with a code. They hold or stop, and
 * never raise a score. The caller says the facts; what follows from amounts, dates and settings is
 * decided here. */
#ifndef SLUICE_MATCHER_POLICY_H
#define SLUICE_MATCHER_POLICY_H

#include "base/buf.h"
#include "matcher/record.h"

#define POLICY_VERSION "1"

enum policy_severity { POLICY_HOLD, POLICY_STOP };

/* id, code, severity, sentence. The order is that of the evaluation and of the answer. */
#define POLICY_TABLE(X)                                                                            \
    X(CLOSED_PERIOD, "closed_period", POLICY_STOP, "The date lies in a period that is closed.")    \
    X(CURRENCY_NOT_ALLOWED, "currency_not_allowed", POLICY_STOP,                                   \
      "The integration does not post this currency.")                                              \
    X(CHANGED_AFTER_DELIVERY, "changed_after_delivery", POLICY_HOLD,                               \
      "An earlier version of this record was delivered; compare before sending another.")          \
    X(CORRECTION, "correction", POLICY_HOLD,                                                       \
      "The record was undone at the source after it posted; a reversal needs a person.")           \
    X(PROVENANCE_OURS, "provenance_ours", POLICY_HOLD,                                             \
      "Sluice itself delivered this to the source; posting it again would go in a circle.")        \
    X(SUSPECTED_DUPLICATE, "suspected_duplicate", POLICY_HOLD, "Another record looks the same.")   \
    X(IBAN_CHANGED, "iban_changed", POLICY_HOLD,                                                   \
      "The bank details differ from those known for this counterparty.")                           \
    X(IBAN_UNDER_TWO_NAMES, "iban_under_two_names", POLICY_HOLD,                                   \
      "The same bank account is known under another counterparty.")                                \
    X(DOCUMENT_BANK_DETAILS_DIFFER, "document_bank_details_differ", POLICY_HOLD,                   \
      "The document names another bank account than the record.")                                  \
    X(LOOK_ALIKE_NAME, "look_alike_name", POLICY_HOLD,                                             \
      "The name is close to that of another counterparty.")                                        \
    X(ENTRY_CONSUMED, "entry_consumed", POLICY_HOLD,                                               \
      "The entry that fits best belongs to another item already.")                                 \
    X(ENTRY_CONTESTED, "entry_contested", POLICY_HOLD,                                             \
      "Another item of the same window claims the same entry.")                                    \
    X(ENTRY_NOT_ANALYSED, "entry_not_analysed", POLICY_HOLD,                                       \
      "The target has not read the entry yet; it may be this record.")                             \
    X(MARGIN_TOO_SMALL, "margin_too_small", POLICY_HOLD,                                           \
      "The two best answers are too close to choose between them.")                                \
    X(NEW_COUNTERPARTY_ABOVE, "new_counterparty_above", POLICY_HOLD,                               \
      "The amount is above what a new counterparty may post unattended.")                          \
    X(CAP_EXCEEDED, "cap_exceeded", POLICY_HOLD, "The amount is above what may post unattended.")  \
    X(LEDGER_STALE, "ledger_stale", POLICY_HOLD,                                                   \
      "The mirror of the target is older than its limit.")

#define POLICY_ENUM(id, code, severity, sentence) POLICY_##id,
enum policy { POLICY_TABLE(POLICY_ENUM) POLICY_COUNT };
#undef POLICY_ENUM

const char *policy_code(enum policy policy);
enum policy_severity policy_severity(enum policy policy);
const char *policy_sentence(enum policy policy);
bool policy_parse(const char *code, enum policy *into);

enum {
    POLICY_LIMITS_MAX = 16,    /* currencies in one list of limits */
    POLICY_CURRENCIES_MAX = 32 /* of the list of allowed ones */
};

/* Versioned settings of an integration. policy_defaults() are the product's. */
struct policy_settings {
    int64_t flow_min_micro;   /* p from here flows: 850000 */
    int64_t hold_min_micro;   /* p from here is held, below it is stopped: 550000 */
    int64_t margin_min_micro; /* log-odds between the two best answers: 2000000 */
    /* Unattended posting, per currency. A currency that a non-empty list leaves out has the limit
     * 0: everything in it is held. An empty list is no limit. */
    struct money caps[POLICY_LIMITS_MAX];
    size_t cap_count;
    struct money new_counterparty_max[POLICY_LIMITS_MAX];
    size_t new_counterparty_count;
    char currencies[POLICY_CURRENCIES_MAX][4]; /* allowed; none: all */
    size_t currency_count;
    int64_t new_counterparty_posts; /* with fewer earlier posts a counterparty is new: 1 */
};

struct policy_settings policy_defaults(void);

/* Facts that only the store knows. Zero is "no". */
struct policy_facts {
    struct date closed_until; /* the last day of the closed period; DATE_NONE */
    bool changed_after_delivery;
    bool correction;
    bool provenance_ours;
    bool suspected_duplicate;
    bool iban_changed;
    bool iban_under_two_names;
    bool document_bank_details_differ;
    bool look_alike_name;
    bool counterparty_known; /* a person confirmed it, whatever it posted before */
    int64_t counterparty_posts;
};

struct policy_hits {
    enum policy codes[POLICY_COUNT]; /* in the order of the table */
    size_t count;
};

bool policy_hit(const struct policy_hits *hits, enum policy policy);

/* What the scores say that policy looks at. */
struct policy_scores {
    bool creates;            /* the best answer is a new entry */
    int64_t margin_micro;    /* INT64_MAX: there is no second answer */
    bool entry_consumed;     /* a consumed entry fits better than the answer */
    bool entry_contested;    /* another item of the window claims the entry */
    bool entry_not_analysed; /* an entry that the target has not read may be the record */
    bool ledger_stale;
};

/* The amount is that of the record; currency "" when it is unknown. */
struct policy_hits policy_check(const struct policy_settings *settings,
                                const struct policy_facts *facts,
                                const struct policy_scores *scores, struct money amount,
                                struct date date);

#endif
