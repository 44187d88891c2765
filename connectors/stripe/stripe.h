/* Stripe as a source, read through its MCP server (facts that this rests on: README.md). */
#ifndef SLUICE_STRIPE_H
#define SLUICE_STRIPE_H

#include "connectors/authorisation.h"
#include "connectors/source.h"

enum {
    STRIPE_HISTORY_DAYS = 730,
    STRIPE_OVERLAP_S = 120,     /* of one pull with what was pulled before */
    STRIPE_PAGE_ROWS = 100,     /* the most that Stripe lists at once */
    STRIPE_READS_PER_PULL = 25, /* single objects read again in one pull */
    STRIPE_OPEN_MAX = 500,      /* unfinished objects that are watched, of one stream */
    STRIPE_SEEN_MAX = 300,      /* rows of the overlap that are remembered, of one stream */
    STRIPE_QUEUE_MAX = 200,     /* objects that wait to be read again, of one stream */
    STRIPE_ID_BYTES_MAX = 255,
};

extern const struct source stripe_source;
extern const struct authoriser stripe_authoriser;

#endif
