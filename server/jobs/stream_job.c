#include "jobs/stream_job.h"

#include "base/text.h"
#include "store/problem.h"

enum { FAILURES_TOLD = 5 }; /* in a row: from then on people see a problem */

static enum err load(const struct scope *scope, void *arg)
{
    struct stream_job *stream_job = arg;
    TRY(stream_get(scope, stream_job->ctx->job->subject, &stream_job->stream));
    return stream_wanted(scope, stream_job->stream.id, &stream_job->wanted);
}

enum err stream_job_open(struct job_context *ctx, struct stream_job *into)
{
    *into = (struct stream_job){.ctx = ctx};
    enum err error = job_database(ctx, load, into);
    if (error == ERR_NOT_FOUND || (error == OK && !into->wanted)) {
        into->idle = true;
        return OK;
    }
    TRY(error);
    into->opened = session_open(ctx, into->stream.connection, &into->session);
    if (into->opened != ERR_AUTH) /* what failed is noted where the job ends, and tried again */
        return OK;
    into->opened = OK;
    into->idle = true; /* parked: the reconnection puts a new job in */
    arena_failure_clear(ctx->arena);
    return OK;
}

struct failing {
    const struct stream *stream;
    enum err error;
    const char *detail;
    int64_t failures;
};

static enum err tell(const struct scope *scope, const struct failing *failing)
{
    struct problem_order problem = {
        .code = "stream_failing",
        .text = arena_format(scope->arena, "%s could not be read %d times in a row: %s",
                             failing->stream->name, (int)failing->failures,
                             failing->detail ? failing->detail : err_sentence(failing->error)),
        .stream = failing->stream->id,
        .connection = failing->stream->connection,
        .action = "retry",
        .warning = true,
    };
    return problem_open(scope, &problem);
}

/* Some pages came through again. */
static enum err untell(const struct scope *scope, const struct stream *stream)
{
    const struct problem_subject told = {.stream = stream->id, .code = "stream_failing"};
    return problem_resolve(scope, &told, NULL);
}

static enum err fail_unit(const struct scope *scope, void *arg)
{
    struct failing *failing = arg;
    TRY(stream_failed(scope, failing->stream->id, err_slug(failing->error), &failing->failures));
    if (failing->failures >= FAILURES_TOLD)
        return tell(scope, failing);
    return failing->stream->failures >= FAILURES_TOLD ? untell(scope, failing->stream) : OK;
}

static enum err note_failure(const struct scope *scope, void *arg)
{
    return db_transaction(scope, fail_unit, arg);
}

/* A stream never gives up: what fails is tried again, slower and slower, and is shown as degraded.
 */
static enum err end_failed(struct stream_job *stream_job, enum err error)
{
    struct job_context *ctx = stream_job->ctx;
    int64_t retry_after_s = arena_failure(ctx->arena)->retry_after_s;
    struct failing failing = {.stream = &stream_job->stream,
                              .error = error,
                              .detail = arena_text(ctx->arena, arena_failure(ctx->arena)->detail)};
    log_event(ctx->env->log, LOG_WARN, "stream.failed", LOG_U("workspace", ctx->job->workspace),
              LOG_T("stream", stream_job->stream.name), LOG_T("code", err_slug(error)),
              LOG_T("detail", arena_failure(ctx->arena)->detail));
    TRY(session_failed(&stream_job->session, error));
    TRY(job_database(ctx, note_failure, &failing));
    if (error == ERR_AUTH)
        return job_finish(ctx, NULL, NULL);
    return job_again(ctx, NULL, NULL, backoff_s(ctx, (int)failing.failures, retry_after_s));
}

static enum err note_success(const struct scope *scope, void *arg)
{
    struct stream_job *stream_job = arg;
    return connection_succeeded(scope, stream_job->stream.connection);
}

enum err stream_job_end(struct stream_job *stream_job, enum err error, bool more)
{
    struct job_context *ctx = stream_job->ctx;
    if (error == ERR_CONFLICT) /* another page came in between: read on from the new marker */
        return job_again(ctx, NULL, NULL, 0);
    if (error == ERR_DB_DOWN || error == ERR_BUSY || error == ERR_LEASE_LOST)
        return error;
    if (error != OK)
        return end_failed(stream_job, error);
    return job_again(ctx, note_success, stream_job, more ? 0 : stream_job->stream.period_s);
}
