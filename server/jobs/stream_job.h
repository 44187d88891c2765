/* What jobs over a stream share, whether it is collected or mirrored: they open a session, read
 * pages, and come back: at once while there is more, at the stream's cadence when it was read to
 * its end, later when it failed, not at all while its connection is unusable or nobody needs it. */
#ifndef SLUICE_JOBS_STREAM_JOB_H
#define SLUICE_JOBS_STREAM_JOB_H

#include "jobs/session.h"
#include "store/collect.h"

struct stream_job {
    struct job_context *ctx;
    struct stream stream;
    struct session session;
    bool idle;       /* nothing to do: the job just ends */
    enum err opened; /* not OK: what the provider was not reached for; the pages end with it */
    bool wanted;     /* an active integration needs the stream */
};

enum err stream_job_open(struct job_context *ctx, struct stream_job *into) MUST_USE;
/* Ends the job: `error` is what the pages ended with. */
enum err stream_job_end(struct stream_job *stream_job, enum err error, bool more) MUST_USE;

#endif
