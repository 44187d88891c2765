#include "jobs/budget.h"

#include <pthread.h>

#include "base/text.h"
#include "store/queue.h"

enum { SLICE_TOKENS = 20, WAITS_MAX = 10, BUDGETS = 2 };

/* Qonto: 1,000 requests in 10 s per address, all tenants together; we stay at 90 %. Stripe: 25
 * reads a second per account and endpoint; far below. */
static const struct bucket limits[BUDGETS] = {
    {"qonto", "default", "requests", 90, 200},
    {"stripe", "default", "requests", 80, 200},
};

struct budget {
    int64_t bucket; /* its row; 0: not made yet */
    int64_t tokens;
    int64_t expires_us; /* monotonic */
};

struct budgets {
    const struct db_settings *settings;
    struct db *db;
    pthread_mutex_t lock;
    int64_t worker;
    struct budget of[BUDGETS];
};

struct budgets *budgets_open(const struct db_settings *queue)
{
    struct budgets *budgets = calloc(1, sizeof *budgets);
    if (!budgets)
        abort();
    budgets->settings = queue;
    pthread_mutex_init(&budgets->lock, NULL);
    return budgets;
}

void budgets_close(struct budgets *budgets)
{
    db_close(budgets->db);
    pthread_mutex_destroy(&budgets->lock);
    free(budgets);
}

void budgets_worker_set(struct budgets *budgets, int64_t worker)
{
    pthread_mutex_lock(&budgets->lock);
    budgets->worker = worker;
    pthread_mutex_unlock(&budgets->lock);
}

static enum err lease(struct budgets *budgets, struct arena *arena, size_t which, int64_t *wait_ms)
{
    struct budget *budget = &budgets->of[which];
    if (budgets->db)
        TRY(db_ensure(budgets->db, arena));
    else
        TRY(db_open(arena, budgets->settings, &budgets->db));
    struct untenanted queue = db_untenanted(budgets->db, arena);
    if (budget->bucket == 0)
        TRY(bucket_ensure(&queue, &limits[which], &budget->bucket));
    struct bucket_slice slice;
    TRY(bucket_lease(&queue, budget->bucket, budgets->worker, SLICE_TOKENS, &slice));
    budget->tokens = slice.tokens;
    budget->expires_us = monotonic_us() + (int64_t)BUCKET_SLICE_S * 1000000;
    *wait_ms = slice.wait_ms;
    return OK;
}

static enum err take(struct budgets *budgets, struct arena *arena, size_t which, int64_t *wait_ms)
{
    struct budget *budget = &budgets->of[which];
    *wait_ms = 0;
    if (budget->tokens == 0 || monotonic_us() > budget->expires_us)
        TRY(lease(budgets, arena, which, wait_ms));
    if (budget->tokens > 0) {
        budget->tokens--;
        *wait_ms = 0;
    }
    return OK;
}

static enum err take_or_wait(struct budgets *budgets, struct arena *arena, size_t which)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        int64_t wait_ms = 0;
        pthread_mutex_lock(&budgets->lock);
        enum err error = take(budgets, arena, which, &wait_ms);
        pthread_mutex_unlock(&budgets->lock);
        if (error != OK || wait_ms == 0)
            return error;
        int64_t pause_ms = wait_ms < 1000 ? wait_ms : 1000;
        nanosleep(
            &(struct timespec){.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000},
            NULL);
    }
    return arena_fail_retry(arena, ERR_TRANSIENT, 2,
                            "The provider's request limit is used up for the moment.");
}

enum err budget_take(struct budgets *budgets, struct arena *arena, const char *provider)
{
    for (size_t i = 0; i < BUDGETS; i++) {
        if (text_equal(limits[i].provider, provider))
            return take_or_wait(budgets, arena, i);
    }
    return OK;
}
