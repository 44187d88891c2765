/* What it costs to claim 100 jobs out of 100,000 that are ready: the statement of the tree, which
 * is fair among lanes and keeps their counters, beside the two that a queue in one table makes do
 * with. The three take turns in each round, on one table, over one connection each time. */
#include "tests/db/support.h"

#include "base/text.h"
#include "store/queue.h"

enum { LANES = 20, JOBS_PER_LANE = 5000, BATCH = 100, ROUNDS = 150, WARM_ROUNDS = 10 };
enum way { WAY_TREE, WAY_LOCK, WAY_UPDATE, WAYS };

static const char *const way_names[WAYS] = {
    [WAY_TREE] = "the tree's claim, fair among 20 lanes",
    [WAY_LOCK] = "SELECT ... FOR UPDATE SKIP LOCKED LIMIT 100",
    [WAY_UPDATE] = "the same inside an UPDATE that leases them",
};

struct taken {
    int64_t id;
};
static const struct column taken_columns[] = {COLUMN(struct taken, id)};
static const struct shape taken_shape = SHAPE(struct taken, taken_columns);
STATEMENT(bench_lock_sql, "SELECT id FROM region.job WHERE state = 0 LIMIT $1"
                          " FOR UPDATE SKIP LOCKED");
STATEMENT(bench_update_sql,
          "UPDATE region.job SET state = 1, attempt = attempt + 1, worker_id = $1,"
          " hard_deadline = clock_timestamp() + max_run_s * interval '1 second'"
          " WHERE id = ANY (ARRAY(SELECT id FROM region.job WHERE state = 0 LIMIT $2"
          " FOR UPDATE SKIP LOCKED)) RETURNING id");

static void fill(struct fixture *fixture)
{
    fixture_superuser(
        fixture,
        arena_format(fixture->arena,
                     "INSERT INTO region.lane (workspace_id, connection_id, max_running, next_at)"
                     " SELECT gen_random_uuid(), gen_random_uuid(), 10000, '-infinity'"
                     " FROM generate_series(1, %d);"
                     "INSERT INTO region.job (lane_id, state, sort_at, run_at, max_attempts,"
                     " max_run_s, kind) SELECT lane.id, 0, at, at, 10, 300, 0 FROM (SELECT"
                     " now() - interval '1 hour' + n * interval '100 ms' AS at"
                     " FROM generate_series(1, %d) AS n) AS times, region.lane;"
                     "ANALYZE region.job, region.lane",
                     LANES, JOBS_PER_LANE));
}

/* What was claimed is done: it leaves the table, as it does in life. */
static void finish(struct fixture *fixture)
{
    fixture_superuser(fixture, "DELETE FROM region.job WHERE state = 1;"
                               "UPDATE region.lane SET running = 0");
}

static int64_t claimed_us(struct fixture *fixture, struct claimer *claimer, enum way way)
{
    struct untenanted queue = db_untenanted(fixture->queue, fixture->arena);
    struct instant now = clock_now(&fixture->clock);
    struct rows rows = {0};
    int64_t begun_us = monotonic_us();
    switch (way) {
    case WAY_TREE:
        assert_ok(fixture, queue_claim(&queue, claimer, BATCH, now, &rows));
        break;
    case WAY_LOCK:
        assert_ok(fixture, db_all(&queue.scope, &bench_lock_sql, PARAMS(P((int)BATCH)),
                                  &taken_shape, &rows));
        break;
    case WAY_UPDATE:
        assert_ok(fixture, db_all(&queue.scope, &bench_update_sql,
                                  PARAMS(P(claimer->worker), P((int)BATCH)), &taken_shape, &rows));
        break;
    case WAYS:
        break;
    }
    int64_t us = monotonic_us() - begun_us;
    assert_int_equal(rows.count, BATCH);
    return us;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void tell(int64_t us[WAYS][ROUNDS])
{
    for (size_t way = 0; way < WAYS; way++)
        qsort(us[way], ROUNDS, sizeof us[way][0], by_size);
    double peer_ms = (double)us[WAY_LOCK][ROUNDS / 2] / 1000;
    printf("%-46s %9s %9s %7s\n", "100 jobs of 100,000", "median", "p95", "ratio");
    for (size_t way = 0; way < WAYS; way++) {
        double median_ms = (double)us[way][ROUNDS / 2] / 1000;
        printf("%-46s %6.2f ms %6.2f ms %7.2f\n", way_names[way], median_ms,
               (double)us[way][ROUNDS * 95 / 100] / 1000, median_ms / peer_ms);
    }
}

int main(void)
{
    struct fixture fixture;
    struct claimer claimer = {0};
    static int64_t us[WAYS][ROUNDS];
    fixture_open(&fixture, "bench_queue");
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct worker_start start = {.host = "bench", .process_id = 1};
    assert_ok(&fixture, queue_worker_start(&queue, &start, &claimer.worker));
    fill(&fixture);
    for (int round = -WARM_ROUNDS; round < ROUNDS; round++) {
        for (enum way way = 0; way < WAYS; way++) {
            int64_t took_us = claimed_us(&fixture, &claimer, way);
            if (round >= 0)
                us[way][round] = took_us;
        }
        finish(&fixture);
    }
    tell(us);
    fixture_close(&fixture);
    return 0;
}
