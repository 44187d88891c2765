/* Idempotency-Key: the first call with a key claims it, runs, and stores its answer; the next one
 * with the same body gets that answer. Kept 24 h of business time. A scope without a workspace uses
 * the directory's table (calls that make a workspace). */
#ifndef SLUICE_STORE_IDEMPOTENCY_H
#define SLUICE_STORE_IDEMPOTENCY_H

#include "db/db.h"

enum { IDEMPOTENCY_KEPT_S = 24 * 3600, IDEMPOTENCY_LEASE_S = 120 };

struct idempotency_key {
    const char *principal; /* "user:<id>", "key:<id>" */
    const char *route;     /* "POST /v1/workspaces/{workspace_id}/…" */
    const char *key;
    struct bytes body_hash; /* SHA-256 over the body and the path's parameters */
};

struct idempotency {
    bool replay;       /* the answer below is to be sent, nothing is to be done */
    struct uuid claim; /* otherwise: to finish or release with */
    int status;
    const char *headers; /* as stored */
    const char *answer;
};
/* ERR_IDEMPOTENCY_KEY_REUSED: another body. ERR_IDEMPOTENCY_RUNNING: the first call still runs (its
 * lease ends after IDEMPOTENCY_LEASE_S). ERR_IDEMPOTENCY_SECRET: the answer carried a secret. To be
 * called outside the transaction of the call itself. */
enum err idempotency_claim(const struct scope *scope, const struct idempotency_key *key,
                           struct idempotency *into) MUST_USE;

struct idempotency_answer {
    int status;
    const char *headers; /* may be NULL */
    const char *answer;
    bool secret; /* the answer is not stored: a repeat gets ERR_IDEMPOTENCY_SECRET */
};
/* In the transaction of the call, or after it. ERR_LEASE_LOST: the claim went to another call. */
enum err idempotency_finish(const struct scope *scope, const struct idempotency_key *key,
                            struct uuid claim, const struct idempotency_answer *answer) MUST_USE;
/* The call failed without doing anything: the key is free again. */
enum err idempotency_release(const struct scope *scope, const struct idempotency_key *key,
                             struct uuid claim) MUST_USE;

#endif
