/* The queue: nobody claims a job twice, nobody loses one, nobody is starved, nobody calls a
 * provider more often than it allows. */
#include <pthread.h>
#include <unistd.h>

#include "tenants.h"
#include "store/admin_read.h"
#include "store/queue.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_queue");
    tenants_made(&fixture);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    fixture_superuser(&fixture, "TRUNCATE region.job, region.lane, region.worker,"
                                " region.job_failed, region.rate_bucket, region.bucket_lease"
                                " RESTART IDENTITY CASCADE");
    clock_set_offset(&fixture.clock, 0);
    return 0;
}

static struct untenanted queue(void)
{
    return db_untenanted(fixture.queue, fixture.arena);
}

static struct instant now(void)
{
    return clock_now(&fixture.clock);
}

static int64_t worker_new(void)
{
    struct untenanted at = queue();
    struct worker_start start = {.host = "test", .process_id = 1};
    int64_t worker = 0;
    assert_ok(&fixture, queue_worker_start(&at, &start, &worker));
    return worker;
}

static void enqueue(const struct scope *scope, int n, const char *dedupe)
{
    for (int i = 0; i < n; i++) {
        struct job_order order = {.kind = JOB_SYNC, .subject = db_new_id(scope), .dedupe = dedupe};
        assert_ok(&fixture, queue_enqueue(scope, &order));
    }
}

static struct rows claim(int64_t worker, int slots)
{
    struct untenanted at = queue();
    struct rows rows;
    assert_ok(&fixture, queue_claim(&at, &(struct claimer){.worker = worker}, slots, now(), &rows));
    return rows;
}

static struct claimed_job claim_one(int64_t worker)
{
    struct rows rows = claim(worker, 1);
    assert_int_equal(rows.count, 1);
    return *(const struct claimed_job *)rows.at;
}

static struct queue_depth depth(void)
{
    struct untenanted at = queue();
    struct queue_depth into;
    assert_ok(&fixture, queue_depth(&at, &into));
    return into;
}

static void a_job_goes_through_once(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct uuid subject = db_new_id(&scope);
    struct uuid connection = db_new_id(&scope);
    struct job_order order = {
        .kind = JOB_DELIVER, .subject = subject, .connection = connection, .payload = "{\"n\":1}"};
    int64_t worker = worker_new();
    scope.request_id = "01900000-0000-7000-8000-000000000001";
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    struct claimed_job job = claim_one(worker);
    assert_true(job.kind == JOB_DELIVER && job.attempt == 1 && job.worker == worker);
    assert_true(uuid_equal(job.workspace, fixture.workspace));
    assert_true(uuid_equal(job.connection, connection));
    assert_true(uuid_equal(job.subject, subject));
    assert_string_equal(job.payload, "{\"n\":1}");
    assert_string_equal(job.request_id, scope.request_id);
    assert_int_equal(claim(worker, 10).count, 0);
    assert_ok(&fixture, queue_complete(&scope, &job, now()));
    assert_err(&fixture, ERR_LEASE_LOST, queue_complete(&scope, &job, now()));
    struct queue_depth left = depth();
    assert_true(left.ready == 0 && left.running == 0 && left.scheduled == 0 && left.failed == 0);
}

static enum err enqueue_then_fail(const struct scope *scope, void *arg)
{
    (void)arg;
    struct job_order order = {.kind = JOB_SYNC, .subject = db_new_id(scope)};
    TRY(queue_enqueue(scope, &order));
    return ERR_FIELD_INVALID;
}

static void a_job_exists_only_if_its_reason_does(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    assert_err(&fixture, ERR_FIELD_INVALID, db_transaction(&scope, enqueue_then_fail, NULL));
    assert_int_equal(depth().ready, 0);
}

/* ---- two workers ---- */

enum { CONTENDERS = 4, CONTENDED_JOBS = 600 };

struct contender {
    struct db *db;
    struct claimer claimer;
    int64_t ids[CONTENDED_JOBS];
    size_t n;
    enum err err;
};

static void *contend(void *arg)
{
    struct contender *self = arg;
    struct arena *arena = arena_open();
    int empty = 0;
    while (self->err == OK && empty < 20 && self->n < CONTENDED_JOBS) {
        struct untenanted at = db_untenanted(self->db, arena);
        struct rows rows;
        int64_t woken;
        self->err = queue_claim(&at, &self->claimer, 7, now(), &rows);
        for (size_t i = 0; self->err == OK && i < rows.count; i++)
            self->ids[self->n++] = ((const struct claimed_job *)rows.at)[i].id;
        empty = rows.count ? 0 : empty + 1;
        if (rows.count == 0 && self->err == OK)
            self->err = queue_sweep(&at, now(), &woken);
        arena_reset(arena);
    }
    arena_close(arena);
    return NULL;
}

