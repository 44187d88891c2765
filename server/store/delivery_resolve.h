/* What a person says about a delivery whose answer was lost. */
#ifndef SLUICE_STORE_DELIVERY_RESOLVE_H
#define SLUICE_STORE_DELIVERY_RESOLVE_H

#include "store/delivery_read.h"

/* ERR_CONFLICT: the delivery is not uncertain. */

/* It is at the target, under this id there (NULL: unknown). */
enum err delivery_arrived(const struct scope *scope, struct uuid id, const char *external_id,
                          struct delivery_view *into) MUST_USE;
/* It is not: the same bytes again, under the same key, without looking first. */
enum err delivery_resend(const struct scope *scope, struct uuid id,
                         struct delivery_view *into) MUST_USE;

#endif
