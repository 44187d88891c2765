/* Jobs that gave up. The queue keeps them without looking into tenants; here each becomes a problem
 * of its workspace, so that nothing waits for it unseen, and the one click puts it in again. */
#ifndef SLUICE_STORE_JOB_FAILURE_H
#define SLUICE_STORE_JOB_FAILURE_H

#include "store/problem.h"
#include "store/queue.h"

#define JOB_GAVE_UP "job_gave_up" /* the code of these problems */

struct failed_job {
    int64_t id;
    int kind;
    struct uuid workspace;
    struct uuid connection;
    struct uuid subject;
    int attempts;
    const char *reason; /* a code */
};

/* Rows of struct failed_job that nobody was told of (queue role). */
enum err job_failures_untold(const struct untenanted *queue, int limit, struct rows *into) MUST_USE;
enum err job_failure_told(const struct untenanted *queue, int64_t id) MUST_USE;

/* Opens the problem, in the scope of the job's workspace. What is settled by now needs none; an
 * approved item whose document could not be made moves to problem. Telling twice does no harm. */
enum err job_failure_tell(const struct scope *scope, const struct failed_job *failed) MUST_USE;

/* Puts the work of such a problem in again and resolves it: should it give up once more, that is a
 * new one. */
enum err job_failure_retry(const struct scope *scope, const struct problem *problem) MUST_USE;

#endif
