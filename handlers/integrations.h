/* An integration as the API shows it, and the streams that stand behind it. */
#ifndef SLUICE_INTEGRATIONS_H
#define SLUICE_INTEGRATIONS_H

#include "handlers/request.h"
#include "store/connection.h"
#include "store/integration.h"

/* Both connections of an integration. */
struct integration_pair {
    struct connection source;
    struct connection target;
};
enum err integration_pair_get(const struct scope *scope, const struct integration *integration,
                              struct integration_pair *into) MUST_USE;

#endif
