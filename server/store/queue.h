/* The job queue. A job is a scheduling token: what people see are windows, items and deliveries.
 * Execution is at least once; the state transition is exactly once, because the outcome and the end
 * of the job commit together and only the worker that still holds the lease can end it.
 *
 * A lane is one workspace and one connection (or none): it carries fairness, how many jobs may run
 * at once, and throttling. `now` is business time; leases are the database's own clock.
 *
 * Functions with a scope run in the caller's transaction, by the application's role. Functions with
 * struct untenanted are for the worker loop, by the queue's role. */
#ifndef SLUICE_STORE_QUEUE_H
#define SLUICE_STORE_QUEUE_H

#include "db/db.h"

enum job_kind_id {
    JOB_SYNC,     /* subject: a stream to collect */
    JOB_MIRROR,   /* subject: a stream to mirror */
    JOB_WINDOW,   /* subject: a window to close and decide */
    JOB_DELIVER,  /* subject: a delivery */
    JOB_APPROVED, /* subject: an item that a person approved */
    JOB_CONNECT,  /* subject: a connection that was authorised */
    JOB_REVOKE,   /* subject: a connection to revoke at its provider */
    JOB_KIND_COUNT
};

enum {
    LANE_RUNNING_MAX = 4,     /* of a new lane with a connection */
    LANE_RUNNING_MAX_OWN = 8, /* of a new lane without */
    LANES_PER_CLAIM = 20,
    JOBS_PER_CLAIM_MAX = 500,
    JOB_ATTEMPTS_MAX = 10,
    JOB_RUN_S_MAX = 300,
    WORKER_LEASE_S = 20, /* a heartbeat every 5 s */
    PROMOTE_MAX = 1000,
    DEDUPE_BYTES_MAX = 200,
};

/* ---- putting jobs in, in the transaction that makes them necessary ---- */

struct job_order {
    enum job_kind_id kind;
    struct uuid connection; /* of the lane; nil: calls no provider */
    struct uuid subject;
    struct instant run_at; /* 0: now */
    int priority;          /* each step is 30 s later; negative is sooner */
    int max_attempts;      /* 0: JOB_ATTEMPTS_MAX */
    int max_run_s;         /* 0: JOB_RUN_S_MAX */
    const char *dedupe;    /* at most one unfinished job of the lane has it; NULL: always new */
    const char *payload;   /* JSON of ids, or NULL */
};

/* With a `dedupe` that is there already: a waiting job is pulled forward when this one is earlier;
 * a running one runs again afterwards, at run_at. Wakes the workers after the commit. */
enum err queue_enqueue(const struct scope *scope, const struct job_order *order) MUST_USE;

/* ---- claiming (queue role) ---- */

struct claimed_job {
    int64_t id;
    int64_t worker;
    int lane;
    int kind;
    struct uuid workspace;
    struct uuid connection; /* nil: none */
    struct uuid subject;
    int attempt; /* 1 at first */
    int max_attempts;
    const char *payload;
    const char *request_id;
    struct instant hard_deadline; /* database clock */
    struct instant run_at;
    struct instant sort_at; /* its place within the lane */
};

/* What one fetcher remembers between claims. The entries of an index that point at jobs already
 * gone stay until a vacuum; a floor spares the scan of a lane all those before what was claimed
 * last. An older job (promoted, returned) is seen when the floors are forgotten: after
 * CLAIM_FLOORS_MS, CLAIM_FLOORS_JOBS, or a claim that did not fill its slots. */
enum { CLAIM_FLOORS_MAX = 64, CLAIM_FLOORS_MS = 1000, CLAIM_FLOORS_JOBS = 500 };
struct claimer {
    int64_t worker;
    size_t floor_count;
    int64_t lanes[CLAIM_FLOORS_MAX];
    struct instant floors[CLAIM_FLOORS_MAX];
    int64_t since_us; /* monotonic: when they were last forgotten */
    size_t jobs;      /* claimed since then */
};
/* Least served lanes first, at most `slots` jobs, ordered. Rows of struct claimed_job. */
enum err queue_claim(const struct untenanted *queue, struct claimer *claimer, int slots,
                     struct instant now, struct rows *into) MUST_USE;

