#include <errno.h>
#include <pthread.h>

#include "base/base.h"
#include "db/db.h"

struct db_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct db_settings settings;
    struct db **idle; /* open and free */
    size_t idle_count;
    size_t count;    /* open or being opened */
    size_t capacity; /* at most so many */
};

struct db_pool *db_pool_open(const struct db_settings *settings, size_t count)
{
    assert(count > 0);
    struct db_pool *pool = calloc(1, sizeof(*pool));
    struct db **idle = calloc(count, sizeof(struct db *));
    if (!pool || !idle)
        abort();
    pool->settings = *settings;
    pool->idle = idle;
    pool->capacity = count;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

void db_pool_close(struct db_pool *pool)
{
    if (!pool)
        return;
    assert(pool->idle_count == pool->count);
    for (size_t i = 0; i < pool->idle_count; i++)
        db_close(pool->idle[i]);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->lock);
    free(pool->idle);
    free(pool);
}

static struct timespec deadline_in(int wait_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + (int64_t)(wait_ms % 1000) * 1000000;
    at.tv_sec += wait_ms / 1000 + (time_t)(ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

/* An idle connection, or the right to open one (NULL), or false. */
static bool take(struct db_pool *pool, int wait_ms, struct db **into)
{
    struct timespec deadline = deadline_in(wait_ms);
    int waited = 0;
    pthread_mutex_lock(&pool->lock);
    while (pool->idle_count == 0 && pool->count == pool->capacity && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&pool->returned, &pool->lock, &deadline);
    bool taken = true;
    *into = NULL;
    if (pool->idle_count > 0)
        *into = pool->idle[--pool->idle_count];
    else if (pool->count < pool->capacity)
        pool->count++;
    else
        taken = false;
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

static void forget_one(struct db_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->count--;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}

enum err db_pool_borrow(struct db_pool *pool, struct arena *arena, int wait_ms, struct db **into)
{
    struct db *db;
    if (!take(pool, wait_ms, &db))
        return arena_fail(arena, ERR_BUSY, NULL, "Every database connection is in use.");
    enum err err = db ? db_ensure(db, arena) : db_open(arena, &pool->settings, &db);
    if (err != OK) {
        db_close(db);
        forget_one(pool);
        return err;
    }
    *into = db;
    return OK;
}

void db_pool_return(struct db_pool *pool, struct db *db)
{
    if (!db)
        return;
    if (db_lost(db)) {
        db_close(db);
        forget_one(pool);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = db;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}
