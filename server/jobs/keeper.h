/* The keeper of a worker process: one thread with connections of its own that no job can block. It
 * beats for the worker's lease, reaps dead workers, wakes sleeping lanes, reads the business
 * clock's offset, seals the audit log, folds item counts, tells people of jobs that gave up,
 * makes partitions ahead and deletes what has expired. */
#ifndef SLUICE_JOBS_KEEPER_H
#define SLUICE_JOBS_KEEPER_H

#include "db/db.h"

struct keeper;

struct keeper_settings {
    const struct log *log;
    struct clock *clock;
    const struct db_settings *queue;
    const struct db_settings *app;
    const struct db_settings *directory;
    void (*renewed)(void *context, int64_t worker); /* a new row was made for this process */
    void *context;
};

/* Makes the worker's row before it returns, if the database answers; else keeps trying. */
struct keeper *keeper_open(const struct keeper_settings *settings);
void keeper_close(struct keeper *keeper);

#endif
