/* What the review actions are made of: review.c, review_undo.c and review_note.c only. */
#ifndef SLUICE_STORE_REVIEW_PARTS_H
#define SLUICE_STORE_REVIEW_PARTS_H

#include "store/review.h"

/* A locked item, and what an action on it needs to know. */
struct reviewed {
    struct uuid item;
    const char *state;
    int64_t row_version;
    struct uuid target; /* connection of the integration's target */
    int settings_version;
    int64_t grace_s;
    bool closed;   /* it is dated in a closed period */
    bool archived; /* its integration sends nothing any more */
    struct uuid counterparty;
    const char *counterparty_name;
    const char *core_name;
    const char *norm_version;
    struct uuid machine; /* the machine's latest decision; nil: none */
    const char *proposed;
    struct uuid proposed_entry;
    struct uuid proposed_settlement;
};

enum err reviewed_lock(const struct scope *scope, const struct review_of *of,
                       struct reviewed *into) MUST_USE;
/* ERR_CONFLICT unless the item is held or stopped. */
enum err reviewed_waits(const struct scope *scope, const struct reviewed *reviewed) MUST_USE;

/* The item's move and everything that is noted about it. */
struct review_move {
    const struct reviewed *reviewed;
    const char *action;
    const char *to;       /* its next state; the same: only noted */
    struct uuid id;       /* of the action */
    struct uuid decision; /* the item's from now on; nil: as it was */
    struct uuid entry;
    const char *reason;
    struct instant effective_at; /* the end of the grace period */
};
enum err review_moved(const struct scope *scope, const struct review_move *move) MUST_USE;

#endif