STATEMENT(lanes_open_sql, "UPDATE region.lane SET max_running = 100000");

static void two_workers_never_claim_one_job(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct scope other = fixture_other_scope(&fixture);
    static struct contender contenders[CONTENDERS];
    static bool seen[CONTENDED_JOBS * 4];
    pthread_t threads[CONTENDERS];
    struct untenanted at = queue();
    memset(contenders, 0, sizeof(contenders));
    memset(seen, 0, sizeof(seen));
    enqueue(&scope, CONTENDED_JOBS / 2, NULL);
    enqueue(&other, CONTENDED_JOBS / 2, NULL);
    assert_ok(&fixture, db_exec(&at.scope, &lanes_open_sql, NO_PARAMS, NULL));
    for (int i = 0; i < CONTENDERS; i++) {
        contenders[i].db = fixture_connect(&fixture, "queue");
        contenders[i].claimer.worker = worker_new();
        pthread_create(&threads[i], NULL, contend, &contenders[i]);
    }
    size_t claimed = 0;
    for (int i = 0; i < CONTENDERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(contenders[i].err, OK);
        for (size_t j = 0; j < contenders[i].n; j++) {
            int64_t id = contenders[i].ids[j];
            assert_true(id > 0 && id < (int64_t)COUNT(seen));
            assert_false(seen[id]); /* claimed by somebody else before */
            seen[id] = true;
        }
        claimed += contenders[i].n;
        db_close(contenders[i].db);
    }
    assert_int_equal(claimed, CONTENDED_JOBS); /* and none was left behind */
}

static void a_large_tenant_does_not_starve_a_small_one(void **state)
{
    (void)state;
    struct scope large = fixture_scope(&fixture);
    struct scope small = fixture_other_scope(&fixture);
    int64_t worker = worker_new();
    enqueue(&large, 50, NULL);
    enqueue(&small, 2, NULL); /* later than all of them */
    struct rows rows = claim(worker, 4);
    size_t of_small = 0;
    for (size_t i = 0; i < rows.count; i++)
        of_small +=
            uuid_equal(((const struct claimed_job *)rows.at)[i].workspace, fixture.other_workspace);
    assert_int_equal(rows.count, 4);
    assert_int_equal(of_small, 2);
}

static void a_lane_runs_no_more_than_it_may(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    int64_t worker = worker_new();
    enqueue(&scope, LANE_RUNNING_MAX_OWN + 5, NULL);
    struct rows rows = claim(worker, 100);
    assert_int_equal(rows.count, LANE_RUNNING_MAX_OWN);
    assert_int_equal(claim(worker, 100).count, 0);
    assert_ok(&fixture, queue_complete(&scope, rows.at, now()));
    assert_int_equal(claim(worker, 100).count, 1);
}

/* ---- losing a worker ---- */

static void a_dead_workers_jobs_return_and_it_cannot_end_them(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t dead = worker_new(), alive = worker_new();
    int64_t returned = -1;
    enqueue(&scope, 3, NULL);
    struct rows lost = claim(dead, 3);
    assert_int_equal(lost.count, 3);
    assert_ok(&fixture, queue_reap(&at, now(), &returned));
    assert_int_equal(returned, 0); /* its lease still runs */
    fixture_superuser(&fixture,
                      arena_format(fixture.arena,
                                   "UPDATE region.worker SET lease_until = now() - interval '1 s'"
                                   " WHERE id = %" PRId64,
                                   dead));
    assert_ok(&fixture, queue_reap(&at, now(), &returned));
    assert_int_equal(returned, 3);
    assert_err(&fixture, ERR_LEASE_LOST, queue_heartbeat(&at, dead, 0));
    assert_ok(&fixture, queue_heartbeat(&at, alive, 0));
    struct rows again = claim(alive, 3);
    assert_int_equal(again.count, 3);
    assert_int_equal(((const struct claimed_job *)again.at)->attempt, 2);
    /* the dead one comes back to life and wants to commit its outcome */
    assert_err(&fixture, ERR_LEASE_LOST, queue_complete(&scope, lost.at, now()));
    assert_ok(&fixture, queue_complete(&scope, again.at, now()));
}

