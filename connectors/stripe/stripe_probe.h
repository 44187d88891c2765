/* What a freshly authorised Stripe session can do. Internal to connectors/stripe. */
#ifndef SLUICE_STRIPE_PROBE_H
#define SLUICE_STRIPE_PROBE_H

#include "connectors/source.h"

enum { STRIPE_ACCOUNTS_MAX = 100 };

enum err stripe_probe(struct provider_call *call, struct probe_result *into) MUST_USE;

#endif
