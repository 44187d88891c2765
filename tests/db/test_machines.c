/* The machines in C and in the database are the same ones. */
#include "tenants.h"
#include "base/text.h"
#include "store/machines.h"

static struct fixture fixture;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_machines");
    tenants_made(&fixture);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

struct text_row {
    const char *text;
};
static const struct column text_columns[] = {COLUMN(struct text_row, text)};
static const struct shape text_shape = SHAPE(struct text_row, text_columns);

STATEMENT(constraint_sql, "SELECT pg_get_constraintdef(oid) AS text FROM pg_catalog.pg_constraint"
                          " WHERE conname = $1");
/* How PostgreSQL writes the CHECK that machine_check makes. */
STATEMENT(canonical_drop_sql, "DROP TABLE IF EXISTS region.canonical");

static void checks_are_the_machines(void **state)
{
    (void)state;
    struct untenanted at = db_untenanted(fixture.owner, fixture.arena);
    for (size_t i = 0; machines[i]; i++) {
        struct text_row in_database, made;
        const char *name = arena_format(fixture.arena, "%s_state", machines[i]->name);
        assert_ok(&fixture,
                  db_one(&at.scope, &constraint_sql, PARAMS(P(name)), &text_shape, &in_database));
        assert_ok(&fixture, db_script(fixture.owner, fixture.arena,
                                      arena_format(fixture.arena,
                                                   "CREATE TABLE region.canonical (state text"
                                                   " CONSTRAINT canonical_state CHECK (%s))",
                                                   machine_check(fixture.arena, machines[i]))));
        assert_ok(&fixture, db_one(&at.scope, &constraint_sql,
                                   PARAMS(P((const char *)"canonical_state")), &text_shape, &made));
        assert_string_equal(in_database.text, made.text);
        assert_ok(&fixture, db_exec(&at.scope, &canonical_drop_sql, NO_PARAMS, NULL));
    }
}

struct move_row {
    const char *machine;
    const char *from_state;
    const char *to_state;
};
static const struct column move_columns[] = {COLUMN(struct move_row, machine),
                                             COLUMN(struct move_row, from_state),
                                             COLUMN(struct move_row, to_state)};
static const struct shape move_shape = SHAPE(struct move_row, move_columns);
STATEMENT(moves_sql, "SELECT machine, from_state, to_state FROM region.machine_move");

static const struct machine *machine_named(const char *name)
{
    for (size_t i = 0; machines[i]; i++) {
        if (text_equal(machines[i]->name, name))
            return machines[i];
    }
    fail_msg("no machine %s", name);
    return NULL;
}

static void moves_are_the_machines(void **state)
{
    (void)state;
    struct untenanted at = db_untenanted(fixture.owner, fixture.arena);
    struct rows rows;
    size_t moves = 0;
    for (size_t i = 0; machines[i]; i++) {
        for (unsigned from = 0; from < machines[i]->count; from++)
            moves += (size_t)__builtin_popcount(machines[i]->moves[from]);
    }
    assert_ok(&fixture, db_all(&at.scope, &moves_sql, NO_PARAMS, &move_shape, &rows));
    assert_int_equal(rows.count, moves);
    const struct move_row *row = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        const struct machine *machine = machine_named(row[i].machine);
        unsigned from, to;
        assert_true(machine_parse(machine, row[i].from_state, &from));
        assert_true(machine_parse(machine, row[i].to_state, &to));
        assert_true(machine_may(machine, from, to));
    }
}

STATEMENT(guarded_sql,
          "SELECT count(*) FROM pg_catalog.pg_trigger AS t WHERE t.tgname = 'machine_guard'"
          " AND t.tgrelid = ('region.' || quote_ident($1))::regclass AND t.tgenabled = 'O'");

static void every_machine_is_guarded(void **state)
{
    (void)state;
    struct untenanted at = db_untenanted(fixture.owner, fixture.arena);
    for (size_t i = 0; machines[i]; i++) {
        int64_t guards = 0;
        assert_ok(&fixture, db_int(&at.scope, &guarded_sql, PARAMS(P(machines[i]->name)), &guards));
        assert_int_equal(guards, 1);
    }
}

STATEMENT(force_state_sql, "UPDATE region.connection SET state = $2 WHERE id = $1");

static void the_database_refuses_a_move_outside_the_table(void **state)
{
    (void)state;
    struct scope scope = fixture_scope(&fixture);
    struct connection connection = connection_made(&fixture, &scope, "stripe", "source");
    /* even from a statement that forgot to ask */
    assert_err(&fixture, ERR_CONFLICT,
               db_exec(&scope, &force_state_sql,
                       PARAMS(P(connection.id), P((const char *)"enabled")), NULL));
    assert_string_equal(arena_failure(fixture.arena)->field, "connection_moves");
    assert_ok(&fixture, db_exec(&scope, &force_state_sql,
                                PARAMS(P(connection.id), P((const char *)"processing")), NULL));
    assert_err(&fixture, ERR_CONFLICT,
               db_exec(&scope, &force_state_sql,
                       PARAMS(P(connection.id), P((const char *)"nonsense")), NULL));
}

static void every_item_state_has_a_term(void **state)
{
    (void)state;
    for (unsigned i = 0; i < item_machine.count; i++) {
        bool known = false;
        for (size_t t = 0; conservation_terms[t]; t++)
            known = known || text_equal(conservation_terms[t], item_machine.terms[i]);
        assert_true(known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_are_the_machines),
        cmocka_unit_test(moves_are_the_machines),
        cmocka_unit_test(every_machine_is_guarded),
        cmocka_unit_test(the_database_refuses_a_move_outside_the_table),
        cmocka_unit_test(every_item_state_has_a_term),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
