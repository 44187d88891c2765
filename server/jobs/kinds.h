/* A job as its function sees it, and the ways it may end. A job never holds a database connection
 * while it waits for the network: it borrows one per read or transaction. */
#ifndef SLUICE_JOBS_KINDS_H
#define SLUICE_JOBS_KINDS_H

#include "jobs/environment.h"
#include "store/queue.h"

struct job_context {
    const struct environment *env;
    struct arena *arena;      /* of this job; reset afterwards */
    struct scope scope;       /* of its workspace; db is NULL between borrows */
    struct http_client *http; /* of this thread */
    const struct claimed_job *job;
    bool ended; /* one of the ways below was committed */
};

/* Runs `unit` on a borrowed connection; several statements, or a transaction of its own. */
enum err job_database(struct job_context *ctx, db_unit *unit, void *arg) MUST_USE;

/* Commits `unit` (may be NULL) together with the end of the job. ERR_LEASE_LOST: another worker
 * took the job over, and nothing was committed. */
enum err job_finish(struct job_context *ctx, db_unit *unit, void *arg) MUST_USE;
/* The same, and the job runs again `delay_s` of business time later; attempts start anew. */
enum err job_again(struct job_context *ctx, db_unit *unit, void *arg, int64_t delay_s) MUST_USE;

/* What a fault point makes of a job: it breaks off here, as if its worker had died. */
enum err job_cut(struct job_context *ctx);

/* One kind of job. */
struct job_kind {
    const char *name;
    enum err (*run)(struct job_context *ctx);
};
extern const struct job_kind job_kinds[JOB_KIND_COUNT];

enum err job_sync(struct job_context *ctx);
enum err job_mirror(struct job_context *ctx);
enum err job_window(struct job_context *ctx);
enum err job_deliver(struct job_context *ctx);
enum err job_approved(struct job_context *ctx);
enum err job_connect(struct job_context *ctx);
enum err job_revoke(struct job_context *ctx);

#endif
