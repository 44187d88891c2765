/* One pull of a Stripe stream. Internal to connectors/stripe. */
#ifndef SLUICE_STRIPE_PULL_H
#define SLUICE_STRIPE_PULL_H

#include "connectors/source.h"

struct stripe_stream {
    const struct stream_info *info;
    const char *list_operation;
    const char *read_operation;
    const char *id_prefixes[3]; /* of the objects, NULL-terminated */
    const char *expand[5];      /* of one object, NULL-terminated; of a list with "data." before */
};

const struct stripe_stream *stripe_stream_find(const char *name); /* NULL: none */

enum err stripe_pull(struct provider_call *call, const struct pull_request *request,
                     struct pull_page *into) MUST_USE;

#endif
