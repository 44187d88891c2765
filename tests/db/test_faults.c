/* A transaction of several statements, lost at every point where it can be lost: it stands as a
 * whole or not at all, and the caller is told which, or that it cannot be known. */
#include "tenants.h"
#include "base/fault.h"
#include "store/audit.h"
#include "store/problem.h"
#include "store/queue.h"

static struct fixture fixture;
static struct scope scope;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_faults");
    tenants_made(&fixture);
    scope = fixture_scope(&fixture);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    assert_true(fault_plan(NULL));
    fixture_close(&fixture);
    return 0;
}

struct change {
    struct uuid subject;
    int runs;
};

/* An outcome as a job commits one: a problem, the audit row, the next job. */
static enum err change(const struct scope *at, void *arg)
{
    struct change *self = arg;
    struct problem_order problem = {
        .code = "test_problem", .text = "Something.", .item = {{0}}, .action = "retry"};
    struct audit_entry audit = {.action = "test.changed", .subject_kind = "test"};
    struct job_order job = {.kind = JOB_SYNC, .subject = self->subject};
    self->runs++;
    audit.subject = self->subject;
    TRY(problem_open(at, &problem));
    TRY(audit_append(at, &audit));
    return queue_enqueue(at, &job);
}

struct standing {
    int64_t audits, jobs;
};
static const struct column standing_columns[] = {COLUMN(struct standing, audits),
                                                 COLUMN(struct standing, jobs)};
static const struct shape standing_shape = SHAPE(struct standing, standing_columns);
/* In one statement: a session whose answer was lost may be committing at this moment. */
STATEMENT(standing_sql, "SELECT (SELECT count(*) FROM region.audit WHERE workspace_id = $1"
                        " AND subject_id = $2) AS audits,"
                        " (SELECT count(*) FROM region.job WHERE subject_id = $2) AS jobs");

static int64_t done(struct uuid subject)
{
    struct standing standing;
    assert_ok(&fixture, db_one(&scope, &standing_sql, PARAMS(P(scope.workspace), P(subject)),
                               &standing_shape, &standing));
    assert_int_equal(standing.audits, standing.jobs); /* never one without the other */
    return standing.audits;
}

static void lost_at(const char *point, int n)
{
    struct change self = {.subject = db_new_id(&scope)};
    assert_true(fault_plan(arena_format(fixture.arena, "%s:%d", point, n)));
    enum err err = db_transaction(&scope, change, &self);
    assert_true(fault_plan(NULL));
    int64_t stands = done(self.subject);
    if (err == OK)
        assert_int_equal(stands, 1);
    else if (err == ERR_DB_DOWN)
        assert_int_equal(stands, 0);
    else
        assert_int_equal(err, ERR_DB_UNKNOWN);
    assert_true(stands <= 1);
    assert_true(self.runs <= 2);
}

static int64_t reached(enum fault fault)
{
    struct change self = {.subject = db_new_id(&scope)};
    assert_true(fault_plan(NULL));
    assert_ok(&fixture, db_transaction(&scope, change, &self));
    return fault_reached(fault);
}

static void lost_at_every_statement(void **state)
{
    (void)state;
    int sends = (int)reached(FAULT_DB_SEND);
    int answers = (int)reached(FAULT_DB_RESULT);
    assert_true(sends >= 4 && answers >= 4);
    for (int n = 1; n <= sends; n++)
        lost_at("db.send", n);
    for (int n = 1; n <= answers; n++)
        lost_at("db.result", n);
}

static void lost_at_the_commit(void **state)
{
    (void)state;
    assert_int_equal(reached(FAULT_DB_COMMIT), 1);
    lost_at("db.commit", 1);
    assert_int_equal(reached(FAULT_DB_COMMITTED), 1);
    lost_at("db.committed", 1);
}

STATEMENT(own_pid_sql, "SELECT pg_backend_pid()::bigint");

struct killing {
    struct change change;
};

/* The server ends the session itself: its last message comes before the end of the stream. */
static enum err change_and_be_killed(const struct scope *at, void *arg)
{
    struct killing *self = arg;
    int64_t pid;
    bool first = self->change.runs == 0;
    TRY(db_int(at, &own_pid_sql, NO_PARAMS, &pid));
    if (first)
        fixture_superuser(&fixture,
                          arena_format(fixture.arena, "SELECT pg_terminate_backend(%d)", (int)pid));
    return change(at, &self->change);
}

static void a_terminated_session_runs_again_as_a_whole(void **state)
{
    (void)state;
    struct killing self = {.change = {.subject = db_new_id(&scope)}};
    assert_ok(&fixture, db_transaction(&scope, change_and_be_killed, &self));
    assert_int_equal(done(self.change.subject), 1);
}

static void a_database_that_refuses_is_an_error_and_no_hang(void **state)
{
    (void)state;
    struct db_settings settings = fixture_settings(&fixture, "app");
    struct db *db = NULL;
    assert_true(fault_plan("db.connect:1"));
    assert_err(&fixture, ERR_DB_DOWN, db_open(fixture.arena, &settings, &db));
    assert_true(fault_plan(NULL));
    assert_null(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_at_every_statement),
        cmocka_unit_test(lost_at_the_commit),
        cmocka_unit_test(a_terminated_session_runs_again_as_a_whole),
        cmocka_unit_test(a_database_that_refuses_is_an_error_and_no_hang),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
