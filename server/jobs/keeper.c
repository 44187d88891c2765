#include "jobs/keeper.h"

#include <pthread.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "jobs/worker.h"
#include "store/audit.h"
#include "store/conservation.h"
#include "store/job_failure.h"
#include "store/upkeep.h"
#include "store/workspace.h"
#include "store/queue.h"
#include "store/scope_make.h"

enum {
    TICK_MS = 500,
    SWEEP_S = 1,
    DIRTY_PER_TICK = 50,
    FAILURES_PER_TICK = 50,
    PARTITIONS_S = 6 * 3600,
    EXPIRE_S = 600,
};

struct keeper {
    struct keeper_settings settings;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    struct db *queue;
    struct db *app;
    int64_t worker;
    int64_t beat_us, sweep_us, partitions_us, expire_us; /* monotonic time of the last one */
};

static enum err start_worker(struct keeper *keeper, const struct untenanted *queue)
{
    struct utsname host = {0};
    uname(&host);
    struct worker_start start = {.host = host.nodename, .process_id = (int)getpid()};
    TRY(queue_worker_start(queue, &start, &keeper->worker));
    keeper->settings.renewed(keeper->settings.context, keeper->worker);
    keeper->beat_us = monotonic_us();
    return OK;
}

static bool due(int64_t *last_us, int64_t every_s)
{
    int64_t now_us = monotonic_us();
    if (*last_us != 0 && now_us - *last_us < every_s * 1000000)
        return false;
    *last_us = now_us;
    return true;
}

static enum err beat(struct keeper *keeper, const struct untenanted *queue)
{
    if (keeper->worker == 0)
        return start_worker(keeper, queue);
    if (!due(&keeper->beat_us, WORKER_BEAT_S))
        return OK;
    enum err error = queue_heartbeat(queue, keeper->worker, WORKER_LEASE_S);
    if (error != ERR_LEASE_LOST)
        return error;
    log_event(keeper->settings.log, LOG_WARN, "worker.lease_lost", LOG_N("worker", keeper->worker));
    keeper->worker = 0;
    return start_worker(keeper, queue);
}

static enum err sweep(struct keeper *keeper, const struct untenanted *queue)
{
    struct instant now = clock_now(keeper->settings.clock);
    int64_t returned = 0, woken = 0;
    if (!due(&keeper->sweep_us, SWEEP_S))
        return OK;
    TRY(queue_reap(queue, now, &returned));
    if (returned > 0)
        log_event(keeper->settings.log, LOG_WARN, "jobs.returned", LOG_N("count", returned));
    return queue_sweep(queue, now, &woken);
}

/* Each workspace in a transaction and a scope of its own. */
static enum err look_after(struct keeper *keeper, struct arena *arena, struct uuid workspace)
{
    struct scope scope = scope_make(keeper->app, arena, workspace);
    int64_t count;
    bool more = true;
    while (more)
        TRY(audit_seal(&scope, &count, &more));
    return item_count_fold(&scope, &count);
}

static void skipped(struct keeper *keeper, struct arena *arena, struct uuid workspace,
                    enum err error)
{
    if (error == OK)
        return;
    log_event(keeper->settings.log, LOG_WARN, "keeper.skipped", LOG_U("workspace", workspace),
              LOG_T("code", err_slug(error)), LOG_T("detail", arena_failure(arena)->detail));
    arena_failure_clear(arena);
}

/* What fails for one workspace keeps no other waiting; and whatever takes its time, the beat goes
 * on. */
static enum err sweep_dirty(struct keeper *keeper, struct arena *arena)
{
    struct untenanted region = db_untenanted(keeper->app, arena);
    struct untenanted queue = db_untenanted(keeper->queue, arena);
    struct rows rows;
    TRY(audit_dirty(&region, DIRTY_PER_TICK, &rows));
    const struct dirty *dirty = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        struct uuid workspace = dirty[i].workspace;
        skipped(keeper, arena, workspace, look_after(keeper, arena, workspace));
        TRY(beat(keeper, &queue));
    }
    int64_t offset_us = 0;
    TRY(clock_offset_get(&region, &offset_us));
    clock_set_offset(keeper->settings.clock, offset_us);
    if (due(&keeper->partitions_us, PARTITIONS_S))
        TRY(partitions_ensure(&region));
    return OK;
}

