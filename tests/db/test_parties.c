/* Counterparties that windows make: nobody twice, however many are scored at once. */
#include <pthread.h>

#include "pipeline.h"

#include "store/scoring.h"

static struct fixture fixture;
static struct pipeline at;

static int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, "test_parties");
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
    run_sql(&at, "TRUNCATE region.counterparty, region.window CASCADE");
    return 0;
}

enum { WINDOWS = 4 };

struct saver {
    struct db *db;
    struct uuid window;
    struct resolved_party party;
    pthread_barrier_t *start;
    enum err err;
};

static struct resolved_party newcomer(const char *name, const char *vat_id)
{
    return (struct resolved_party){
        .record = id_new(&at),
        .counterparty = id_new(&at),
        .created = true,
        .how = "new",
        .norm_version = "1",
        .name = name,
        .name_norm = name,
        .vat_id = vat_id,
        .customer_scheme = "stripe_customer",
    };
}

static struct uuid empty_window(void)
{
    struct uuid window = id_new(&at);
    run_sql(&at, arena_format(fixture.arena,
                              "INSERT INTO region.window (workspace_id, id, integration_id, kind,"
                              " state, settings_version, opened_at, closes_at)"
                              " VALUES (%s, %s, %s, 'live', 'scoring', 1, now(), now())",
                              id_sql(&at, at.scope.workspace), id_sql(&at, window),
                              id_sql(&at, at.integration.id)));
    return window;
}

static enum err save_party(const struct scope *scope, struct uuid window,
                           const struct resolved_party *party)
{
    struct resolved_party copy = *party;
    struct scoring_outcome outcome = {
        .window = window,
        .integration = at.integration.id,
        .target_connection = at.integration.target_connection_id,
        .settings_version = 1,
        .ledger_kind = "none",
        .parties = &copy,
        .party_count = 1,
    };
    return scoring_save(scope, &outcome);
}

static void *save_at_once(void *arg)
{
    struct saver *self = arg;
    struct arena *arena = arena_open();
    struct scope own = scope_make(self->db, arena, fixture.workspace);
    pthread_barrier_wait(self->start);
    self->err = save_party(&own, self->window, &self->party);
    arena_close(arena);
    return NULL;
}

/* The others find it when they score again. */
static void of_many_windows_one_makes_a_counterparty(void **state)
{
    (void)state;
    struct saver savers[WINDOWS];
    pthread_t threads[WINDOWS];
    pthread_barrier_t start;
    int made = 0, refused = 0;
    pthread_barrier_init(&start, NULL, WINDOWS);
    for (int i = 0; i < WINDOWS; i++) {
        savers[i] = (struct saver){.db = fixture_connect(&fixture, "app"),
                                   .window = empty_window(),
                                   .party = newcomer("acme", "FR40303265045"),
                                   .start = &start};
        pthread_create(&threads[i], NULL, save_at_once, &savers[i]);
    }
    for (int i = 0; i < WINDOWS; i++) {
        pthread_join(threads[i], NULL);
        made += savers[i].err == OK;
        refused += savers[i].err == ERR_CONFLICT;
        db_close(savers[i].db);
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(made, 1);
    assert_int_equal(refused, WINDOWS - 1);
}

static void a_counterparty_that_was_considered_is_no_double(void **state)
{
    (void)state;
    struct resolved_party first = newcomer("acme", "FR40303265045"),
                          second = newcomer("acme", "FR23334175221");
    assert_ok(&fixture, save_party(&at.scope, empty_window(), &first));
    struct uuid window = empty_window();
    assert_err(&fixture, ERR_CONFLICT, save_party(&at.scope, window, &second));
    arena_failure_clear(fixture.arena);
    second.known = &first.counterparty;
    second.known_count = 1;
    assert_ok(&fixture, save_party(&at.scope, window, &second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(of_many_windows_one_makes_a_counterparty, clean),
        cmocka_unit_test_setup(a_counterparty_that_was_considered_is_no_double, clean),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
