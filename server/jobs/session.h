/* A provider session: the credentials of one connection for one job, refreshed when they must be,
 * and a lease on the provider's rate budget before every request. */
#ifndef SLUICE_JOBS_SESSION_H
#define SLUICE_JOBS_SESSION_H

#include "jobs/kinds.h"
#include "store/connection.h"

struct session {
    struct job_context *ctx;
    struct connection connection;
    const struct provider *provider;
    struct provider_call call;
    struct credential credential;
    bool waits; /* another worker renews the tokens: the job comes back in a moment */
    struct authorisation attempt; /* endpoints and registration, as stored at authorisation */
};

/* Reads the connection and opens its credentials. ERR_AUTH when it cannot be used now: it is not
 * enabled, or its refresh was refused for good (then it is parked already, and its owner told).
 * ERR_BUSY while another worker refreshes: the job is to be put back, without counting. */
enum err session_open(struct job_context *ctx, struct uuid connection,
                      struct session *into) MUST_USE;

/* What an error of a provider call means for the connection: parks it on ERR_AUTH (need_reconnect,
 * one notification), marks it degraded on ERR_SCOPE; anything else changes nothing. */
enum err session_failed(struct session *session, enum err error) MUST_USE;

/* Whether the connection works `now`, which holds its lock, by other credentials, or though it did
 * not when the session was opened: what the session failed with is out of date then. */
bool session_outdated(const struct session *session, const struct connection *now) MUST_USE;

/* Seconds until the next try after `tries` failures: doubling with full jitter, at least what the
 * provider asked for. */
int64_t backoff_s(const struct job_context *ctx, int tries, int64_t retry_after_s);

#endif
