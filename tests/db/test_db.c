/* Connections, statements, transactions, faults: server/db on a database without our schema. */
#include <pthread.h>
#include <unistd.h>

#include "support.h"
#include "base/fault.h"
#include "base/text.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open_empty(&fixture, "test_db");
    assert_ok(&fixture,
              db_script(fixture.owner, fixture.arena,
                        "CREATE SCHEMA region;"
                        "CREATE TABLE region.thing (id uuid CONSTRAINT thing_key PRIMARY KEY,"
                        " parent uuid CONSTRAINT thing_parent REFERENCES region.thing,"
                        " name text, n bigint, small smallint, truth boolean, at timestamptz,"
                        " day date, blob bytea, doc jsonb, real double precision, tags text[],"
                        " relatives uuid[], amount_minor bigint, currency text);"));
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
    assert_true(fault_plan(NULL));
    arena_failure_clear(fixture.arena);
    assert_ok(&fixture, db_script(fixture.owner, fixture.arena, "TRUNCATE region.thing"));
    return 0;
}

struct thing {
    struct uuid id;
    struct uuid parent;
    const char *name;
    int64_t n;
    int small;
    bool truth;
    struct instant at;
    struct date day;
    struct bytes blob;
    const char *doc;
    double real;
    struct text_list tags;
    struct uuid_list relatives;
    struct money {
        int64_t minor;
        char currency[4];
    } amount;
};

static const struct column thing_columns[] = {
    COLUMN(struct thing, id),
    COLUMN(struct thing, parent),
    COLUMN(struct thing, name),
    COLUMN(struct thing, n),
    COLUMN(struct thing, small),
    COLUMN(struct thing, truth),
    COLUMN(struct thing, at),
    COLUMN(struct thing, day),
    COLUMN(struct thing, blob),
    COLUMN(struct thing, doc),
    COLUMN(struct thing, real),
    COLUMN(struct thing, tags),
    COLUMN(struct thing, relatives),
    COLUMN_MONEY("amount_minor", "currency", struct thing, amount)};
static const struct shape thing_shape = SHAPE(struct thing, thing_columns);

STATEMENT(thing_insert_sql,
          "INSERT INTO region.thing (id, parent, name, n, small, truth, at, day, blob, doc, real,"
          " tags, relatives, amount_minor, currency)"
          " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)");
STATEMENT(thing_get_sql, "SELECT * FROM region.thing WHERE id = $1");
STATEMENT(thing_named_sql, "INSERT INTO region.thing (id, name) VALUES ($1, $2)");
STATEMENT(thing_child_sql, "INSERT INTO region.thing (id, parent) VALUES ($1, $2)");
STATEMENT(thing_count_sql, "SELECT count(*) FROM region.thing");
STATEMENT(thing_rename_sql, "UPDATE region.thing SET name = $2 WHERE id = $1");
STATEMENT_ROWS(thing_capped_sql, 2, "SELECT * FROM region.thing");
STATEMENT(thing_sleep_sql, "SELECT count(*) FROM pg_sleep(5)");
STATEMENT(thing_wrong_sql, "SELECT no_such_column FROM region.thing");
STATEMENT(thing_tenant_sql, "SELECT coalesce(length(nullif(current_setting('sluice.workspace',"
                            " true), '')), 0)::bigint");
STATEMENT(backend_pid_sql, "SELECT pg_backend_pid()::bigint");

static struct untenanted owner(void)
{
    return db_untenanted(fixture.owner, fixture.arena);
}

static struct uuid new_id(void)
{
    struct untenanted at = owner();
    return db_new_id(&at.scope);
}

static int64_t things(void)
{
    struct untenanted at = owner();
    int64_t n = -1;
    assert_ok(&fixture, db_int(&at.scope, &thing_count_sql, NO_PARAMS, &n));
    return n;
}