static void a_job_past_its_deadline_returns_too(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t worker = worker_new(), returned = 0;
    struct job_order order = {.kind = JOB_SYNC, .subject = db_new_id(&scope), .max_attempts = 2};
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    for (int attempt = 1; attempt <= 2; attempt++) {
        assert_int_equal(claim_one(worker).attempt, attempt);
        fixture_superuser(&fixture, "UPDATE region.job SET hard_deadline = now() - interval '1 s'");
        assert_ok(&fixture, queue_reap(&at, now(), &returned));
        assert_int_equal(returned, 1);
    }
    /* a payload that kills its worker every time does not do so for ever */
    assert_int_equal(claim(worker, 10).count, 0);
    assert_int_equal(depth().failed, 1);
}

static void a_worker_that_stops_gives_back(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t leaving = worker_new(), staying = worker_new();
    enqueue(&scope, 2, NULL);
    assert_int_equal(claim(leaving, 2).count, 2);
    assert_ok(&fixture, queue_worker_stop(&at, leaving, now()));
    assert_int_equal(claim(staying, 2).count, 2);
}

/* ---- time ---- */

static void a_scheduled_job_waits_for_business_time(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t worker = worker_new(), promoted = -1;
    struct instant next;
    struct job_order order = {
        .kind = JOB_SYNC, .subject = db_new_id(&scope), .run_at = instant_add_s(now(), 3600)};
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    assert_ok(&fixture, queue_promote(&at, now(), &promoted, &next));
    assert_int_equal(promoted, 0);
    assert_true(next.us == order.run_at.us);
    assert_int_equal(claim(worker, 1).count, 0);
    clock_set_offset(&fixture.clock, INT64_C(3601) * 1000000);
    assert_ok(&fixture, queue_promote(&at, now(), &promoted, &next));
    assert_int_equal(promoted, 1);
    assert_int_equal(claim(worker, 1).count, 1);
}

static void asking_twice_makes_one_job_at_the_earlier_time(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    int64_t worker = worker_new();
    struct job_order later = {
        .kind = JOB_SYNC, .run_at = instant_add_s(now(), 900), .dedupe = "sync:1"};
    struct job_order sooner = {.kind = JOB_SYNC, .dedupe = "sync:1"};
    assert_ok(&fixture, queue_enqueue(&scope, &later));
    assert_ok(&fixture, queue_enqueue(&scope, &sooner));
    assert_ok(&fixture, queue_enqueue(&scope, &later));
    assert_int_equal(depth().ready + depth().scheduled, 1);
    struct claimed_job job = claim_one(worker);
    /* asked for while it runs: what it has read already may be old, so it runs again */
    assert_ok(&fixture, queue_enqueue(&scope, &sooner));
    assert_int_equal(claim(worker, 1).count, 0);
    assert_ok(&fixture, queue_complete(&scope, &job, now()));
    struct claimed_job again = claim_one(worker);
    assert_int_equal(again.id, job.id);
    assert_ok(&fixture, queue_complete(&scope, &again, now()));
    assert_int_equal(claim(worker, 1).count, 0);
}

static void a_retry_counts_until_the_attempts_are_spent(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t worker = worker_new(), promoted;
    struct instant next;
    bool exhausted = true;
    struct job_order order = {.kind = JOB_SYNC, .subject = db_new_id(&scope), .max_attempts = 2};
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    struct claimed_job job = claim_one(worker);
    struct job_retry snooze = {.run_at = instant_add_s(now(), 60), .reason = "throttled"};
    struct job_retry fail = {.run_at = now(), .counts = true, .reason = "transient"};
    assert_ok(&fixture, queue_retry(&scope, &job, &snooze, now(), &exhausted));
    assert_false(exhausted);
    assert_int_equal(depth().scheduled, 1);
    clock_set_offset(&fixture.clock, INT64_C(61) * 1000000);
    assert_ok(&fixture, queue_promote(&at, now(), &promoted, &next));
    job = claim_one(worker);
    assert_int_equal(job.attempt, 1); /* a snooze is no attempt */
    fail.run_at = now();
    assert_ok(&fixture, queue_retry(&scope, &job, &fail, now(), &exhausted));
    job = claim_one(worker);
    assert_int_equal(job.attempt, 2);
    assert_ok(&fixture, queue_retry(&scope, &job, &fail, now(), &exhausted));
    assert_true(exhausted);
    assert_int_equal(depth().failed, 1);
    assert_int_equal(claim(worker, 1).count, 0);
}

static void a_parked_connection_runs_nothing_until_it_may(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    struct uuid connection = db_new_id(&scope);
    int64_t worker = worker_new(), woken;
    struct job_order order = {
        .kind = JOB_SYNC, .subject = db_new_id(&scope), .connection = connection};
    assert_ok(&fixture, queue_park(&scope, connection, true));
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    assert_ok(&fixture, queue_sweep(&at, now(), &woken));
    assert_int_equal(claim(worker, 1).count, 0);
    assert_ok(&fixture, queue_park(&scope, connection, false));
    assert_int_equal(claim(worker, 1).count, 1);
}

