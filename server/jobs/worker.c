#include "jobs/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fault.h"
#include "jobs/budget.h"
#include "jobs/keeper.h"
#include "jobs/session.h"
#include "store/scope_make.h"

struct slot {
    struct worker *worker;
    pthread_t thread;
};

struct worker {
    struct worker_settings settings;
    pthread_t fetcher;
    struct keeper *keeper;
    struct slot slots[WORKER_THREADS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* a job is there, or the worker stops */
    pthread_cond_t freed;   /* a thread became free */
    struct claimed_job queue[WORKER_THREADS_MAX];
    struct arena *queue_arena[WORKER_THREADS_MAX]; /* owns the texts of a queued job */
    int queued;
    int busy;
    bool stopping;
    atomic_llong id; /* of this worker's row; changes when its lease was lost */
};

/* ---- running one job ---- */

static const char *reason_of(const struct arena *arena, enum err error)
{
    const struct failure *failure = arena_failure(arena);
    return failure->detail ? failure->detail : err_sentence(error);
}

struct retrying {
    const struct claimed_job *job;
    struct job_retry retry;
    struct instant now;
    bool exhausted;
};

static enum err retry_unit(const struct scope *scope, void *arg)
{
    struct retrying *retrying = arg;
    return queue_retry(scope, retrying->job, &retrying->retry, retrying->now, &retrying->exhausted);
}

static enum err retry_in_transaction(const struct scope *scope, void *arg)
{
    return db_transaction(scope, retry_unit, arg);
}

/* The database being away is nobody's fault: it does not count as an attempt. */
static bool counts(enum err error)
{
    return error != ERR_DB_DOWN && error != ERR_BUSY && error != ERR_DB_RETRY;
}

static void job_failed(struct job_context *ctx, enum err error)
{
    struct instant now = clock_now(ctx->env->clock);
    const char *detail = arena_text(ctx->arena, reason_of(ctx->arena, error));
    struct retrying retrying = {
        .job = ctx->job,
        .retry = {.run_at = instant_add_s(now, backoff_s(ctx, ctx->job->attempt,
                                                         arena_failure(ctx->arena)->retry_after_s)),
                  .counts = counts(error),
                  .reason = err_slug(error)},
        .now = now,
    };
    enum err put_back = job_database(ctx, retry_in_transaction, &retrying);
    enum log_level level = error == ERR_BUSY ? LOG_INFO : LOG_WARN; /* it only waits */
    log_event(ctx->env->log, retrying.exhausted ? LOG_ERROR : level, "job.failed",
              LOG_T("kind", job_kinds[ctx->job->kind].name), LOG_N("job", ctx->job->id),
              LOG_U("workspace", ctx->job->workspace), LOG_U("subject", ctx->job->subject),
              LOG_N("attempt", ctx->job->attempt), LOG_T("code", err_slug(error)),
              LOG_T("detail", detail), LOG_N("exhausted", retrying.exhausted),
              LOG_T("put_back", put_back == OK ? NULL : err_slug(put_back)));
}

static void run_job(struct worker *worker, struct http_client *http, struct arena *arena,
                    const struct claimed_job *job)
{
    const struct environment *env = worker->settings.env;
    struct scope scope = scope_make(NULL, arena, job->workspace);
    struct job_context ctx = {
        .env = env,
        .arena = arena,
        .scope = scope_make_for(scope, ACTOR_JOB, job->subject,
                                job->request_id ? job->request_id
                                                : arena_format(arena, "job-%" PRId64, job->id)),
        .http = http,
        .job = job,
    };
    int64_t started_us = monotonic_us();
    enum err error =
        fault_point(FAULT_JOB_CLAIMED) ? job_cut(&ctx) : job_kinds[job->kind].run(&ctx);
    if (error == OK && !ctx.ended)
        error = arena_fail(arena, ERR_INTERNAL, NULL, "The job ended without saying so.");
    if (error != OK && error != ERR_LEASE_LOST && !ctx.ended)
        job_failed(&ctx, error);
    log_event(env->log, LOG_DEBUG, "job.ran", LOG_T("kind", job_kinds[job->kind].name),
              LOG_N("job", job->id), LOG_T("outcome", err_slug(error)),
              LOG_N("us", monotonic_us() - started_us));
}

/* ---- job threads ---- */

static bool take_job(struct worker *worker, struct claimed_job *job, struct arena **arena)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->queued == 0 && !worker->stopping)
        pthread_cond_wait(&worker->arrived, &worker->lock);
    bool taken = worker->queued > 0 && !worker->stopping;
    if (taken) {
        *job = worker->queue[0];
        *arena = worker->queue_arena[0];
        worker->queued--;
        memmove(worker->queue, worker->queue + 1, (size_t)worker->queued * sizeof *job);
        memmove(worker->queue_arena, worker->queue_arena + 1,
                (size_t)worker->queued * sizeof(struct arena *));
        worker->busy++;
    }
    pthread_mutex_unlock(&worker->lock);
    return taken;
}

static void free_slot(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->busy--;
    pthread_cond_signal(&worker->freed);
    pthread_mutex_unlock(&worker->lock);
}

static void *job_loop(void *object)
{
    struct worker *worker = ((struct slot *)object)->worker;
    struct http_client *http = http_client_open(worker->settings.env->http);
    struct claimed_job job;
    struct arena *arena;
    while (take_job(worker, &job, &arena)) {
        run_job(worker, http, arena, &job);
        arena_close(arena);
        free_slot(worker);
    }
    http_client_close(http);
    return NULL;
}

/* ---- the fetcher ---- */

static int free_slots(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    int slots = worker->stopping ? 0 : worker->settings.threads - worker->busy - worker->queued;
    pthread_mutex_unlock(&worker->lock);
    return slots;
}

