/* What people do with items that wait for them. Each call is one transaction: the item is locked,
 * its state and (where the caller sent one) its row version are compared, and what follows is
 * written together: decision, link, job, the action itself and the audit log.
 *
 * ERR_NOT_FOUND: no such item. ERR_STALE: somebody was faster. ERR_CONFLICT: the item's state does
 * not allow it, or the entry belongs to another item; the sentence says which. ERR_FIELD_INVALID:
 * an entry or a member that cannot be meant. */
#ifndef SLUICE_STORE_REVIEW_H
#define SLUICE_STORE_REVIEW_H

#include "store/item_read.h"

enum { REVIEW_GRACE_S_DEFAULT = 10 };

struct review_of {
    struct uuid item;
    bool versioned; /* the caller said which version it looked at */
    int64_t row_version;
};

struct review_approval {
    struct review_of of;
    struct uuid candidate; /* link to this one; nil: see `create` */
    bool create;           /* post as a new entry; neither: what the machine proposed */
    const char *note;      /* may be NULL */
};

/* What is to be posted is queued, and sent by job JOB_APPROVED when the grace period is over. */
enum err review_approve(const struct scope *scope, const struct review_approval *approval,
                        struct item_view *into) MUST_USE;
/* Links to any entry of the target's ledger, candidate or not. */
enum err review_pin(const struct scope *scope, const struct review_of *of, struct uuid entry,
                    struct item_view *into) MUST_USE;
enum err review_reject(const struct scope *scope, const struct review_of *of, const char *reason,
                       struct item_view *into) MUST_USE;
/* Back to the queue: an approval in its grace period, a link or a rejection until the period is
 * closed. What a link taught is taken back with it. */
enum err review_undo(const struct scope *scope, const struct review_of *of,
                     struct item_view *into) MUST_USE;

/* The machine takes back a link, whoever made it: the item is held again, with the reason. Nothing
 * happens to an item that is not linked. */
enum err review_unlink(const struct scope *scope, struct uuid item, const char *flag,
                       const char *reason) MUST_USE;

/* nil: to nobody. That the person may review is for the caller to know. */
enum err review_assign(const struct scope *scope, const struct review_of *of, struct uuid assignee,
                       struct item_view *into) MUST_USE;
/* 0: back into the queue now. */
enum err review_snooze(const struct scope *scope, const struct review_of *of, struct instant until,
                       struct item_view *into) MUST_USE;
/* In whatever state the item is. `row_version` is the item's afterwards. */
enum err review_comment(const struct scope *scope, const struct review_of *of, const char *text,
                        struct action_view *into, int64_t *row_version) MUST_USE;

#endif
