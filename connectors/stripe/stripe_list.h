/* A list object of Stripe's, cut into its rows without parsing them: each row keeps the bytes that
 * Stripe sent, and one that cannot be parsed does not hide the others. Pure. */
#ifndef SLUICE_STRIPE_LIST_H
#define SLUICE_STRIPE_LIST_H

#include "base/arena.h"

enum { STRIPE_ROWS_MAX = 200 }; /* more than were asked for at most: no answer of Stripe's */

struct stripe_list {
    struct bytes rows[STRIPE_ROWS_MAX];
    size_t count;
    bool has_more;
};

/* ERR_PROTOCOL when the text is no list object. */
enum err stripe_list_read(struct arena *arena, const char *text, struct stripe_list *into) MUST_USE;

#endif
