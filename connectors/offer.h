/* Which streams an integration asks of a provider, how often they are read and how far the first
 * pull reaches back. */
#ifndef SLUICE_OFFER_H
#define SLUICE_OFFER_H

#include "connectors/registry.h"

enum { OFFERS_MAX = 32 }; /* streams of one provider, on one side */

struct stream_offer {
    const char *name;
    int period_s;
    struct instant reach;
};

struct stream_need {
    struct instant start; /* of the integration */
    int64_t backfill_days;
    int64_t poll_period_s;
    int64_t mirror_days;  /* how far the books reach back beyond the integration's own reach */
    int64_t ledger_age_s; /* older books count as stale: they are read at least twice as often */
};

/* Fills at most OFFERS_MAX and answers how many. None where the provider has no such side. */
size_t source_offers(const struct provider *provider, const struct stream_need *need,
                     struct stream_offer into[OFFERS_MAX]);
size_t mirror_offers(const struct provider *provider, const struct stream_need *need,
                     struct stream_offer into[OFFERS_MAX]);

#endif
