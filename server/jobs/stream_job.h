/* What jobs over a stream share, whether it is collected or mirrored: they open a session, read
 * pages, and come back: at once while there is more, at the stream's cadence when it was read to
 * its end, later when it failed, not at all while its connection is unusable or nobody needs it. */
#ifndef SLUICE_JOBS_STREAM_JOB_H
#define SLUICE_JOBS_STREAM_JOB_H

#include "jobs/session.h"
#include "store/collect.h"

enum { STREAM_PAGES_PER_JOB_MAX = 20, STREAM_ROWS_PER_PAGE = 100 };

/* One page to be read and stored, and the arena that it lives in. */
struct stream_page {
    struct job_context *ctx;
    struct session *session; /* its call answers into `arena` */
    struct arena *arena;
    struct stream stream; /* as it stands before the page */
    bool more;            /* out: read on at once */
};

/* Reads pages until the stream's end, the job's budget or an error, and ends the job. */
enum err stream_job_run(struct job_context *ctx,
                        enum err (*read_page)(struct stream_page *page)) MUST_USE;

/* Runs a store function in the page's arena, on a borrowed connection. */
enum err stream_page_database(struct stream_page *page, db_unit *unit, void *arg) MUST_USE;

#endif
