/* Decisions as people look at them: the machine's latest of many items in a constant number of
 * statements, and everyone's of one item. */
#ifndef SLUICE_STORE_DECISION_READ_H
#define SLUICE_STORE_DECISION_READ_H

#include "store/item_read.h"
#include "store/ledger_read.h"

enum {
    CANDIDATES_SHOWN_MAX = 100, /* of one decision that is shown alone */
    CANDIDATES_LISTED_MAX = 10, /* of each in a list */
};

struct decision_view {
    struct uuid id;
    struct uuid item;
    int seq;
    const char *band;
    const char *action; /* create, link, reverse; NULL: nothing is posted */
    struct uuid entry;
    struct uuid settlement_entry;
    int64_t p_micro, match_p_micro, gate_p_micro, settlement_p_micro, no_entry_p_micro;
    bool match_calibrated, gate_calibrated;
    const char *axes; /* JSON: {"<axis>": ten-thousandths}; NULL where nothing was scored */
    const char
        *contributions; /* of the gate, JSON: [{"feature","reason","log_odds_micro"}]; NULL */
    const char *model_version, *policy_version, *norm_version;
    int settings_version;
    struct actor_view decided_by;
    struct instant decided_at;
};

struct policy_view {
    struct uuid decision;
    const char *code;
    const char *effect; /* "hold", "stop" */
};

struct candidate_view {
    struct uuid decision;
    const char *role;
    int rank;
    struct entry_view entry; /* nil id: a composite */
    struct uuid_list members;
    int64_t p_micro;
    int64_t log_odds_micro;
    const char *contributions; /* JSON, as above */
};

/* The machine's latest decisions of these items, and what belongs to them. */
struct decisions_view {
    struct rows decisions;  /* of struct decision_view, at most one per item */
    struct rows policies;   /* of struct policy_view, by decision, in the order of their codes */
    struct rows candidates; /* of struct candidate_view, by decision, role and rank */
};
enum err decisions_of_items(const struct scope *scope, struct uuid_list items, int candidates_max,
                            struct decisions_view *into) MUST_USE;
/* The one of this item; NULL when the machine decided nothing yet. */
const struct decision_view *decision_of_item(const struct decisions_view *decisions,
                                             struct uuid item);

/* Everyone's, newest first; rows of struct decision_view. */
enum err decisions_of_item(const struct scope *scope, struct uuid item, struct rows *into) MUST_USE;

#endif