/* Whatever wakes the lane meanwhile. */
static void a_throttled_connection_runs_nothing_before_its_time(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    struct job_order order = {.kind = JOB_SYNC, .connection = db_new_id(&scope)};
    int64_t worker = worker_new(), woken;
    order.subject = db_new_id(&scope);
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    assert_ok(&fixture, queue_throttle(&scope, order.connection, 60));
    assert_ok(&fixture, queue_throttle(&scope, order.connection, 1)); /* the longer one counts */
    assert_int_equal(claim(worker, 2).count, 0);
    order.subject = db_new_id(&scope);
    assert_ok(&fixture, queue_enqueue(&scope, &order));
    assert_ok(&fixture, queue_sweep(&at, now(), &woken));
    assert_int_equal(claim(worker, 2).count, 0);
    enqueue(&scope, 1, NULL); /* another lane */
    assert_int_equal(claim(worker, 1).count, 1);
    fixture_superuser(&fixture, "UPDATE region.lane SET throttled_until = clock_timestamp()"
                                " WHERE throttled_until IS NOT NULL");
    assert_int_equal(claim(worker, 8).count, 2);
}

static void the_sweep_wakes_a_lane_that_sleeps_over_work(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    int64_t worker = worker_new(), woken = 0;
    enqueue(&scope, 1, NULL);
    fixture_superuser(&fixture, "UPDATE region.lane SET next_at = 'infinity', running = 3");
    assert_int_equal(claim(worker, 1).count, 0);
    assert_ok(&fixture, queue_sweep(&at, now(), &woken));
    assert_int_equal(woken, 1);
    assert_int_equal(claim(worker, 8).count, 1);
    struct rows lanes;
    assert_ok(&fixture, admin_lanes(&at, &(struct admin_page){.rows = 10}, &lanes));
    assert_int_equal(lanes.count, 1);
    assert_int_equal(((const struct admin_lane *)lanes.at)->running, 1);
}

/* Vacuum or not, what was claimed is not walked again; and what is older is not lost by it. */
static void a_floor_hides_no_older_job_for_long(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct untenanted at = queue();
    struct claimer claimer = {.worker = worker_new()};
    struct rows rows;
    assert_ok(&fixture, db_exec(&at.scope, &lanes_open_sql, NO_PARAMS, NULL));
    enqueue(&scope, 3, NULL);
    assert_ok(&fixture, queue_claim(&at, &claimer, 2, now(), &rows));
    assert_int_equal(rows.count, 2);
    assert_int_equal(claimer.floor_count, 1);
    struct job_order late = {
        .kind = JOB_SYNC, .subject = db_new_id(&scope), .run_at = instant_add_s(now(), -3600)};
    assert_ok(&fixture, queue_enqueue(&scope, &late));
    assert_ok(&fixture, queue_claim(&at, &claimer, 1, now(), &rows));
    assert_int_equal(rows.count, 1); /* the third; the older one is below the floor */
    assert_true(((const struct claimed_job *)rows.at)->run_at.us > late.run_at.us);
    assert_ok(&fixture, queue_claim(&at, &claimer, 1, now(), &rows));
    assert_int_equal(rows.count, 1); /* nothing else was left: looked at from the beginning */
    assert_int_equal(((const struct claimed_job *)rows.at)->run_at.us, late.run_at.us);
    enqueue(&scope, 3, NULL);
    assert_ok(&fixture, queue_claim(&at, &claimer, 1, now(), &rows));
    late.subject = db_new_id(&scope);
    assert_ok(&fixture, queue_enqueue(&scope, &late));
    claimer.since_us -= CLAIM_FLOORS_MS * 1000;
    assert_ok(&fixture, queue_claim(&at, &claimer, 1, now(), &rows));
    assert_int_equal(((const struct claimed_job *)rows.at)->run_at.us, late.run_at.us);
}

static void wakes(void *context)
{
    (*(int *)context)++;
}

static void workers_are_woken_after_the_commit_only(void **state)
{
    (void)state;
    int woken = 0;
    struct db_settings settings = fixture_settings(&fixture, "app");
    struct db *db;
    settings.wake = wakes;
    settings.wake_context = &woken;
    assert_ok(&fixture, db_open(fixture.arena, &settings, &db));
    struct scope scope = scope_make(db, fixture.arena, fixture.workspace);
    assert_err(&fixture, ERR_FIELD_INVALID, db_transaction(&scope, enqueue_then_fail, NULL));
    assert_int_equal(woken, 0);
    enqueue(&scope, 1, NULL);
    assert_int_equal(woken, 1);
    db_close(db);
}

