/* How a job reaches the database and how it ends. */
#include "jobs/kinds.h"
#include "jobs/session.h"

enum { BORROW_WAIT_MS = 30000 };

const struct job_kind job_kinds[JOB_KIND_COUNT] = {
    [JOB_SYNC] = {"sync", job_sync},
    [JOB_MIRROR] = {"mirror", job_mirror},
    [JOB_WINDOW] = {"window", job_window},
    [JOB_DELIVER] = {"deliver", job_deliver},
    [JOB_APPROVED] = {"approved", job_approved},
    [JOB_CONNECT] = {"connect", job_connect},
    [JOB_REVOKE] = {"revoke", job_revoke},
};

enum err job_database(struct job_context *ctx, db_unit *unit, void *arg)
{
    struct db *db;
    TRY(db_pool_borrow(ctx->env->pool, ctx->arena, BORROW_WAIT_MS, &db));
    struct scope scope = ctx->scope;
    scope.db = db;
    enum err error = unit(&scope, arg);
    db_pool_return(ctx->env->pool, db);
    return error;
}

/* What is committed together with the end of the job. */
struct ending {
    struct job_context *ctx;
    db_unit *unit;
    void *arg;
    bool again;
    struct instant run_at;
};

static enum err end_unit(const struct scope *scope, void *arg)
{
    const struct ending *ending = arg;
    struct instant now = clock_now(ending->ctx->env->clock);
    if (ending->unit)
        TRY(ending->unit(scope, ending->arg));
    if (ending->again)
        return queue_again(scope, ending->ctx->job, ending->run_at, now);
    return queue_complete(scope, ending->ctx->job, now);
}

static enum err end_in_transaction(const struct scope *scope, void *arg)
{
    return db_transaction(scope, end_unit, arg);
}

static enum err end_job(struct ending *ending)
{
    enum err error = job_database(ending->ctx, end_in_transaction, ending);
    ending->ctx->ended = error == OK;
    return error;
}

enum err job_finish(struct job_context *ctx, db_unit *unit, void *arg)
{
    struct ending ending = {.ctx = ctx, .unit = unit, .arg = arg};
    return end_job(&ending);
}

enum err job_again(struct job_context *ctx, db_unit *unit, void *arg, int64_t delay_s)
{
    struct ending ending = {
        .ctx = ctx,
        .unit = unit,
        .arg = arg,
        .again = true,
        .run_at = instant_add_s(clock_now(ctx->env->clock), delay_s),
    };
    return end_job(&ending);
}

enum err job_cut(struct job_context *ctx)
{
    return arena_fail(ctx->arena, ERR_INTERNAL, NULL, "The job was cut off by a fault point.");
}

enum { BACKOFF_S_MIN = 1, BACKOFF_S_MAX = 3600, BACKOFF_DOUBLINGS_MAX = 12 };

int64_t backoff_s(const struct job_context *ctx, int tries, int64_t retry_after_s)
{
    int doublings = tries < BACKOFF_DOUBLINGS_MAX ? tries : BACKOFF_DOUBLINGS_MAX;
    int64_t ceiling = (int64_t)BACKOFF_S_MIN << doublings;
    if (ceiling > BACKOFF_S_MAX)
        ceiling = BACKOFF_S_MAX;
    int64_t jittered = BACKOFF_S_MIN + (int64_t)rand_below(ctx->env->rand, (uint64_t)ceiling);
    return retry_after_s > jittered ? retry_after_s : jittered;
}
