/* Who a charge or refund is about: the best that its object says, by a fixed order of places.
 * Internal to connectors/stripe. */
#ifndef SLUICE_STRIPE_PARTY_H
#define SLUICE_STRIPE_PARTY_H

#include "connectors/source.h"

/* `object`: a charge, or a refund with its charge expanded or not. */
void stripe_party(struct arena *arena, const json_t *object, struct party *into);

#endif