/* ---- ending a claimed job, in the transaction of its outcome ---- */

/* ERR_LEASE_LOST: the job went to another worker; roll back. */
enum err queue_complete(const struct scope *scope, const struct claimed_job *job,
                        struct instant now) MUST_USE;
/* The same job again at `run_at`, its attempts starting anew. */
enum err queue_again(const struct scope *scope, const struct claimed_job *job,
                     struct instant run_at, struct instant now) MUST_USE;
/* The same job again at `run_at`; `counts`: this attempt counts, and the last one ends it: then
 * *exhausted is true and the job is kept in job_failed with `reason`. */
struct job_retry {
    struct instant run_at;
    bool counts;
    const char *reason; /* a code */
};
enum err queue_retry(const struct scope *scope, const struct claimed_job *job,
                     const struct job_retry *retry, struct instant now, bool *exhausted) MUST_USE;

/* The provider said Retry-After: no job of this connection is claimed for so long (the database's
 * clock). What runs goes on. */
enum err queue_throttle(const struct scope *scope, struct uuid connection,
                        int64_t seconds) MUST_USE;
/* Parks a connection's lane (credentials gone), or lets it go on. */
enum err queue_park(const struct scope *scope, struct uuid connection, bool parked) MUST_USE;

/* ---- the worker process (queue role) ---- */

struct worker_start {
    const char *host;
    int process_id;
    int lease_s; /* 0: WORKER_LEASE_S */
};
enum err queue_worker_start(const struct untenanted *queue, const struct worker_start *start,
                            int64_t *worker) MUST_USE;
/* ERR_LEASE_LOST: its row is gone. Drop every job and start with a new id. */
enum err queue_heartbeat(const struct untenanted *queue, int64_t worker, int lease_s) MUST_USE;
/* Gives back what it still holds. */
enum err queue_worker_stop(const struct untenanted *queue, int64_t worker,
                           struct instant now) MUST_USE;
/* Jobs of workers whose lease ended, without a worker, or past their hard deadline become ready, or
 * failed when that was the last attempt. Any process may call it: one at a time does the work. */
enum err queue_reap(const struct untenanted *queue, struct instant now, int64_t *returned) MUST_USE;
/* Scheduled jobs that are due become ready. *next: when to call again at the latest; 0: nothing is
 * scheduled. */
enum err queue_promote(const struct untenanted *queue, struct instant now, int64_t *promoted,
                       struct instant *next) MUST_USE;
/* Wakes lanes that sleep over ready jobs and counts anew what runs. Every second or two. */
enum err queue_sweep(const struct untenanted *queue, struct instant now, int64_t *woken) MUST_USE;

/* ---- what metrics see ---- */

struct queue_depth {
    int64_t ready;
    int64_t scheduled;
    int64_t running;
    int64_t failed;
};
enum err queue_depth(const struct untenanted *at, struct queue_depth *into) MUST_USE;

/* ---- rate buckets: provider limits that all tenants behind one address share ---- */

struct bucket {
    const char *provider;
    const char *egress; /* our outgoing address, or "default" */
    const char *name;   /* "requests" */
    double rate_per_s;
    double burst;
};
/* Makes the bucket or sets its rate. */
enum err bucket_ensure(const struct untenanted *queue, const struct bucket *bucket,
                       int64_t *id) MUST_USE;
struct bucket_slice {
    int64_t tokens;       /* granted; 0: none now */
    int64_t wait_ms;      /* when to ask again, if none */
    struct instant until; /* database clock: unused tokens are gone then */
};
/* A slice of at most `want` requests for this worker. At most burst + rate * t leave in any t
 * seconds, plus what was leased within the life of a slice (BUCKET_SLICE_S) before. */
enum err bucket_lease(const struct untenanted *queue, int64_t bucket, int64_t worker, int64_t want,
                      struct bucket_slice *into) MUST_USE;
enum { BUCKET_SLICE_S = 2 };
/* The provider said so: nothing from this bucket for so long. */
enum err bucket_close(const struct untenanted *queue, int64_t bucket, int64_t seconds) MUST_USE;

#endif