/* ---- provider limits ---- */

enum { LIMIT_BURST = 40, LIMIT_RATE = 50, LESSEES = 4 };

struct lessee {
    struct db *db;
    int64_t bucket;
    int64_t worker;
    int64_t taken;
    int64_t until_us;
    enum err err;
};

static void *lease_all(void *arg)
{
    struct lessee *self = arg;
    struct arena *arena = arena_open();
    while (self->err == OK && monotonic_us() < self->until_us) {
        struct untenanted at = db_untenanted(self->db, arena);
        struct bucket_slice slice;
        self->err = bucket_lease(&at, self->bucket, self->worker, 7, &slice);
        if (self->err == OK) {
            self->taken += slice.tokens;
            if (slice.tokens == 0)
                usleep((useconds_t)(slice.wait_ms < 20 ? slice.wait_ms : 20) * 1000);
        }
        arena_reset(arena);
    }
    arena_close(arena);
    return NULL;
}

static void slices_never_exceed_the_limit(void **state)
{
    (void)state;
    struct untenanted at = queue();
    struct bucket bucket = {"qonto", "default", "requests", LIMIT_RATE, LIMIT_BURST};
    struct lessee lessees[LESSEES] = {{0}};
    pthread_t threads[LESSEES];
    int64_t id, taken = 0;
    assert_ok(&fixture, bucket_ensure(&at, &bucket, &id));
    int64_t began_us = monotonic_us();
    for (int i = 0; i < LESSEES; i++) {
        lessees[i] = (struct lessee){.db = fixture_connect(&fixture, "queue"),
                                     .bucket = id,
                                     .worker = i + 1,
                                     .until_us = began_us + 1500000};
        pthread_create(&threads[i], NULL, lease_all, &lessees[i]);
    }
    for (int i = 0; i < LESSEES; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(lessees[i].err, OK);
        taken += lessees[i].taken;
        db_close(lessees[i].db);
    }
    double seconds = (double)(monotonic_us() - began_us) / 1e6;
    assert_true((double)taken <= LIMIT_BURST + LIMIT_RATE * seconds);
    assert_true(taken >= LIMIT_BURST + LIMIT_RATE); /* and what may flow does */
}

static void a_closed_bucket_gives_nothing_and_says_when(void **state)
{
    (void)state;
    struct untenanted at = queue();
    struct bucket bucket = {"qonto", "default", "requests", LIMIT_RATE, LIMIT_BURST};
    struct bucket_slice slice;
    int64_t id;
    assert_ok(&fixture, bucket_ensure(&at, &bucket, &id));
    assert_ok(&fixture, bucket_close(&at, id, 30));
    assert_ok(&fixture, bucket_lease(&at, id, 1, 5, &slice));
    assert_int_equal(slice.tokens, 0);
    assert_true(slice.wait_ms > 28000 && slice.wait_ms <= 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_job_goes_through_once, clean),
        cmocka_unit_test_setup(a_job_exists_only_if_its_reason_does, clean),
        cmocka_unit_test_setup(two_workers_never_claim_one_job, clean),
        cmocka_unit_test_setup(a_large_tenant_does_not_starve_a_small_one, clean),
        cmocka_unit_test_setup(a_lane_runs_no_more_than_it_may, clean),
        cmocka_unit_test_setup(a_dead_workers_jobs_return_and_it_cannot_end_them, clean),
        cmocka_unit_test_setup(a_job_past_its_deadline_returns_too, clean),
        cmocka_unit_test_setup(a_worker_that_stops_gives_back, clean),
        cmocka_unit_test_setup(a_scheduled_job_waits_for_business_time, clean),
        cmocka_unit_test_setup(asking_twice_makes_one_job_at_the_earlier_time, clean),
        cmocka_unit_test_setup(a_retry_counts_until_the_attempts_are_spent, clean),
        cmocka_unit_test_setup(a_parked_connection_runs_nothing_until_it_may, clean),
        cmocka_unit_test_setup(a_throttled_connection_runs_nothing_before_its_time, clean),
        cmocka_unit_test_setup(a_floor_hides_no_older_job_for_long, clean),
        cmocka_unit_test_setup(the_sweep_wakes_a_lane_that_sleeps_over_work, clean),
        cmocka_unit_test_setup(workers_are_woken_after_the_commit_only, clean),
        cmocka_unit_test_setup(slices_never_exceed_the_limit, clean),
        cmocka_unit_test_setup(a_closed_bucket_gives_nothing_and_says_when, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
