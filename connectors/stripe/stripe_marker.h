/* The marker of one Stripe stream: how far its two feeds were read, and what is to be looked at
 * again. Stored as JSON beside the page that it belongs to, so that both commit together.
 *
 * A feed is read by scans. Stripe lists newest first, so a scan goes from now back to `gte` and may
 * take several pulls; only when it is through does the watermark rise, to the newest that it met.
 * The next scan begins STRIPE_OVERLAP_S before the watermark: ties and late rows are met again, and
 * what did not change since is left out by its hash. Internal to connectors/stripe. */
#ifndef SLUICE_STRIPE_MARKER_H
#define SLUICE_STRIPE_MARKER_H

#include "connectors/source.h"
#include "connectors/stripe/stripe.h"

struct stripe_scan {
    bool active;
    int64_t gte;       /* created at or after; Unix seconds, as all times here */
    int64_t newest;    /* created of the newest row met, 0: none yet */
    const char *after; /* the last row of the page before, or NULL */
};

struct stripe_feed {
    int64_t watermark;
    struct stripe_scan scan;
};

struct stripe_seen { /* a row of the overlap */
    const char *id;
    const char *hash; /* "" for a balance transaction: those never change */
    int64_t created;
};

struct stripe_open { /* an object in a state that will change */
    const char *id;
    int64_t created;
    int64_t check_at;
};

struct stripe_marker {
    struct arena *arena;
    int64_t reach; /* no scan of the objects goes further back */
    struct stripe_feed objects;
    struct stripe_feed transactions;
    struct stripe_seen *seen; /* capacity 2 × STRIPE_SEEN_MAX, pruned to STRIPE_SEEN_MAX */
    size_t seen_count;
    struct stripe_seen *booked; /* balance transactions, likewise */
    size_t booked_count;
    struct stripe_open *open; /* capacity STRIPE_OPEN_MAX */
    size_t open_count;
    const char **queue; /* ids to be read again; capacity STRIPE_QUEUE_MAX */
    size_t queue_count;
};

/* From the text of an earlier pull; NULL: a new one, which starts at `reach`. ERR_INTERNAL when the
 * text is no marker of ours. */
enum err stripe_marker_read(struct arena *arena, const char *text, struct instant reach,
                            struct stripe_marker *into) MUST_USE;
const char *stripe_marker_write(const struct stripe_marker *marker);

/* Remembers a row; true when the same row with the same hash was remembered already. */
bool stripe_seen_before(struct stripe_marker *marker, struct stripe_seen row);
bool stripe_booked_before(struct stripe_marker *marker, struct stripe_seen row);
/* Forgets rows older than the overlap, and the oldest beyond STRIPE_SEEN_MAX: those are delivered
 * once more, as unchanged. */
void stripe_seen_prune(struct stripe_marker *marker);

/* Puts an object on watch, or moves its check when that is due: an object that is met with every
 * poll must not move the marker with every poll. False: the watch is full and its oldest object was
 * given up. */
bool stripe_open_watch(struct stripe_marker *marker, const char *id, int64_t created, int64_t now);
void stripe_open_drop(struct stripe_marker *marker, const char *id);

bool stripe_queue_add(struct stripe_marker *marker, const char *id); /* false: full */

#endif