/* Told first, noted second: what is told twice does no harm. */
static enum err tell_failures(struct keeper *keeper, struct arena *arena)
{
    struct untenanted queue = db_untenanted(keeper->queue, arena);
    struct rows rows;
    TRY(job_failures_untold(&queue, FAILURES_PER_TICK, &rows));
    const struct failed_job *failed = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        struct scope scope = scope_make(keeper->app, arena, failed[i].workspace);
        enum err error = job_failure_tell(&scope, &failed[i]);
        skipped(keeper, arena, failed[i].workspace, error);
        if (error == OK)
            TRY(job_failure_told(&queue, failed[i].id));
        TRY(beat(keeper, &queue));
    }
    return OK;
}

static enum err connect_one(struct arena *arena, const struct db_settings *settings, struct db **db)
{
    return *db ? db_ensure(*db, arena) : db_open(arena, settings, db);
}

/* The directory is asked so seldom that no connection waits for it. */
static enum err expire_directory(struct keeper *keeper, struct arena *arena, int64_t *deleted)
{
    struct db *db;
    TRY(db_open(arena, keeper->settings.directory, &db));
    struct untenanted directory = db_untenanted(db, arena);
    enum err error = directory_expire(&directory, deleted);
    db_close(db);
    return error;
}

static enum err expire(struct keeper *keeper, struct arena *arena)
{
    if (!due(&keeper->expire_us, EXPIRE_S))
        return OK;
    struct untenanted queue = db_untenanted(keeper->queue, arena);
    int64_t answers = 0, others = 0;
    TRY(region_expire(&queue, &answers));
    TRY(expire_directory(keeper, arena, &others));
    log_event(keeper->settings.log, LOG_DEBUG, "keeper.expired", LOG_N("region", answers),
              LOG_N("directory", others));
    return OK;
}

static enum err tick(struct keeper *keeper, struct arena *arena)
{
    TRY(connect_one(arena, keeper->settings.queue, &keeper->queue));
    struct untenanted queue = db_untenanted(keeper->queue, arena);
    TRY(beat(keeper, &queue));
    TRY(sweep(keeper, &queue));
    TRY(connect_one(arena, keeper->settings.app, &keeper->app));
    TRY(tell_failures(keeper, arena));
    TRY(sweep_dirty(keeper, arena));
    return expire(keeper, arena);
}

static void tick_and_log(struct keeper *keeper, struct arena *arena)
{
    enum err error = tick(keeper, arena);
    if (error != OK)
        log_event(keeper->settings.log, LOG_WARN, "keeper.failed", LOG_T("code", err_slug(error)),
                  LOG_T("detail", arena_failure(arena)->detail));
    arena_reset(arena);
}

static bool pause_or_stop(struct keeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&keeper->lock);
    if (!keeper->stopping)
        pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
    bool more = !keeper->stopping;
    pthread_mutex_unlock(&keeper->lock);
    return more;
}

static void *keep_loop(void *object)
{
    struct keeper *keeper = object;
    struct arena *arena = arena_open();
    do
        tick_and_log(keeper, arena);
    while (pause_or_stop(keeper));
    arena_close(arena);
    return NULL;
}

struct keeper *keeper_open(const struct keeper_settings *settings)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        abort();
    keeper->settings = *settings;
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->changed, NULL);
    struct arena *arena = arena_open();
    tick_and_log(keeper, arena); /* the first lease, before anything is claimed */
    arena_close(arena);
    pthread_create(&keeper->thread, NULL, keep_loop, keeper);
    return keeper;
}

static void stop_worker(struct keeper *keeper)
{
    struct arena *arena = arena_open();
    enum err error = OK;
    if (keeper->queue && keeper->worker) {
        struct untenanted queue = db_untenanted(keeper->queue, arena);
        error = queue_worker_stop(&queue, keeper->worker, clock_now(keeper->settings.clock));
    }
    if (error != OK) /* the lease runs out by itself */
        log_event(keeper->settings.log, LOG_WARN, "worker.stop_failed",
                  LOG_T("code", err_slug(error)));
    arena_close(arena);
}

void keeper_close(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    pthread_cond_signal(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    stop_worker(keeper);
    db_close(keeper->queue);
    db_close(keeper->app);
    pthread_mutex_destroy(&keeper->lock);
    pthread_cond_destroy(&keeper->changed);
    free(keeper);
}
