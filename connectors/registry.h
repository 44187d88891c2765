/* The providers: one row each. A pair of source and target is configuration, not code. */
#ifndef SLUICE_REGISTRY_H
#define SLUICE_REGISTRY_H

#include "connectors/authorisation.h"
#include "connectors/source.h"
#include "connectors/target.h"

struct provider {
    const char *name;            /* "stripe" */
    const char *title;           /* for people: "Stripe" */
    const char *hosted_in;       /* where its data is kept, as it says itself; NULL: not known */
    const struct source *source; /* NULL: cannot be read as a source */
    const struct target *target; /* NULL: cannot be delivered to */
    const struct authoriser *authoriser; /* NULL: needs no authorisation */
};

const struct provider *const *providers(size_t *count);
const struct provider *provider_find(const char *name); /* NULL when there is none */

#endif