static void every_type_comes_back_as_it_went(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct uuid relatives[] = {new_id(), new_id()};
    const char *tags[] = {"un", NULL, "deux, \"trois\""};
    struct date day;
    assert_true(date_parse("1999-12-31", &day));
    struct thing in = {.id = new_id(), .name = "Société É", .n = INT64_MIN, .small = -7};
    struct bytes blob = {(const uint8_t *)"\0\1\2", 3};
    assert_ok(&fixture,
              db_exec(&at.scope, &thing_insert_sql,
                      PARAMS(P(in.id), P(in.parent), P(in.name), P(in.n), P(in.small), P_BOOL(true),
                             P((struct instant){1234567890123456}), P(day), P(blob),
                             P_JSON("{\"a\": 1}"), P(0.5), P(((struct text_list){tags, 3})),
                             P(((struct uuid_list){relatives, 2})), P(1999), P("EUR")),
                      NULL));
    struct thing out;
    assert_ok(&fixture, db_one(&at.scope, &thing_get_sql, PARAMS(P(in.id)), &thing_shape, &out));
    assert_true(uuid_equal(out.id, in.id));
    assert_true(uuid_is_nil(out.parent));
    assert_string_equal(out.name, in.name);
    assert_true(out.n == INT64_MIN && out.small == -7 && out.truth);
    assert_true(out.at.us == 1234567890123456 && out.day.days == day.days);
    assert_int_equal(out.blob.n, 3);
    assert_memory_equal(out.blob.at, blob.at, 3);
    assert_string_equal(out.doc, "{\"a\": 1}");
    assert_true(out.real > 0.49 && out.real < 0.51);
    assert_int_equal(out.tags.n, 3);
    assert_null(out.tags.at[1]);
    assert_string_equal(out.tags.at[2], tags[2]);
    assert_int_equal(out.relatives.n, 2);
    assert_true(uuid_equal(out.relatives.at[1], relatives[1]));
    assert_true(out.amount.minor == 1999 && text_equal(out.amount.currency, "EUR"));
}

static void absent_values_are_null_both_ways(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct uuid id = new_id();
    struct date no_day = {DATE_NONE};
    struct bytes no_bytes = {NULL, 0};
    struct uuid nil = {0};
    assert_ok(&fixture,
              db_exec(&at.scope, &thing_insert_sql,
                      PARAMS(P(id), P(nil), P((const char *)NULL), P_INT_IF(false, 1), P(0),
                             P_BOOL(false), P((struct instant){0}), P(no_day), P(no_bytes),
                             P_JSON(NULL), P(0.0), P((struct text_list){0}),
                             P((struct uuid_list){0}), P_INT_IF(false, 0), P((const char *)NULL)),
                      NULL));
    struct thing out;
    assert_ok(&fixture, db_one(&at.scope, &thing_get_sql, PARAMS(P(id)), &thing_shape, &out));
    assert_null(out.name);
    assert_null(out.doc);
    assert_null(out.blob.at);
    assert_true(out.day.days == DATE_NONE && out.at.us == 0 && out.n == 0);
    assert_int_equal(out.tags.n, 0);
    assert_string_equal(out.amount.currency, "");
}

static void failures_are_told_apart(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct uuid id = new_id();
    assert_ok(&fixture, db_exec(&at.scope, &thing_named_sql, PARAMS(P(id), P("a")), NULL));
    assert_err(&fixture, ERR_DUPLICATE,
               db_exec(&at.scope, &thing_named_sql, PARAMS(P(id), P("b")), NULL));
    assert_string_equal(arena_failure(fixture.arena)->field, "thing_key");
    assert_err(&fixture, ERR_CONFLICT,
               db_exec(&at.scope, &thing_child_sql, PARAMS(P(new_id()), P(new_id())), NULL));
    assert_string_equal(arena_failure(fixture.arena)->field, "thing_parent");
    struct thing out;
    assert_err(&fixture, ERR_NOT_FOUND,
               db_one(&at.scope, &thing_get_sql, PARAMS(P(new_id())), &thing_shape, &out));
    int64_t n;
    assert_err(&fixture, ERR_DB, db_int(&at.scope, &thing_wrong_sql, NO_PARAMS, &n));
    struct scope hurried = at.scope;
    hurried.timeout_ms = 50;
    assert_err(&fixture, ERR_DEADLINE, db_int(&hurried, &thing_sleep_sql, NO_PARAMS, &n));
    assert_int_equal(things(), 1); /* and the connection still serves */
}

static void more_rows_than_the_cap_are_an_error(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct rows rows;
    for (int i = 0; i < 2; i++)
        assert_ok(&fixture,
                  db_exec(&at.scope, &thing_named_sql, PARAMS(P(new_id()), P("a")), NULL));
    assert_ok(&fixture, db_all(&at.scope, &thing_capped_sql, NO_PARAMS, &thing_shape, &rows));
    assert_int_equal(rows.count, 2);
    assert_ok(&fixture, db_exec(&at.scope, &thing_named_sql, PARAMS(P(new_id()), P("a")), NULL));
    assert_err(&fixture, ERR_LIMIT,
               db_all(&at.scope, &thing_capped_sql, NO_PARAMS, &thing_shape, &rows));
}