/* Each queued job owns its texts: they outlive the claim's arena. */
static void hand_over(struct worker *worker, const struct claimed_job *job)
{
    struct arena *arena = arena_open();
    struct claimed_job copy = *job;
    copy.payload = arena_text(arena, job->payload);
    copy.request_id = arena_text(arena, job->request_id);
    pthread_mutex_lock(&worker->lock);
    assert(worker->queued < WORKER_THREADS_MAX);
    worker->queue[worker->queued] = copy;
    worker->queue_arena[worker->queued++] = arena;
    pthread_cond_signal(&worker->arrived);
    pthread_mutex_unlock(&worker->lock);
}

/* One fetcher at work: its connection and what it remembers between claims. */
struct fetcher {
    struct worker *worker;
    struct arena *arena;
    struct db *db;
    struct claimer claimer;
};

static enum err claim_some(struct fetcher *fetcher, size_t *count)
{
    struct worker *worker = fetcher->worker;
    int slots = free_slots(worker);
    *count = 0;
    fetcher->claimer.worker = atomic_load(&worker->id);
    if (slots <= 0 || fetcher->claimer.worker == 0) /* no lease yet: nothing may be claimed */
        return OK;
    struct untenanted queue = db_untenanted(fetcher->db, fetcher->arena);
    struct rows rows;
    TRY(queue_claim(&queue, &fetcher->claimer, slots, clock_now(worker->settings.env->clock),
                    &rows));
    const struct claimed_job *jobs = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        hand_over(worker, &jobs[i]);
    *count = rows.count;
    return OK;
}

static enum err fetch(struct fetcher *fetcher)
{
    struct worker *worker = fetcher->worker;
    struct untenanted queue = db_untenanted(fetcher->db, fetcher->arena);
    int64_t promoted;
    struct instant next;
    struct instant now = clock_now(worker->settings.env->clock);
    TRY(queue_promote(&queue, now, &promoted, &next));
    size_t claimed;
    TRY(claim_some(fetcher, &claimed));
    if (claimed > 0)
        return OK;
    int64_t until_next_ms = next.us ? (next.us - now.us) / 1000 + 1 : WORKER_POLL_MS;
    int64_t wait_ms = until_next_ms < WORKER_POLL_MS ? until_next_ms : WORKER_POLL_MS;
    bool notified;
    TRY(db_wait(fetcher->db, fetcher->arena, wait_ms > 0 ? (int)wait_ms : 1,
                wakeup_fd(worker->settings.wakeup), &notified));
    wakeup_drain(worker->settings.wakeup);
    return OK;
}

static void await_slot(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping && worker->busy + worker->queued >= worker->settings.threads)
        pthread_cond_wait(&worker->freed, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

static bool stopping(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stop = worker->stopping;
    pthread_mutex_unlock(&worker->lock);
    return stop;
}

static enum err connect_fetcher(struct fetcher *fetcher)
{
    if (fetcher->db)
        return db_ensure(fetcher->db, fetcher->arena);
    TRY(db_open(fetcher->arena, fetcher->worker->settings.queue, &fetcher->db));
    return db_listen(fetcher->db, fetcher->arena, WAKEUP_CHANNEL);
}

static void *fetch_loop(void *object)
{
    struct worker *worker = object;
    struct fetcher fetcher = {.worker = worker, .arena = arena_open()};
    while (!stopping(worker)) {
        enum err error = connect_fetcher(&fetcher);
        if (error == OK)
            error = fetch(&fetcher);
        if (error != OK) {
            log_event(worker->settings.env->log, LOG_WARN, "fetch.failed",
                      LOG_T("code", err_slug(error)),
                      LOG_T("detail", reason_of(fetcher.arena, error)));
            usleep(WORKER_POLL_MS * 1000);
        }
        arena_reset(fetcher.arena);
        await_slot(worker);
    }
    db_close(fetcher.db);
    arena_close(fetcher.arena);
    return NULL;
}

/* ---- life ---- */

/* The keeper lost the lease or made a new row: from now on jobs are claimed for that one. */
static void worker_renewed(void *object, int64_t id)
{
    struct worker *worker = object;
    atomic_store(&worker->id, id);
    budgets_worker_set(worker->settings.env->budgets, id);
}

struct worker *worker_open(const struct worker_settings *settings)
{
    assert(settings->threads > 0 && settings->threads <= WORKER_THREADS_MAX);
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        abort();
    worker->settings = *settings;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->arrived, NULL);
    pthread_cond_init(&worker->freed, NULL);
    worker->keeper = keeper_open(&(struct keeper_settings){
        .log = settings->env->log,
        .clock = settings->clock,
        .queue = settings->queue,
        .app = settings->app,
        .directory = settings->directory,
        .renewed = worker_renewed,
        .context = worker,
    });
    for (int i = 0; i < settings->threads; i++) {
        worker->slots[i].worker = worker;
        pthread_create(&worker->slots[i].thread, NULL, job_loop, &worker->slots[i]);
    }
    pthread_create(&worker->fetcher, NULL, fetch_loop, worker);
    return worker;
}

void worker_close(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_broadcast(&worker->arrived);
    pthread_cond_broadcast(&worker->freed);
    pthread_mutex_unlock(&worker->lock);
    wakeup_signal(worker->settings.wakeup);
    pthread_join(worker->fetcher, NULL);
    for (int i = 0; i < worker->settings.threads; i++)
        pthread_join(worker->slots[i].thread, NULL);
    for (int i = 0; i < worker->queued; i++)
        arena_close(worker->queue_arena[i]);
    keeper_close(worker->keeper); /* gives back what was claimed and not run */
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->arrived);
    pthread_cond_destroy(&worker->freed);
    free(worker);
}
