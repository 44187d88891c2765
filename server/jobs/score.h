/* Scoring of one window: resolve counterparties, find candidates, decide, assign entries once.
 * Reads the store and the matcher; writes nothing. */
#ifndef SLUICE_JOBS_SCORE_H
#define SLUICE_JOBS_SCORE_H

#include "jobs/environment.h"
#include "store/scoring.h"

/* The decision of one item and who its record is about. */
struct scored {
    const struct scoring_item *item;
    struct match_record record;
    struct decision decision;
    struct resolution resolution;
    const struct resolved_party *party; /* NULL: nobody is named */
    bool party_confirmed;               /* a person stands behind it */
    bool iban_changed;                  /* it has bank accounts, and this is none of them */
    bool correction_of_nothing;         /* undone at the source before it posted: ignored */
};

struct score_result {
    struct scored *items; /* in the order of the window's items */
    size_t count;
    struct resolved_party *parties;
    size_t party_count;
    bool ledger_stale;
};

/* Runs on the connection of `scope`, in reads of their own. */
enum err score_window(const struct environment *env, const struct scope *scope,
                      const struct scoring_window *window, struct score_result *into) MUST_USE;

/* The settings of an integration as the policy reads them; what is absent has the product's
 * default. */
struct policy_settings settings_policy(const json_t *settings);

#endif