static void the_tenant_lasts_one_transaction(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct scope scope = scope_make(fixture.owner, fixture.arena, new_id());
    int64_t length = 0;
    assert_ok(&fixture, db_int(&scope, &thing_tenant_sql, NO_PARAMS, &length));
    assert_int_equal(length, 36);
    assert_ok(&fixture, db_int(&at.scope, &thing_tenant_sql, NO_PARAMS, &length));
    assert_int_equal(length, 0);
}

struct plan {
    struct uuid ids[200];
    size_t count;
    enum err answer;
    int runs;
};

static enum err insert_all(const struct scope *scope, void *arg)
{
    struct plan *plan = arg;
    plan->runs++;
    for (size_t i = 0; i < plan->count; i++)
        TRY(db_later(scope, &thing_named_sql, PARAMS(P(plan->ids[i]), P("later"))));
    return plan->answer;
}

static void a_transaction_stands_or_falls_as_one(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct plan plan = {.count = 200};
    for (size_t i = 0; i < plan.count; i++)
        plan.ids[i] = new_id();
    plan.answer = ERR_FIELD_INVALID;
    assert_err(&fixture, ERR_FIELD_INVALID, db_transaction(&at.scope, insert_all, &plan));
    assert_int_equal(things(), 0);
    plan.answer = OK;
    assert_ok(&fixture, db_transaction(&at.scope, insert_all, &plan));
    assert_int_equal(things(), 200);
    /* the last one sent ahead fails: the commit says so */
    struct plan again = {.count = 2, .ids = {new_id(), plan.ids[3]}};
    assert_err(&fixture, ERR_DUPLICATE, db_transaction(&at.scope, insert_all, &again));
    assert_int_equal(things(), 200);
}

static enum err insert_then_twice(const struct scope *scope, void *arg)
{
    struct plan *plan = arg;
    struct plan first = {.count = 1, .ids = {plan->ids[0]}};
    struct plan same = {.count = 2, .ids = {new_id(), plan->ids[0]}};
    TRY(insert_all(scope, &first));
    enum err err = db_savepoint(scope, insert_all, &same);
    return err == ERR_DUPLICATE ? OK : ERR_INTERNAL;
}

static void a_savepoint_undoes_only_its_part(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct plan plan = {.ids = {new_id()}};
    assert_ok(&fixture, db_transaction(&at.scope, insert_then_twice, &plan));
    assert_int_equal(things(), 1);
}

/* Two transactions that update two rows in opposite order. */
struct opponent {
    struct db *db;
    struct uuid first, second;
    pthread_barrier_t *meet;
    bool met;
    enum err err;
    int runs;
};

static enum err update_both(const struct scope *scope, void *arg)
{
    struct opponent *self = arg;
    self->runs++;
    TRY(db_exec(scope, &thing_rename_sql, PARAMS(P(self->first), P("x")), NULL));
    if (!self->met) {
        self->met = true;
        pthread_barrier_wait(self->meet);
    }
    return db_exec(scope, &thing_rename_sql, PARAMS(P(self->second), P("y")), NULL);
}

static void *oppose(void *arg)
{
    struct opponent *self = arg;
    struct arena *arena = arena_open();
    struct untenanted at = db_untenanted(self->db, arena);
    self->err = db_transaction(&at.scope, update_both, self);
    arena_close(arena);
    return NULL;
}

static void a_deadlock_runs_the_unit_again(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct uuid a = new_id(), b = new_id();
    pthread_barrier_t meet;
    pthread_barrier_init(&meet, NULL, 2);
    assert_ok(&fixture, db_exec(&at.scope, &thing_named_sql, PARAMS(P(a), P("a")), NULL));
    assert_ok(&fixture, db_exec(&at.scope, &thing_named_sql, PARAMS(P(b), P("b")), NULL));
    struct opponent one = {fixture_connect(&fixture, "owner"), a, b, &meet, false, OK, 0};
    struct opponent two = {fixture_connect(&fixture, "owner"), b, a, &meet, false, OK, 0};
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, oppose, &one);
    pthread_create(&threads[1], NULL, oppose, &two);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(one.err, OK);
    assert_int_equal(two.err, OK);
    assert_true(one.runs + two.runs >= 3); /* and the loser may lose once more */
    db_close(one.db);
    db_close(two.db);
    pthread_barrier_destroy(&meet);
}

