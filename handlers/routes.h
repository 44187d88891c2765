/* The one table of every route of the server. */
#ifndef SLUICE_ROUTES_H
#define SLUICE_ROUTES_H

#include "http/router.h"

extern const struct route routes[];
extern const size_t route_count;

#endif
