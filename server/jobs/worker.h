/* The worker of one process and region: one fetcher that claims batches from due lanes, job threads
 * that run them, and a keeper that heartbeats, reaps, seals and folds. At least once execution; a
 * worker that lost its lease finds its jobs fenced out. */
#ifndef SLUICE_JOBS_WORKER_H
#define SLUICE_JOBS_WORKER_H

#include "jobs/environment.h"
#include "jobs/wakeup.h"

enum { WORKER_THREADS_MAX = 64, WORKER_POLL_MS = 1000, WORKER_BEAT_S = 5, WORKER_STOP_S = 30 };

struct worker_settings {
    const struct environment *env;
    struct clock *clock;                 /* the keeper reads its offset from the database */
    const struct db_settings *queue;     /* the queue role */
    const struct db_settings *app;       /* the application's role, for the keeper's sweeps */
    const struct db_settings *directory; /* for deleting what has expired there */
    struct wakeup *wakeup;
    int threads;
};

struct worker;

struct worker *worker_open(const struct worker_settings *settings); /* starts its threads */
/* Finishes what runs (at most WORKER_STOP_S), gives the rest back, joins. */
void worker_close(struct worker *worker);

#endif
