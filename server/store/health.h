/* Whether a database answers at all. */
#ifndef SLUICE_STORE_HEALTH_H
#define SLUICE_STORE_HEALTH_H

#include "db/db.h"

enum err store_ping(const struct untenanted *database) MUST_USE;

#endif
