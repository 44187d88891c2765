/* An item whose document cannot be made: a problem of that item alone, so that its window and the
 * others in it go on. */
#ifndef SLUICE_STORE_ITEM_REFUSAL_H
#define SLUICE_STORE_ITEM_REFUSAL_H

#include "db/db.h"

struct item_refusal {
    const char *code;  /* NULL: nothing was refused */
    const char *text;  /* what is wrong, in one sentence */
    const char *field; /* that a person may correct; NULL: none */
};

/* Moves a queued item to problem, and opens the problem with its retry. */
enum err item_refused(const struct scope *scope, struct uuid item, struct uuid integration,
                      const struct item_refusal *refusal) MUST_USE;

#endif
