/* What a person corrected of an item, after its target refused it: kept with the item, and put in
 * the place of what the source said whenever its document is made anew. The record itself stays as
 * the source has it. */
#ifndef SLUICE_STORE_OVERRIDES_H
#define SLUICE_STORE_OVERRIDES_H

#include "store/scoring.h"

/* Whether a field of this name can be corrected at all. */
bool override_known(const char *name);
enum err overrides_apply(const struct scope *scope, struct uuid item,
                         struct scoring_item *into) MUST_USE;

#endif
