#include "jobs/budget.h"

#include <pthread.h>

#include "base/text.h"
#include "store/queue.h"

enum { SLICE_TOKENS = 20, WAITS_MAX = 10, WAIT_MS_MAX = 2000, BUDGETS = 2, GATES_MAX = 256 };

/* Qonto: 1,000 requests in 10 s per address, all tenants together; we stay at 90 %. Stripe: 25
 * reads a second per account and endpoint; far below, and one account that is told to slow down is
 * no reason for the others to wait. */
static const struct {
    struct bucket bucket;
    bool of_address;
} limits[BUDGETS] = {
    {{"qonto", "default", "requests", 90, 200}, true},
    {{"stripe", "default", "requests", 80, 200}, false},
};

struct budget {
    int64_t bucket; /* its row; 0: not made yet */
    int64_t tokens;
    int64_t expires_us; /* monotonic */
};

/* A connection that was told to slow down. Beyond GATES_MAX the one that opens first is given up:
 * its lane is throttled still. */
struct gate {
    struct uuid connection;
    int64_t until_us; /* monotonic */
};

struct budgets {
    const struct db_settings *settings;
    struct db *db;
    pthread_mutex_t lock;
    int64_t worker;
    struct budget of[BUDGETS];
    struct gate gates[GATES_MAX];
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

static enum err open_database(struct budgets *budgets, struct arena *arena)
{
    return budgets->db ? db_ensure(budgets->db, arena)
                       : db_open(arena, budgets->settings, &budgets->db);
}

static enum err find_bucket(struct budgets *budgets, const struct untenanted *queue, size_t which)
{
    struct budget *budget = &budgets->of[which];
    return budget->bucket ? OK : bucket_ensure(queue, &limits[which].bucket, &budget->bucket);
}

static enum err lease(struct budgets *budgets, struct arena *arena, size_t which, int64_t *wait_ms)
{
    struct budget *budget = &budgets->of[which];
    TRY(open_database(budgets, arena));
    struct untenanted queue = db_untenanted(budgets->db, arena);
    TRY(find_bucket(budgets, &queue, which));
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

static enum err wait_longer(struct arena *arena, int64_t wait_ms)
{
    return arena_fail_retry(arena, ERR_TRANSIENT, (wait_ms + 999) / 1000,
                            "The provider's request limit is used up for the moment.");
}

/* A short wait is sat out here, a long one is for the job's lane. */
static enum err take_or_wait(struct budgets *budgets, struct arena *arena, size_t which)
{
    int64_t wait_ms = 0;
    for (int i = 0; i < WAITS_MAX; i++) {
        pthread_mutex_lock(&budgets->lock);
        enum err error = take(budgets, arena, which, &wait_ms);
        pthread_mutex_unlock(&budgets->lock);
        if (error != OK || wait_ms == 0)
            return error;
        if (wait_ms > WAIT_MS_MAX)
            break;
        int64_t pause_ms = wait_ms < 1000 ? wait_ms : 1000;
        nanosleep(
            &(struct timespec){.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000},
            NULL);
    }
    return wait_longer(arena, wait_ms);
}

/* ---- told to slow down ---- */

/* That of the connection, or the one that opens first. */
static struct gate *gate_of(struct budgets *budgets, struct uuid connection)
{
    struct gate *first = &budgets->gates[0];
    for (size_t i = 0; i < GATES_MAX; i++) {
        struct gate *gate = &budgets->gates[i];
        if (uuid_equal(gate->connection, connection))
            return gate;
        if (gate->until_us < first->until_us)
            first = gate;
    }
    return first;
}

static int64_t gate_wait_ms(struct budgets *budgets, struct uuid connection)
{
    pthread_mutex_lock(&budgets->lock);
    const struct gate *gate = gate_of(budgets, connection);
    int64_t left_us =
        uuid_equal(gate->connection, connection) ? gate->until_us - monotonic_us() : 0;
    pthread_mutex_unlock(&budgets->lock);
    return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

static void gate_close(struct budgets *budgets, struct uuid connection, int64_t seconds)
{
    struct gate *gate = gate_of(budgets, connection);
    int64_t until_us = monotonic_us() + seconds * 1000000;
    bool closed = uuid_equal(gate->connection, connection) && gate->until_us > until_us;
    if (!closed)
        *gate = (struct gate){connection, until_us};
}

static enum err close_bucket(struct budgets *budgets, struct arena *arena, size_t which,
                             int64_t seconds)
{
    budgets->of[which].tokens = 0;
    TRY(open_database(budgets, arena));
    struct untenanted queue = db_untenanted(budgets->db, arena);
    TRY(find_bucket(budgets, &queue, which));
    return bucket_close(&queue, budgets->of[which].bucket, seconds);
}

enum err budget_close(struct budgets *budgets, struct arena *arena, const char *provider,
                      struct uuid connection, int64_t seconds)
{
    enum err error = OK;
    pthread_mutex_lock(&budgets->lock);
    gate_close(budgets, connection, seconds);
    for (size_t i = 0; i < BUDGETS && error == OK; i++) {
        if (limits[i].of_address && text_equal(limits[i].bucket.provider, provider))
            error = close_bucket(budgets, arena, i, seconds);
    }
    pthread_mutex_unlock(&budgets->lock);
    return error;
}

enum err budget_take(struct budgets *budgets, struct arena *arena, const char *provider,
                     struct uuid connection)
{
    int64_t wait_ms = gate_wait_ms(budgets, connection);
    if (wait_ms > 0)
        return wait_longer(arena, wait_ms);
    for (size_t i = 0; i < BUDGETS; i++) {
        if (text_equal(limits[i].bucket.provider, provider))
            return take_or_wait(budgets, arena, i);
    }
    return OK;
}
