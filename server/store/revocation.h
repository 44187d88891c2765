/* Disconnecting: the flow stops in the transaction that says so, and what is left to do (telling
 * the provider) is a job, so that a crash at any moment loses neither. */
#ifndef SLUICE_STORE_REVOCATION_H
#define SLUICE_STORE_REVOCATION_H

#include "base/secret.h"
#include "db/db.h"

/* What the provider answered to one step, as the receipt shows it. */
struct revocation_entry {
    const char *what;   /* refresh_token, access_token, consent */
    const char *status; /* revoked, pending, refused */
    int http_status;    /* 0: it was not reached */
};

/* Disconnects: nothing of the connection runs any more, its credentials serve revocation alone, and
 * the receipt says what is pending. Puts the job in that revokes, if there is anything to revoke.
 */
enum err revocation_begin(const struct scope *scope, const struct secret *region_key,
                          struct uuid connection) MUST_USE;
/* The receipt after a try. `complete`: the credentials are destroyed. Changes nothing when the
 * connection was authorised anew in the meantime. */
struct revocation_try {
    struct uuid connection;
    const struct revocation_entry *entries;
    size_t count;
    bool complete;
};
enum err revocation_tried(const struct scope *scope, const struct revocation_try *tried) MUST_USE;

#endif
