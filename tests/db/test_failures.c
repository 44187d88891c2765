/* Jobs that gave up: each becomes a problem that people see, and one click puts its work in again.
 */
#include "pipeline.h"

#include "base/text.h"
#include "store/delivery.h"
#include "store/item_read.h"
#include "store/job_failure.h"
#include "store/problem_work.h"

static struct fixture fixture;
static struct pipeline at;
static int64_t worker;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_failures");
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct worker_start start = {.host = "here", .process_id = 1, .lease_s = 600};
    assert_ok(&fixture, queue_worker_start(&queue, &start, &worker));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    pipeline_close(&at);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    arena_failure_clear(fixture.arena);
    run_sql(&at, "TRUNCATE region.item, region.record, region.job, region.lane, region.job_failed,"
                 " region.problem, region.window, region.document CASCADE");
    return 0;
}

/* Claims the only job there is and lets its last attempt fail. */
static bool gives_up(void)
{
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct instant now = clock_now(&fixture.clock);
    struct rows rows;
    bool exhausted;
    run_sql(&at, "UPDATE region.job SET attempt = max_attempts - 1");
    assert_ok(&fixture, queue_claim(&queue, &(struct claimer){.worker = worker}, 1, now, &rows));
    assert_int_equal(rows.count, 1);
    struct job_retry retry = {.run_at = now, .counts = true, .reason = "internal"};
    assert_ok(&fixture, queue_retry(&at.scope, rows.at, &retry, now, &exhausted));
    return exhausted;
}

/* As the keeper does. */
static int64_t tell(void)
{
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct rows rows;
    assert_ok(&fixture, job_failures_untold(&queue, 10, &rows));
    const struct failed_job *failed = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        struct scope scope = scope_make(fixture.app, fixture.arena, failed[i].workspace);
        assert_ok(&fixture, job_failure_tell(&scope, &failed[i]));
        assert_ok(&fixture, job_failure_told(&queue, failed[i].id));
    }
    return (int64_t)rows.count;
}

static bool problem(struct problem *into)
{
    struct rows rows;
    struct problem_filter filter = {.state = "unresolved", .limit = 10};
    assert_ok(&fixture, problem_list(&at.scope, &filter, &rows));
    assert_true(rows.count <= 1);
    if (rows.count == 1)
        *into = *(const struct problem *)rows.at;
    return rows.count == 1;
}

STATEMENT(jobs_sql, "SELECT count(*) FROM region.job j JOIN region.lane l ON l.id = j.lane_id"
                    " WHERE l.workspace_id = $1 AND j.subject_id = $2");

static struct uuid window_made(const char *state)
{
    struct uuid id = id_new(&at);
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.window (workspace_id, id, integration_id, kind,"
                              " state, settings_version, opened_at, closes_at)"
                              " VALUES (%s, %s, %s, 'live', '%s', 1, now(), now())",
                              id_sql(&at, at.scope.workspace), id_sql(&at, id),
                              id_sql(&at, at.integration.id), state));
    return id;
}

static void a_window_that_gave_up_is_told_once_and_put_in_again(void **state)
{
    (void)state;
    struct uuid window = window_made("scoring");
    struct job_order job = {.kind = JOB_WINDOW, .subject = window, .dedupe = "window:x"};
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    assert_true(gives_up());
    assert_int_equal(tell(), 1);
    assert_int_equal(tell(), 0);
    struct problem found;
    assert_true(problem(&found));
    assert_string_equal(found.code, JOB_GAVE_UP);
    assert_true(uuid_equal(found.integration_id, at.integration.id));
    assert_ok(&fixture, problem_work_retry(&at.scope, found.id, NULL, 0, &found));
    assert_int_equal(found.state, PROBLEM_RESOLVED);
    assert_int_equal(count_sql(&at, &jobs_sql, window), 1);
}

static void what_was_settled_meanwhile_is_no_problem(void **state)
{
    (void)state;
    struct uuid window = window_made("done");
    struct job_order job = {.kind = JOB_WINDOW, .subject = window};
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    assert_true(gives_up());
    assert_int_equal(tell(), 1);
    struct problem found;
    assert_false(problem(&found));
}

static void an_approval_that_gave_up_makes_its_item_a_problem(void **state)
{
    (void)state;
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_1", .state = "queued", .outcome = "flow", .p_micro = 900000});
    struct job_order job = {.kind = JOB_APPROVED, .subject = made.item};
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    assert_true(gives_up());
    assert_int_equal(tell(), 1);
    struct problem found;
    assert_true(problem(&found));
    struct item_view item;
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_string_equal(item.state, "problem");
    assert_ok(&fixture, problem_work_retry(&at.scope, found.id, NULL, 0, &found));
    assert_ok(&fixture, item_get(&at.scope, made.item, &item));
    assert_string_equal(item.state, "queued");
    assert_int_equal(count_sql(&at, &jobs_sql, made.item), 1);
}

static void a_stream_that_gave_up_is_read_again(void **state)
{
    (void)state;
    struct job_order job = {
        .kind = JOB_SYNC, .connection = at.integration.source_connection_id, .subject = at.stream};
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    assert_true(gives_up());
    assert_int_equal(tell(), 1);
    struct problem found;
    assert_true(problem(&found));
    assert_true(uuid_equal(found.stream_id, at.stream));
    assert_ok(&fixture, problem_work_retry(&at.scope, found.id, NULL, 0, &found));
    assert_int_equal(found.state, PROBLEM_RESOLVED);
    assert_int_equal(count_sql(&at, &jobs_sql, at.stream), 1);
}

static void what_was_asked_for_again_meanwhile_does_not_give_up(void **state)
{
    (void)state;
    struct untenanted queue = db_untenanted(fixture.queue, fixture.arena);
    struct job_order job = {.kind = JOB_WINDOW, .subject = id_new(&at), .dedupe = "window:y"};
    struct rows rows;
    bool exhausted;
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    struct instant now = clock_now(&fixture.clock);
    run_sql(&at, "UPDATE region.job SET attempt = max_attempts - 1");
    assert_ok(&fixture, queue_claim(&queue, &(struct claimer){.worker = worker}, 1, now, &rows));
    assert_int_equal(rows.count, 1);
    assert_ok(&fixture, queue_enqueue(&at.scope, &job));
    struct job_retry retry = {.run_at = now, .counts = true, .reason = "internal"};
    assert_ok(&fixture, queue_retry(&at.scope, rows.at, &retry, now, &exhausted));
    assert_false(exhausted);
    assert_int_equal(count_sql(&at, &jobs_sql, job.subject), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_window_that_gave_up_is_told_once_and_put_in_again, clean),
        cmocka_unit_test_setup(what_was_settled_meanwhile_is_no_problem, clean),
        cmocka_unit_test_setup(an_approval_that_gave_up_makes_its_item_a_problem, clean),
        cmocka_unit_test_setup(a_stream_that_gave_up_is_read_again, clean),
        cmocka_unit_test_setup(what_was_asked_for_again_meanwhile_does_not_give_up, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
