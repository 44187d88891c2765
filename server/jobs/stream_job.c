#include "jobs/stream_job.h"

#include "base/text.h"
#include "store/problem.h"

struct stream_job {
    struct job_context *ctx;
    struct stream stream;
    struct session session;
    bool idle;       /* nothing to do: the job just ends */
    enum err opened; /* not OK: what the provider was not reached for; the pages end with it */
    bool wanted;     /* an active integration needs the stream */
};

enum { FAILURES_TOLD = 5 }; /* in a row: from then on people see a problem */

static enum err load(const struct scope *scope, void *arg)
{
    struct stream_job *stream_job = arg;
    TRY(stream_get(scope, stream_job->ctx->job->subject, &stream_job->stream));
    return stream_wanted(scope, stream_job->stream.id, &stream_job->wanted);
}

static enum err stream_job_open(struct job_context *ctx, struct stream_job *into)
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
    /* Refused for good, it waits in the parked lane; refused by tokens that were replaced just
     * then, it goes on with the newer ones. */
    return job_again(ctx, NULL, NULL, backoff_s(ctx, (int)failing.failures, retry_after_s));
}

static enum err note_success(const struct scope *scope, void *arg)
{
    struct stream_job *stream_job = arg;
    if (stream_job->stream.failures >= FAILURES_TOLD)
        TRY(untell(scope, &stream_job->stream));
    return connection_succeeded(scope, stream_job->stream.connection);
}

static enum err stream_job_end(struct stream_job *stream_job, enum err error, bool more)
{
    struct job_context *ctx = stream_job->ctx;
    if (error == ERR_CONFLICT) /* another page came in between: read on from the new marker */
        return job_again(ctx, NULL, NULL, 0);
    if (error == ERR_DB_DOWN || error == ERR_BUSY || error == ERR_LEASE_LOST)
        return error;
    if (error == ERR_TRANSIENT && stream_job->session.waits) /* that is no failure of the stream */
        return arena_fail_retry(ctx->arena, ERR_BUSY, arena_failure(ctx->arena)->retry_after_s,
                                "%s", arena_failure(ctx->arena)->detail);
    if (error != OK)
        return end_failed(stream_job, error);
    return job_again(ctx, note_success, stream_job, more ? 0 : stream_job->stream.period_s);
}

/* ---- pages ---- */

struct page_unit {
    struct stream_page *page;
    db_unit *unit;
    void *arg;
};

static enum err run_page_unit(const struct scope *scope, void *arg)
{
    const struct page_unit *unit = arg;
    struct scope own = *scope;
    own.arena = unit->page->arena;
    return unit->unit(&own, unit->arg);
}

enum err stream_page_database(struct stream_page *page, db_unit *unit, void *arg)
{
    struct page_unit page_unit = {page, unit, arg};
    return job_database(page->ctx, run_page_unit, &page_unit);
}

static enum err load_page(const struct scope *scope, void *arg)
{
    struct stream_page *page = arg;
    return stream_get(scope, page->ctx->job->subject, &page->stream);
}

static enum err read_one(struct stream_page *page, enum err (*read_page)(struct stream_page *page))
{
    TRY(stream_page_database(page, load_page, page));
    return read_page(page);
}

/* Each page has an arena of its own: a job reads many. */
static enum err read_pages(struct stream_job *stream_job,
                           enum err (*read_page)(struct stream_page *page), bool *more)
{
    struct job_context *ctx = stream_job->ctx;
    *more = true;
    for (int n = 0; n < STREAM_PAGES_PER_JOB_MAX && *more; n++) {
        struct stream_page page = {
            .ctx = ctx, .session = &stream_job->session, .arena = arena_open()};
        stream_job->session.call.arena = page.arena;
        enum err error = read_one(&page, read_page);
        *more = page.more;
        if (error != OK) /* said once more where the job looks for it */
            error = arena_failure_move(ctx->arena, page.arena, error);
        stream_job->session.call.arena = ctx->arena;
        arena_close(page.arena);
        TRY(error);
    }
    return OK;
}

enum err stream_job_run(struct job_context *ctx, enum err (*read_page)(struct stream_page *page))
{
    struct stream_job stream_job;
    bool more = false;
    TRY(stream_job_open(ctx, &stream_job));
    if (stream_job.idle)
        return job_finish(ctx, NULL, NULL);
    enum err error = stream_job.opened;
    if (error == OK)
        error = read_pages(&stream_job, read_page, &more);
    return stream_job_end(&stream_job, error, more);
}