static void a_lost_connection_is_made_anew(void **state)
{
    (void)state;
    struct untenanted at = owner();
    int64_t before, after;
    assert_ok(&fixture, db_int(&at.scope, &backend_pid_sql, NO_PARAMS, &before));
    fixture_superuser(&fixture,
                      arena_format(fixture.arena, "SELECT pg_terminate_backend(%d)", (int)before));
    usleep(100 * 1000);
    assert_ok(&fixture, db_int(&at.scope, &backend_pid_sql, NO_PARAMS, &after));
    assert_int_not_equal(before, after);
}

static void a_lost_commit_says_that_it_does_not_know(void **state)
{
    (void)state;
    struct untenanted at = owner();
    struct plan plan = {.count = 1, .ids = {new_id()}};
    assert_true(fault_plan("db.committed:1"));
    assert_err(&fixture, ERR_DB_UNKNOWN, db_transaction(&at.scope, insert_all, &plan));
    assert_int_equal(fault_reached(FAULT_DB_COMMITTED), 1);
    assert_int_equal(things(), 1); /* it was done: repeating it would be wrong */
    struct plan more = {.count = 1, .ids = {new_id()}};
    assert_true(fault_plan("db.commit:1"));
    assert_ok(&fixture, db_transaction(&at.scope, insert_all, &more)); /* surely not done: again */
    assert_int_equal(more.runs, 2);
    assert_int_equal(things(), 2);
    assert_true(fault_plan("db.commit:1+"));
    struct plan never = {.count = 1, .ids = {new_id()}};
    assert_err(&fixture, ERR_DB_DOWN, db_transaction(&at.scope, insert_all, &never));
    assert_true(fault_plan(NULL));
    assert_int_equal(things(), 2);
}

static void a_lone_write_that_is_lost_says_so_too(void **state)
{
    (void)state;
    struct untenanted at = owner();
    assert_true(fault_plan("db.result:1"));
    assert_err(&fixture, ERR_DB_UNKNOWN,
               db_exec(&at.scope, &thing_named_sql, PARAMS(P(new_id()), P("a")), NULL));
    assert_true(fault_plan("db.result:1"));
    assert_int_equal(things(), 0); /* a read is repeated */
}

static void notifications_reach_a_listener(void **state)
{
    (void)state;
    struct db *listener = fixture_connect(&fixture, "owner");
    bool notified = true;
    assert_ok(&fixture, db_listen(listener, fixture.arena, "job_test"));
    assert_ok(&fixture, db_wait(listener, fixture.arena, 0, -1, &notified));
    assert_false(notified);
    assert_ok(&fixture, db_notify(fixture.owner, fixture.arena, "job_test"));
    assert_ok(&fixture, db_wait(listener, fixture.arena, 2000, -1, &notified));
    assert_true(notified);
    db_close(listener);
}

static void a_pool_lends_no_more_than_it_has(void **state)
{
    (void)state;
    struct db_settings settings = fixture_settings(&fixture, "owner");
    struct db_pool *pool = db_pool_open(&settings, 2);
    struct db *one, *two, *three;
    assert_ok(&fixture, db_pool_borrow(pool, fixture.arena, 10, &one));
    assert_ok(&fixture, db_pool_borrow(pool, fixture.arena, 10, &two));
    assert_err(&fixture, ERR_BUSY, db_pool_borrow(pool, fixture.arena, 10, &three));
    db_pool_return(pool, one);
    assert_ok(&fixture, db_pool_borrow(pool, fixture.arena, 10, &three));
    assert_ptr_equal(one, three);
    db_pool_return(pool, two);
    db_pool_return(pool, three);
    db_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_type_comes_back_as_it_went, clean),
        cmocka_unit_test_setup(absent_values_are_null_both_ways, clean),
        cmocka_unit_test_setup(failures_are_told_apart, clean),
        cmocka_unit_test_setup(more_rows_than_the_cap_are_an_error, clean),
        cmocka_unit_test_setup(the_tenant_lasts_one_transaction, clean),
        cmocka_unit_test_setup(a_transaction_stands_or_falls_as_one, clean),
        cmocka_unit_test_setup(a_savepoint_undoes_only_its_part, clean),
        cmocka_unit_test_setup(a_deadlock_runs_the_unit_again, clean),
        cmocka_unit_test_setup(a_lost_connection_is_made_anew, clean),
        cmocka_unit_test_setup(a_lost_commit_says_that_it_does_not_know, clean),
        cmocka_unit_test_setup(a_lone_write_that_is_lost_says_so_too, clean),
        cmocka_unit_test_setup(notifications_reach_a_listener, clean),
        cmocka_unit_test_setup(a_pool_lends_no_more_than_it_has, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
