#include "http/pool.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/secret.h"

struct worker {
    struct pool *pool;
    void *context; /* what thread_open made */
    pthread_t thread;
};

struct pool {
    struct httpd_settings settings;
    struct worker *workers;
    size_t worker_count; /* started */
    int answered_fd;

    pthread_mutex_t lock; /* guards all below and the state of every exchange */
    pthread_cond_t queued;
    struct exchange *queue_first, **queue_last;
    size_t queue_length;
    struct exchange *answered;
    struct exchange *oldest, *newest;
    bool closing;
};

struct exchange *exchange_new(void)
{
    struct arena *arena = arena_open();
    struct exchange *exchange = arena_alloc(arena, sizeof *exchange);
    *exchange = (struct exchange){.arena = arena, .holders = 1};
    return exchange;
}

/* Passwords come in bodies, tokens go out in them. */
static void wipe(struct bytes body)
{
    if (body.n > 0)
        memory_wipe((uint8_t *)(uintptr_t)body.at, body.n);
}

void exchange_release(struct pool *pool, struct exchange *exchange)
{
    pthread_mutex_lock(&pool->lock);
    int left = --exchange->holders;
    pthread_mutex_unlock(&pool->lock);
    if (left > 0)
        return;
    wipe((struct bytes){(const uint8_t *)exchange->body.data, exchange->body.n});
    wipe(exchange->reply.body);
    arena_close(exchange->arena);
}

/* ---- the lists; the lock is held ---- */

static void outstanding_add(struct pool *pool, struct exchange *exchange)
{
    exchange->older = pool->newest;
    exchange->newer = NULL;
    if (pool->newest)
        pool->newest->newer = exchange;
    else
        pool->oldest = exchange;
    pool->newest = exchange;
}

static void outstanding_remove(struct pool *pool, struct exchange *exchange)
{
    if (exchange->older)
        exchange->older->newer = exchange->newer;
    else
        pool->oldest = exchange->newer;
    if (exchange->newer)
        exchange->newer->older = exchange->older;
    else
        pool->newest = exchange->older;
}

static void queue_remove(struct pool *pool, const struct exchange *exchange)
{
    struct exchange **at = &pool->queue_first;
    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    if (!*at)
        pool->queue_last = at;
    pool->queue_length--;
}

static struct exchange *queue_pop(struct pool *pool)
{
    struct exchange *first = pool->queue_first;
    pool->queue_first = first->next;
    if (!pool->queue_first)
        pool->queue_last = &pool->queue_first;
    pool->queue_length--;
    return first;
}

/* ---- the request threads ---- */

/* Waits for the next exchange; NULL when the pool closes. */
static struct exchange *next_exchange(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->queue_first && !pool->closing)
        pthread_cond_wait(&pool->queued, &pool->lock);
    struct exchange *exchange = pool->closing ? NULL : queue_pop(pool);
    if (exchange)
        exchange->state = EXCHANGE_RUNNING;
    pthread_mutex_unlock(&pool->lock);
    return exchange;
}

/* The reply moves from the thread's arena to that of the exchange, which the owner sends from. */
static void keep_reply(struct exchange *exchange, const struct http_reply *reply)
{
    struct arena *arena = exchange->arena;
    exchange->reply = *reply;
    exchange->reply.content_type = arena_text(arena, reply->content_type);
    exchange->reply.body.at = arena_copy(arena, reply->body.at, reply->body.n);
    for (size_t i = 0; i < reply->field_count; i++) {
        struct http_field *field = &exchange->reply.fields[i];
        field->name = arena_text(arena, field->name);
        field->value = arena_text(arena, field->value);
    }
}

static void answered(struct pool *pool, struct exchange *exchange)
{
    pthread_mutex_lock(&pool->lock);
    bool given_up = exchange->state == EXCHANGE_GIVEN_UP;
    bool first = !pool->answered;
    if (!given_up) {
        exchange->state = EXCHANGE_ANSWERED;
        exchange->next = pool->answered;
        pool->answered = exchange;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!given_up && first)
        eventfd_write(pool->answered_fd, 1);
    exchange_release(pool, exchange);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    const struct httpd_settings *settings = &pool->settings;
    struct arena *arena = arena_open();
    struct exchange *exchange;
    while ((exchange = next_exchange(pool))) {
        struct http_reply reply = {0};
        settings->handle(settings->context, worker->context, arena, &exchange->request, &reply);
        if (settings->finish)
            settings->finish(settings->context, arena, &exchange->request, &reply);
        keep_reply(exchange, &reply);
        arena_reset(arena);
        answered(pool, exchange);
    }
    arena_close(arena);
    return NULL;
}

/* ---- the owner ---- */

bool pool_full(struct pool *pool)
{
    return pool_queued(pool) >= pool->settings.queue_max;
}

void pool_submit(struct pool *pool, struct exchange *exchange)
{
    pthread_mutex_lock(&pool->lock);
    assert(pool->queue_length < pool->settings.queue_max);
    exchange->state = EXCHANGE_QUEUED;
    exchange->holders++;
    exchange->next = NULL;
    *pool->queue_last = exchange;
    pool->queue_last = &exchange->next;
    pool->queue_length++;
    outstanding_add(pool, exchange);
    pthread_cond_signal(&pool->queued);
    pthread_mutex_unlock(&pool->lock);
}

int pool_answered_fd(const struct pool *pool)
{
    return pool->answered_fd;
}

struct exchange *pool_take_answered(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct exchange *exchange = pool->answered;
    if (exchange) {
        pool->answered = exchange->next;
        outstanding_remove(pool, exchange);
    }
    pthread_mutex_unlock(&pool->lock);
    return exchange;
}

/* Deadlines are one length for all, so that the oldest is the first to pass. An answered one is
 * taken by pool_take_answered. */
struct exchange *pool_take_overdue(struct pool *pool, int64_t now_us)
{
    pthread_mutex_lock(&pool->lock);
    struct exchange *exchange = pool->oldest;
    while (exchange && exchange->state == EXCHANGE_ANSWERED)
        exchange = exchange->newer;
    bool overdue = exchange && exchange->request.deadline_us <= now_us;
    bool queued = overdue && exchange->state == EXCHANGE_QUEUED;
    if (queued) {
        queue_remove(pool, exchange);
        exchange->holders--; /* no thread will; the owner still holds it */
    }
    if (overdue) {
        exchange->state = EXCHANGE_GIVEN_UP;
        outstanding_remove(pool, exchange);
    }
    pthread_mutex_unlock(&pool->lock);
    return overdue ? exchange : NULL;
}

size_t pool_queued(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t length = pool->queue_length;
    pthread_mutex_unlock(&pool->lock);
    return length;
}

/* ---- life ---- */

static enum err start_worker(struct arena *arena, struct pool *pool, struct worker *worker)
{
    const struct httpd_settings *settings = &pool->settings;
    *worker = (struct worker){.pool = pool};
    if (settings->thread_open)
        TRY(settings->thread_open(settings->context, arena, &worker->context));
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        if (settings->thread_close)
            settings->thread_close(worker->context);
        return arena_fail(arena, ERR_LIMIT, NULL, "The system refuses another request thread.");
    }
    pool->worker_count++;
    return OK;
}

enum err pool_open(struct arena *arena, const struct httpd_settings *settings, struct pool **into)
{
    struct pool *pool = calloc(1, sizeof *pool);
    struct worker *workers = calloc(settings->threads, sizeof *workers);
    if (!pool || !workers)
        abort();
    pool->settings = *settings;
    pool->workers = workers;
    pool->queue_last = &pool->queue_first;
    pool->answered_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->queued, NULL);
    enum err err = pool->answered_fd < 0
                       ? arena_fail(arena, ERR_LIMIT, NULL, "The system refuses an event.")
                       : OK;
    for (size_t i = 0; err == OK && i < settings->threads; i++)
        err = start_worker(arena, pool, &workers[i]);
    if (err != OK) {
        pool_close(pool);
        return err;
    }
    *into = pool;
    return OK;
}

static void drop_queue(struct pool *pool)
{
    struct exchange *exchange = pool->queue_first;
    while (exchange) {
        struct exchange *next = exchange->next;
        exchange_release(pool, exchange);
        exchange = next;
    }
}

void pool_close(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->queued);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->worker_count; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        if (pool->settings.thread_close)
            pool->settings.thread_close(pool->workers[i].context);
    }
    drop_queue(pool);
    if (pool->answered_fd >= 0)
        close(pool->answered_fd);
    pthread_cond_destroy(&pool->queued);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
